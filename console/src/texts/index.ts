// English is in the page; the other two are fetched where they are wanted.
import { en, type Texts } from "./en.ts";

export type { Texts };

export const LANGUAGES = { en: "English", es: "Español", vi: "Tiếng Việt" };
export type Lang = keyof typeof LANGUAGES;

const LOAD: Record<Lang, () => Promise<Texts>> = {
  en: () => Promise.resolve(en),
  es: () => import("./es.ts").then(({ es }) => es),
  vi: () => import("./vi.ts").then(({ vi }) => vi),
};

/** In English if they cannot be fetched. */
export const textsOf = (lang: Lang): Promise<Texts> => LOAD[lang]().catch(() => en);

/** The first of the person's languages that there is. */
export const preferred = (languages: readonly string[]): Lang =>
  languages
    .map((language) => language.slice(0, 2).toLowerCase())
    .find((language): language is Lang => language in LANGUAGES) ?? "en";

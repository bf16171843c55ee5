// Language and appearance: as the browser has them, or as they were chosen here.
import { type Lang, LANGUAGES, preferred } from "../texts/index.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export interface Preferences {
  lang: Lang | null;
  theme: Theme;
}

const KEPT = "sallyport:console";

export function readPreferences(): Preferences {
  let kept: Partial<Preferences> = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Preferences>;
  } catch {
    // Written by nobody that we know, or not readable: as if there were none.
  }
  return {
    lang: kept.lang && kept.lang in LANGUAGES ? kept.lang : null,
    theme: THEMES.find((theme) => theme === kept.theme) ?? "auto",
  };
}

/** Also after a logout, by which the browser forgets what is stored. */
export function keepPreferences(preferences: Preferences): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(preferences));
  } catch {
    // Without storage they hold until the page is left.
  }
}

export const langOf = ({ lang }: Preferences): Lang => lang ?? preferred(navigator.languages);

export function show(preferences: Preferences): void {
  const { documentElement: html } = document;
  html.lang = langOf(preferences);
  if (preferences.theme === "auto") html.removeAttribute("data-theme");
  else html.dataset.theme = preferences.theme;
}

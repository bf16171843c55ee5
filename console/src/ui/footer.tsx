// Language and appearance, before the sign-in, too.
import { type Lang, LANGUAGES, type Texts } from "../texts/index.ts";
import { type Preferences, type Theme, THEMES } from "./preferences.ts";

export function Footer(props: {
  t: Texts;
  lang: Lang;
  preferences: Preferences;
  prefer(preferences: Preferences): void;
}) {
  const { t, preferences, prefer } = props;
  return (
    <footer>
      <label>
        {t.language}
        <select
          value={props.lang}
          onChange={(event) => prefer({ ...preferences, lang: event.currentTarget.value as Lang })}
        >
          {Object.entries(LANGUAGES).map(([lang, name]) => (
            <option key={lang} value={lang} lang={lang}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t.theme}
        <select
          value={preferences.theme}
          onChange={(event) => prefer({ ...preferences, theme: event.currentTarget.value as Theme })}
        >
          {THEMES.map((theme) => (
            <option key={theme} value={theme}>
              {t.themes[theme]}
            </option>
          ))}
        </select>
      </label>
      <a href="/docs">{t.api}</a>
    </footer>
  );
}

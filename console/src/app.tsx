// Who is signed in, and the frame around the views.
import { useEffect, useMemo, useState } from "preact/hooks";
import { AdminConnection, newManager, refusalBy } from "./api/admin.ts";
import { type Connection, Refusal, refusalOf } from "./api/call.ts";
import { KeyConnection, forgetKey, keptKey } from "./api/key.ts";
import { langOf, keepPreferences, readPreferences, show } from "./ui/preferences.ts";
import { type Lang, type Texts, textsOf } from "./texts/index.ts";
import { Frame } from "./frame.tsx";
import { Footer } from "./ui/footer.tsx";
import { SignIn } from "./views/sign_in.tsx";

const first = readPreferences();
show(first);

export interface Who {
  conn: Connection;
  name: string | null;
  sessionId: string | null;
}

/** A person may have changed it since the connection was made. */
let lang = langOf(first);
const manager = newManager(() => lang);

/** What it begins with. */
export const firstTexts = async (): Promise<Shown> => ({ lang, t: await textsOf(lang) });

/** What is shown: the language changes with its texts, not before. */
interface Shown {
  lang: Lang;
  t: Texts;
}

export function App({ shown: firstShown }: { shown: Shown }) {
  const [{ t, lang: inLang }, setShown] = useState(firstShown);
  const [preferences, setPreferences] = useState(first);
  const [who, setWho] = useState<Who | null>(null);
  const [ended, setEnded] = useState<Refusal | null>(null);
  const [ready, setReady] = useState(false);
  lang = langOf(preferences);
  const admin = useMemo(() => new AdminConnection(manager, () => lang), []);

  const enter = async () => {
    const session = await manager.getSession();
    if (session === null) return;
    if (!session.roles.includes("admin")) {
      await manager.logout();
      throw new Refusal({ status: 403, code: "forbidden", detail: t.notAdmin(session.username) });
    }
    setEnded(null);
    setWho({ conn: admin, name: session.username, sessionId: session.session_id });
  };

  useEffect(() => {
    show(preferences);
    keepPreferences(preferences);
    void textsOf(lang).then((t) => setShown({ lang, t }));
  }, [preferences]);
  useEffect(() => {
    document.title = t.title;
  }, [t]);

  useEffect(() => {
    const key = keptKey();
    if (key) {
      setWho({ conn: new KeyConnection(key, () => lang), name: null, sessionId: null });
      return setReady(true);
    }
    enter()
      // Nobody is signed in yet: no error to be shown to somebody who has only opened the page.
      .catch((error: unknown) => {
        const refusal = refusalOf(refusalBy(error));
        if (refusal.code !== "not_authenticated") setEnded(refusal);
      })
      .finally(() => setReady(true));
  }, []);

  // Ended elsewhere, or by a deadline.
  useEffect(
    () =>
      manager.on("end", ({ error }) => {
        setWho((before) => {
          if (before?.conn.kind !== "admin") return before;
          if (error && error.reason !== "logout") setEnded(refusalOf(refusalBy(error)));
          return null;
        });
      }),
    [],
  );

  const signOut = async () => {
    if (who?.conn.kind === "admin") await manager.logout();
    forgetKey();
    setEnded(null);
    setWho(null);
    keepPreferences(preferences);
  };

  if (!ready) return <p class="faint reading">{t.loading}</p>;
  const footer = <Footer t={t} lang={inLang} preferences={preferences} prefer={setPreferences} />;
  if (who === null)
    return (
      <>
        <SignIn
          t={t}
          lang={inLang}
          ended={ended}
          logIn={async (username, password) => {
            try {
              await manager.login(username, password, { deviceName: "Sallyport console" });
              await enter();
            } catch (error) {
              throw refusalBy(error);
            }
          }}
          useKey={(conn) => {
            setEnded(null);
            setWho({ conn, name: null, sessionId: null });
          }}
        />
        {footer}
      </>
    );
  return (
    <>
      <Frame
        who={who}
        manager={manager}
        t={t}
        lang={inLang}
        signOut={signOut}
        lost={(refusal) => {
          if (who.conn.kind === "key") forgetKey();
          setEnded(refusal);
          setWho(null);
        }}
      />
      {footer}
    </>
  );
}

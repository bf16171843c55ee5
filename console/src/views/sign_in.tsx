// Who is there: an admin with a password, or an operator with a service key.
import { useState } from "preact/hooks";
import { type Connection, NO_ANSWER, type Refusal, refusalOf } from "../api/call.ts";
import { KeyConnection, keepKey } from "../api/key.ts";
import * as ask from "../api/paths.ts";
import type { Lang, Texts } from "../texts/index.ts";
import { Logo } from "../ui/logo.tsx";

export interface SignInProps {
  t: Texts;
  lang: Lang;
  /** Why one is here again. */
  ended: Refusal | null;
  logIn(username: string, password: string): Promise<void>;
  useKey(conn: Connection): void;
}

export function SignIn(props: SignInProps) {
  const { t } = props;
  const [way, setWay] = useState<"admin" | "key">("admin");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const attempt = async (work: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setRefusal(null);
    try {
      await work();
    } catch (error) {
      setRefusal(refusalOf(error));
    } finally {
      setBusy(false);
    }
  };
  const shown = refusal ?? props.ended;
  return (
    <main class="sign-in" id="content">
      <div class="card">
        <h1>
          <Logo /> {t.title}
        </h1>
        <div class="choice" role="group" aria-label={t.signIn}>
          {(["admin", "key"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={way === one} onClick={() => setWay(one)}>
              {one === "admin" ? t.asAdmin : t.withKey}
            </button>
          ))}
        </div>
        {shown && (
          <div class="problem" role="alert">
            <strong>{shown.code === NO_ANSWER ? t.noAnswer : shown.message}</strong>{" "}
            {shown.reason && <span>({t.endedBy[shown.reason] ?? shown.reason}) </span>}
            <code>{shown.code}</code>
            {shown.requestId && (
              <div class="faint">
                {t.request} <code>{shown.requestId}</code>
              </div>
            )}
          </div>
        )}
        {way === "admin" ? (
          <Admin t={t} busy={busy} attempt={(name, password) => attempt(() => props.logIn(name, password))} />
        ) : (
          <Key
            t={t}
            busy={busy}
            attempt={(key, keep) =>
              attempt(async () => {
                const conn = new KeyConnection(key, () => props.lang);
                await isAccepted(conn);
                if (keep) keepKey(key);
                props.useKey(conn);
              })
            }
          />
        )}
      </div>
    </main>
  );
}

/** A key without the scope is a good key all the same: it may have that of portals. */
async function isAccepted(conn: Connection): Promise<void> {
  try {
    await conn.call(ask.tokens.list(), { passive: true });
  } catch (error) {
    if (refusalOf(error).code !== "forbidden") throw error;
  }
}

interface Form {
  t: Texts;
  busy: boolean;
}

function Admin({ t, busy, attempt }: Form & { attempt(name: string, password: string): void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        attempt(name, password);
      }}
    >
      <label>
        {t.username}
        <input
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        {t.password}
        <input
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <p class="faint">{t.adminNote}</p>
      <button type="submit" class="primary" aria-busy={busy}>
        {t.signIn}
      </button>
    </form>
  );
}

function Key({ t, busy, attempt }: Form & { attempt(key: string, keep: boolean): void }) {
  const [key, setKey] = useState("");
  const [keep, setKeep] = useState(false);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        attempt(key, keep);
      }}
    >
      <label>
        {t.serviceKey}
        <input
          name="key"
          type="password"
          autocomplete="off"
          required
          // What a header can have.
          pattern="[!-~]+"
          value={key}
          onInput={(event) => setKey(event.currentTarget.value.trim())}
        />
      </label>
      <label class="check">
        <input type="checkbox" checked={keep} onChange={(event) => setKeep(event.currentTarget.checked)} />
        {t.keepKey}
      </label>
      <p class="faint">{keep ? t.keyKept : t.keyNote}</p>
      <button type="submit" class="primary" aria-busy={busy}>
        {t.signIn}
      </button>
    </form>
  );
}

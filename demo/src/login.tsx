// The form, and why it is shown.
import { SessionError } from "@sallyport/client";
import { useSession } from "@sallyport/client/react";
import { type FormEvent, useState } from "react";
import { deviceName } from "./browser.ts";

const REASONS: Record<string, string> = {
  logout: "You have logged out, here or on another device.",
  evicted: "A newer login took the place of this session.",
  admin: "An administrator has ended this session.",
  reuse: "An old token was used again, so the session was ended to be safe.",
  password: "The password has been changed. Log in with the new one.",
  disabled: "This account is disabled.",
  inactivity: "You were away for too long.",
  lifetime: "The session has lasted as long as it may.",
  external: "The other system does not vouch for you any more.",
};

export function Login() {
  const { login, reason, error: ended } = useSession();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError(undefined);
    try {
      await login(String(form.get("username")), String(form.get("password")), { deviceName: deviceName() });
    } catch (cause) {
      setError(told(cause));
      setBusy(false);
    }
  };

  return (
    <section aria-labelledby="login" className="login">
      <h2 id="login">Log in</h2>
      {reason && (
        <p role="alert" className="notice">
          {REASONS[reason] ?? ended?.detail} <code>{reason}</code>
        </p>
      )}
      <form onSubmit={(event) => void submit(event)}>
        <label>
          User name
          <input name="username" autoComplete="username" autoCapitalize="none" required autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {error && (
          <p role="alert" className="error">
            {error}
          </p>
        )}
        <button type="submit" disabled={busy}>
          {busy ? "Logging in …" : "Log in"}
        </button>
      </form>
      <p className="quiet">
        <code>npm start</code> has made <code>admin</code> and <code>testuser</code>; their passwords are in{" "}
        <code>.dev/credentials.json</code>.
      </p>
    </section>
  );
}

/** The server's own words, with the code by which programs go. */
export function told(cause: unknown): string {
  if (!(cause instanceof SessionError)) return String(cause);
  const { code, detail, retryAfter } = cause;
  const text = cause.status === 0 ? "The server cannot be reached." : `${detail}.`.replace(/\.\.$/, ".");
  return `${text} (${code})${retryAfter ? ` Try again in ${retryAfter} s.` : ""}`;
}

// How long the session lasts without anybody: counted down each second, in this component only.
import { useSession } from "@sallyport/client/react";

export function Idle() {
  const { idleRemaining, idleWarning, session, keepAlive } = useSession();
  if (idleRemaining === null) return null;
  const all = session?.inactivity_timeout ?? idleRemaining;
  const left = clock(idleRemaining);
  return (
    <section aria-labelledby="idle" className={idleWarning ? "warning" : undefined}>
      <h2 id="idle">Inactivity</h2>
      <p className="countdown" role="timer" aria-label="Logged out for inactivity in">
        {left}
      </p>
      <progress max={all} value={Math.min(idleRemaining, all)} aria-labelledby="idle" />
      <div role="alert">{idleWarning && <p>You will be logged out soon, unless you are still there.</p>}</div>
      <button type="button" onClick={() => void keepAlive().catch(() => undefined)}>
        I am here
      </button>
      <p className="quiet">
        Keys and clicks count as activity, in any tab.{" "}
        <code>SESSION_INACTIVITY_TIMEOUT_SECONDS=90 npm start</code> makes it short enough to watch.
      </p>
    </section>
  );
}

function clock(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

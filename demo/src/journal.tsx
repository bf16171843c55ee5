// What the client tells of: logins, refreshes, warnings, ends. The last ones.
import type { SessionManager } from "@sallyport/client";
import { useSyncExternalStore } from "react";

const LINES = 12;

export interface Line {
  readonly n: number;
  readonly at: number;
  readonly text: string;
}

/** A list that grows, for `useSyncExternalStore`. */
export function journal(manager: SessionManager) {
  let lines: readonly Line[] = [];
  let n = 0;
  const listeners = new Set<() => void>();
  const add = (text: string) => {
    lines = [{ n: ++n, at: Date.now(), text }, ...lines].slice(0, LINES);
    for (const listener of listeners) listener();
  };
  manager.on("login", ({ user }) => add(`logged in as ${user?.username}`));
  manager.on("refresh", () => add("new tokens"));
  manager.on("idleWarning", (seconds) => add(`ends for inactivity in ${seconds} s`));
  manager.on("end", ({ reason }) => add(reason ? `ended: ${reason}` : "nobody is logged in"));
  manager.on("error", ({ code }) => add(`could not ask the server: ${code}`));
  return {
    get: () => lines,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

export function Journal({ lines }: { lines: ReturnType<typeof journal> }) {
  const all = useSyncExternalStore(lines.subscribe, lines.get);
  return (
    <section aria-labelledby="journal" className="journal">
      <h2 id="journal">What the client says</h2>
      <div role="log" aria-labelledby="journal">
        <ol>
          {all.map(({ n, at, text }) => (
            <li key={n}>
              <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time> {text}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}

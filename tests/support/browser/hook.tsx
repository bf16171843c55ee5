// What the tests of `useSession()` render, on a server and in a browser, with either version of React.
import { SessionManager, type SessionManagerOptions } from "@sallyport/client";
import { SessionProvider, useSession } from "@sallyport/client/react";
import { StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";

/** How often each component was rendered. */
const renders = { status: 0, clock: 0 };

function Status() {
  const { status, isAuthenticated, user, reason, login } = useSession();
  renders.status += 1;
  // Functions stay the same, so that effects may depend on them.
  logins.add(login);
  return <p id="status">{`${status} ${isAuthenticated} ${user?.username ?? "nobody"} ${reason ?? "-"}`}</p>;
}

function Clock() {
  const { idleRemaining } = useSession();
  renders.clock += 1;
  return <p id="clock">{String(idleRemaining)}</p>;
}

const logins = new Set<unknown>();

const App = ({ manager }: { manager: SessionManager }) => (
  <StrictMode>
    <SessionProvider manager={manager}>
      <Status />
      <Clock />
    </SessionProvider>
  </StrictMode>
);

/** As a server does it. */
export function rendered(options: SessionManagerOptions): string {
  return renderToString(<App manager={new SessionManager("https://auth.example.com", options)} />);
}

/** Without what it needs. */
export const renderedAlone = (): string => renderToString(<Clock />);

/** Makes a page of the server come to life. */
export function hydrate(place: Element) {
  const manager = new SessionManager(location.origin, { storage: "cookie" });
  const root = hydrateRoot(place, <App manager={manager} />);
  return { manager, renders, root, logins };
}

if (typeof document !== "undefined")
  Object.assign(globalThis, { hook: hydrate(document.getElementById("root") ?? document.body) });

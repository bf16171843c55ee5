// Logged in, logged out, or not known yet.
import { useSession } from "@sallyport/client/react";
import { useEffect, useRef } from "react";
import { useOnline } from "./browser.ts";
import { Devices } from "./devices.tsx";
import { Idle } from "./idle.tsx";
import { Login } from "./login.tsx";
import { Requests } from "./requests.tsx";
import { base, type Storage, STORAGES } from "./session.ts";

export function App({ storage }: { storage: Storage }) {
  const { status } = useSession();
  return (
    <>
      <header>
        <h1>Sallyport demo</h1>
        <StorageChoice storage={storage} />
      </header>
      <Connection />
      <main aria-busy={status === "loading"}>
        {status === "loading" && <p className="quiet">Asking whether somebody is logged in …</p>}
        {status === "anonymous" && <Login />}
        {status === "authenticated" && <Home />}
      </main>
    </>
  );
}

/** Where the tokens are. Another choice loads the page anew, as an application would not have both. */
function StorageChoice({ storage }: { storage: Storage }) {
  return (
    <nav aria-label="Where the tokens are kept">
      {Object.entries(STORAGES).map(([name, about]) => (
        <a
          key={name}
          href={`?storage=${name}`}
          title={about}
          aria-current={name === storage ? "page" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

/** An outage logs nobody out, and the page says that it is one. */
function Connection() {
  const { error, status } = useSession();
  const online = useOnline();
  const down = status !== "anonymous" && error?.transient;
  return (
    <div role="status" className="connection">
      {!online && <p>You are offline. You stay logged in; the page goes on when the network is back.</p>}
      {online && down && (
        <p>
          The server cannot be asked now (<code>{error.code}</code>). It is tried again.
        </p>
      )}
    </div>
  );
}

function Home() {
  const { user, session, logout } = useSession();
  // The form is gone, and with it what had the focus: who reads by ear goes on here.
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <section aria-labelledby="who">
        <h2 id="who" ref={heading} tabIndex={-1}>
          Hello, {user?.username ?? "you"}
        </h2>
        <dl>
          <dt>Roles</dt>
          <dd>{user?.roles.join(", ")}</dd>
          <dt>This device</dt>
          <dd>{session?.device_name ?? session?.user_agent ?? "…"}</dd>
          <dt>Logged in at</dt>
          <dd>{session && new Date(session.created_at).toLocaleString()}</dd>
          <dt>Ends at the latest</dt>
          <dd>{session && new Date(session.absolute_expires_at).toLocaleString()}</dd>
        </dl>
        <button type="button" onClick={() => void logout().catch(() => undefined)}>
          Log out
        </button>
      </section>
      <Idle />
      <Devices />
      <Requests url={`${base}/api/v1/protected`} />
    </>
  );
}

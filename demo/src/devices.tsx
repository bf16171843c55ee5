// Where the user is logged in, and the way to end it there.
import type { OwnSession } from "@sallyport/client";
import { useSession } from "@sallyport/client/react";
import { useCallback, useEffect, useState } from "react";
import { told } from "./login.tsx";

export function Devices() {
  const { manager } = useSession();
  const [sessions, setSessions] = useState<readonly OwnSession[]>();
  const [error, setError] = useState<string>();

  const act = useCallback(
    async (what: () => Promise<unknown>) => {
      try {
        await what();
        setSessions(await manager.listSessions());
        setError(undefined);
      } catch (cause) {
        // Whoever has been logged out sees that anyway.
        if (manager.getSnapshot().status === "authenticated") setError(told(cause));
      }
    },
    [manager],
  );
  useEffect(() => {
    void act(() => Promise.resolve());
  }, [act]);

  const others = sessions?.filter(({ current }) => !current) ?? [];
  return (
    <section aria-labelledby="devices">
      <h2 id="devices">Your devices</h2>
      {error && (
        <p role="alert" className="error">
          {error}
        </p>
      )}
      <ul className="devices">
        {sessions?.map(({ id, current, device_name, user_agent, last_activity }) => {
          const name = device_name ?? user_agent ?? "A device without a name";
          return (
            <li key={id}>
              <span>
                <strong>{name}</strong>
                {current && <em> this one</em>}
                <small>last active {new Date(last_activity).toLocaleTimeString()}</small>
              </span>
              {!current && (
                <button
                  type="button"
                  aria-label={`End the session of ${name}`}
                  onClick={() => void act(() => manager.revokeSession(id))}
                >
                  End
                </button>
              )}
            </li>
          );
        })}
      </ul>
      <div className="row">
        <button type="button" onClick={() => void act(() => Promise.resolve())}>
          Look again
        </button>
        <button
          type="button"
          disabled={others.length === 0}
          onClick={() => void act(() => manager.revokeOtherSessions())}
        >
          End all others
        </button>
        <button type="button" className="danger" onClick={() => void act(() => manager.revokeSessions())}>
          Log out everywhere
        </button>
      </div>
    </section>
  );
}

"use client";
// The session in React: `useSession()`, for React 18 and 19.
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { SessionManager } from "./manager.ts";
import type { Snapshot } from "./types.ts";

/** What a component sees of the session. */
export interface UseSessionResult
  extends
    Pick<Snapshot, "status" | "user" | "session" | "reason" | "error" | "idleWarning">,
    Pick<SessionManager, "login" | "logout" | "apiRequest" | "keepAlive"> {
  /** Whether somebody is logged in. It is `false` while that is not known yet: `status` is `"loading"` then. */
  readonly isAuthenticated: boolean;
  /**
   * In how many seconds the session ends for inactivity; `null` if nobody is logged in.
   * A component that reads it is rendered each second, and no other.
   */
  readonly idleRemaining: number | null;
  /** For everything else. */
  readonly manager: SessionManager;
}

const SessionContext = createContext<SessionManager | null>(null);

/** Gives the components below it the session of `manager`, which is made once, outside of all components. */
export function SessionProvider(props: { manager: SessionManager; children?: ReactNode }): ReactElement {
  return createElement(SessionContext.Provider, { value: props.manager }, props.children);
}

/** On a server, and until a page made there has come to life, nothing is known of the session. */
const UNKNOWN: Snapshot = Object.freeze({
  status: "loading",
  user: null,
  session: null,
  reason: null,
  idleDeadline: null,
  absoluteDeadline: null,
  idleWarning: false,
  error: null,
});
const unknown = () => UNKNOWN;
const nothing = () => null;

const SECOND = 1000;

function secondsLeft({ idleDeadline }: Snapshot): number | null {
  return idleDeadline === null ? null : Math.max(0, Math.ceil((idleDeadline - Date.now()) / SECOND));
}

/** Calls `changed` whenever another second is over. */
function tick(manager: SessionManager, changed: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = () => {
    clearTimeout(timer);
    changed();
    const { idleDeadline } = manager.getSnapshot();
    const left = idleDeadline === null ? 0 : idleDeadline - Date.now();
    // At the end there is nothing more to count, until there is another deadline.
    if (left > 0) timer = setTimeout(next, left % SECOND || SECOND);
  };
  const unsubscribe = manager.subscribe(next);
  next();
  return () => {
    clearTimeout(timer);
    unsubscribe();
  };
}

type Actions = Pick<UseSessionResult, "manager" | "login" | "logout" | "apiRequest" | "keepAlive">;
const made = new WeakMap<SessionManager, Actions>();

/** The same functions each time, so that effects may depend on them. */
function actionsOf(manager: SessionManager): Actions {
  let actions = made.get(manager);
  if (!actions) {
    const { login, logout, apiRequest, keepAlive } = manager;
    actions = {
      manager,
      login: login.bind(manager),
      logout: logout.bind(manager),
      apiRequest: apiRequest.bind(manager),
      keepAlive: keepAlive.bind(manager),
    };
    made.set(manager, actions);
  }
  return actions;
}

/**
 * The session of the {@link SessionProvider} above, or of the `manager` that is given. The component is rendered again when
 * something of it changes.
 */
export function useSession(manager?: SessionManager): UseSessionResult {
  const provided = useContext(SessionContext);
  const own = manager ?? provided;
  if (!own)
    throw new Error("useSession() needs a <SessionProvider manager={…}> above it, or the manager itself.");
  const snapshot = useSyncExternalStore(own.subscribe, own.getSnapshot, unknown);

  // Seconds are counted from the first time that somebody has read them.
  const read = useRef(false);
  const [counted, count] = useState(false);
  useEffect(() => {
    if (read.current) count(true);
  });
  useSyncExternalStore(
    useCallback((changed) => (counted ? tick(own, changed) : () => {}), [own, counted]),
    () => (counted ? secondsLeft(own.getSnapshot()) : null),
    nothing,
  );

  const { status, user, session, reason, error, idleWarning } = snapshot;
  return {
    ...actionsOf(own),
    status,
    user,
    session,
    reason,
    error,
    idleWarning,
    isAuthenticated: status === "authenticated",
    get idleRemaining() {
      read.current = true;
      return secondsLeft(snapshot);
    },
  };
}

// What callers of the client see.
import type { SessionError } from "./errors.ts";
import type { components } from "./openapi.ts";
import type { Platform, StorageLike } from "./platform.ts";

/** The session one is in, as `GET /auth/session` tells it. */
export type CurrentSession = components["schemas"]["CurrentSession"];

/** One of the user's sessions, as `GET /auth/sessions` lists them. */
export type OwnSession = components["schemas"]["OwnSessions"]["sessions"][number];

/** A field that was wrong, in `errors` of `validation_error`. */
export type WrongField = components["schemas"]["WrongField"];

/** A code of the server: docs/errors.md says when it comes. */
export type ErrorCode = components["schemas"]["ErrorCode"];

/** Why a session has ended. */
export type EndReason = components["schemas"]["EndReason"];

/** Who is logged in. `id` is `null` for a subject of another system. */
export interface SessionUser {
  readonly id: number | null;
  readonly username: string;
  readonly roles: readonly string[];
}

/**
 * - `loading`: there may be a session; the server has not been asked yet.
 * - `authenticated`: somebody is logged in. An outage does not change that.
 * - `anonymous`: nobody is.
 */
export type SessionStatus = "loading" | "authenticated" | "anonymous";

/** What is known now. It is never changed: when something is, there is a new one. */
export interface Snapshot {
  readonly status: SessionStatus;
  readonly user: SessionUser | null;
  /** What the server said last about the session. */
  readonly session: CurrentSession | null;
  /** Why the last session ended, where the server said so. */
  readonly reason: EndReason | null;
  /** When the server will end it for inactivity: milliseconds of this device's clock. */
  readonly idleDeadline: number | null;
  /** When it ends in any case. */
  readonly absoluteDeadline: number | null;
  /** Whether {@link SessionManagerOptions.onIdleWarning} has warned and nothing has happened since. */
  readonly idleWarning: boolean;
  /** What the session ended by, or what keeps the client from asking the server now. */
  readonly error: SessionError | null;
}

/** What happens, and what listeners are told. */
export interface SessionEvents {
  /** There is a new snapshot. */
  change: Snapshot;
  /** Somebody has logged in, here or in another tab. */
  login: Snapshot;
  /** There are new tokens. */
  refresh: Snapshot;
  /** The session has ended: `snapshot.reason` says why. */
  end: Snapshot;
  /** The session will end for inactivity in so many seconds. */
  idleWarning: number;
  /** The server could not be asked. It will be asked again. */
  error: SessionError;
}

export interface SessionManagerOptions extends Partial<Platform> {
  /**
   * Where the tokens are kept.
   * - `"memory"` (default): in this page only. A reload needs a login. A script that gets into the page can use them while it is open.
   * - `"localStorage"`: all tabs share the session, and it outlives them. A script that gets into the page can take the tokens away.
   * - `"cookie"`: in cookies that no script can read. Needs a page of the same site.
   * - something that has `getItem`, `setItem` and `removeItem`.
   */
  storage?: "memory" | "localStorage" | "cookie" | StorageLike;
  /** Told once, so many seconds before the session ends for inactivity. The server has been asked just before. */
  onIdleWarning?: (secondsLeft: number) => void;
  /** How long before. 60, but at most half of the timeout. */
  idleWarningSeconds?: number;
  /**
   * Whether what people do in the page (keys, pointer) counts as activity; or the names of the events that do. The server is told
   * once a minute at most, of timeouts below four minutes four times.
   */
  activity?: boolean | readonly string[];
  /** How long to wait for an answer of `/auth/…`. 10 seconds. */
  timeoutSeconds?: number;
}

export interface LoginOptions {
  /** Shown in the list of sessions. */
  deviceName?: string;
}

/** `RequestInit`, and a body that is sent as JSON. */
export type JsonInit = RequestInit & { json?: unknown };

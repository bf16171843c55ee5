// Errors of the client: by code, with what the server said.
import type { EndReason, ErrorCode, WrongField } from "./types.ts";

/** Codes that come from the client itself. All others are the server's: docs/errors.md lists them. */
export type ClientErrorCode =
  /** No answer: offline, no such host, or the page may not read it. */
  | "network_error"
  /** No answer in time. */
  | "timeout"
  /** Nobody is logged in. */
  | "not_authenticated"
  /** A passive request with an access token that has expired: a refresh would count as activity. */
  | "session_idle"
  /** An answer that is not Sallyport's: a page of a proxy, or half of an answer. */
  | "unexpected_answer";

/** Any code. A server that is newer than the client may have others. */
export type AnyCode = ErrorCode | ClientErrorCode | (string & {});

/** What an answer of Sallyport says about an error. */
export interface ErrorBody {
  code?: AnyCode | undefined;
  detail?: string | undefined;
  reason?: EndReason | null | undefined;
  errors?: WrongField[] | null | undefined;
}

/** What went wrong. Programs go by `code`, people by `detail`. */
export class SessionError extends Error {
  declare readonly name: "SessionError";
  /** A stable name: the server's, or a {@link ClientErrorCode}. */
  declare readonly code: AnyCode;
  /** The status of the answer; 0 if there was none; 401 if nobody is logged in, so that nothing was sent. */
  declare readonly status: number;
  /** The server's text, in the language asked for. */
  declare readonly detail: string;
  /** Why the session has ended, if it has. */
  declare readonly reason: EndReason | undefined;
  /** Which fields were wrong, with `validation_error`. */
  declare readonly errors: readonly WrongField[];
  /** By which the server's log finds this request. */
  declare readonly requestId: string | undefined;
  /** In how many seconds it is worth trying again. */
  declare readonly retryAfter: number | undefined;

  constructor(body: ErrorBody, response?: { status: number; headers?: Headers }, cause?: unknown) {
    const { code = "unexpected_answer", detail = code, reason, errors } = body;
    super(detail, { cause });
    const header = (name: string) => response?.headers?.get(name) ?? undefined;
    Object.assign(this, {
      name: "SessionError",
      code,
      detail,
      reason: reason ?? undefined,
      errors: errors ?? [],
      status: response?.status ?? 0,
      requestId: header("x-request-id"),
      retryAfter: Number(header("retry-after")) || undefined,
    });
  }

  /** Whether it may go away by itself, so that nobody is logged out by it. */
  get transient(): boolean {
    const { code, status } = this;
    if (status < 400) return code !== "session_idle";
    return status === 408 || status === 429 || status >= 500;
  }

  /** Whether it says that the session is over, whichever of its tokens was sent. */
  get final(): boolean {
    return this.status === 401 && OVER.test(this.code);
  }
}

/** `session_inactivity_timeout`, `session_revoked_or_invalid`, `access_token_blacklisted`, `refresh_token_reused`. */
const OVER = /^(session|access_token|refresh_token)_/;

/** What an answer says that is none of success. Its body is read; pass a clone to read it again. */
export async function errorOf(response: Response): Promise<SessionError> {
  let body: ErrorBody = {};
  try {
    const json = (await response.json()) as ErrorBody | null;
    if (typeof json?.code === "string") body = json;
  } catch {}
  return new SessionError(body, response);
}

// Errors of the client: by code, with what the server said.
import type { WrongField } from "./types.ts";

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

/** What an answer of Sallyport says about an error. */
export interface ErrorBody {
  code?: string;
  detail?: string;
  reason?: string;
  errors?: WrongField[];
}

/** What went wrong. Programs go by `code`, people by `detail`. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  /** A stable name: the server's, or a {@link ClientErrorCode}. */
  readonly code: string;
  /** The status of the answer; 0 if there was none; 401 if nobody is logged in, so that nothing was sent. */
  readonly status: number;
  /** The server's text, in the language asked for. */
  readonly detail: string;
  /** Why the session has ended, if it has. */
  readonly reason: string | undefined;
  /** Which fields were wrong, with `validation_error`. */
  readonly errors: readonly WrongField[];
  /** By which the server's log finds this request. */
  readonly requestId: string | undefined;
  /** In how many seconds it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(body: ErrorBody, response?: { status: number; headers?: Headers }, cause?: unknown) {
    const code = body.code ?? "unexpected_answer";
    super(body.detail ?? code, { cause });
    this.code = code;
    this.detail = this.message;
    this.reason = body.reason;
    this.errors = body.errors ?? [];
    this.status = response?.status ?? 0;
    const header = (name: string) => response?.headers?.get(name) ?? undefined;
    this.requestId = header("x-request-id");
    const wait = Number.parseInt(header("retry-after") ?? "", 10);
    this.retryAfter = wait >= 0 ? wait : undefined;
  }

  /** Whether it may go away by itself, so that nobody is logged out by it. */
  get transient(): boolean {
    const { code, status } = this;
    if (status < 400) return /^(network_error|timeout|unexpected_answer)$/.test(code);
    return status === 408 || status === 429 || status >= 500;
  }

  /** Whether it says that the session is over, whichever of its tokens was sent. */
  get final(): boolean {
    return this.status === 401 && OVER.test(this.code);
  }
}

const OVER =
  /^(session_(inactivity_timeout|revoked_or_invalid)|access_token_blacklisted|refresh_token_reused)$/;

/** What an answer says that is none of success. Its body is read; pass a clone to read it again. */
export async function errorOf(response: Response): Promise<SessionError> {
  let body: ErrorBody = {};
  try {
    const json = (await response.json()) as ErrorBody | null;
    if (typeof json?.code === "string") body = json;
  } catch {}
  return new SessionError(body, response);
}

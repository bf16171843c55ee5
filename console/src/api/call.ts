// One call of a public route, and how its refusals are told.

/** A value that stands in a request and never in a text: `curl` takes it from the variable `name`. */
export class Secret {
  constructor(
    readonly name: string,
    readonly value: string,
  ) {}
}

export type Field = string | number | boolean | null | string[] | Secret;

export interface Request {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  body?: Record<string, Field>;
}

export interface Connection {
  readonly kind: "admin" | "key";
  /** `passive`: this is polling and no activity. Rejects with a `Refusal`. */
  call<T>(request: Request, options?: { passive?: boolean; signal?: AbortSignal }): Promise<T>;
}

/** An error as a person has to see it. `status` is 0 where no answer came. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  readonly reason: string | null;
  readonly fields: { field: string; message: string }[];
  readonly retryAfterSeconds: number | null;

  constructor(about: {
    status: number;
    code: string;
    detail: string;
    requestId?: string | null;
    reason?: string | null;
    fields?: { field: string; message: string }[];
    retryAfterSeconds?: number | null;
  }) {
    super(about.detail);
    this.status = about.status;
    this.code = about.code;
    this.requestId = about.requestId ?? null;
    this.reason = about.reason ?? null;
    this.fields = about.fields ?? [];
    this.retryAfterSeconds = about.retryAfterSeconds ?? null;
  }
}

export const NO_ANSWER = "no_answer";
/** By the client's own: with an expired token a passive question would have to refresh, and so keep an unused session alive. */
export const PAUSED = "session_idle";
export const NOT_UNDERSTOOD = "answer_not_understood";

/** What is sent of a request, by either connection. */
export function sent(request: Request, { lang, passive }: { lang: string; passive: boolean }) {
  const headers: Record<string, string> = { accept: "application/json", "accept-language": lang };
  if (passive) headers["x-session-passive"] = "1";
  // Also without a body: a POST of these routes may have to be JSON.
  if (request.body) headers["content-type"] = "application/json";
  const plain = (_: string, value: unknown) => (value instanceof Secret ? value.value : value);
  return {
    method: request.method,
    headers,
    ...(request.body ? { body: JSON.stringify(request.body, plain) } : {}),
  };
}

/** The answer's JSON, or a `Refusal`. */
export async function read<T>(answer: Response): Promise<T> {
  const requestId = answer.headers.get("x-request-id");
  const text = await answer.text().catch(() => null);
  if (answer.status === 204 || (answer.ok && text === "")) return undefined as T;
  const json = parsed(text);
  if (answer.ok && json !== null) return json as T;
  const { code, detail, reason, errors } = (json ?? {}) as Record<string, unknown>;
  throw new Refusal({
    status: answer.status,
    code: typeof code === "string" ? code : NOT_UNDERSTOOD,
    detail: typeof detail === "string" ? detail : `HTTP ${answer.status}`,
    requestId,
    reason: typeof reason === "string" ? reason : null,
    fields: Array.isArray(errors) ? (errors as { field: string; message: string }[]) : [],
    retryAfterSeconds: seconds(answer.headers.get("retry-after")),
  });
}

function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const seconds = (text: string | null): number | null =>
  text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;

/** Whatever was thrown, as a refusal. */
export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refusal
    ? error
    : new Refusal({ status: 0, code: NO_ANSWER, detail: error instanceof Error ? error.message : "" });

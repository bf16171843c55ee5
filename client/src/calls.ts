// Calls to the routes under `/auth`: in time, repeated where nothing can happen twice, errors by code.
import { errorOf, SessionError } from "./errors.ts";
import type { Platform } from "./platform.ts";

/** A longer wait is left to whoever called. */
const LONGEST_WAIT_MS = 10_000;

/** What only pages have. The types of Workers have none of it. */
export interface PageInit extends RequestInit {
  credentials?: "include" | "omit";
  keepalive?: boolean;
}

export interface Call {
  /** Those without a value are left out. */
  headers?: Record<string, string | null | undefined>;
  body: object;
  /** How often it may be sent. */
  tries?: number;
  init?: PageInit;
}

export interface Answer {
  json: Record<string, unknown>;
  headers: Headers;
  /** When the request was sent. */
  at: number;
}

/** What a failed `fetch` becomes. What the caller has aborted stays what it is. */
export function failed(cause: unknown, signal?: AbortSignal | null): unknown {
  if (cause instanceof SessionError || signal?.aborted) return cause;
  return new SessionError({ code: "network_error" }, undefined, cause);
}

export async function post(
  platform: Platform,
  url: string,
  timeoutMs: number,
  { headers, body, tries = 1, init }: Call,
): Promise<Answer> {
  for (let n = 1; ; n++) {
    const at = platform.now();
    const aborter = new AbortController();
    let late = false;
    const timer = platform.setTimeout(() => {
      late = true;
      aborter.abort();
    }, timeoutMs);
    try {
      const all = new Headers({ "content-type": "application/json" });
      for (const name in headers) if (headers[name]) all.set(name, headers[name]);
      const text = JSON.stringify(body);
      const request = { ...init, method: "POST", headers: all, body: text, signal: aborter.signal };
      const response = await platform.fetch(url, request);
      if (!response.ok) throw await errorOf(response);
      const json = (await jsonOf(response)) as Answer["json"];
      return { json, headers: response.headers, at };
    } catch (cause) {
      const error = late ? new SessionError({ code: "timeout" }, undefined, cause) : failed(cause);
      const { transient, retryAfter = 0 } = error as SessionError;
      const ms = Math.max(retryAfter * 1000, 300 * 2 ** n * (0.5 + platform.random() / 2));
      if (!transient || n >= tries || ms > LONGEST_WAIT_MS) throw error;
      await new Promise<void>((done) => platform.setTimeout(done, ms));
    } finally {
      platform.clearTimeout(timer);
    }
  }
}

/** What is in an answer. One that breaks off is lost. */
export async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause) => {
    throw failed(cause);
  });
  try {
    return text && (JSON.parse(text) as unknown);
  } catch (cause) {
    throw new SessionError({}, response, cause);
  }
}

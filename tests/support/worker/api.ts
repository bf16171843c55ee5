// Calls to the Worker as a client makes them. Every answer is held against what must hold for all of them.
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import { type Answer, parsed } from "../answers.ts";
import { unlike } from "../openapi.ts";

export type { Answer };

export interface Call {
  token?: string | undefined;
  body?: unknown;
  headers?: HeadersInit;
  /** Sent as it is, in place of `body`. */
  raw?: BodyInit;
  /** An upstream may have failed: 502, 503 and 504 are answers, too. */
  upstream?: boolean;
}

const LEAKS = /panicked|wasm|RuntimeError|SqliteError|KV PUT|at .*\.rs/;

/** One call. A body is sent as JSON. */
export async function api(method: string, path: string, call: Call = {}): Promise<Answer> {
  const headers = new Headers(call.headers);
  if (call.token !== undefined && !headers.has("authorization"))
    headers.set("authorization", `Bearer ${call.token}`);
  const body = call.raw ?? (call.body === undefined ? null : JSON.stringify(call.body));
  if (call.body !== undefined && !headers.has("content-type"))
    headers.set("content-type", "application/json");
  const response = await exports.default.fetch(
    new Request(`https://sallyport.test${path}`, { method, headers, body }),
  );
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, text, json: parsed(text) };
  invariants(method, path, answer, call.upstream);
  return answer;
}

/** What holds for every answer, whatever was asked. */
export function invariants(method: string, path: string, answer: Answer, upstream = false): void {
  const { status, headers, text, json } = answer;
  if (upstream && status >= 500) expect(status, text).toBeOneOf([502, 503, 504]);
  else expect(status, text).toBeLessThan(500);
  expect(text).not.toMatch(LEAKS);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("x-request-id")).toMatch(/^[\w.:=+/-]{1,128}$/);
  const bodyless = path.includes("/auth/verify") || text === "";
  if (status >= 400 && !bodyless) {
    expect(json).toMatchObject({ detail: expect.any(String), code: expect.stringMatching(/^[a-z_]+$/) });
  }
  expect(unlike(method, path, answer)).toBeUndefined();
}

/** Expects a refusal with this status and code. */
export function refused(answer: Answer, status: number, code: string, reason?: string): void {
  expect({ status: answer.status, code: answer.json?.code, reason: answer.json?.reason }).toEqual({
    status,
    code,
    reason,
  });
}

/** Expects this access token to be refused, on the fast path of the entry and beside it. */
export async function refusedToken(
  token: string,
  status = 401,
  code = "token_invalid",
  reason?: string,
): Promise<void> {
  refused(await api("GET", "/api/v1/protected", { token }), status, code, reason);
  refused(await api("GET", "/auth/sessions", { token }), status, code, reason);
}

// Post-login sessions for tests, with the fake of the bank's session service behind the Worker's outbound calls.
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { createUpstreams } from "../../upstreams/index.ts";
import { type Answer, api, invariants } from "./api.ts";
import { sessionOf } from "./tokens.ts";

export const upstreams = createUpstreams({ patient: true });

/** To be called at the top of a file: every test has the fakes as new. */
export function fakeBank(): void {
  beforeEach(() => {
    upstreams.reset();
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
      upstreams.handle(new Request(input as RequestInfo, init)),
    );
  });
  afterEach(() => {
    upstreams.reset();
    vi.restoreAllMocks();
  });
}

export const INIT = "/api/v1/postlogin/init-session";
export const RENEW = "/api/v1/postlogin/renew-token";

export interface Pair {
  token: string;
  refreshToken: string;
  message: string;
}

let count = 0;
/** A customer that no other test of the file has. */
export const freshCif = (): string => String(1_234_567_000 + ++count);

/** The body as callers of the earlier system send it. */
export const initBody = (cif: string, more: Record<string, unknown> = {}) => ({
  data: {
    cif,
    basicCustomerInfo: { customer_id: cif, customer_name: "Lan", customer_type: "SME" },
    tokenKey: `key-of-${cif}`,
    payload: { channelId: "sme" },
    ...more,
  },
});

/** One call that may also be answered with 502, 503 or 504. */
export async function call(path: string, body: unknown): Promise<Answer> {
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await exports.default.fetch(new Request(`https://sallyport.test${path}`, request));
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
  invariants("POST", path, answer, answer.status >= 502);
  return answer;
}

export const tryInit = (cif: string, more: Record<string, unknown> = {}): Promise<Answer> =>
  call(INIT, initBody(cif, more));

export async function init(cif = freshCif(), more: Record<string, unknown> = {}): Promise<Pair> {
  const answer = await tryInit(cif, more);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

export const tryRenew = (refreshToken: unknown): Promise<Answer> => call(RENEW, { data: { refreshToken } });

export async function renew(refreshToken: string): Promise<Pair> {
  const answer = await tryRenew(refreshToken);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

export const protectedRoute = (token: string): Promise<Answer> => api("GET", "/api/v1/protected", { token });

/** How often the bank was asked about a customer. */
export const asked = (cif: string): number => upstreams.count({ upstream: "sme", account: cif });

/** The object of a session, and of a subject's list. */
export const sessionStub = (token: string) => env.SESSION.get(env.SESSION.idFromString(sessionOf(token)));
export const ownerStub = (subject: string) => env.USER.get(env.USER.idFromName(`postlogin/${subject}`));

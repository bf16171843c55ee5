// Cookie mode on the runtime: that it hands on each `Set-Cookie`, and the entry the cookies, on the fast path and beside it.
// Natively: crates/sim/tests/http/cookies.rs and those beside it.
import { expect, it } from "vitest";
import { PASSWORD } from "../support/answers.ts";
import { type Call, api, refused } from "../support/worker/api.ts";
import { someone } from "../support/worker/users.ts";

const OWN = "https://sallyport.test";
const ACCESS = "__Host-sallyport-access";
const REFRESH = "__Secure-sallyport-refresh";

/** A call for a page of the Worker's own origin. */
const by = (cookie: string, more: Record<string, string> = {}): Call => ({
  headers: { cookie, origin: OWN, "sec-fetch-site": "same-origin", ...more },
});

const attributes = (path: string, age: number) =>
  `Path=${path}; Max-Age=${age}; Secure; HttpOnly; SameSite=Strict`;

/** Name and value, and what stands behind them. */
const parts = (headers: Headers): [string, string][] =>
  headers.getSetCookie().map((cookie) => {
    const end = cookie.indexOf("; ");
    return [cookie.slice(0, end), cookie.slice(end + 2)];
  });

async function login(username: string): Promise<{ access: string; both: string }> {
  const body = { username, password: PASSWORD, cookie: true };
  const answer = await api("POST", "/auth/login", { ...by(""), body });
  expect(answer.status, answer.text).toBe(200);
  expect(Object.keys(answer.json).sort()).toEqual(["expires_in", "refresh_expires_in", "session_id"]);
  const [[access = "", ofAccess] = [], [refresh = "", ofRefresh] = [], gone] = parts(answer.headers);
  expect([ofAccess, ofRefresh]).toEqual([attributes("/", 604_800), attributes("/auth/refresh", 604_800)]);
  expect(gone).toEqual([`${REFRESH}=`, attributes("/api/v1/auth/refresh", 0)]);
  expect(access).toMatch(new RegExp(`^${ACCESS}=eyJ`));
  expect(refresh).toMatch(new RegExp(`^${REFRESH}=eyJ`));
  return { access, both: `${refresh}; ${access}` };
}

it("C01 each cookie comes in a header of its own, and both do what their tokens do", async () => {
  const { username } = (await someone()).user;
  const { access, both } = await login(username);
  for (const path of ["/auth/profile", "/auth/sessions", "/api/v1/protected"])
    expect((await api("GET", path, by(access))).status, path).toBe(200);
  const verified = await api("GET", "/auth/verify", by(access, { "x-forwarded-method": "POST" }));
  expect([verified.status, verified.headers.get("x-auth-username")]).toEqual([
    200,
    encodeURIComponent(username).replaceAll("-", "%2D"),
  ]);

  const refreshed = await api("POST", "/auth/refresh", by(both));
  expect(refreshed.status, refreshed.text).toBe(200);
  const [[newer = ""] = [], ...more] = parts(refreshed.headers);
  expect([newer === access, more.length]).toEqual([false, 1]);
  expect((await api("GET", "/auth/profile", by(newer))).status).toBe(200);

  const out = await api("POST", "/auth/logout", by(newer));
  expect([out.status, out.headers.get("clear-site-data")]).toEqual([200, '"cache", "storage"']);
  expect(parts(out.headers)).toEqual([
    [`${ACCESS}=`, attributes("/", 0)],
    [`${REFRESH}=`, attributes("/auth/refresh", 0)],
    [`${REFRESH}=`, attributes("/api/v1/auth/refresh", 0)],
  ]);
  refused(await api("GET", "/auth/profile", by(newer)), 401, "access_token_blacklisted", "logout");
});

it("C03 C06 J78 other sites' requests, other sessions' cookies and bearers are refused, whichever way they take", async () => {
  const { username } = (await someone()).user;
  const { access, both } = await login(username);
  const other = await someone();
  const evil = { origin: "https://evil.test", "sec-fetch-site": "cross-site" };
  for (const [path, cookie] of [
    ["/auth/refresh", both],
    ["/auth/logout", access],
    ["/api/v1/data", access],
  ] as const) {
    refused(await api("POST", path, { ...by(cookie, evil), body: {} }), 403, "cross_site_request");
    refused(await api("POST", path, { headers: { cookie }, body: {} }), 403, "cross_site_request");
  }
  // Read it may be: whether a page sees the answer is for CORS to say.
  expect((await api("GET", "/auth/profile", by(access, evil))).status).toBe(200);
  const verify = (headers: Record<string, string>) => api("GET", "/auth/verify", by(access, headers));
  expect((await verify({ ...evil, "x-original-method": "POST" })).status).toBe(403);
  expect((await verify({ ...evil, "x-original-method": "GET" })).status).toBe(200);
  expect((await verify(evil)).status).toBe(403);
  for (const path of ["/auth/profile", "/auth/sessions"]) {
    const token = other.tokens.access_token;
    refused(await api("GET", path, { ...by(access), token }), 400, "invalid_request");
    const same = access.slice(ACCESS.length + 1);
    expect((await api("GET", path, { ...by(access), token: same })).status).toBe(200);
    refused(await api("GET", path, by(`${access}; ${ACCESS}=x`)), 400, "invalid_request");
    refused(await api("GET", path, by(`theme=dark; x${access}`)), 401, "not_authenticated");
  }
  // A page that ALLOWED_ORIGINS names.
  const app = { origin: "https://app.example.com", "sec-fetch-site": "same-site" };
  const named = await api("POST", "/auth/refresh", by(both, app));
  expect([named.status, named.headers.get("access-control-allow-credentials")]).toEqual([200, "true"]);
});

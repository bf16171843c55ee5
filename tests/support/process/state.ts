// A deployment with something of everything: made once by an earlier release, and compared with what a later one shows.
import { expect } from "vitest";
import type { Upstreams } from "../../upstreams/index.ts";
import { type Client, PASSWORD } from "./client.ts";

/** For tests only. The state lies signed and sealed under these keys, and settings are compared with stored ones. */
export const BINDINGS = {
  TOKEN_SIGNING_KEYS: "k1:for-tests-only-the-signing-key-of-stored-states",
  SEALING_KEYS: "s1:for-tests-only-the-sealing-key-of-stored-states",
  BOOTSTRAP_KEY: "for-tests-only-the-bootstrap-key-of-stored-states",
  REFRESH_GRACE_SECONDS: "300",
  SESSION_INACTIVITY_TIMEOUT_MINUTES: "43200",
  FACTURIFY_BASE_URL: "https://upstreams.test/facturify",
  FACTURIFY_API_KEY: "fk-local",
  FACTURIFY_API_SECRET: "fs-local",
  UPSTOX_BASE_URL: "https://upstreams.test/upstox",
  UPSTOX_ACCOUNT_IDS: "agnidata001",
  TOKEN_REFRESH_SERVICE_URL: "https://upstreams.test/tokens",
  SME_VERIFY_BASE_URL: "https://upstreams.test/sme",
  SME_VERIFY_TOKEN_KEY: "sme-local",
  EMODAL_BASE_URL: "https://upstreams.test/portal",
  CAPTCHA_BASE_URL: "https://upstreams.test/captcha",
  CAPTCHA_POLL_MILLISECONDS: "5",
  PORTAL_KEEP_ALIVE_SECONDS: "86400",
  PORTAL_SESSION_IDLE_SECONDS: "86400",
};

export const ACCOUNTS = ["facturify/default", "upstox/agnidata001"];
export const INIT = "/api/v1/postlogin/init-session";
export const EXTERNAL_TOKEN = "external-token-0123456789";
export const DRIVER = { username: "driver", password: "driver-pass", captcha_api_key: "ck-0123456789" };

export interface Pair {
  access_token: string;
  refresh_token: string;
}

/** What clients hold, and what they were shown. */
export interface Held {
  /** Milliseconds since 1970. */
  written_at: number;
  admin: Pair;
  /** A session that was never refreshed. */
  fresh: Pair;
  /** Two generations of one session; the second is the newest. */
  rotated: [Pair, Pair];
  logged_out: Pair;
  ended_by_admin: Pair;
  post_login: { token: string; refreshToken: string };
  key: string;
  revoked_key: string;
  portal: { live: string; closed: string; appointment: string };
  shown: Record<string, unknown>;
}

/** Makes it all on an empty deployment. */
export async function fill(client: Client, upstreams: Upstreams): Promise<Held> {
  const admin = await tokensOf(client, "root", ["admin"]);
  const call = async (method: string, path: string, token: string, body?: unknown) => {
    const answer = await client.call(method, path, token, body);
    expect(answer.status, `${path}: ${answer.text}`).toBeLessThan(300);
    return answer.json;
  };
  for (const username of ["asha", "gone"]) {
    const user = { username, password: PASSWORD, roles: ["user"] };
    await call("POST", "/admin/users", admin.access_token, user);
  }
  await client.login("gone");
  await call("PATCH", "/admin/users/gone", admin.access_token, { is_active: false });
  const fresh = await client.login("asha");
  await call("POST", "/api/v1/data", fresh.access_token, { note: "kept" });
  const first = await client.login("asha");
  const second = (await client.refresh(first.refresh_token)).json;
  await call("GET", "/auth/profile", second.access_token);
  const loggedOut = await client.login("asha");
  await call("POST", "/auth/logout", loggedOut.access_token);
  await client.tryLogin("asha", "not the password");
  const ended = await client.login("asha");
  await call("DELETE", `/admin/sessions/${sessionId(ended.access_token)}`, admin.access_token);
  const data = {
    cif: "1234567890",
    basicCustomerInfo: {},
    tokenKey: EXTERNAL_TOKEN,
    payload: { channelId: "sme" },
  };
  const postLogin = await call("POST", INIT, "", { data });

  const keys = [];
  for (const name of ["services", "one that was revoked"]) {
    const scopes = ["tokens:read", "tokens:write", "portal"];
    keys.push(await call("POST", "/admin/service-keys", admin.access_token, { name, scopes }));
  }
  const [key, revoked] = keys;
  await call("DELETE", `/admin/service-keys/${revoked.id}`, admin.access_token);
  for (const account of ACCOUNTS) {
    await call("GET", `/api/v1/tokens/${account}`, key.key);
    await call("POST", `/api/v1/tokens/${account}/refresh`, key.key);
  }
  const portal = { live: "", closed: "", appointment: "" };
  portal.live = (await call("POST", "/get_session", key.key, { ...DRIVER, keep_alive: true })).session_id;
  await call("POST", "/get_containers", key.key, { session_id: portal.live, infinite_scrolling: false });
  const given = { trucking_company: "Harbor", terminal: "ITS Long Beach", move_type: "PICK FULL" };
  const begun = await client.call("POST", "/check_appointments", key.key, {
    session_id: portal.live,
    ...given,
  });
  portal.appointment = begun.json.appointment_session_id;
  const other = { ...DRIVER, username: "other", password: "other-pass" };
  portal.closed = (await call("POST", "/get_session", key.key, other)).session_id;
  await call("DELETE", `/sessions/${portal.closed}`, key.key);
  // What follows an answer is soon done: KV, the roster, the registry, the logout at the portal.
  await expect.poll(() => upstreams.count({ upstream: "portal", operation: "logout" })).toBeGreaterThan(0);
  const shown = async () => show(client, admin, fresh, key.key);
  await expect
    .poll(async () => (await shown()).counts, { timeout: 30_000 })
    .toMatchObject({
      status: "healthy",
      active_sessions: 1,
    });
  return {
    written_at: Date.now(),
    admin,
    fresh,
    rotated: [first, second],
    logged_out: loggedOut,
    ended_by_admin: ended,
    post_login: postLogin,
    key: key.key,
    revoked_key: revoked.key,
    portal,
    shown: await shown(),
  };
}

/** Everything that can be looked at without changing it, but for what changes by being looked at. */
export async function show(client: Client, admin: Pair, user: Pair, key: string) {
  const get = async (path: string, token: string) => {
    const answer = await client.call("GET", path, token);
    expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    return JSON.parse(answer.text, (name, value) => (PASSING.includes(name) ? undefined : value));
  };
  const shown: Record<string, any> = {};
  for (const path of ["/admin/users", "/admin/users/asha", "/admin/users/gone", "/admin/sessions/active"])
    shown[path] = await get(path, admin.access_token);
  for (const path of ["/admin/service-keys", "/admin/sealing-keys"])
    shown[path] = await get(path, admin.access_token);
  for (const path of ["/auth/profile", "/auth/sessions", "/api/v1/data", "/debug/session-info"])
    shown[path] = await get(path, user.access_token);
  for (const account of ACCOUNTS)
    for (const more of ["", "/status", "/history"]) {
      const path = `/api/v1/tokens/${account}${more}`;
      shown[path] = await get(path, key);
    }
  shown["/accounts/agnidata001/token/status"] = await get("/accounts/agnidata001/token/status", key);
  shown["/sessions"] = await get("/sessions", key);
  const { status, active_sessions, persistent_sessions, upstreams } = await get("/health", "");
  return { ...shown, counts: { status, active_sessions, persistent_sessions, upstreams } };
}

/** Members that go on with time, or with use. */
const PASSING = ["ttl", "expires_in", "last_used", "last_activity", "idle_expires_at", "remaining_seconds"];

async function tokensOf(client: Client, username: string, roles: string[]): Promise<Pair> {
  const body = { username, password: PASSWORD, roles };
  await client.call("POST", "/admin/users", undefined, body, { "x-bootstrap-key": client.bootstrapKey });
  return client.login(username);
}

export const sessionId = (token: string): string =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).sid;

// Post-login sessions are sessions like any other: checks, lists, limits, ends, admin routes, deadlines.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import {
  fakeBank,
  freshCif,
  init,
  initBody,
  INIT,
  ownerStub,
  protectedRoute,
  renew,
  sessionStub,
  tryInit,
  tryRenew,
} from "../support/worker/post_login.ts";
import { advance, MINUTE, SECOND, standingClock } from "../support/worker/time.ts";
import { sessionOf } from "../support/worker/tokens.ts";
import { admin, logIn, makeUser } from "../support/worker/users.ts";

standingClock();
fakeBank();

const revoked = async (token: string, reason: string) =>
  refused(await protectedRoute(token), 401, "access_token_blacklisted", reason);
const alive = async (token: string) => expect((await protectedRoute(token)).status).toBe(200);

it("verify, profile, debug and the document know who it is", async () => {
  const cif = freshCif();
  const subject = `VPB-SME-${cif}`;
  const { token } = await init(cif);
  const { status, headers } = await api("GET", "/auth/verify", { token });
  expect([status, headers.get("x-auth-user"), headers.get("x-auth-roles")]).toEqual([200, subject, ""]);
  expect(decodeURIComponent(headers.get("x-auth-username") ?? "")).toBe(subject);
  expect((await api("GET", "/auth/verify?role=admin", { token })).status).toBe(403);
  expect((await api("GET", "/auth/profile", { token })).json).toEqual({
    id: null,
    username: subject,
    roles: [],
    is_active: true,
    created_at: "2030-01-01T00:00:00.000Z",
  });
  expect((await api("GET", "/debug/session-info", { token })).json).toMatchObject({
    user_id: null,
    session_valid: true,
    active_sessions: 1,
    session_id: sessionOf(token),
  });
  expect((await api("POST", "/api/v1/data", { token, body: { a: 1 } })).status).toBe(200);
  expect((await api("GET", "/api/v1/data", { token })).json).toEqual({ data: { a: 1 } });
  for (const path of ["/admin/users", "/admin/sessions/active"])
    refused(await api("GET", path, { token }), 403, "forbidden");
});

it("I12 a customer never meets a user of the same name, nor another customer", async () => {
  const user = await makeUser("vpb-sme-77");
  const { access_token } = await logIn("vpb-sme-77");
  const one = await init("77");
  const other = await init("77", { payload: { channelId: "retail" } });
  await api("POST", "/api/v1/data", { token: access_token, body: { mine: true } });
  for (const { token } of [one, other]) {
    expect((await api("GET", "/auth/sessions", { token })).json.sessions).toHaveLength(1);
    expect((await api("GET", "/api/v1/data", { token })).json).toEqual({ data: {} });
    refused(
      await api("DELETE", `/auth/sessions/${sessionOf(access_token)}`, { token }),
      404,
      "session_not_found",
    );
  }
  const listed = await api("GET", `/admin/sessions/active?user_id=${user.id}`, { token: await admin() });
  expect(listed.json.sessions.map(({ id }: { id: string }) => id)).toEqual([sessionOf(access_token)]);
  refused(
    await api("GET", "/admin/sessions/active?user_id=0", { token: await admin() }),
    404,
    "user_not_found",
  );
  await api("DELETE", "/admin/users/vpb-sme-77", { token: await admin() });
  await alive(one.token);
});

it("own sessions: listed, closed one by one, closed all", async () => {
  const cif = freshCif();
  const [a, b, c] = [await init(cif), await init(cif), await init(cif)];
  const { json } = await api("GET", "/auth/sessions", { token: a.token });
  expect(json.sessions).toHaveLength(3);
  expect(JSON.stringify(json)).not.toContain("key-of");
  expect(json.sessions.filter((s: { current: boolean }) => s.current)).toMatchObject([
    { id: sessionOf(a.token) },
  ]);
  expect((await api("DELETE", `/auth/sessions/${sessionOf(b.token)}`, { token: a.token })).status).toBe(204);
  await revoked(b.token, "logout");
  const all = await api("POST", "/auth/logout-all", { token: a.token, body: { keep_current: true } });
  expect(all.json.closed_sessions).toBe(1);
  await revoked(c.token, "logout");
  const logout = await api("POST", "/auth/logout", { token: a.token, body: { access_token: a.token } });
  expect(logout.json).toEqual({ message: "Logged out successfully" });
  await revoked(a.token, "logout");
  refused(await tryRenew(a.refreshToken), 401, "session_revoked_or_invalid", "logout");
});

it("the limit holds for each customer: the one idle longest gives way", async () => {
  const cif = freshCif();
  const sessions = [];
  for (let n = 0; n < 5; n++) {
    sessions.push(await init(cif));
    advance(SECOND);
  }
  await alive(sessions[0]?.token ?? "");
  const sixth = await init(cif);
  await revoked(sessions[1]?.token ?? "", "evicted");
  for (const index of [0, 2, 3, 4]) await alive(sessions[index]?.token ?? "");
  await alive(sixth.token);
  await alive((await init(freshCif())).token);
});

it("S16 many at once stay within the limit", async () => {
  const cif = freshCif();
  const all = await Promise.all(Array.from({ length: 12 }, () => tryInit(cif)));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
  const live = await Promise.all(all.map(async ({ json }) => (await protectedRoute(json.token)).status));
  expect(live.filter((status) => status === 200)).toHaveLength(5);
  const token = all[live.indexOf(200)]?.json.token;
  expect((await api("GET", "/auth/sessions", { token })).json.sessions).toHaveLength(5);
});

it("S02 a beginning that comes with an older session's token takes its place", async () => {
  const cif = freshCif();
  const old = await init(cif);
  const stranger = await init(freshCif());
  const again = await api("POST", INIT, { token: old.token, body: initBody(cif) });
  expect(again.status).toBe(200);
  await revoked(old.token, "logout");
  expect((await api("POST", INIT, { token: stranger.token, body: initBody(cif) })).status).toBe(200);
  await alive(stranger.token);
});

it("admins see and end them", async () => {
  const cif = freshCif();
  const { token, refreshToken } = await init(cif);
  const id = sessionOf(token);
  const listing = await api("GET", "/admin/sessions/active?limit=500", { token: await admin() });
  const mine = listing.json.sessions.find((s: { id: string }) => s.id === id);
  expect(mine).toMatchObject({ user_id: null, username: `VPB-SME-${cif}`, jti: `${id}.0` });
  expect((await api("DELETE", `/admin/sessions/${id}`, { token: await admin() })).status).toBe(204);
  await revoked(token, "admin");
  refused(await tryRenew(refreshToken), 401, "session_revoked_or_invalid", "admin");
  expect((await api("POST", "/admin/sessions/cleanup", { token: await admin() })).status).toBe(200);
});

/** Activity every ten minutes, told to the session's object: the access token does not last that long. */
async function busy(token: string, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10 * MINUTE) {
    advance(Math.min(left, 10 * MINUTE));
    await sessionStub(token).command(JSON.stringify({ touch: { generation: 0, passive: false } }));
  }
}

it("lives for an hour after each renewal, and not longer", async () => {
  const first = await init();
  await busy(first.token, 60 * MINUTE - SECOND);
  const second = await renew(first.refreshToken);
  await busy(first.token, 60 * MINUTE - SECOND);
  const third = await renew(second.refreshToken);
  await busy(first.token, 60 * MINUTE - 1);
  const live = await sessionStub(first.token).command('"peek"');
  expect(JSON.parse(live)).toMatchObject({ live: { generation: 2 } });
  advance(1);
  refused(await tryRenew(third.refreshToken), 401, "token_expired");
  const over = await sessionStub(first.token).command('"peek"');
  expect(JSON.parse(over)).toMatchObject({ ended: { reason: "lifetime" } });
});

it("a list says when it ends: by inactivity, or by its time to live if that is earlier", async () => {
  const born = Date.now();
  const { token } = await init();
  const listed = async () => {
    const { json } = await api("GET", "/admin/sessions/active?limit=500", { token: await admin() });
    return json.sessions.find(({ id }: { id: string }) => id === sessionOf(token));
  };
  const iso = (ms: number) => new Date(ms).toISOString();
  expect(await listed()).toMatchObject({ expires_at: iso(born + 30 * MINUTE) });
  await busy(token, 50 * MINUTE);
  expect(await listed()).toMatchObject({
    idle_expires_at: iso(born + 80 * MINUTE),
    expires_at: iso(born + 60 * MINUTE),
  });
});

it("its alarm ends it, and tells the list, KV and the log", async () => {
  const cif = freshCif();
  const { token } = await init(cif);
  const subject = `VPB-SME-${cif}`;
  expect(await env.KV.get(`session:${sessionOf(token)}`, "json")).toMatchObject({
    user_id: 0,
    username: subject,
  });
  advance(3600 * SECOND);
  await runDurableObjectAlarm(sessionStub(token));
  // No name is left, where there is a note at all: its last token is void.
  expect((await env.KV.get(`session:${sessionOf(token)}`)) ?? "").not.toContain(subject);
  const kept = await runInDurableObject(ownerStub(subject), (_, state) => [...state.storage.kv.list()]);
  // Nobody is remembered who has no session.
  expect(kept).toEqual([]);
});

it("the document goes with the last session, and the object after it", async () => {
  const cif = freshCif();
  const [first, second] = [await init(cif), await init(cif)];
  const owner = ownerStub(`VPB-SME-${cif}`);
  const document = async (token: string) => (await api("GET", "/api/v1/data", { token })).json.data;
  const logOut = (token: string) => api("POST", "/auth/logout", { token });
  expect((await api("POST", "/api/v1/data", { token: first.token, body: { a: 1 } })).status).toBe(200);
  expect((await logOut(first.token)).status).toBe(200);
  expect(await document(second.token)).toEqual({ a: 1 });
  expect((await logOut(second.token)).status).toBe(200);
  const kept = () => runInDurableObject(owner, (_, { storage }) => [...storage.kv.list()]);
  const alarm = () => runInDurableObject(owner, (_, { storage }) => storage.getAlarm());
  expect(await kept()).toEqual([]);
  expect(await alarm()).toBe(Date.now());
  // Whoever comes back before the object is deleted is not deleted with it.
  const third = await init(cif);
  await runDurableObjectAlarm(owner);
  await alive(third.token);
  expect(await document(third.token)).toEqual({});
  expect((await api("GET", "/auth/sessions", { token: third.token })).json.sessions).toHaveLength(1);
  expect((await logOut(third.token)).status).toBe(200);
  expect(await runDurableObjectAlarm(owner)).toBe(true);
  expect([await kept(), await alarm()]).toEqual([[], null]);
});

it("the list outlives an eviction", async () => {
  const cif = freshCif();
  const { token } = await init(cif);
  await evictDurableObject(ownerStub(`VPB-SME-${cif}`));
  expect((await api("GET", "/auth/sessions", { token })).json.sessions).toHaveLength(1);
});

it("a session that was stored by the release before is read", async () => {
  const now = Date.now();
  const { access_token } = await logIn((await makeUser()).username);
  const stub = sessionStub(access_token);
  const account = (await api("GET", "/auth/profile", { token: access_token })).json;
  // As 0.1.0 wrote it.
  const stored = JSON.stringify({
    state: "live",
    account: { user_id: account.id, username: account.username, roles: ["user"], created_at: now },
    device: { name: null, user_agent: null },
    created_at: now,
    absolute_expires_at: now + 2_592_000_000,
    last_activity: now,
    grant: {
      generation: 0,
      issued_at: now,
      access_expires_at: now + 900_000,
      refresh_expires_at: now + 604_800_000,
    },
    rotation: null,
  });
  await runInDurableObject(stub, (_, state) => state.storage.kv.put("session", stored));
  await evictDurableObject(stub);
  await alive(access_token);
  expect(await runInDurableObject(stub, (_, state) => state.storage.kv.get("external"))).toBeUndefined();
});

// The clocks of a session, on the real runtime with a clock that the test moves.
// Natively: crates/sim/tests/sessions.
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { DAY, MINUTE, SECOND, advance, standingClock } from "../support/worker/time.ts";
import { claimsOf, sessionOf } from "../support/worker/tokens.ts";
import { admin, protectedRoute, refresh, someone } from "../support/worker/users.ts";

standingClock();

const IDLE = 30 * MINUTE;
const stub = (token: string) => env.SESSION.get(env.SESSION.idFromString(sessionOf(token)));
const userStub = (username: string) => env.USER.getByName(`user/${username}`);
const iso = (ms: number) => new Date(ms).toISOString();

it("lets a request in at exactly 30:00 and not a millisecond later", async () => {
  const { tokens } = await someone();
  advance(IDLE);
  const next = await refresh(tokens.refresh_token);
  expect(next.status).toBe(200);
  advance(IDLE + 1);
  refused(await refresh(next.json.refresh_token), 401, "session_inactivity_timeout", "inactivity");
});

it("shows both deadlines, and moves only the first", async () => {
  const { tokens } = await someone();
  const born = Date.now();
  advance(5 * MINUTE);
  const info = (await api("GET", "/debug/session-info", { token: tokens.access_token })).json;
  expect(info).toMatchObject({
    session_valid: true,
    active_sessions: 1,
    jti: claimsOf(tokens.access_token).jti,
    idle_expires_at: iso(born + 5 * MINUTE + IDLE),
    absolute_expires_at: iso(born + 30 * DAY),
  });
  const list = (await api("GET", "/auth/sessions", { token: tokens.access_token })).json;
  expect(list.sessions).toMatchObject([
    { current: true, idle_expires_at: info.idle_expires_at, absolute_expires_at: info.absolute_expires_at },
  ]);
});

it("lets a passive request in without counting it", async () => {
  const { tokens } = await someone();
  const headers = { "x-session-passive": "1" };
  const born = Date.now();
  advance(14 * MINUTE);
  const info = await api("GET", "/debug/session-info", { token: tokens.access_token, headers });
  expect(info.json.last_activity).toBe(iso(born));
  expect((await api("GET", "/auth/verify", { token: tokens.access_token, headers })).status).toBe(200);
  advance(16 * MINUTE + 1);
  refused(await refresh(tokens.refresh_token), 401, "session_inactivity_timeout", "inactivity");
});

it("cleans up by its alarm, and tells the laptop that wakes next morning", async () => {
  const { user, tokens } = await someone();
  const id = sessionOf(tokens.access_token);
  expect(await env.KV.get(`session:${id}`, "json")).toMatchObject({
    user_id: user.id,
    username: user.username,
  });
  advance(IDLE + 1);
  expect(await runDurableObjectAlarm(stub(tokens.access_token))).toBe(true);
  const note = await env.KV.get(`session:${id}`, "json");
  expect(note).toMatchObject({ ended: "inactivity", blacklisted: [`${id}.0`] });
  expect(note).not.toHaveProperty("username");
  const active = await api("GET", `/admin/sessions/active?user_id=${user.id}`, { token: await admin() });
  expect(active.json).toMatchObject({ active_sessions: 0, sessions: [] });
  const slots = JSON.parse(await userStub(user.username).command('"get"')).user.slots;
  expect(slots).toEqual([]);

  advance(12 * 60 * MINUTE);
  refused(await protectedRoute(tokens.access_token), 401, "token_expired");
  refused(await refresh(tokens.refresh_token), 401, "session_inactivity_timeout", "inactivity");
});

it("keeps nothing of an ended session in its object, and knows why it ended", async () => {
  const { tokens } = await someone();
  await api("POST", "/auth/logout", { token: tokens.access_token });
  const object = stub(tokens.access_token);
  const kept = () => runInDurableObject(object, (_i, { storage }) => storage.kv.get("session") !== undefined);
  expect(await kept()).toBe(true);
  advance(14 * MINUTE);
  await runDurableObjectAlarm(object);
  expect(await kept()).toBe(false);
  refused(await protectedRoute(tokens.access_token), 401, "access_token_blacklisted", "logout");
  refused(await refresh(tokens.refresh_token), 401, "session_revoked_or_invalid", "logout");
  // A logout that is asked for again leaves nothing behind.
  expect((await api("POST", "/auth/logout", { token: tokens.access_token })).status).toBe(200);
  expect(await kept()).toBe(false);
  expect(JSON.parse(await object.command('{"touch":{"generation":0,"passive":false}}'))).toBe("unknown");
});

it("says without a reason that an ended session is over, if KV can't be asked by then", async () => {
  const { tokens } = await someone();
  await api("POST", "/auth/logout", { token: tokens.access_token });
  advance(14 * MINUTE);
  await runDurableObjectAlarm(stub(tokens.access_token));
  const get = vi.spyOn(env.KV, "get").mockRejectedValue(new Error("KV GET failed: 503"));
  const answers = [await protectedRoute(tokens.access_token), await refresh(tokens.refresh_token)];
  get.mockRestore();
  for (const answer of answers) {
    refused(answer, 401, "session_revoked_or_invalid");
    expect(answer.json).not.toHaveProperty("reason");
  }
});

it("remembers rotation and reuse over an eviction", async () => {
  const { tokens } = await someone();
  const next = (await refresh(tokens.refresh_token)).json;
  await evictDurableObject(stub(tokens.access_token));
  expect((await refresh(tokens.refresh_token)).json).toEqual(next);
  await protectedRoute(next.access_token);
  await evictDurableObject(stub(tokens.access_token));
  advance(11 * SECOND);
  refused(await refresh(tokens.refresh_token), 401, "refresh_token_reused", "reuse");
  refused(await protectedRoute(next.access_token), 401, "access_token_blacklisted", "reuse");
  refused(await refresh(next.refresh_token), 401, "session_revoked_or_invalid", "reuse");
});

it("notes a revocation in KV in place of the record, until the last token is void", async () => {
  const { tokens } = await someone();
  await api("POST", "/auth/logout", { token: tokens.access_token });
  const id = sessionOf(tokens.access_token);
  const { keys } = await env.KV.list({ prefix: `session:${id}` });
  expect(keys).toMatchObject([{ name: `session:${id}`, metadata: { ended: true } }]);
  const blacklisted = [String(claimsOf(tokens.access_token).jti)];
  expect(await env.KV.get(`session:${id}`, "json")).toMatchObject({ ended: "logout", blacklisted });
  expect((await env.KV.list({ prefix: `access_token_blacklist:${id}` })).keys).toEqual([]);
});

it("sweeps what a lost alarm left behind", async () => {
  const { user, tokens } = await someone();
  const id = sessionOf(tokens.access_token);
  await runInDurableObject(stub(tokens.access_token), (_i, state) => state.storage.deleteAlarm());
  const orphan = "f".repeat(64);
  await env.KV.put(`session:${orphan}`, "{}");
  advance(IDLE + 1);
  const swept = await api("POST", "/admin/sessions/cleanup", { token: await admin() });
  expect(swept.json.cleaned_sessions).toBeGreaterThanOrEqual(2);
  expect(await env.KV.get(`session:${id}`, "json")).toMatchObject({ ended: "inactivity" });
  expect(await env.KV.get(`session:${orphan}`)).toBeNull();
  expect(JSON.parse(await userStub(user.username).command('"get"')).user.slots).toEqual([]);
  const again = await api("POST", "/admin/sessions/cleanup", { token: await admin() });
  expect(again.json.cleaned_sessions).toBe(0);
});

it("sets an alarm that was lost again, as soon as anybody asks", async () => {
  const { tokens } = await someone();
  const object = stub(tokens.access_token);
  const alarm = () => runInDurableObject(object, (_i, { storage }) => storage.getAlarm());
  const due = await alarm();
  await runInDurableObject(object, (_i, { storage }) => storage.deleteAlarm());
  await evictDurableObject(object);
  await protectedRoute(tokens.access_token);
  expect(await alarm()).toBeGreaterThanOrEqual(due ?? Infinity);
});

it("finishes an eviction that nobody carried out", async () => {
  const { user, tokens } = await someone();
  const id = sessionOf(tokens.access_token);
  // The user's object decides an end, and whoever asked for it dies before doing it.
  await userStub(user.username).command(JSON.stringify({ end: { only: id, keep: null, reason: "evicted" } }));
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  advance(11 * SECOND);
  expect(await runDurableObjectAlarm(userStub(user.username))).toBe(true);
  refused(await protectedRoute(tokens.access_token), 401, "access_token_blacklisted", "evicted");
  expect(await env.KV.get(`session:${id}`, "json")).toMatchObject({ ended: "evicted" });
});

it("frees a place that a login took and never used", async () => {
  const { user } = await someone();
  const login = { password: user.password, address: "a", session_id: String(env.SESSION.newUniqueId()) };
  await userStub(user.username).command(JSON.stringify({ login }));
  const slots = async () => JSON.parse(await userStub(user.username).command('"get"')).user.slots.length;
  expect(await slots()).toBe(2);
  advance(31 * SECOND);
  await runDurableObjectAlarm(userStub(user.username));
  expect(await slots()).toBe(1);
});

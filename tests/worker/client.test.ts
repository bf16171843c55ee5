// The client before the real Worker. What it does by itself: tests/client.
import { expect, it } from "vitest";
import { PASSWORD } from "../support/answers.ts";
import { api } from "../support/worker/api.ts";
import { Page } from "../support/worker/page.ts";
import { advance, MINUTE, SECOND, standingClock } from "../support/worker/time.ts";
import { sessionOf } from "../support/worker/tokens.ts";
import { admin, makeUser } from "../support/worker/users.ts";

standingClock();

const PATH = "/api/v1/protected";
const REFRESH = "/api/v1/auth/refresh";

/** Somebody who is logged in on a page. What is stored there can be looked at. */
async function somebody(options = {}) {
  const { username } = await makeUser();
  const page = new Page();
  const map = new Map<string, string>();
  const storage = {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  };
  const manager = page.manager({ storage, ...options });
  await manager.login(username, PASSWORD);
  page.sent.length = 0;
  const tokens = () => JSON.parse(map.get("sallyport:/api/v1") ?? "{}") as { a: string; r: string };
  return { username, page, manager, tokens, map };
}

it("logs in, knows who that is, and calls; 50 parallel 401s make one refresh, and all get through", async () => {
  const began = Date.now();
  // The device's clock stands: the client does not know that its token has expired.
  const { username, page, manager } = await somebody({ now: () => began });
  expect(manager.getSnapshot()).toMatchObject({
    status: "authenticated",
    user: { username, roles: ["user"], id: expect.any(Number) as number },
    idleDeadline: began + 30 * MINUTE,
  });
  advance(16 * MINUTE);
  const answers = await Promise.all(Array.from({ length: 50 }, () => manager.apiRequest(PATH)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(50);
  expect([page.count(REFRESH), page.count(PATH)]).toEqual([1, 100]);
  manager.stop();
});

it("a lost answer is asked for again, and gets the pair that was lost", async () => {
  const { page, manager, tokens } = await somebody();
  const { r } = tokens();
  page.losing.add(REFRESH);
  await manager.refreshTokens();
  expect([page.count(REFRESH), tokens().r === r]).toEqual([2, false]);
  advance(11 * SECOND);
  await manager.refreshTokens();
  expect((await manager.apiRequest(PATH)).status).toBe(200);
  manager.stop();
});

it("a session that an admin ends is over at the next request, with the reason", async () => {
  const { manager, tokens } = await somebody();
  const ends: unknown[] = [];
  manager.on("end", ({ reason }) => ends.push(reason));
  const path = `/admin/sessions/${sessionOf(tokens().a)}`;
  expect((await api("DELETE", path, { token: await admin() })).status).toBe(204);
  await expect(manager.apiRequest(PATH)).rejects.toMatchObject({
    code: "access_token_blacklisted",
    reason: "admin",
    status: 401,
    detail: "Access token has been revoked",
    requestId: expect.any(String) as string,
  });
  expect([manager.getSnapshot().status, ends]).toEqual(["anonymous", ["admin"]]);
});

it("a stolen token: whoever comes second ends the session, and is told so", async () => {
  const { manager, tokens } = await somebody();
  const stolen = await api("POST", REFRESH, { body: { refresh_token: tokens().r } });
  await api("GET", PATH, { token: stolen.json.access_token });
  advance(16 * MINUTE);
  await expect(manager.apiRequest(PATH)).rejects.toMatchObject({
    code: "refresh_token_reused",
    reason: "reuse",
  });
  expect(manager.getSnapshot()).toMatchObject({ status: "anonymous", reason: "reuse" });
});

it("inactivity is the server's: polling does not count, and a laptop that was closed is told in the morning", async () => {
  const { page, manager, tokens } = await somebody();
  advance(14 * MINUTE);
  expect((await manager.apiRequest(PATH, { headers: { "x-session-passive": "1" } })).status).toBe(200);
  advance(15 * MINUTE);
  await expect(manager.apiRequest(PATH, { headers: { "x-session-passive": "1" } })).rejects.toMatchObject({
    code: "session_idle",
  });
  expect(page.count(REFRESH)).toBe(0);
  advance(10 * 60 * MINUTE);
  page.happens("focus");
  await expect.poll(() => manager.getSnapshot()).toMatchObject({ status: "anonymous", reason: "inactivity" });
  expect(tokens()).not.toHaveProperty("r");
});

it("«stay logged in» moves the deadline, for as long as the server says", async () => {
  const { manager } = await somebody();
  advance(10 * MINUTE);
  await manager.keepAlive();
  expect(manager.getSnapshot().idleDeadline).toBe(Date.now() + 30 * MINUTE);
  manager.stop();
});

it("by cookie: no script sees a token, one refresh for all, and logging out takes the cookies away", async () => {
  const began = Date.now();
  const { username, page, manager, map } = await somebody({ storage: "cookie", now: () => began });
  expect([...page.cookies.keys()].sort()).toEqual([
    "__Host-sallyport-access /",
    "__Secure-sallyport-refresh /api/v1/auth/refresh",
  ]);
  expect([...map.values()].join()).not.toContain("eyJ");
  advance(16 * MINUTE);
  const answers = await Promise.all(Array.from({ length: 10 }, () => manager.apiRequest(PATH)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(page.count(REFRESH)).toBe(1);
  // The page is loaded again.
  const again = page.manager({ storage: "cookie" });
  expect(await again.getSession()).toMatchObject({ username, inactivity_timeout: 1800 });
  await again.logout();
  expect([page.cookies.size, again.getSnapshot().status]).toEqual([0, "anonymous"]);
  await expect(manager.apiRequest(PATH)).rejects.toMatchObject({ code: "not_authenticated" });
});

it("offline logs nobody out, and the same session goes on afterwards", async () => {
  const { page, manager } = await somebody();
  page.online = false;
  advance(16 * MINUTE);
  await expect(manager.apiRequest(PATH)).rejects.toMatchObject({ code: "network_error", transient: true });
  expect(manager.getSnapshot().status).toBe("authenticated");
  page.online = true;
  expect((await manager.apiRequest(PATH)).status).toBe(200);
  manager.stop();
});

it("lists and ends sessions, where need be with the password once more", async () => {
  const { username, manager } = await somebody();
  const other = new Page().manager();
  await other.login(username, PASSWORD);
  expect((await manager.listSessions()).map(({ current }) => current).sort()).toEqual([false, true]);
  advance(16 * MINUTE);
  const code = "insufficient_user_authentication";
  await expect(manager.revokeOtherSessions()).rejects.toMatchObject({ code });
  await expect(manager.reauthenticate("wrong")).rejects.toMatchObject({ code: "invalid_credentials" });
  await manager.reauthenticate(PASSWORD);
  expect(await manager.revokeOtherSessions()).toBe(1);
  await expect(other.apiRequest(PATH)).rejects.toMatchObject({ reason: "logout" });
  const [own] = await manager.listSessions();
  await manager.revokeSession(own?.id ?? "");
  expect(manager.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
});

it("a login takes the place of the page's own session, and the device is known again", async () => {
  const { username, manager, map } = await somebody();
  await manager.login(username, PASSWORD);
  expect(await manager.listSessions()).toHaveLength(1);
  const device = map.get("sallyport:/api/v1:device");
  expect(device).toMatch(/\S{20,}/);
  expect(await manager.revokeSessions()).toBe(1);
  expect(manager.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
  expect(map.get("sallyport:/api/v1:device")).toBe(device);
});

// One refresh at a time, in a tab and across tabs, and what its outcomes mean.
import { expect, it } from "vitest";
import { MINUTE, refusal, SECOND, settled, World } from "./world.ts";

const PATH = "/api/v1/protected";
const REFRESH = "/api/v1/auth/refresh";
const LIFE = 15 * MINUTE;

const isRefresh = (request: Request) => request.url.endsWith("/auth/refresh");
const lost = () => Promise.reject(new TypeError("Failed to fetch"));

it("50 parallel 401s make one refresh, and all requests succeed", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  // By the device's clock the token is good for longer than it is.
  world.server.accessSeconds = 60;
  await world.clock.pass(2 * MINUTE);
  const answers = await Promise.all(Array.from({ length: 50 }, () => tab.apiRequest(PATH)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
  expect([world.server.count(PATH), world.server.count(REFRESH)]).toEqual([100, 1]);
});

it("tabs that find it expired make one refresh, and take its tokens", async () => {
  const world = new World();
  const tabs = [await world.loggedIn(), world.tab(), world.tab(), world.tab()];
  await world.clock.pass(LIFE + SECOND);
  world.server.sent.length = 0;
  const answers = await Promise.all(tabs.map((tab) => tab.apiRequest(PATH)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(world.server.count(REFRESH)).toBe(1);
  const tokens = world.server.sent.filter(({ path }) => path === PATH).map(({ token }) => token);
  expect(new Set(tokens).size).toBe(1);
});

it("without locks tabs may refresh at once: they get the same tokens, and nobody is logged out", async () => {
  const world = new World();
  const options = { locks: null };
  const tabs = [await world.loggedIn(options), world.tab(options), world.tab(options)];
  for (let round = 1; round <= 3; round++) {
    await world.clock.pass(LIFE + SECOND);
    world.server.sent.length = 0;
    const answers = await Promise.all(tabs.map((tab) => tab.apiRequest(PATH)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(world.server.session).toMatchObject({ generation: round, ended: null });
  }
});

it("locks that are forbidden are done without", async () => {
  const world = new World();
  const locks = { request: () => Promise.reject(new DOMException("sandboxed", "SecurityError")) };
  const tab = await world.loggedIn({ locks });
  await tab.refreshTokens();
  expect(world.server.count(REFRESH)).toBe(1);
});

it("a lost answer is asked for again with the same token, and the pair is the one that was lost", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  let answered: Response | undefined;
  world.server.before = (request) => {
    if (!isRefresh(request) || answered) return undefined;
    answered = world.server.answer("POST", "/auth/refresh", undefined, false, '{"refresh_token":"r0"}');
    return lost();
  };
  const refreshed = tab.refreshTokens();
  await world.clock.pass(2 * SECOND);
  await refreshed;
  const bodies = world.server.sent.filter(({ path }) => path === REFRESH).map(({ body }) => body);
  expect(bodies).toEqual(['{"refresh_token":"r0"}', '{"refresh_token":"r0"}']);
  expect(world.server.session).toMatchObject({ generation: 1, ended: null });
});

it.each(["half of an answer", "a page of a proxy", "an answer without tokens"])(
  "%s is no logout",
  async (kind) => {
    const world = new World();
    const tab = await world.loggedIn();
    const body = { half: '{"access_token":"a1.', page: "<html>", tokens: "{}" };
    world.server.before = (request) =>
      isRefresh(request)
        ? new Response(body[kind.startsWith("half") ? "half" : kind.includes("page") ? "page" : "tokens"])
        : undefined;
    const told = expect(tab.refreshTokens()).rejects.toMatchObject({
      code: "unexpected_answer",
      transient: true,
    });
    await world.clock.pass(10 * SECOND);
    await told;
    expect(tab.getSnapshot().status).toBe("authenticated");
    world.server.before = () => undefined;
    await tab.refreshTokens();
    expect((await tab.apiRequest(PATH)).status).toBe(200);
  },
);

it.each([408, 429, 500, 502, 503, 504])("a refresh that is answered %i logs nobody out", async (status) => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) => (isRefresh(request) ? refusal(status, "x") : undefined);
  await world.clock.pass(LIFE + 1);
  const told = expect(tab.apiRequest(PATH)).rejects.toMatchObject({ status, transient: true });
  await world.clock.pass(10 * MINUTE);
  await told;
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated" });
  world.server.before = () => undefined;
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

it.each([
  [400, "invalid_request"],
  [403, "forbidden"],
  [404, "not_found"],
  [422, "validation_error"],
  [401, "unexpected_answer"],
])("a refresh that is answered %i %s ends nothing either", async (status, code) => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) =>
    isRefresh(request)
      ? code === "unexpected_answer"
        ? new Response("", { status })
        : refusal(status, code)
      : undefined;
  await expect(tab.refreshTokens()).rejects.toMatchObject({ status, code, final: false });
  expect(tab.getSnapshot().status).toBe("authenticated");
});

it.each([
  "token_invalid",
  "token_expired",
  "session_inactivity_timeout",
  "session_revoked_or_invalid",
  "refresh_token_reused",
  "access_token_blacklisted",
])("a refresh that is answered 401 %s ends the session, and nothing of it is kept", async (code) => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) =>
    isRefresh(request) ? refusal(401, code, { reason: "reuse" }) : undefined;
  const ends: unknown[] = [];
  tab.on("end", ({ reason, error }) => ends.push([reason, error?.code]));
  await expect(tab.refreshTokens()).rejects.toMatchObject({ code });
  expect(tab.getSnapshot()).toMatchObject({
    status: "anonymous",
    user: null,
    session: null,
    reason: "reuse",
  });
  expect(ends).toEqual([["reuse", code]]);
  expect([...world.storage.map.values()].join()).not.toMatch(/"[ar]\d/);
  world.server.sent.length = 0;
  // The end is told as it was, and no request goes out without a token.
  await expect(tab.apiRequest(PATH)).rejects.toMatchObject({ code, reason: "reuse", status: 401 });
  await world.clock.pass(60 * MINUTE);
  expect([world.server.sent.length, world.clock.pending]).toEqual([0, 0]);
});

it("a session that has ended is said so to all who wait and to all tabs, by code and reason", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const other = world.tab();
  const ends: unknown[] = [];
  other.on("end", ({ reason }) => ends.push(reason));
  await world.clock.pass(1000);
  expect(other.getSnapshot()).toMatchObject({ status: "authenticated", user: { username: "ada" } });
  world.server.end("admin");
  for (const result of await Promise.allSettled([tab.apiRequest(PATH), tab.apiRequest(PATH)]))
    expect(result).toMatchObject({
      reason: { code: "access_token_blacklisted", reason: "admin", status: 401 },
    });
  await world.clock.pass(1000);
  const gone = {
    status: "anonymous",
    reason: "admin",
    user: null,
    error: { code: "access_token_blacklisted" },
  };
  expect([tab.getSnapshot(), other.getSnapshot()]).toMatchObject([gone, gone]);
  expect(ends).toEqual(["admin"]);
});

it("a logout while a refresh is on its way stays one, and its tokens are thrown away", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  let release = (_: Response) => {};
  world.server.before = (request) =>
    isRefresh(request) ? new Promise<Response>((done) => (release = done)) : undefined;
  const refreshed = tab.refreshTokens();
  await settled();
  const pair = world.server.answer("POST", "/auth/refresh", undefined, false, '{"refresh_token":"r0"}');
  await tab.logout();
  release(pair);
  await expect(refreshed).rejects.toMatchObject({ code: "not_authenticated", reason: "logout" });
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout", error: null });
  expect([...world.storage.map.values()].join()).not.toMatch(/"[ar]\d/);
});

it("a login elsewhere while a refusal is on its way is not undone by it", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const other = world.tab();
  let release = (_: Response) => {};
  world.server.before = (request) =>
    isRefresh(request) ? new Promise<Response>((done) => (release = done)) : undefined;
  const refreshed = tab.refreshTokens();
  await settled();
  await other.login("ada", "right");
  release(refusal(401, "session_revoked_or_invalid", { reason: "logout" }));
  await refreshed;
  await world.clock.pass(0);
  expect([tab.getSnapshot().status, other.getSnapshot().status]).toEqual(["authenticated", "authenticated"]);
});

it("somebody who is there has new tokens before the old ones expire; tabs and users not all at once", async () => {
  const refreshedAt = new Set<number>();
  for (const random of [0.1, 0.4, 0.8]) {
    const world = new World();
    world.random = random;
    const tab = await world.loggedIn();
    const born = world.clock.now();
    tab.on("refresh", () => refreshedAt.add(world.clock.now() - born));
    await world.clock.pass(LIFE - 70 * SECOND);
    for (let n = 0; n < 14; n++) {
      await tab.apiRequest(PATH);
      await world.clock.pass(5 * SECOND);
    }
    expect(world.server.sent.some(({ path }) => path === REFRESH)).toBe(true);
    expect(world.server.sent.every(({ token, path }) => path === REFRESH || token !== undefined)).toBe(true);
  }
  expect(refreshedAt.size).toBe(3);
  for (const at of refreshedAt) {
    expect(at).toBeGreaterThanOrEqual(LIFE - 60 * SECOND);
    expect(at).toBeLessThanOrEqual(LIFE - 30 * SECOND);
  }
});

it("offline it tries again at growing intervals, and at once when the network is back", async () => {
  const world = new World();
  const events = new EventTarget();
  const tab = await world.loggedIn({ events });
  world.server.before = lost;
  const errors: unknown[] = [];
  tab.on("error", ({ code }) => errors.push(code));
  await world.clock.pass(15 * MINUTE - 50 * SECOND);
  const used = expect(tab.apiRequest(PATH)).rejects.toMatchObject({ code: "network_error", status: 0 });
  await world.clock.pass(10 * MINUTE);
  await used;
  const before = world.server.count(REFRESH);
  // Three tries each, and at most one such round a minute in the end.
  expect(before).toBeGreaterThan(9);
  expect(before).toBeLessThan(75);
  expect(new Set(errors)).toEqual(new Set(["network_error"]));
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated", error: { code: "network_error" } });
  // A page that is loaded meanwhile cannot know yet.
  const other = world.tab({ events });
  other.start();
  await world.clock.pass(MINUTE);
  expect(other.getSnapshot()).toMatchObject({ status: "loading", error: { code: "network_error" } });
  world.server.before = () => undefined;
  events.dispatchEvent(new Event("online"));
  await settled();
  expect(other.getSnapshot()).toMatchObject({
    status: "authenticated",
    error: null,
    user: { username: "ada" },
  });
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated", error: null });
});

it("waits as long as Retry-After says", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) =>
    isRefresh(request) ? refusal(503, "service_unavailable", {}, { "retry-after": "5" }) : undefined;
  const told = expect(tab.refreshTokens()).rejects.toMatchObject({
    code: "service_unavailable",
    retryAfter: 5,
    requestId: "r-1",
  });
  await world.clock.pass(4.9 * SECOND);
  expect(world.server.count(REFRESH)).toBe(1);
  await world.clock.pass(10 * SECOND);
  await told;
  expect(world.server.count(REFRESH)).toBe(3);
});

it("a server that does not answer is given up in time, and asked again", async () => {
  const world = new World();
  const tab = await world.loggedIn({ timeoutSeconds: 4 });
  world.server.before = (request) => (isRefresh(request) ? new Promise(() => {}) : undefined);
  const told = expect(tab.refreshTokens()).rejects.toMatchObject({
    code: "timeout",
    status: 0,
    transient: true,
  });
  await world.clock.pass(20 * SECOND);
  await told;
  expect(world.server.count(REFRESH)).toBe(3);
});

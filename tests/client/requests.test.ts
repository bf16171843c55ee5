// What is sent, what is sent twice, and which errors come of it.
import { expect, it } from "vitest";
import { SessionError, SessionManager } from "../../client/src/index.ts";
import { BASE, json, MINUTE, refusal, SECOND, World } from "./world.ts";

const PATH = "/api/v1/protected";
const REFRESH = "/api/v1/auth/refresh";

/** A tab whose token the server no longer takes; the client does not know that. */
async function stale(options = {}) {
  const world = new World();
  const tab = await world.loggedIn(options);
  world.server.accessSeconds = 60;
  await world.clock.pass(2 * MINUTE);
  world.server.sent.length = 0;
  return { world, tab };
}

const stream = () =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("once"));
      controller.close();
    },
  });

const BODIES: [string, () => RequestInit][] = [
  ["a ReadableStream", () => ({ body: stream(), duplex: "half" }) as RequestInit],
  [
    "an async iterable",
    () =>
      ({
        body: (async function* () {
          yield await Promise.resolve(new TextEncoder().encode("once"));
        })(),
        duplex: "half",
      }) as unknown as RequestInit,
  ],
];

it.each(BODIES)(
  "%s is not sent twice: the 401 is the caller's, and the next request has new tokens",
  async (_, init) => {
    const { world, tab } = await stale();
    const answer = await tab.apiRequest(PATH, { method: "POST", ...init() });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, "token_expired"]);
    expect([world.server.count(PATH), world.server.count(REFRESH)]).toEqual([1, 1]);
    expect((await tab.apiRequest(PATH, { method: "POST", ...init() })).status).toBe(200);
    expect(world.server.count(REFRESH)).toBe(1);
  },
);

it.each([
  ["text", "once"],
  ["bytes", new TextEncoder().encode("once")],
  ["a blob", new Blob(["once"])],
  ["a form", new URLSearchParams({ once: "" })],
])("%s is sent again after a 401, the same", async (_, body) => {
  const { world, tab } = await stale();
  expect((await tab.apiRequest(PATH, { method: "POST", body })).status).toBe(200);
  const sent = world.server.sent.filter(({ path }) => path === PATH);
  expect(sent.map((one) => one.body.replace("=", ""))).toEqual(["once", "once"]);
  expect(sent[0]?.token).not.toBe(sent[1]?.token);
});

it("a Request keeps its headers; with a body it is not sent twice, without one it is", async () => {
  const { world, tab } = await stale();
  const url = `https://app.test${PATH}`;
  const headers = { "x-own": "kept" };
  const posted = await tab.apiRequest(new Request(url, { method: "POST", body: "once", headers }));
  expect([posted.status, world.server.count(PATH)]).toEqual([401, 1]);
  world.server.session!.since -= 2 * MINUTE;
  expect((await tab.apiRequest(new Request(url, { headers }))).status).toBe(200);
  expect(
    world.server.sent.filter(({ path }) => path === PATH).every((one) => one.headers.get("x-own") === "kept"),
  ).toBe(true);
});

it("nothing else is sent twice: not on a broken connection, not on a 5xx", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = () => Promise.reject(new TypeError("Failed to fetch"));
  const failed = tab.apiRequest(PATH, { method: "POST", body: "once" });
  await expect(failed).rejects.toMatchObject({
    code: "network_error",
    status: 0,
    cause: { message: "Failed to fetch" },
  });
  world.server.before = () => refusal(503, "service_unavailable");
  expect((await tab.apiRequest(PATH)).status).toBe(503);
  expect(world.server.count(PATH)).toBe(2);
});

it("what the caller has aborted is an AbortError of the caller's", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const aborter = new AbortController();
  world.server.before = () => new Promise(() => {});
  const failed = tab.apiRequest(PATH, { signal: aborter.signal });
  await world.clock.pass(0);
  aborter.abort();
  await expect(failed).rejects.toMatchObject({ name: "AbortError" });
});

it.each([
  "insufficient_user_authentication",
  "invalid_credentials",
  "service_key_invalid",
  "portal_credentials_refused",
  "upstream_credentials_refused",
  "external_token_expired",
])("401 %s is not about the session's token: no refresh, no logout", async (code) => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) => (request.url.endsWith(PATH) ? refusal(401, code) : undefined);
  expect((await tab.apiRequest(PATH)).status).toBe(401);
  await expect(tab.apiJson(PATH)).rejects.toMatchObject({ code, status: 401 });
  expect([world.server.count(REFRESH), tab.getSnapshot().status]).toEqual([0, "authenticated"]);
});

it("a 401 of another service gets new tokens, and its word ends no session", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const url = "https://orders.test/orders";
  world.server.before = (request) =>
    request.url === url ? refusal(401, "session_revoked_or_invalid") : undefined;
  expect((await tab.apiRequest(url)).status).toBe(401);
  expect([world.server.count(REFRESH), world.server.count("/orders")]).toEqual([1, 2]);
  expect(tab.getSnapshot().status).toBe("authenticated");
  world.server.end("evicted");
  await expect(tab.apiRequest(url)).rejects.toMatchObject({ reason: "evicted" });
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "evicted" });
});

it("apiJson sends and reads JSON, and throws what the server said", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const echo = await tab.apiJson<{ body: string }>(PATH, { json: { a: 1 } });
  expect(echo.body).toBe('{"a":1}');
  const [sent] = world.server.sent;
  expect([sent?.method, sent?.headers.get("content-type")]).toEqual(["POST", "application/json"]);
  world.server.before = () => new Response(null, { status: 204 });
  expect(await tab.apiJson(PATH, { method: "DELETE" })).toBeFalsy();
  const errors = [{ field: "name", message: "Required" }];
  world.server.before = () => refusal(422, "validation_error", { errors }, { "retry-after": "7" });
  const error = await tab.apiJson(PATH).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(SessionError);
  expect(error).toMatchObject({
    code: "validation_error",
    detail: "text of validation_error",
    message: "text of validation_error",
    status: 422,
    requestId: "r-1",
    retryAfter: 7,
    errors,
    transient: false,
    final: false,
  });
  world.server.before = () => json(502, { code: 17 });
  await expect(tab.apiJson(PATH)).rejects.toMatchObject({
    code: "unexpected_answer",
    status: 502,
    transient: true,
  });
  world.server.before = () => new Response("<html>");
  await expect(tab.apiJson(PATH)).rejects.toMatchObject({ code: "unexpected_answer", status: 200 });
});

it("reauthenticate gives the password again, with tokens that are good, and takes the new ones", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  await world.clock.pass(16 * MINUTE);
  world.server.sent.length = 0;
  await expect(tab.reauthenticate("wrong")).rejects.toMatchObject({ code: "invalid_credentials" });
  expect(tab.getSnapshot().status).toBe("authenticated");
  await tab.reauthenticate("right");
  await tab.apiRequest(PATH);
  expect(world.server.sent.at(-1)?.token).toMatch(/^a2\./);
  expect(world.server.count(REFRESH)).toBe(1);
  // Where the client did not know that its token had expired.
  world.server.accessSeconds = 60;
  await world.clock.pass(2 * MINUTE);
  await tab.reauthenticate("right");
  expect(world.server.session).toMatchObject({ generation: 4, ended: null });
});

it("lists sessions and ends them", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  expect(await tab.listSessions()).toMatchObject([{ id: "s1", current: true }]);
  expect(await tab.revokeOtherSessions()).toBe(2);
  await tab.revokeSession("another");
  expect(tab.getSnapshot().status).toBe("authenticated");
  await tab.revokeSession("s1");
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
  await tab.login("ada", "right");
  expect(await tab.revokeSessions()).toBe(2);
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
});

it("nobody is logged in: no request, null as the session", async () => {
  const world = new World();
  const tab = world.tab();
  await expect(tab.apiRequest(PATH)).rejects.toMatchObject({ code: "not_authenticated", status: 401 });
  await expect(tab.refreshTokens()).rejects.toMatchObject({ code: "not_authenticated" });
  expect(await tab.getSession()).toBeNull();
  await tab.logout();
  await expect(tab.login("ada", "wrong")).rejects.toMatchObject({ code: "invalid_credentials", status: 401 });
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", error: null });
  expect(world.server.sent.map(({ path }) => path)).toEqual(["/api/v1/auth/login"]);
});

it("a logout whose answer is lost is asked for again; without a network the tokens are forgotten all the same", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  let calls = 0;
  world.server.before = (request) =>
    request.url.endsWith("/logout") && ++calls < 3 ? Promise.reject(new TypeError("lost")) : undefined;
  const out = tab.logout();
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
  await world.clock.pass(10 * SECOND);
  await out;
  expect(world.server.session?.ended).toBe("logout");
  expect(world.server.sent.at(-1)).toMatchObject({
    keepalive: true,
    token: expect.stringMatching(/^a0/) as string,
  });

  await tab.login("ada", "right");
  const errors: unknown[] = [];
  tab.on("error", ({ code }) => errors.push(code));
  world.server.before = () => Promise.reject(new TypeError("offline"));
  const unheard = tab.logout();
  await world.clock.pass(10 * SECOND);
  await unheard;
  expect([errors, [...world.storage.map.values()].join()]).toEqual([
    ["network_error"],
    expect.not.stringMatching(/"[ar]\d/),
  ]);
});

it("the token of the session before goes with a login, so that it takes its place", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  await tab.login("ada", "right", { deviceName: "Phone" });
  const [login] = world.server.sent;
  expect(login?.token).toMatch(/^a0/);
  expect(login?.headers.get("x-device-token")).toBe("device-1");
  expect(JSON.parse(login?.body ?? "")).toEqual({ username: "ada", password: "right", device_name: "Phone" });
});

it("logging in counts though the session cannot be asked about yet", async () => {
  const world = new World();
  const tab = world.tab();
  const events: string[] = [];
  tab.on("login", ({ user }) => events.push(`login ${user?.username}`));
  world.server.before = (request) =>
    request.url.endsWith("/session") ? refusal(503, "service_unavailable") : undefined;
  await tab.login("ada", "right");
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated", user: null });
  world.server.before = () => undefined;
  await world.clock.pass(MINUTE);
  expect(tab.getSnapshot()).toMatchObject({
    status: "authenticated",
    user: { id: 7, username: "ada", roles: ["user"] },
  });
  expect(events).toEqual(["login ada"]);
});

it("a base with a slash at its end, and one that is empty, do", async () => {
  const world = new World();
  for (const base of [`${BASE}/`, "https://app.test/api/v1///"]) {
    const tab = new SessionManager(base, world.platform());
    await tab.login("ada", "right");
    expect((await tab.apiRequest(PATH)).status).toBe(200);
    tab.stop();
  }
  expect(world.server.sent.every(({ path }) => path.startsWith("/api/v1/"))).toBe(true);
});

it("a logout while the password is given again stays one", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  let release = (_: Response) => {};
  world.server.before = (request) =>
    request.url.endsWith("/reauthenticate") ? new Promise<Response>((done) => (release = done)) : undefined;
  const given = tab.reauthenticate("right");
  await world.clock.pass(0);
  await tab.logout();
  release(world.server.pair());
  await given;
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
  expect([...world.storage.map.values()].join()).not.toMatch(/"[ar]\d/);
});

it("an answer of the server is the end of an outage", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = () => refusal(503, "service_unavailable");
  await world.clock.pass(15 * MINUTE);
  expect(tab.getSnapshot()).toMatchObject({
    status: "authenticated",
    error: { code: "service_unavailable" },
  });
  world.server.before = () => undefined;
  await tab.apiRequest(PATH);
  expect(tab.getSnapshot().error).toBeNull();
});

it("the password is given once more where the answer was lost, and never leads to a token that is too old", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  let calls = 0;
  const lost = () => {
    const { body = "", token } = world.server.sent.at(-1) ?? {};
    world.server.answer("POST", "/auth/reauthenticate", token, false, body);
    return Promise.reject(new TypeError("Failed to fetch"));
  };
  world.server.before = (request) =>
    request.url.endsWith("/reauthenticate") && ++calls <= 2 ? lost() : undefined;
  await expect(tab.reauthenticate("right")).rejects.toMatchObject({ code: "network_error" });
  await tab.refreshTokens();
  expect(world.server.session?.ended).toBeNull();
  await tab.reauthenticate("right");
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

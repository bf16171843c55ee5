// Where the tokens are kept, and what tabs know of each other.
import { expect, it } from "vitest";
import { SessionManager, UNKNOWN } from "../../client/src/index.ts";
import { BASE, MapStorage, MINUTE, refusal, SECOND, settled, World } from "./world.ts";

const PATH = "/api/v1/protected";
const KEY = `sallyport:${BASE}`;

it("by default nothing is stored", async () => {
  const world = new World();
  const tab = new SessionManager(BASE, world.platform());
  await tab.login("ada", "right");
  expect([(await tab.apiRequest(PATH)).status, world.storage.map.size]).toEqual([200, 0]);
  expect(new SessionManager(BASE, world.platform()).getSnapshot().status).toBe("anonymous");
});

it("a page that is loaded again is in the same session, and asks before it shows anybody", async () => {
  const world = new World();
  (await world.loggedIn()).stop();
  const tab = world.tab();
  const seen: string[] = [];
  expect(tab.getSnapshot()).toEqual(UNKNOWN);
  expect(world.server.sent).toEqual([]);
  tab.subscribe(() => seen.push(tab.getSnapshot().status));
  await world.clock.pass(0);
  expect(seen).toEqual(["authenticated"]);
  expect(tab.getSnapshot().user).toEqual({ id: 7, username: "ada", roles: ["user"] });
});

it("a page that is loaded with dead tokens never shows anybody, and says why", async () => {
  const world = new World();
  (await world.loggedIn()).stop();
  world.server.end("password");
  const tab = world.tab();
  const seen: unknown[] = [];
  tab.subscribe(() => seen.push([tab.getSnapshot().status, tab.getSnapshot().reason]));
  await world.clock.pass(0);
  expect(seen).toEqual([["anonymous", "password"]]);
  // And after the next reload.
  expect(world.tab().getSnapshot()).toMatchObject({ status: "anonymous", reason: "password" });
});

it.each(["both", "the channel", "storage events"])(
  "login and logout in one tab are seen in another, by %s",
  async (by) => {
    const world = new World();
    const events = new EventTarget();
    const options = {
      ...(by === "storage events" && { channel: null }),
      ...(by !== "the channel" && { events }),
    };
    const tab = world.tab(options);
    const other = world.tab({ ...options });
    const heard: string[] = [];
    other.on("login", ({ user }) => heard.push(`login ${user?.username}`));
    other.on("end", ({ reason }) => heard.push(`end ${reason}`));
    const told = async () => {
      if (by !== "the channel") events.dispatchEvent(new Event("storage"));
      await world.clock.pass(SECOND);
    };
    await tab.login("ada", "right");
    await told();
    expect(other.getSnapshot().status).toBe("authenticated");
    await tab.refreshTokens();
    await told();
    await tab.logout();
    await told();
    expect(other.getSnapshot()).toMatchObject({ status: "anonymous", reason: "logout" });
    expect(heard).toEqual(["login ada", "end logout"]);
  },
);

it("what the client of the earlier system has stored is taken over once, and removed", async () => {
  const world = new World();
  (await world.loggedIn()).stop();
  const { a, r } = JSON.parse(world.storage.getItem(KEY) ?? "") as { a: string; r: string };
  for (const storage of ["memory", "localStorage"] as const) {
    world.storage.map.clear();
    world.storage.setItem("access_token", a);
    world.storage.setItem("refresh_token", r);
    const tab = world.tab({ storage });
    expect(["access_token", "refresh_token"].map((key) => world.storage.getItem(key))).toEqual([null, null]);
    expect((await tab.apiRequest(PATH)).status).toBe(200);
    expect(tab.getSnapshot().status).not.toBe("anonymous");
    expect(world.storage.map.has(KEY)).toBe(storage === "localStorage");
    tab.stop();
  }
  // They are no match for a session of this client.
  world.storage.setItem("refresh_token", "r99");
  expect((await world.tab().apiRequest(PATH)).status).toBe(200);
  expect(world.storage.getItem("refresh_token")).toBeNull();
});

it("an access token of the earlier client that has expired is replaced at the first request", async () => {
  const world = new World();
  (await world.loggedIn()).stop();
  world.storage.map.clear();
  world.storage.setItem("access_token", "a0.0");
  world.storage.setItem("refresh_token", "r0");
  const tab = world.tab();
  expect((await tab.apiRequest(PATH)).status).toBe(200);
  expect(world.server.count("/api/v1/auth/refresh")).toBe(1);
});

it("by cookie no script has tokens; a reload asks, and logging out is the server's to do", async () => {
  const world = new World();
  world.server.cookie = true;
  const tab = world.tab({ storage: "cookie" });
  await tab.login("ada", "right");
  expect(JSON.parse(world.server.sent[0]?.body ?? "")).toMatchObject({ cookie: true });
  await tab.apiRequest(PATH);
  expect(world.server.sent.every(({ credentials, token }) => credentials === "include" && !token)).toBe(true);
  expect([...world.storage.map.values()].join()).not.toMatch(/"[ar]"/);
  tab.stop();

  const again = world.tab({ storage: "cookie" });
  expect(again.getSnapshot().status).toBe("loading");
  expect(await again.getSession()).toMatchObject({ username: "ada" });
  await world.clock.pass(16 * MINUTE);
  world.server.sent.length = 0;
  const other = world.tab({ storage: "cookie" });
  await Promise.all([again.apiRequest(PATH), again.apiRequest(PATH), other.apiRequest(PATH)]);
  expect(world.server.count("/api/v1/auth/refresh")).toBe(1);

  world.server.before = () => Promise.reject(new TypeError("offline"));
  const failed = expect(again.logout()).rejects.toMatchObject({ code: "network_error" });
  await world.clock.pass(10 * SECOND);
  await failed;
  expect(again.getSnapshot().status).toBe("authenticated");
  world.server.before = () => undefined;
  await again.logout();
  await settled();
  expect([again.getSnapshot().status, other.getSnapshot().status]).toEqual(["anonymous", "anonymous"]);
});

it("by cookie, without any: anonymous after one question, and the next login counts", async () => {
  const world = new World();
  world.server.cookie = true;
  const tab = world.tab({ storage: "cookie" });
  const ends: unknown[] = [];
  tab.on("end", (snapshot) => ends.push(snapshot));
  await world.clock.pass(0);
  // That is no end of anything, and no error.
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: null, error: null });
  expect(ends).toEqual([]);
  expect(world.server.sent.map(({ path }) => path)).toEqual(["/api/v1/auth/session"]);
  expect(await tab.getSession()).toBeNull();
  await tab.login("ada", "right");
  expect(tab.getSnapshot().status).toBe("authenticated");
});

it("by cookie, tokens of the earlier client are of no use, and are not left lying about", () => {
  const world = new World();
  world.storage.setItem("access_token", "a0.0");
  world.storage.setItem("refresh_token", "r0");
  world.tab({ storage: "cookie" });
  expect(world.storage.map.size).toBe(0);
});

it("a storage that is full or forbidden is done without", async () => {
  const world = new World();
  const refuse = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  for (const storage of [
    { getItem: () => null, setItem: refuse, removeItem: () => {} },
    { getItem: refuse, setItem: refuse, removeItem: refuse },
  ]) {
    const tab = world.tab({ storage, localStorage: storage });
    await tab.login("ada", "right");
    await tab.refreshTokens();
    expect((await tab.apiRequest(PATH)).status).toBe(200);
  }
});

it.each(["", "{", "null", "[]", '"x"', '{"s":1}'])(
  "a stored record that is no record (%s) logs in nobody and breaks nothing",
  async (text) => {
    const world = new World();
    world.storage.setItem(KEY, text);
    const tab = world.tab();
    tab.start();
    await world.clock.pass(0);
    expect(tab.getSnapshot().status).toBe("anonymous");
    await tab.login("ada", "right");
    expect((await tab.apiRequest(PATH)).status).toBe(200);
  },
);

it("a device is known again at the next login", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  await tab.logout();
  await world.tab().login("ada", "right");
  const logins = world.server.sent.filter(({ path }) => path.endsWith("/login"));
  expect(logins.map(({ headers }) => headers.get("x-device-token"))).toEqual(["device-1"]);
});

it("a storage of one's own, for Node for example", async () => {
  const world = new World();
  const storage = new MapStorage();
  const options = {
    ...world.platform(),
    localStorage: null,
    locks: null,
    channel: null,
    events: null,
    storage,
  };
  await new SessionManager(BASE, options).login("ada", "right");
  expect((await new SessionManager(BASE, options).apiRequest(PATH)).status).toBe(200);
  expect(world.storage.map.size).toBe(0);
});

it("without a browser (a server that renders, Node, a Worker) nothing is touched, and nothing runs", async () => {
  const { fetch } = new World().server;
  const tab = new SessionManager("https://app.test/api/v1", { fetch, storage: "localStorage" });
  expect(tab.getSnapshot().status).toBe("anonymous");
  await tab.login("ada", "right");
  expect((await tab.apiRequest("https://app.test/api/v1/protected")).status).toBe(200);
  tab.stop();
});

it("a snapshot is the same until something changes, and then a new one", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const before = tab.getSnapshot();
  await tab.apiRequest(PATH);
  expect(tab.getSnapshot()).toBe(before);
  expect(Object.isFrozen(before)).toBe(true);
  let told = 0;
  const end = tab.subscribe(() => told++);
  await tab.logout();
  expect(tab.getSnapshot()).not.toBe(before);
  expect(before.status).toBe("authenticated");
  expect(told).toBe(1);
  end();
  await tab.login("ada", "right");
  expect(told).toBe(1);
});

it("clearTokens forgets without telling the server", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  tab.clearTokens();
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: null });
  expect(world.server.sent).toEqual([]);
  world.server.before = () => refusal(500, "x");
  await expect(tab.apiRequest(PATH)).rejects.toMatchObject({ code: "not_authenticated" });
});

it("a tab that learns a deadline leaves the tokens alone that another one has stored meanwhile", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const before = world.storage.getItem(KEY) ?? "";
  const other = world.tab();
  await other.refreshTokens();
  const after = world.storage.getItem(KEY);
  // As if this tab had not seen it yet.
  const getItem = (key: string) => (key === KEY ? before : world.storage.getItem(key));
  const late = world.tab({ storage: { ...world.storage, getItem } });
  await world.clock.pass(MINUTE);
  await late.keepAlive();
  expect(world.storage.getItem(KEY)).toBe(after);
  await settled();
  expect(tab.getSnapshot().idleDeadline).toBe(world.clock.now() + 30 * MINUTE);
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

it("a listener that throws is reported, and neither the session nor the other listeners suffer", async () => {
  const world = new World();
  const tab = world.tab();
  tab.subscribe(() => {
    throw new Error("a bug of the page");
  });
  const seen: string[] = [];
  tab.subscribe(() => seen.push(tab.getSnapshot().status));
  const reported: unknown[] = [];
  await tab.login("ada", "right");
  expect(seen).toContain("authenticated");
  for (const run of world.clock.due()) {
    try {
      run();
    } catch (error) {
      reported.push((error as Error).message);
    }
  }
  expect(reported).toContain("a bug of the page");
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

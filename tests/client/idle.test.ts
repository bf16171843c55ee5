// The inactivity timer: by the server's deadlines, and only for real activity.
import { expect, it } from "vitest";
import { MINUTE, SECOND, settled, World } from "./world.ts";

const PATH = "/api/v1/protected";
const SESSION = "/api/v1/auth/session";
const REFRESH = "/api/v1/auth/refresh";

/** Warnings and ends of a tab: `[what, minutes after now]`. */
function watch(world: World, options = {}) {
  const seen: [string | number, number][] = [];
  const born = world.clock.now();
  const at = () => Math.round((world.clock.now() - born) / 100) / 10;
  const onIdleWarning = (seconds: number) => seen.push([seconds, at()]);
  return { seen, at, options: { onIdleWarning, ...options } };
}

it("warns before the end, and ends with the server's word; its clock and the device's differ by hours", async () => {
  const world = new World();
  const { seen, at, options } = watch(world);
  const tab = await world.loggedIn(options);
  tab.on("end", ({ reason }) => seen.push([String(reason), at()]));
  expect(tab.getSnapshot().idleDeadline).toBe(world.clock.now() + 30 * MINUTE);
  await world.clock.pass(29 * MINUTE + SECOND);
  expect(seen).toEqual([[60, 29 * 60]]);
  expect(tab.getSnapshot().idleWarning).toBe(true);
  await world.clock.pass(2 * MINUTE);
  expect(seen.slice(1)).toEqual([["inactivity", 30 * 60 + 1]]);
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "inactivity", idleWarning: false });
});

it("nothing that the client does by itself is activity", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const { last } = world.server.session!;
  await world.clock.pass(29.5 * MINUTE);
  expect(world.server.session!.last).toBe(last);
  expect([world.server.count(REFRESH), tab.getSnapshot().status]).toEqual([0, "authenticated"]);
  expect(world.server.sent.every(({ passive }) => passive)).toBe(true);
});

it("polling keeps no session alive: it pauses with the token, and goes on when somebody is there", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const poll = () => tab.apiRequest(PATH, { headers: { "X-Session-Passive": "1" } });
  for (let minute = 0; minute < 14; minute++) {
    expect((await poll()).status).toBe(200);
    await world.clock.pass(MINUTE);
  }
  await world.clock.pass(2 * MINUTE);
  await expect(poll()).rejects.toMatchObject({ code: "session_idle", transient: false, final: false });
  expect(world.server.count(REFRESH)).toBe(0);
  await tab.apiRequest(PATH);
  expect((await poll()).status).toBe(200);
  // Somebody is there: what they poll meanwhile may have new tokens.
  expect(world.server.count(REFRESH)).toBe(1);
  world.server.accessSeconds = 1;
  await world.clock.pass(2 * SECOND);
  expect((await poll()).status).not.toBe(500);
  await world.clock.pass(31 * MINUTE);
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "inactivity" });
});

it("another tab was active: no warning, and no end", async () => {
  const world = new World();
  const { seen, options } = watch(world);
  const tab = await world.loggedIn(options);
  const other = world.tab({ channel: null });
  for (let minute = 0; minute < 60; minute++) {
    await world.clock.pass(MINUTE);
    await other.apiRequest(PATH);
  }
  expect([seen, tab.getSnapshot().status]).toEqual([[], "authenticated"]);
  await world.clock.pass(28.5 * MINUTE);
  expect(seen).toEqual([]);
  await world.clock.pass(MINUTE);
  expect(seen).toMatchObject([[60, 89 * 60]]);
});

it("«stay logged in» in one tab takes the warning away in all", async () => {
  const world = new World();
  const { seen, options } = watch(world);
  const tab = await world.loggedIn(options);
  const other = world.tab();
  other.start();
  await world.clock.pass(29.5 * MINUTE);
  expect([tab.getSnapshot().idleWarning, other.getSnapshot().idleWarning]).toEqual([true, true]);
  await other.keepAlive();
  await settled();
  expect([tab.getSnapshot().idleWarning, other.getSnapshot().idleWarning]).toEqual([false, false]);
  const left = (tab.getSnapshot().idleDeadline ?? 0) - world.clock.now();
  expect(left).toBe(30 * MINUTE);
  await world.clock.pass(29.5 * MINUTE);
  expect(seen).toHaveLength(2);
});

it("a laptop that was closed overnight asks before it says that the session is over", async () => {
  const world = new World();
  const events = new EventTarget();
  const { seen, options } = watch(world, { events });
  const tab = await world.loggedIn(options);
  world.clock.asleep = true;
  await world.clock.pass(12 * 60 * MINUTE);
  world.clock.asleep = false;
  events.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "inactivity" });
  expect(seen).toEqual([]);
});

it("a nap within the timeout ends nothing, and another device's clock neither", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  world.clock.asleep = true;
  await world.clock.pass(20 * MINUTE);
  world.clock.asleep = false;
  await world.clock.pass(SECOND);
  expect(tab.getSnapshot().status).toBe("authenticated");
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

it("a wake without a network concludes nothing; the server does, when it can be asked", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = () => Promise.reject(new TypeError("Failed to fetch"));
  world.clock.asleep = true;
  await world.clock.pass(60 * MINUTE);
  world.clock.asleep = false;
  await world.clock.pass(5 * MINUTE);
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated", error: { code: "network_error" } });
  world.server.before = () => undefined;
  await world.clock.pass(2 * MINUTE);
  expect(tab.getSnapshot()).toMatchObject({ status: "anonymous", reason: "inactivity" });
});

it("what people do is told to the server, at a bounded rate, if that is wanted", async () => {
  const world = new World();
  const events = new EventTarget();
  const tab = await world.loggedIn({ events, activity: true });
  const active = () => world.server.sent.filter(({ path, passive }) => path === SESSION && !passive).length;
  for (let second = 0; second < 600; second++) {
    events.dispatchEvent(new Event("keydown"));
    events.dispatchEvent(new Event("pointermove"));
    await world.clock.pass(SECOND);
  }
  expect(active()).toBeGreaterThanOrEqual(9);
  expect(active()).toBeLessThanOrEqual(10);
  // And what was not told yet is, before the end would come.
  await world.clock.pass(28.9 * MINUTE);
  expect(tab.getSnapshot().status).toBe("authenticated");
  tab.stop();
  world.server.sent.length = 0;
  events.dispatchEvent(new Event("keydown"));
  await world.clock.pass(5 * MINUTE);
  expect(world.server.sent).toEqual([]);
});

it("a request of one's own moves the deadline that is shown", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  await world.clock.pass(10 * MINUTE);
  await tab.apiRequest(PATH);
  expect(tab.getSnapshot().idleDeadline).toBe(world.clock.now() + 30 * MINUTE);
  const shown = tab.getSnapshot();
  await tab.apiRequest(PATH);
  expect(tab.getSnapshot()).toBe(shown);
});

it("where requests do not count (SESSION_CHECK=local), the warning still comes in time", async () => {
  const world = new World();
  const { seen, options } = watch(world);
  const tab = await world.loggedIn(options);
  world.server.before = (request) => (request.url.endsWith("/protected") ? new Response("{}") : undefined);
  for (let minute = 0; minute < 10; minute++) {
    await world.clock.pass(MINUTE);
    await tab.apiRequest(PATH);
  }
  await world.clock.pass(19 * MINUTE + SECOND);
  expect(seen).toEqual([[60, 29 * 60]]);
});

it("a short timeout has a shorter warning", async () => {
  const world = new World();
  world.server.idleSeconds = 40;
  const { seen, options } = watch(world);
  await world.loggedIn(options);
  await world.clock.pass(21 * SECOND);
  expect(seen).toEqual([[20, 20]]);
});

it("whoever goes on after a warning is asked about anew: a warning that still holds comes again", async () => {
  const world = new World();
  world.server.accessSeconds = 7200;
  const { seen, options } = watch(world);
  const tab = await world.loggedIn(options);
  await world.clock.pass(29 * MINUTE + SECOND);
  expect(tab.getSnapshot().idleWarning).toBe(true);
  // It was activity: the server says so.
  await tab.apiRequest(PATH);
  await world.clock.pass(2 * SECOND);
  expect(tab.getSnapshot()).toMatchObject({ idleWarning: false });
  await world.clock.pass(29 * MINUTE);
  expect(seen).toHaveLength(2);
  // It was none (SESSION_CHECK=local).
  world.server.before = (request) => (request.url.endsWith("/protected") ? new Response("{}") : undefined);
  await tab.apiRequest(PATH);
  await world.clock.pass(2 * SECOND);
  expect(tab.getSnapshot()).toMatchObject({ idleWarning: true });
  expect(seen).toHaveLength(3);
});

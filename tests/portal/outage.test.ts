// The portal is down for an hour, with the clock moved from event to event: alarms when they are due, a cron each minute,
// and callers who ask every few seconds. However it fails, one session makes no more than 17 calls in that hour.
import { describe, expect, it } from "vitest";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  alarmAt,
  cron,
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  runDue,
  seen,
  sessionOf,
  someone,
  stored,
  upstreams,
} from "../support/worker/portal.ts";
import type { Fault } from "../upstreams/index.ts";
import type { Answer } from "../support/worker/api.ts";

portal();

const HOUR = 60 * MINUTE;
/** Six in the first eight minutes, then at most one in five. */
const CALLS_MAX = 17;
/** Captchas: the logins of an hour. */
const LOGINS_MAX = 6;
const TRIES_MAX = 17;

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

const calls = () => upstreams.count({ upstream: "portal" });

/** Callers: every few seconds in one case, and more seldom in the others, which is faster. */
const OFTEN = 7 * SECOND;
const SELDOM = 40 * SECOND;

/** Time goes by, and somebody asks every now and then. What they were told, by status and code. */
async function hour(
  name: string,
  ask?: () => Promise<Answer>,
  every = SELDOM,
  ms = HOUR,
): Promise<Map<string, number>> {
  const end = Date.now() + ms;
  let [next, minute] = [Date.now() + every, Date.now() + MINUTE];
  const told = new Map<string, number>();
  while (Date.now() < end) {
    const alarm = (await alarmAt(name)) ?? Infinity;
    advance(Math.max(0, Math.min(alarm, ask ? next : Infinity, minute) - Date.now()));
    if (alarm <= Date.now()) await runDue(name);
    if (minute <= Date.now()) {
      await cron();
      minute += MINUTE;
    }
    if (!ask || next > Date.now()) continue;
    next += every;
    const answer = await ask();
    const line = `${answer.status} ${answer.json.code ?? "ok"}`;
    told.set(line, (told.get(line) ?? 0) + 1);
    // Whoever is refused is told when to come again.
    if (answer.status !== 200) expect(Number(answer.headers.get("retry-after")), line).toBeGreaterThan(0);
  }
  return told;
}

const HOWS: [how: string, fault: Fault, code: string][] = [
  ["503", { fault: "status", status: 503 }, "502 portal_error"],
  ["broken connections", { fault: "reset" }, "502 portal_unreachable"],
  [
    "429 that says to come at once",
    { fault: "status", status: 429, retry_after: 0 },
    "502 portal_rate_limited",
  ],
];

describe.each(HOWS)("%s", (how, fault, code) => {
  const down = () => upstreams.fail("portal", fault, { times: "forever" });
  const begin = async () => {
    const user = someone();
    const id = await sessionOf(user);
    return { user, id, name: await nameOf(id) };
  };

  it("nobody asks: the session is kept, and works afterwards", async () => {
    upstreams.set({ portal: { idle_seconds: 86_400 } });
    const { user, id, name } = await begin();
    upstreams.clearCalls();
    down();
    await hour(name);
    console.info(`an hour of ${how}, keep-alive alone: ${calls()} calls`);
    expect(calls()).toBeGreaterThan(8);
    expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
    expect(await listed()).toMatchObject([{ session_id: id }]);
    // Whoever wants the session is given it also then.
    expect((await getSession(user)).json).toMatchObject({ session_id: id, is_new: false });
    upstreams.heal();
    await pass(name, 7 * MINUTE);
    expect(await stored(name)).toMatchObject({ trouble: null, session: { session_id: id } });
    expect((await containers(id)).status).toBe(200);
    expect(seen(user)).toEqual({ logins: 0, captchas: 0 });
  });

  it("callers every few seconds: as many calls, and each is told when to come again", async () => {
    upstreams.set({ portal: { idle_seconds: 86_400 } });
    const { user, id, name } = await begin();
    upstreams.clearCalls();
    down();
    const told = await hour(name, () => containers(id), how === "503" ? OFTEN : SELDOM);
    console.info(`an hour of ${how}, with callers: ${calls()} calls, told ${[...told]}`);
    expect([...told.keys()]).toEqual([code]);
    expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
    upstreams.heal();
    await pass(name, 7 * MINUTE);
    expect((await containers(id)).status).toBe(200);
    expect(await listed()).toMatchObject([{ session_id: id }]);
    expect(seen(user)).toEqual({ logins: 0, captchas: 0 });
  });

  it("the portal has forgotten it meanwhile: one new login, the same session", async () => {
    const { user, id, name } = await begin();
    down();
    await hour(name);
    upstreams.heal();
    expect(upstreams.portal.live_sessions).toBe(0);
    await pass(name, 2 * HOUR);
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    expect((await containers(id)).json).toMatchObject({
      success: true,
      session_id: id,
      is_new_session: false,
    });
  });

  it("logins that are wanted: the hour's number of tries, no captcha, and it works afterwards", async () => {
    const user = someone();
    // One that there is gives the object its name.
    const { session_id } = (await getSession(user)).json;
    const name = await nameOf(session_id);
    const other = someone();
    upstreams.clearCalls();
    down();
    const told = await hour(name, () => getSession(other), how === "503" ? OFTEN : SELDOM);
    const pages = upstreams.count({ upstream: "portal", operation: "login_page" });
    console.info(`an hour of ${how}, logins wanted: ${pages} tries, told ${[...told]}`);
    expect(pages).toBeGreaterThan(2);
    expect(pages).toBeLessThanOrEqual(TRIES_MAX);
    expect([...told.keys()].filter((line) => line !== "429 portal_logins_spent")).toEqual([code]);
    expect(seen(other)).toEqual({ logins: 0, captchas: 0 });
    upstreams.heal();
    advance(HOUR);
    expect((await getSession(other)).json).toMatchObject({ success: true, is_new: true });
    expect(seen(other)).toEqual(ONE_LOGIN);
  });
});

it("a page that nobody understands is the trouble of who asked for it, and of the keep-alive alone", async () => {
  upstreams.set({ portal: { idle_seconds: 86_400 } });
  const id = await sessionOf(someone());
  const name = await nameOf(id);
  upstreams.clearCalls();
  upstreams.fail("portal", { fault: "html_200" }, { times: "forever" });
  await hour(name);
  console.info(`an hour of a page that is none of it, keep-alive alone: ${calls()} calls`);
  expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
  // Other pages are asked for all the same: they may be as ever.
  upstreams.heal();
  upstreams.fail("portal", { fault: "html_200" }, { operation: "containers", times: "forever" });
  for (let n = 0; n < 5; n++) {
    const timeline = await post("/get_container_timeline", { session_id: id, container_id: "MSCU1000001" });
    expect(timeline.status, timeline.text).toBe(200);
    await pass(name, 6 * MINUTE + 15 * SECOND);
  }
  upstreams.heal();
  expect((await containers(id)).status).toBe(200);
  upstreams.clearCalls();
  upstreams.fail("portal", { fault: "html_200" }, { times: 3 });
  for (let n = 0; n < 3; n++) {
    const answer = await containers(id);
    expect([answer.status, answer.json.code]).toEqual([502, "portal_unintelligible"]);
  }
  expect(calls()).toBe(3);
  expect((await containers(id)).status).toBe(200);
});

it("calls that hang count as others, and are given up", async () => {
  upstreams.set({ portal: { idle_seconds: 86_400 } });
  const user = someone();
  const id = await sessionOf(user);
  const name = await nameOf(id);
  upstreams.clearCalls();
  upstreams.fail("portal", { fault: "hang" }, { times: "forever" });
  // Each is waited for in real time.
  const told = await hour(name, () => containers(id), SELDOM, 10 * MINUTE);
  console.info(`ten minutes of calls that hang: ${calls()} calls, told ${[...told]}`);
  expect([...told.keys()]).toEqual(["504 portal_timeout"]);
  expect(calls()).toBeGreaterThan(3);
  expect(calls()).toBeLessThanOrEqual(7);
  upstreams.heal();
  await pass(name, 7 * MINUTE);
  expect((await containers(id)).status).toBe(200);
  expect(seen(user)).toEqual({ logins: 0, captchas: 0 });
});

it("Retry-After is kept to, up to an hour", async () => {
  const user = someone();
  const id = await sessionOf(user);
  const name = await nameOf(id);
  upstreams.clearCalls();
  upstreams.fail("portal", { fault: "status", status: 429, retry_after: 1500 }, { times: "forever" });
  const told = await hour(name, () => containers(id));
  expect([...told.keys()]).toEqual(["502 portal_rate_limited"]);
  expect(calls()).toBe(3);
  upstreams.heal();
  upstreams.fail("portal", { fault: "status", status: 429, retry_after: 86_400 }, { times: "forever" });
  upstreams.clearCalls();
  await hour(name, undefined, SELDOM, 2 * HOUR);
  expect(calls()).toBeLessThanOrEqual(3);
  expect(calls()).toBeGreaterThan(0);
});

it("the portal is back just where a login has cost a captcha already: the hour's number of them", async () => {
  const [user, other] = [someone(), someone()];
  const name = await nameOf(await sessionOf(other));
  upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "credentials", times: "forever" });
  const told = await hour(name, () => getSession(user));
  console.info(
    `an hour without an answer to the credentials: ${seen(user).captchas} captchas, told ${[...told]}`,
  );
  expect(seen(user).logins).toBe(0);
  expect(seen(user).captchas).toBeLessThanOrEqual(LOGINS_MAX);
});

describe("ended by the portal, which lets nobody log in", () => {
  const lost = async (more = {}) => {
    const user = someone();
    const id = await sessionOf(user, more);
    const name = await nameOf(id);
    upstreams.revoke("portal", user.username);
    const { username } = user;
    upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "login_page", times: "forever" });
    upstreams.clearCalls();
    return { user: { ...user, username }, id, name };
  };
  const tries = () => upstreams.count({ upstream: "portal", operation: "login_page" });

  it("it is logged in again as soon as that works, under its id", async () => {
    const { user, id, name } = await lost();
    const told = await hour(name, () => containers(id));
    expect([...told.keys()].filter((line) => line !== "429 portal_logins_spent")).toEqual([
      "502 portal_error",
    ]);
    expect(tries()).toBeLessThanOrEqual(TRIES_MAX);
    expect(seen(user).captchas).toBe(0);
    expect(await listed()).toMatchObject([{ session_id: id }]);
    upstreams.heal();
    await pass(name, HOUR);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect((await containers(id)).json).toMatchObject({ success: true, session_id: id });
  });

  it("it is given up after six hours", async () => {
    const { user, id, name } = await lost();
    await pass(name, 6 * HOUR);
    expect(await listed()).toMatchObject([{ session_id: id }]);
    expect(tries()).toBeLessThanOrEqual(7 * TRIES_MAX);
    console.info(`six hours lost: ${tries()} tries to log in`);
    await pass(name, HOUR);
    expect(await listed()).toEqual([]);
    const answer = await containers(id);
    expect([answer.status, answer.json.code, answer.json.reason]).toEqual([
      404,
      "portal_session_ended",
      "logged_out",
    ]);
    const before = tries();
    await pass(name, 5 * HOUR);
    expect(tries()).toBe(before);
    expect(seen(user)).toEqual({ logins: 0, captchas: 0 });
    upstreams.heal();
    expect((await getSession(user)).json).toMatchObject({ is_new: true, previous_ended: "logged_out" });
  });
});

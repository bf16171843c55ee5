// What is done on one session is done one after the other, in order; nobody else waits for it.
// Natively: crates/sim/tests/portal/queue.rs.
import { expect, it } from "vitest";
import { api, type Answer } from "../support/worker/api.ts";
import {
  closeSession,
  eventually,
  get,
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  portal,
  post,
  runDue,
  seen,
  sessionOf,
  someone,
  stored,
  stub,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const containers = (session_id: string) => post("/get_containers", { session_id });
const onePage = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });
const timeline = (session_id: string, container_id = "MSCU1000000") =>
  post("/get_container_timeline", { session_id, container_id });

const done = (answers: Answer[]) => answers.map(({ status, json }) => [status, json.code]);

/** What the portal was asked after it was logged in, in order. */
const operations = () => upstreams.calls.filter((c) => c.upstream === "portal").map((c) => c.operation);

/** An order straight to the object: those on one stub come in order. */
const ordering = (session_id: string, name: string) => {
  const object = stub(name);
  return async (operation: string, fields: Record<string, unknown> = {}): Promise<any> => {
    const run = { session_id, credentials: null, keep_alive: false, wizard_id: null };
    const by = { who: "a test", request_id: "r" };
    const command = { run: { ...run, operation: { operation, fields }, by } };
    return JSON.parse(await object.ask(JSON.stringify({ name, command }))).done.result;
  };
};

it("one session: one at a time, in order", async () => {
  const user = someone();
  const session_id = await sessionOf(user);
  const run = ordering(session_id, await nameOf(session_id));
  upstreams.clearCalls();
  const hold = upstreams.hold("portal", "containers", user.username);
  const ended: string[] = [];
  const answers = [
    run("get_containers").finally(() => ended.push("containers")),
    run("get_container_timeline", { container_id: "MSCU1000000" }).finally(() => ended.push("timeline")),
    run("check_appointments").finally(() => ended.push("appointments")),
    run("get_containers", { infinite_scrolling: false }).finally(() => ended.push("one page")),
  ];
  await hold.arrived;
  // While it is held, what asks nothing of the portal is answered.
  expect((await get("/sessions")).json.sessions).toMatchObject([{ session_id }]);
  expect((await getSession(user)).json).toMatchObject({ session_id, is_new: false });
  expect((await api("GET", "/health")).status).toBe(200);
  expect(hold.waiting).toBe(1);
  expect(operations()).toEqual([]);
  hold.release();
  const [list, history, form, page] = await Promise.all(answers);
  expect(list.Ok.answer).toMatchObject({ total_containers: 137 });
  expect(history.Ok.answer).toMatchObject({ container_id: "MSCU1000000" });
  expect(form.Ok.waiting).toMatchObject({ phase: 1 });
  expect(page.Ok.answer).toMatchObject({ total_containers: 40 });
  expect(ended).toEqual(["containers", "timeline", "appointments", "one page"]);
  expect(operations()).toEqual([
    ...Array.from({ length: 6 }, () => "containers"),
    "timeline",
    // The wizard wants more of its caller before it asks the portal anything.
    "containers",
  ]);
  expect(upstreams.atOnce({ upstream: "portal", account: user.username }).peak).toBe(1);
});

it("several sessions: side by side", async () => {
  const [one, other] = [someone(), someone()];
  const ids = [await sessionOf(one), await sessionOf(other)];
  const holds = [one, other].map(({ username }) => upstreams.hold("portal", "containers", username));
  const answers = ids.map((id) => onePage(id));
  for (const hold of holds) await hold.arrived;
  expect(holds.map(({ waiting }) => waiting)).toEqual([1, 1]);
  for (const hold of holds) hold.release();
  expect(done(await Promise.all(answers))).toEqual([
    [200, undefined],
    [200, undefined],
  ]);
});

it("over a hundred that wait: the next is told to come back, and nobody else notices", async () => {
  const user = someone();
  const session_id = await sessionOf(user);
  const name = await nameOf(session_id);
  const hold = upstreams.hold("portal", "containers", user.username);
  const first = onePage(session_id);
  await hold.arrived;
  // Straight to the object: a call may be held for a second only.
  const run = ordering(session_id, name);
  const fields = { container_id: "MSCU1000000" };
  const waiting = Array.from({ length: 99 }, () => run("get_container_timeline", fields));
  const refused = await timeline(session_id);
  expect([refused.status, refused.json.code]).toEqual([503, "portal_busy"]);
  expect(refused.headers.get("retry-after")).toBe("10");
  expect((await getSession(user)).json).toMatchObject({ session_id, is_new: false });
  hold.release();
  expect((await first).status).toBe(200);
  for (const result of await Promise.all(waiting)) expect(result).toHaveProperty("Ok");
  expect((await timeline(session_id)).status).toBe(200);
  expect(seen(user)).toEqual(ONE_LOGIN);
});

it("closed while an operation runs: gone at once, the operation ends, then the portal is told", async () => {
  const user = someone();
  const session_id = await sessionOf(user);
  const name = await nameOf(session_id);
  upstreams.clearCalls();
  const hold = upstreams.hold("portal", "containers", user.username);
  const running = onePage(session_id);
  await hold.arrived;
  const waiting = timeline(session_id);
  const closed = await closeSession(session_id);
  expect(closed.json).toEqual({ success: true, message: "Session closed successfully" });
  expect(await listed()).toEqual([]);
  const gone = await onePage(session_id);
  expect([gone.status, gone.json.code, gone.json.reason]).toEqual([404, "portal_session_ended", "closed"]);
  expect(hold.waiting).toBe(1);
  hold.release();
  const answer = await running;
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json.containers).toHaveLength(40);
  // It had not begun.
  const late = await waiting;
  expect([late.status, late.json.code, late.json.reason]).toEqual([404, "portal_session_ended", "closed"]);
  // Its session there is over with the first call of the logout; this is after the last.
  await eventually(
    () => stored(name),
    ({ farewell }) => farewell === null,
  );
  expect(upstreams.portal.live_sessions).toBe(0);
  await runDue(name);
  expect(operations()).toEqual(["containers", "logout", "logout"]);
});

it("closed in the middle of several pages: they all come", async () => {
  const user = someone();
  const session_id = await sessionOf(user);
  upstreams.clearCalls();
  upstreams.fail("portal", [{ fault: "none" }, { fault: "none" }, { fault: "slow", delay_ms: 200 }], {
    operation: "containers",
  });
  const running = containers(session_id);
  await eventually(
    () => operations().length,
    (n) => n >= 2,
  );
  await closeSession(session_id);
  expect((await running).json).toMatchObject({ success: true, total_containers: 137 });
  await eventually(operations, (all) => all.length === 8);
  expect(operations().slice(5)).toEqual(["containers", "logout", "logout"]);
});

it("a login is waited for, and a session that was closed in the middle of it is not found by that", async () => {
  const user = someone();
  const hold = upstreams.hold("portal", "credentials", user.username);
  const first = getSession(user);
  await hold.arrived;
  expect(await listed()).toEqual([]);
  const [second, operation] = [
    getSession(user),
    post("/get_containers", { ...user, infinite_scrolling: false }),
  ];
  hold.release();
  const { session_id } = (await first).json;
  expect((await second).json).toMatchObject({ session_id, is_new: false });
  expect((await operation).json).toMatchObject({ success: true, session_id });
  expect(seen(user)).toEqual(ONE_LOGIN);
});

it("closed at the portal by hand and here at the same time: closed", async () => {
  const user = someone();
  const id = await sessionOf(user);
  upstreams.revoke("portal", user.username);
  const [closed, again] = await Promise.all([closeSession(id), closeSession(id)]);
  expect([closed.status, again.status].sort()).toEqual([200, 404]);
  expect([closed, again].find(({ status }) => status === 404)?.json).toMatchObject({
    code: "portal_session_ended",
    reason: "closed",
  });
  expect(seen(user)).toEqual(ONE_LOGIN);
});

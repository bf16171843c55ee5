// The captcha service: what its codes are to callers, what one login may cost, and what a failure costs others.
import { describe, expect, it, vi } from "vitest";
import type { Answer } from "../support/worker/api.ts";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  runDue,
  seen,
  service,
  sessionOf,
  someone,
  upstreams,
} from "../support/worker/portal.ts";

portal();

/** A failure as callers know it; what it says about coming again, in seconds. */
function failed(answer: Answer, status: number, code: string): number | null {
  expect([answer.status, answer.json?.code], answer.text).toEqual([status, code]);
  expect(answer.json).toMatchObject({ success: false, error: answer.json.detail });
  const retry = answer.headers.get("retry-after");
  return retry === null ? null : Number(retry);
}

const orders = () => upstreams.count({ upstream: "captcha", operation: "captcha_in" });
const polls = () => upstreams.count({ upstream: "captcha", operation: "captcha_res" });
/** How often the username and password were sent. */
const sent = () => upstreams.count({ upstream: "portal", operation: "credentials" });

/** Another call asks nobody anything. */
async function quiet(call: () => Promise<Answer>): Promise<Answer> {
  const before = upstreams.calls.length;
  const answer = await call();
  expect(upstreams.calls.slice(before)).toEqual([]);
  return answer;
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** From here on each call takes a while by the clock, which stands otherwise. */
const ticking = (ms = 100) =>
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    advance(ms);
    return upstreams.handle(new Request(input, init));
  });

describe("keys", () => {
  it.each([
    ["nokey-1", 422, "captcha_key_refused", "The captcha service refused the key"],
    ["0123456789abcdef", 422, "captcha_key_refused", "The captcha service refused the key"],
    ["nobalance-1", 402, "captcha_no_balance", "The captcha account has no balance"],
  ])("%s", async (captcha_api_key, status, code, error) => {
    const user = someone({ captcha_api_key });
    const answer = await getSession(user);
    failed(answer, status, code);
    expect(answer.json.error).toBe(error);
    expect([orders(), polls(), upstreams.captcha.tasks, sent()]).toEqual([1, 0, 0, 0]);
    expect(answer.text).not.toContain(captcha_api_key);
    expect(await listed()).toEqual([]);
    // Another key is tried at once.
    await sessionOf({ ...user, captcha_api_key: "ck-good" });
    expect(upstreams.portal.logins).toBe(1);
  });

  it("hostile ones are sent as they are", async () => {
    for (const captcha_api_key of ["a&json=0&key=ck-x", "ck\u0000", " ck-", "%63k-", "../ck-", "đ 🗝"]) {
      failed(await getSession(someone({ captcha_api_key })), 422, "captcha_key_refused");
      expect(upstreams.calls.findLast((call) => call.operation === "captcha_in")?.account).toBe(
        captcha_api_key,
      );
    }
  });

  it("a session that there is needs none that is good", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const answer = await quiet(() => getSession({ ...user, captcha_api_key: "nokey-1" }));
    expect(answer.json).toMatchObject({ session_id: id, is_new: false });
  });
});

describe("a session that is logged in again", () => {
  const containers = (session_id: string) =>
    post("/get_containers", { session_id, infinite_scrolling: false });
  const tasks = (account: string) =>
    upstreams.count({ upstream: "captcha", operation: "captcha_in", account });

  it.each(["nokey-other", "nobalance-other"])(
    "with a key that came last and is refused (%s): the one that has paid before pays again",
    async (captcha_api_key) => {
      const user = someone();
      const id = await sessionOf(user);
      for (let n = 1; n <= 2; n++) {
        expect(await sessionOf({ ...user, captcha_api_key })).toBe(id);
        upstreams.revoke("portal", user.username);
        expect((await containers(id)).json).toMatchObject({ session_id: id, is_new_session: false });
        // Once it is known to be refused it is not even kept, for a minute.
        expect([tasks(user.captcha_api_key), tasks(captcha_api_key)]).toEqual([1 + n, 1]);
      }
      expect([upstreams.portal.logins, sent()]).toEqual([3, 3]);
      expect(await listed()).toMatchObject([{ session_id: id }]);
    },
  );

  it("for a caller whose key is refused: it is not lost for that", async () => {
    const user = someone();
    const id = await sessionOf(user, { keep_alive: false });
    upstreams.revoke("portal", user.username);
    upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "login_page" });
    const lost = await containers(id);
    advance(Number(failed(lost, 502, "portal_error")) * SECOND);
    const poor = { ...user, captcha_api_key: "nobalance-other" };
    expect((await getSession(poor)).json).toMatchObject({ success: true, session_id: id, is_new: false });
    expect([tasks(user.captcha_api_key), tasks(poor.captcha_api_key)]).toEqual([2, 1]);
  });

  it("and closed between the attempt with one key and that with the other: it stays closed", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    await sessionOf({ ...user, captcha_api_key: "nokey-other" });
    upstreams.revoke("portal", user.username);
    const hold = upstreams.hold("captcha", "captcha_in");
    const running = containers(id);
    await hold.arrived;
    expect((await service("DELETE", `/sessions/${id}`)).status).toBe(200);
    hold.release();
    failed(await running, 409, "portal_session_closed");
    await pass(name, 10 * MINUTE);
    expect(await listed()).toEqual([]);
    expect([upstreams.portal.logins, upstreams.portal.live_sessions, tasks(user.captcha_api_key)]).toEqual([
      1, 0, 1,
    ]);
  });

  it("by itself, with no key that is taken: it is over, and nothing is tried in a hurry", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    await sessionOf({ ...user, captcha_api_key: "nokey-other" });
    upstreams.revoke("portal", user.username);
    upstreams.set({ captcha: { in_error: "ERROR_ZERO_BALANCE" } });
    await pass(name, 10 * MINUTE);
    expect(await runDue(name)).toBeLessThan(3);
    // One order for each of the two keys.
    expect([orders(), sent()]).toEqual([1 + 2, 1]);
    const answer = await containers(id);
    expect([answer.status, answer.json.code, answer.json.reason]).toEqual([
      404,
      "portal_session_ended",
      "captcha",
    ]);
    upstreams.set({ captcha: { in_error: "" } });
    expect((await getSession(user)).json).toMatchObject({ is_new: true, previous_ended: "captcha" });
  });

  it("within the minute in which its only key is left alone: it is over", async () => {
    const user = someone({ captcha_api_key: "ck-only" });
    const id = await sessionOf(user);
    const name = await nameOf(id);
    upstreams.set({ captcha: { in_error: "ERROR_ZERO_BALANCE" } });
    const other = { ...user, captcha_api_key: "ck-other" };
    expect(await sessionOf(other)).toBe(id);
    upstreams.revoke("portal", user.username);
    const answer = await containers(id);
    failed(answer, 402, "captcha_no_balance");
    const calls = upstreams.calls.length;
    failed(await getSession(user), 402, "captcha_no_balance");
    failed(await getSession(other), 402, "captcha_no_balance");
    expect(await runDue(name)).toBeLessThan(3);
    expect(upstreams.calls.length).toBe(calls);
    expect(await listed()).toEqual([]);
  });
});

describe.each(["in_error", "res_error"] as const)("%s", (which) => {
  it.each([
    ["ERROR_WRONG_USER_KEY", 422, "captcha_key_refused"],
    ["ERROR_KEY_DOES_NOT_EXIST", 422, "captcha_key_refused"],
    ["ERROR_ZERO_BALANCE", 402, "captcha_no_balance"],
    ["ERROR_GOOGLEKEY", 502, "captcha_failed"],
    ["ERROR_PAGEURL", 502, "captcha_failed"],
    ["ERROR_IP_NOT_ALLOWED", 502, "captcha_failed"],
    ["IP_BANNED", 502, "captcha_failed"],
    ["MAX_USER_TURN", 502, "captcha_failed"],
    ["ERROR_WRONG_CAPTCHA_ID", 502, "captcha_failed"],
    ["ERROR_SOMETHING_NEW", 502, "captcha_failed"],
    ["ERROR_CAPTCHA_UNSOLVABLE", 502, "captcha_unsolved"],
  ])("%s is %s %s", async (error, status, code) => {
    upstreams.set({ captcha: { [which]: error } });
    const user = someone();
    const wait = failed(await getSession(user), status, code);
    const two = error === "ERROR_CAPTCHA_UNSOLVABLE" ? 2 : 1;
    expect([orders(), polls(), sent()]).toEqual([two, which === "in_error" ? 0 : two, 0]);
    upstreams.set({ captcha: { [which]: "" } });
    if (status === 502) {
      // It waits, and says how long.
      expect(wait).toBeGreaterThanOrEqual(15);
      expect(failed(await quiet(() => getSession(user)), status, code)).toBe(wait);
      advance(Number(wait) * SECOND);
    } else {
      expect(wait).toBeNull();
      // The same key is left alone for a minute.
      expect(failed(await quiet(() => getSession(user)), status, code)).toBe(60);
      advance(60 * SECOND);
    }
    await sessionOf(user);
    expect(seen(user).logins).toBe(1);
  });
});

describe("time", () => {
  it("nobody free all along: busy, and nothing was ordered", async () => {
    ticking();
    upstreams.set({ captcha: { in_error: "ERROR_NO_SLOT_AVAILABLE" } });
    const user = someone();
    const answer = await getSession(user);
    const wait = failed(answer, 503, "captcha_busy");
    expect(wait).toBeGreaterThanOrEqual(15);
    expect(upstreams.captcha.tasks).toBe(0);
    failed(await quiet(() => getSession(user)), 503, "captcha_busy");
    upstreams.set({ captcha: { in_error: "" } });
    advance(Number(wait) * SECOND);
    await sessionOf(user);
    expect([upstreams.captcha.tasks, upstreams.portal.logins]).toEqual([1, 1]);
  });

  it("nobody free at first", async () => {
    upstreams.set({ captcha: { in_error: "ERROR_NO_SLOT_AVAILABLE", times: 4 } });
    const user = someone();
    await sessionOf(user);
    expect(seen(user)).toEqual({ logins: 1, captchas: 5 });
    expect(upstreams.captcha).toEqual({ tasks: 1, solved: 1, used: 1 });
  });

  it("it takes a while", async () => {
    upstreams.set({ captcha: { ready_after: 20 } });
    const user = someone();
    await sessionOf(user);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(polls()).toBe(21);
  });

  it("it is never solved: one task, no second one", async () => {
    ticking();
    upstreams.set({ captcha: { ready_after: 100_000 } });
    const user = someone();
    const wait = failed(await getSession(user), 504, "captcha_timeout");
    expect(wait).toBeGreaterThanOrEqual(15);
    expect([orders(), sent()]).toEqual([1, 0]);
    expect(polls()).toBeGreaterThan(5);
    expect(polls()).toBeLessThanOrEqual(11);
    failed(await quiet(() => getSession(user)), 504, "captcha_timeout");
  });

  it("a service that does not answer costs a second at most", async () => {
    upstreams.fail("captcha", { fault: "hang" }, { operation: "captcha_in", times: "forever" });
    const began = performance.now();
    const answer = await getSession(someone());
    expect(answer.json.code).toBeOneOf(["captcha_failed", "captcha_timeout"]);
    expect(answer.status).toBe(answer.json.code === "captcha_failed" ? 502 : 504);
    expect(performance.now() - began).toBeLessThan(20_000); // Each call would hang for a minute.
    expect(orders()).toBeLessThanOrEqual(2);
    expect(sent()).toBe(0);
  });
});

describe("another task", () => {
  it("unsolvable once", async () => {
    upstreams.set({ captcha: { res_error: "ERROR_CAPTCHA_UNSOLVABLE", times: 1 } });
    const user = someone();
    await sessionOf(user);
    expect(seen(user)).toEqual({ logins: 1, captchas: 2 });
    expect(upstreams.captcha).toEqual({ tasks: 2, solved: 1, used: 1 });
    expect(sent()).toBe(1);
  });

  it("a solution that the portal does not take, then one that it does", async () => {
    const user = someone();
    const hold = upstreams.hold("portal", "credentials");
    const got = getSession(user);
    await hold.arrived;
    upstreams.revoke("captcha");
    hold.release();
    const answer = await got;
    expect(answer.status, answer.text).toBe(200);
    expect(seen(user)).toEqual({ logins: 1, captchas: 2 });
    expect(upstreams.captcha).toEqual({ tasks: 2, solved: 2, used: 1 });
    expect(sent()).toBe(2);
  });

  it.each([200, 403] as const)(
    "two that the portal does not take, with %s: no third",
    async (refusal_status) => {
      upstreams.set({ portal: { refusal_status } });
      const user = someone();
      const first = upstreams.hold("portal", "credentials");
      const got = getSession(user);
      await first.arrived;
      upstreams.revoke("captcha");
      const second = upstreams.hold("portal", "credentials");
      first.release();
      await second.arrived;
      upstreams.revoke("captcha");
      second.release();
      expect(failed(await got, 502, "captcha_unsolved")).toBeGreaterThanOrEqual(15);
      expect([orders(), sent()]).toEqual([2, 2]);
      expect(upstreams.captcha).toEqual({ tasks: 2, solved: 2, used: 0 });
      expect(upstreams.portal).toMatchObject({ logins: 0, live_sessions: 0 });
      failed(await quiet(() => getSession(user)), 502, "captcha_unsolved");
    },
  );

  it("one unsolvable, the other not taken: no third", async () => {
    upstreams.set({ captcha: { res_error: "ERROR_CAPTCHA_UNSOLVABLE", times: 1 } });
    const hold = upstreams.hold("portal", "credentials");
    const got = getSession(someone());
    await hold.arrived;
    upstreams.revoke("captcha");
    hold.release();
    failed(await got, 502, "captcha_unsolved");
    expect([orders(), sent()]).toEqual([2, 1]);
  });

  it("a wrong password is no reason for another", async () => {
    failed(await getSession(someone({ password: "wrong" })), 401, "portal_credentials_refused");
    expect([orders(), sent()]).toEqual([1, 1]);
  });
});

describe("the service is down", () => {
  it.each([
    ["500", { fault: "status", status: 500 }],
    ["503", { fault: "status", status: 503, retry_after: 1 }],
    ["429", { fault: "status", status: 429 }],
    ["403 with a page", { fault: "status", status: 403, body: "html" }],
    ["a page", { fault: "html_200" }],
    ["an empty answer", { fault: "status", status: 200, body: "empty" }],
    ["JSON of another shape", { fault: "wrong_json" }],
    ["half an answer", { fault: "half_json" }],
    ["a status that is none", { fault: "wrong_json", json: { status: 7, request: "1" } }],
    ["a number that is none", { fault: "wrong_json", json: { status: 1, request: "" } }],
    ["a list", { fault: "wrong_json", json: [] }],
    ["a redirect", { fault: "redirect", to: "https://elsewhere.test/in.php" }],
    ["broken connections", { fault: "reset" }],
  ] as const)("%s: 502, after two orders", async (_how, fault) => {
    upstreams.fail("captcha", fault, { operation: "captcha_in", times: "forever" });
    const user = someone();
    const wait = failed(await getSession(user), 502, "captcha_failed");
    expect(wait).toBeGreaterThanOrEqual(15);
    expect([orders(), polls(), sent()]).toEqual([2, 0, 0]);
    failed(await quiet(() => getSession(user)), 502, "captcha_failed");
    upstreams.heal();
    advance(Number(wait) * SECOND);
    await sessionOf(user);
    expect(upstreams.portal.logins).toBe(1);
  });

  it.each([
    ["503", { fault: "status", status: 503 }],
    ["a page", { fault: "html_200" }],
    ["half an answer", { fault: "half_json" }],
    ["broken connections", { fault: "reset" }],
  ] as const)("%s while it is waited for: the task is paid, so it is asked again", async (_how, fault) => {
    upstreams.fail("captcha", fault, { operation: "captcha_res", times: 5 });
    const user = someone();
    await sessionOf(user);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(polls()).toBeGreaterThan(5);
  });

  it("an order whose answer is lost counts as a task", async () => {
    upstreams.fail("captcha", { fault: "fail_after", how: "reset" }, { operation: "captcha_in" });
    const user = someone();
    await sessionOf(user);
    expect(seen(user)).toEqual({ logins: 1, captchas: 2 });
    expect(upstreams.captcha).toEqual({ tasks: 2, solved: 1, used: 1 });
  });
});

describe("200 callers at once", () => {
  const many = (call: () => Promise<Answer>) => Promise.all(Array.from({ length: 200 }, call));

  it.each([
    ["ck-many", "ERROR_GOOGLEKEY", 502, "captcha_failed", 1],
    ["ck-many", "ERROR_CAPTCHA_UNSOLVABLE", 502, "captcha_unsolved", 2],
    ["nobalance-many", "", 402, "captcha_no_balance", 1],
    ["nokey-many", "", 422, "captcha_key_refused", 1],
  ])("with %s %s: one failure for all", async (captcha_api_key, res_error, status, code, tasks) => {
    upstreams.set({ captcha: { res_error } });
    const user = someone({ captcha_api_key });
    // Held at one call, then at the next, until all are there.
    const [page, order] = [upstreams.hold("portal", "login_page"), upstreams.hold("captcha", "captcha_in")];
    const all = many(() => getSession(user));
    for (const hold of [page, order]) {
      await hold.arrived;
      await pause(500);
      hold.release();
    }
    for (const answer of await all) failed(answer, status, code);
    expect([orders(), sent()]).toEqual([tasks, 0]);
    expect(upstreams.count({ upstream: "portal", operation: "login_page" })).toBe(2);
  });

  it("a key without balance is nobody else's: who has a good one is not told of it", async () => {
    const user = someone();
    const hold = upstreams.hold("captcha", "captcha_in");
    const poor = getSession({ ...user, captcha_api_key: "nobalance-other" });
    await hold.arrived;
    const rich = getSession(user);
    await pause(100);
    hold.release();
    failed(await poor, 402, "captcha_no_balance");
    const answer = await rich;
    expect(answer.status, answer.text).toBe(200);
    expect(upstreams.captcha).toEqual({ tasks: 1, solved: 1, used: 1 });
    expect(upstreams.portal.logins).toBe(1);
  });

  it("it works: one task for all", async () => {
    const user = someone();
    const answers = await many(() => getSession(user));
    expect(new Set(answers.map(({ json }) => json.session_id)).size).toBe(1);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(upstreams.captcha).toEqual({ tasks: 1, solved: 1, used: 1 });
  });
});

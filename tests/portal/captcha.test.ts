// The captcha service: what its codes are to callers, and what one login may cost. All codes, and keys that change, are
// tested natively: crates/portal/src/captcha_tests.rs, crates/sim/tests/portal/captcha.rs.
import { describe, expect, it } from "vitest";
import type { Answer } from "../support/worker/api.ts";
import { advance, SECOND } from "../support/worker/time.ts";
import { getSession, listed, portal, seen, sessionOf, someone, upstreams } from "../support/worker/portal.ts";

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
});

describe.each(["in_error", "res_error"] as const)("%s", (which) => {
  it.each([
    ["ERROR_WRONG_USER_KEY", 422, "captcha_key_refused"],
    ["ERROR_ZERO_BALANCE", 402, "captcha_no_balance"],
    ["ERROR_GOOGLEKEY", 502, "captcha_failed"],
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
});

describe("the service is down", () => {
  it.each([
    ["503", 2, { fault: "status", status: 503, retry_after: 0 }],
    ["503 until there is no time left", 1, { fault: "status", status: 503, retry_after: 60 }],
    ["a page", 2, { fault: "html_200" }],
    ["half an answer", 2, { fault: "half_json" }],
    ["a redirect", 2, { fault: "redirect", to: "https://elsewhere.test/in.php" }],
    ["broken connections", 2, { fault: "reset" }],
  ] as const)("%s: 502, after %i orders", async (_how, times, fault) => {
    upstreams.fail("captcha", fault, { operation: "captcha_in", times: "forever" });
    const user = someone();
    const wait = failed(await getSession(user), 502, "captcha_failed");
    expect(wait).toBeGreaterThanOrEqual(15);
    expect([orders(), polls(), sent()]).toEqual([times, 0, 0]);
    failed(await quiet(() => getSession(user)), 502, "captcha_failed");
    upstreams.heal();
    advance(Number(wait) * SECOND);
    await sessionOf(user);
    expect(upstreams.portal.logins).toBe(1);
  });
});

// Logins at the portal: what it says, what callers are told, and how often it is asked. Hours and days of it, and each
// failure at each step, are tested natively: crates/sim/tests/portal.
import { describe, expect, it } from "vitest";
import type { Answer } from "../support/worker/api.ts";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  closeSession,
  eventually,
  getSession,
  listed,
  ONE_LOGIN,
  portal,
  post,
  seen,
  sessionOf,
  someone,
  upstreams,
  type User,
} from "../support/worker/portal.ts";

portal();

const COOLDOWN = 900;

/** A failure as callers know it; what it says about coming again, in seconds. */
function failed(answer: Answer, status: number, code: string): number | null {
  expect([answer.status, answer.json?.code], answer.text).toEqual([status, code]);
  expect(answer.json).toMatchObject({ success: false, error: answer.json.detail });
  const retry = answer.headers.get("retry-after");
  return retry === null ? null : Number(retry);
}

/** What the portal was asked so far. */
const operations = () => upstreams.calls.filter((c) => c.upstream === "portal").map((c) => c.operation);
const calls = () => upstreams.count({ upstream: "portal" });
/** How often the username and password were sent. */
const sent = () => operations().filter((operation) => operation === "credentials").length;

const containers = (more: Record<string, unknown>) =>
  post("/get_containers", { infinite_scrolling: false, ...more });

describe.each([200, 403] as const)("refused with status %s", (refusal_status) => {
  const refusing = () => upstreams.set({ portal: { refusal_status } });

  it("wrong credentials are tried once in a quarter of an hour", async () => {
    refusing();
    const wrong = someone({ password: "wrong" });
    const first = await getSession(wrong);
    expect(failed(first, 401, "portal_credentials_refused")).toBe(COOLDOWN);
    expect(first.json.error).toBe("Authentication failed");
    expect(first.headers.get("www-authenticate")).toBe('Bearer realm="sallyport"');
    expect([sent(), upstreams.captcha.tasks]).toEqual([1, 1]);
    const asked = calls();
    for (const [wait, left] of [
      [0, 900],
      [SECOND, 899],
      [10 * MINUTE, 299],
      [299 * SECOND - 1, 1],
    ] as const) {
      advance(wait);
      expect(failed(await getSession(wrong), 401, "portal_credentials_refused")).toBe(left);
      expect(failed(await containers({ ...wrong }), 401, "portal_credentials_refused")).toBe(left);
    }
    expect(calls()).toBe(asked);
    advance(1);
    // Whoever asks again and again waits longer each time.
    expect(failed(await getSession(wrong), 401, "portal_credentials_refused")).toBe(2 * COOLDOWN);
    expect([sent(), upstreams.captcha.tasks]).toEqual([2, 2]);
    expect(await listed()).toEqual([]);
  });
});

describe.each(["form_post", "query"] as const)("response mode %s", (response_mode) => {
  it.each(["text_200", "redirect"] as const)("and logged out is %s", async (logged_out) => {
    upstreams.set({ portal: { response_mode, logged_out } });
    const user = someone();
    const session_id = await sessionOf(user);
    expect((await containers({ session_id })).json).toMatchObject({ success: true, total_containers: 40 });
    expect(seen(user)).toEqual(ONE_LOGIN);
    // The portal forgets it: it is logged in again, once, as the same session.
    upstreams.revoke("portal", user.username);
    const again = await containers({ session_id });
    expect(again.status, again.text).toBe(200);
    expect(again.json).toMatchObject({ session_id, is_new_session: false });
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    await closeSession(session_id);
    await eventually(
      () => upstreams.portal.live_sessions,
      (live) => live === 0,
    );
    failed(await getSession({ ...user, password: "wrong" }), 401, "portal_credentials_refused");
  });
});

/** Refused now, and until the wait is over without any call; then it works. */
async function waits(user: User, code: string, status = 502): Promise<number> {
  const first = await getSession(user);
  const wait = failed(first, status, code);
  expect(wait).toBeGreaterThanOrEqual(15);
  const seconds = Number(wait);
  const asked = [upstreams.count({ upstream: "portal" }), upstreams.count({ upstream: "captcha" })];
  expect(failed(await getSession(user), status, code)).toBe(seconds);
  advance((seconds - 1) * SECOND);
  expect(failed(await containers({ ...user }), status, code)).toBe(1);
  expect([upstreams.count({ upstream: "portal" }), upstreams.count({ upstream: "captcha" })]).toEqual(asked);
  advance(SECOND);
  upstreams.heal();
  upstreams.release();
  await sessionOf(user);
  return seconds;
}

it.each([
  ["login_page", { fault: "reset" }, 502, "portal_unreachable"],
  ["credentials", { fault: "status", status: 429, retry_after: 240 }, 502, "portal_rate_limited"],
  ["authorize", { fault: "hang" }, 504, "portal_timeout"],
  ["signin", { fault: "html_200" }, 502, "portal_unintelligible"],
] as const)("%s fails: nobody asks before the wait is over", async (operation, fault, status, code) => {
  upstreams.fail("portal", fault, { operation, times: "forever" });
  await waits(someone(), code, status);
});

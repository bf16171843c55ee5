// Logins at the portal: what it says, what callers are told, and how often it is asked.
import { describe, expect, it } from "vitest";
import type { Fault } from "../upstreams/index.ts";
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
const LOGINS_MAX = 6;

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

  it.each([
    ["a page that says something else", { fault: "html_200" }],
    ["no page at all", { fault: "wrong_json" }],
    ["403 without a word", { fault: "status", status: 403, body: "html" }],
    ["a redirect to another host", { fault: "redirect", to: "https://elsewhere.test/login" }],
  ] as const)(
    "%s for the password may be a refusal: a day of callers does not lock the account",
    async (_how, fault) => {
      upstreams.fail("portal", fault, { operation: "credentials", times: "forever" });
      const user = someone();
      const end = Date.now() + 24 * 60 * MINUTE;
      let first = 0;
      while (Date.now() < end) {
        const answer = await getSession(user);
        expect(answer.status, answer.text).toBe(502);
        first ||= Number(answer.headers.get("retry-after"));
        if (Date.now() < end - 23 * 60 * MINUTE) expect(sent()).toBeLessThanOrEqual(3);
        advance(5 * MINUTE);
      }
      expect(first).toBe(COOLDOWN);
      // 0, 15 and 45 minutes after the first, then each hour.
      expect(sent()).toBeLessThanOrEqual(27);
      expect(upstreams.captcha.tasks).toBe(sent());
      // Another password is another login, and waits for nobody.
      upstreams.heal();
      await sessionOf(someone());
      advance(60 * MINUTE);
      await sessionOf(user);
    },
  );

  it("a day of callers with a wrong password sends it a few times only", async () => {
    refusing();
    const wrong = someone({ password: "wrong" });
    for (let minutes = 0; minutes < 24 * 60; minutes += 5) {
      expect((await getSession(wrong)).status).toBeOneOf([401, 403]);
      advance(5 * MINUTE);
    }
    expect(sent()).toBeLessThanOrEqual(10);
    expect(upstreams.captcha.tasks).toBe(sent());
  });

  it("another password is another login", async () => {
    refusing();
    const user = someone();
    failed(await getSession({ ...user, password: "wrong" }), 401, "portal_credentials_refused");
    await sessionOf(user);
    failed(await getSession({ ...user, password: "wrong" }), 401, "portal_credentials_refused");
    failed(await getSession({ ...user, password: "other" }), 401, "portal_credentials_refused");
    expect(sent()).toBe(upstreams.captcha.tasks);
    expect(upstreams.captcha.tasks).toBe(3);
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 1 });
  });

  it("200 at once with a wrong password: it is sent once", async () => {
    refusing();
    const wrong = someone({ password: "wrong" });
    const answers = await Promise.all(Array.from({ length: 200 }, () => getSession(wrong)));
    for (const answer of answers) failed(answer, 401, "portal_credentials_refused");
    expect([sent(), upstreams.captcha.tasks]).toEqual([1, 1]);
  });

  it("a locked account is told so, and left alone", async () => {
    refusing();
    upstreams.set({ portal: { lock_after: 2 } });
    const user = someone();
    failed(await getSession({ ...user, password: "wrong" }), 401, "portal_credentials_refused");
    failed(await getSession({ ...user, password: "other" }), 401, "portal_credentials_refused");
    const locked = await getSession(user);
    expect(failed(locked, 403, "portal_account_locked")).toBe(COOLDOWN);
    expect(locked.json.error).toBe("The portal has locked this account");
    const asked = calls();
    advance(COOLDOWN * SECOND - 1);
    expect(failed(await getSession(user), 403, "portal_account_locked")).toBe(1);
    expect(calls()).toBe(asked);
    advance(1);
    failed(await getSession(user), 403, "portal_account_locked");
    expect(calls()).toBeGreaterThan(asked);
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

it("a portal that leads elsewhere gets no credentials, nor does whoever is there", async () => {
  upstreams.set({ portal: { identity_host: "elsewhere.test" } });
  const user = someone();
  const first = await getSession(user);
  const wait = failed(first, 502, "portal_redirected");
  expect(wait).toBeGreaterThan(0);
  expect(operations()).toEqual(["login_page"]);
  expect([sent(), upstreams.captcha.tasks]).toEqual([0, 0]);
  expect(failed(await getSession(user), 502, "portal_redirected")).toBe(wait);
  expect(operations()).toEqual(["login_page"]);
  upstreams.set({ portal: { identity_host: "" } });
  advance(Number(wait) * SECOND);
  await sessionOf(user);
});

it.each(["https://elsewhere.test/login", "http://127.0.0.1:1/", "javascript:alert(1)", "//elsewhere.test"])(
  "a redirect to %s after the credentials is not followed",
  async (to) => {
    const user = someone();
    upstreams.fail("portal", { fault: "redirect", to }, { operation: "credentials" });
    const answer = await getSession(user);
    expect(answer.json.code).toBeOneOf(["portal_redirected", "portal_unintelligible"]);
    expect(answer.status).toBe(502);
    expect(operations().at(-1)).toBe("credentials");
    expect(await listed()).toEqual([]);
  },
);

/** Where in a login something can go wrong. */
const STEPS = ["login_page", "credentials", "authorize", "signin"] as const;

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

describe.each(STEPS)("at %s", (operation) => {
  const fail = (fault: Fault) => upstreams.fail("portal", fault, { operation, times: "forever" });

  it.each([
    [503, "portal_error"],
    [429, "portal_rate_limited"],
  ])("%s with Retry-After: nobody asks before", async (status, code) => {
    const user = someone();
    fail({ fault: "status", status, retry_after: 240 });
    expect(await waits(user, code)).toBe(240);
    expect(seen(user).logins).toBe(1);
  });

  it("503 without one: some seconds all the same", async () => {
    fail({ fault: "status", status: 503, body: "html" });
    expect(await waits(someone(), "portal_error")).toBeLessThan(20);
  });

  it("a Retry-After of days is not believed", async () => {
    fail({ fault: "status", status: 503, retry_after: 1_000_000 });
    expect(await waits(someone(), "portal_error")).toBe(3600);
  });

  it("a broken connection", async () => {
    fail({ fault: "reset" });
    await waits(someone(), "portal_unreachable");
  });

  it("no answer", async () => {
    fail({ fault: "hang" });
    await waits(someone(), "portal_timeout", 504);
  });

  it("a page of another kind", async () => {
    fail({ fault: "html_200" });
    await waits(someone(), "portal_unintelligible");
  });

  it("no page at all", async () => {
    fail({ fault: "wrong_json" });
    await waits(someone(), "portal_unintelligible");
  });
});

describe("logins of an hour", () => {
  /** A login that is paid for and fails, then the wait. */
  async function fails(user: User): Promise<void> {
    const answer = await getSession(user);
    const wait = failed(answer, 502, "captcha_unsolved");
    advance(Number(wait) * SECOND);
  }

  it("six that cost something, then none", async () => {
    upstreams.set({ captcha: { res_error: "ERROR_CAPTCHA_UNSOLVABLE" } });
    const user = someone();
    const began = Date.now();
    for (let n = 0; n < LOGINS_MAX; n++) await fails(user);
    const paid = upstreams.captcha.tasks;
    const asked = calls();
    const spent = await getSession(user);
    const wait = failed(spent, 429, "portal_logins_spent");
    expect(wait).toBe(Math.ceil((began + 60 * MINUTE - Date.now()) / SECOND));
    failed(await containers({ ...user }), 429, "portal_logins_spent");
    expect([calls(), upstreams.captcha.tasks]).toEqual([asked, paid]);
    // Nobody else's.
    upstreams.set({ captcha: { res_error: "" } });
    await sessionOf(someone());
    advance(Number(wait) * SECOND - 1);
    failed(await getSession(user), 429, "portal_logins_spent");
    advance(1);
    await sessionOf(user);
    console.info(`six failed logins: ${paid} captchas`);
    expect(paid).toBeLessThanOrEqual(2 * LOGINS_MAX);
  });

  it("good logins count, too; a captcha key that is refused costs none, and is left alone for a minute", async () => {
    const user = someone();
    const poor = { ...user, captcha_api_key: "nobalance-1" };
    failed(await getSession(poor), 402, "captcha_no_balance");
    const calls = upstreams.count();
    for (let n = 0; n < 10; n++) expect(failed(await getSession(poor), 402, "captcha_no_balance")).toBe(60);
    expect(upstreams.count()).toBe(calls);
    for (let n = 0; n < 6; n++) {
      const id = await sessionOf(user);
      await closeSession(id);
      advance(SECOND);
    }
    const wait = failed(await getSession(user), 429, "portal_logins_spent");
    expect(wait).toBe(3594);
    expect(upstreams.portal.logins).toBe(6);
  });

  it("the captcha key that came last pays for the new login of a session", async () => {
    const user = someone();
    const session_id = await sessionOf(user);
    const captcha_api_key = `${user.captcha_api_key}-new`;
    expect(await sessionOf({ ...user, captcha_api_key })).toBe(session_id);
    upstreams.revoke("portal", user.username);
    const answer = await post("/get_containers", { session_id, infinite_scrolling: false });
    expect(answer.status, answer.text).toBe(200);
    const tasks = (account: string) =>
      upstreams.count({ upstream: "captcha", operation: "captcha_in", account });
    expect([tasks(user.captcha_api_key), tasks(captcha_api_key)]).toEqual([1, 1]);
  });

  it("a portal that is down before anything is paid for takes none of them", async () => {
    const user = someone();
    upstreams.fail("portal", { fault: "status", status: 503 }, { times: "forever" });
    for (let n = 0; n < 8; n++) {
      const wait = failed(await getSession(user), 502, "portal_error");
      advance(Number(wait) * SECOND);
    }
    upstreams.heal();
    await sessionOf(user);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });
});

// The fake 2captcha, and how long its solutions are good at the portal.
import { beforeEach, describe, expect, test } from "vitest";
import { Browser, isLoggedIn, poll, solve, task } from "../support/process/browser.ts";
import { BASE, call, fresh, upstreams } from "../support/process/fake_calls.ts";

const PAGE = `${BASE}/identity/account/login`;

beforeEach(() => fresh());

describe("2captcha", () => {
  test("takes a task, is not ready, then tells the same solution each time", async () => {
    upstreams.set({ captcha: { ready_after: 2 } });
    const { status, request: id } = await task({ pageurl: `${PAGE}?ReturnUrl=x` });
    expect([status, id]).toEqual([1, "70000001"]);
    for (let n = 0; n < 2; n += 1)
      expect(await poll({ id })).toEqual({ status: 0, request: "CAPCHA_NOT_READY" });
    const solved = await poll({ id });
    expect(solved).toEqual({ status: 1, request: expect.stringMatching(/^03A/) });
    expect(await poll({ id })).toEqual(solved);
    expect(upstreams.captcha).toEqual({ tasks: 1, solved: 1, used: 0 });
    expect(upstreams.count({ upstream: "captcha", operation: "captcha_res", account: "ck-local" })).toBe(4);
    expect(upstreams.count({ upstream: "captcha", operation: "captcha_in", account: "ck-local" })).toBe(1);
  });

  test("without json=1 it answers with plain text", async () => {
    const fields = { key: "ck-1", method: "userrecaptcha", googlekey: "none", pageurl: PAGE };
    const refused = await call("POST", "/captcha/in.php", { form: fields });
    expect([refused.text, refused.headers.get("content-type")]).toEqual([
      "ERROR_GOOGLEKEY",
      "text/plain; charset=utf-8",
    ]);
    const { request: id } = await task({ pageurl: PAGE });
    const [first, second] = [1, 2].map(() => `/captcha/res.php?key=ck-local&action=get&id=${id}`);
    expect((await call("GET", first ?? "")).text).toBe("CAPCHA_NOT_READY");
    expect((await call("GET", second ?? "")).text).toMatch(/^OK\|03A/);
  });

  test.each([
    [{ key: "other" }, "ERROR_WRONG_USER_KEY"],
    [{ key: "" }, "ERROR_WRONG_USER_KEY"],
    [{ key: "nokey-1" }, "ERROR_KEY_DOES_NOT_EXIST"],
    [{ key: "nobalance-1" }, "ERROR_ZERO_BALANCE"],
    [{ method: "post" }, "ERROR_BAD_PARAMETERS"],
    [{ googlekey: "6Lother" }, "ERROR_GOOGLEKEY"],
    [{ pageurl: "" }, "ERROR_PAGEURL"],
    [{ pageurl: `${BASE}/portal/login` }, "ERROR_PAGEURL"],
    [{ pageurl: "https://elsewhere.test/identity/account/login" }, "ERROR_PAGEURL"],
  ])("a task with %j is refused: %s", async (fields, request) => {
    expect(await task({ pageurl: PAGE, ...fields })).toEqual({ status: 0, request });
    expect(upstreams.captcha.tasks).toBe(0);
  });

  test("the page is where the identity pages are", async () => {
    upstreams.set({ portal: { identity_host: "identity.test" } });
    expect((await task({ pageurl: PAGE })).request).toBe("ERROR_PAGEURL");
    expect((await task({ pageurl: "https://identity.test/identity/account/login" })).status).toBe(1);
  });

  test.each([
    [{ key: "other" }, "ERROR_WRONG_USER_KEY"],
    [{ key: "ck-2" }, "ERROR_WRONG_CAPTCHA_ID"],
    [{ action: "" }, "ERROR_EMPTY_ACTION"],
    [{ id: "x" }, "ERROR_WRONG_ID_FORMAT"],
    [{ id: "1" }, "ERROR_WRONG_CAPTCHA_ID"],
  ])("a poll with %j is refused: %s", async (fields, request) => {
    const { request: id } = await task({ pageurl: PAGE });
    expect(await poll({ id, ...fields })).toEqual({ status: 0, request });
  });

  test("errors by switch, so often or until they are taken away", async () => {
    upstreams.set({ captcha: { in_error: "ERROR_NO_SLOT_AVAILABLE", times: 2 } });
    const said = [];
    for (let n = 0; n < 3; n += 1) said.push((await task({ pageurl: PAGE })).request);
    expect(said).toEqual(["ERROR_NO_SLOT_AVAILABLE", "ERROR_NO_SLOT_AVAILABLE", "70000001"]);
    expect(upstreams.switches.captcha).toMatchObject({ in_error: "", times: "forever" });
    upstreams.set({ captcha: { res_error: "ERROR_CAPTCHA_UNSOLVABLE" } });
    for (let n = 0; n < 3; n += 1)
      expect((await poll({ id: "70000001" })).request).toBe("ERROR_CAPTCHA_UNSOLVABLE");
    upstreams.set({ captcha: { res_error: "" } });
    expect((await poll({ id: "70000001" })).request).toBe("CAPCHA_NOT_READY");
    expect(() => upstreams.set({ captcha: { times: 0 } })).toThrow(RangeError);
  });

  test("wrong paths and methods, faults, reset", async () => {
    expect((await call("GET", "/captcha/in.php")).status).toBe(405);
    expect((await call("POST", "/captcha/res.php")).headers.get("allow")).toBe("GET");
    expect((await call("GET", "/captcha/")).status).toBe(404);
    upstreams.fail("captcha", [{ fault: "status", status: 503 }, { fault: "fail_after" }], {
      operation: "captcha_in",
      account: "ck-local",
    });
    const form = { key: "ck-local", method: "userrecaptcha", googlekey: "x", pageurl: PAGE };
    expect((await call("POST", "/captcha/in.php", { form })).json.status).toBe(0);
    await task({ pageurl: PAGE }).catch(() => {});
    expect(upstreams.captcha.tasks).toBe(1);
    const solution = await solve();
    expect(upstreams.alive(solution)).toBe(true);
    expect([upstreams.revoke("captcha", "ck-other"), upstreams.revoke("captcha")]).toEqual([0, 1]);
    expect(upstreams.alive(solution)).toBe(false);
    upstreams.reset();
    expect(upstreams.captcha).toEqual({ tasks: 0, solved: 0, used: 0 });
  });
});

describe("where all keys are taken", () => {
  const KEY = "0123456789abcdef0123456789abcdef";

  beforeEach(() => upstreams.set({ captcha: { keys: "any" } }));

  test.each([
    ["wrong-1", "ERROR_WRONG_USER_KEY"],
    ["WRONG", "ERROR_WRONG_USER_KEY"],
    ["Invalid_key", "ERROR_WRONG_USER_KEY"],
    ["", "ERROR_WRONG_USER_KEY"],
    ["nokey-1", "ERROR_KEY_DOES_NOT_EXIST"],
    ["nobalance-1", "ERROR_ZERO_BALANCE"],
  ])("%j is not: %s", async (key, request) => {
    expect(await task({ key, pageurl: PAGE })).toEqual({ status: 0, request });
    expect(await poll({ key, id: "70000001" })).toEqual({ status: 0, request });
  });

  test.each([KEY, "ck-1", "not-wrong", "đ 🗝"])("%j has its captchas solved", async (key) => {
    const { request: id } = await task({ key, pageurl: PAGE });
    expect((await poll({ key, id })).request).toBe("CAPCHA_NOT_READY");
    expect((await poll({ key: "other", id })).request).toBe("ERROR_WRONG_CAPTCHA_ID");
    const { request: solution } = await poll({ key, id });
    const page = await new Browser().login("ann", { "g-recaptcha-response": solution });
    expect(isLoggedIn(page)).toBe(true);
  });

  test("a key that may be a real one is not shown whole", async () => {
    const { request: id } = await task({ key: KEY, pageurl: PAGE });
    for (let n = 0; n < 2; n += 1) await poll({ key: KEY, id });
    expect(upstreams.count({ upstream: "captcha", account: "0123…" })).toBe(3);
    expect((await call("GET", "/_calls")).text + (await call("GET", "/_control")).text).not.toContain(KEY);
    expect([upstreams.revoke("captcha", KEY), upstreams.revoke("captcha", "0123…")]).toEqual([0, 1]);
  });
});

describe("a solution", () => {
  const loginWith = (solution: string) => new Browser().login("ann", { "g-recaptcha-response": solution });

  test("is good for 120 s", async () => {
    const [one, two] = [await solve(), await solve()];
    upstreams.advance(120_000);
    expect(isLoggedIn(await loginWith(one))).toBe(true);
    upstreams.advance(1);
    expect((await loginWith(two)).text).toContain("<li>Captcha validation failed</li>");
  });

  test("is good once, also where the password was wrong", async () => {
    const solution = await solve();
    expect(
      (await new Browser().login("ann", { Password: "x", "g-recaptcha-response": solution })).text,
    ).toContain("<li>Invalid username or password</li>");
    expect((await loginWith(solution)).text).toContain("<li>Captcha validation failed</li>");
    expect(upstreams.captcha.used).toBe(1);
  });
});

// The fake portal: its login, its sessions, its faults.
import { beforeEach, describe, expect, test } from "vitest";
import { Browser, errorsOf, formOf, isLoggedIn, solve, textsOf } from "../support/process/browser.ts";
import { listen } from "./listen.ts";
import { BASE, call, fresh, upstreams } from "../support/process/fake_calls.ts";

let browser: Browser;

beforeEach(() => {
  fresh();
  browser = new Browser();
});

const operations = () =>
  upstreams.calls.filter(({ upstream }) => upstream === "portal").map((call) => call.operation);

const cookieNames = () => [...browser.cookies.keys()].sort();

describe("login", () => {
  test("goes by its steps, with a form in the middle", async () => {
    const begun = await browser.send("GET", "/portal/login");
    const location = begun.headers.get("location") ?? "";
    expect(begun.status).toBe(302);
    const returnUrl = new URLSearchParams(location.split("?")[1]).get("ReturnUrl") ?? "";
    const state = browser.cookies.get("upstreams.test /portal portal.state");
    expect(location).toMatch(
      /^\/identity\/account\/login\?ReturnUrl=%2Fidentity%2Fconnect%2Fauthorize%2Fcallback%3F/,
    );
    expect(returnUrl).toMatch(
      new RegExp(`^/identity/connect/authorize/callback\\?client_id=portal&state=${state}&nonce=`),
    );

    const page = await browser.get(location);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^\.AspNetCore\.Antiforgery=\w+; HttpOnly; SameSite=Strict; path=\/identity$/),
    ]);
    expect(page.text).toContain('<form method="post" action="/identity/account/login" id="login">');
    expect(page.text).toContain(
      '<div class="g-recaptcha" data-sitekey="6Lfake-portal-login-page-site-key-000000"></div>',
    );
    expect(page.text).toContain('<button name="button" value="login">');
    expect(formOf(page).fields).toEqual({
      ...{ __RequestVerificationToken: expect.any(String), ReturnUrl: returnUrl },
      ...{ Username: "", Password: "", RememberLogin: "false" },
    });

    const fields = { Username: "ann", Password: "ann-pass", "g-recaptcha-response": await solve() };
    const accepted = await browser.submit(page, fields);
    expect([accepted.status, accepted.headers.get("location")]).toEqual([302, returnUrl]);
    expect(accepted.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^idsrv=\w+; HttpOnly; path=\/identity$/),
    ]);
    const handed = await browser.get(returnUrl);
    const { action, fields: code } = formOf(handed);
    expect(action).toBe(`${BASE}/portal/signin-oidc`);
    expect(code).toEqual({ code: expect.any(String), state });
    expect(handed.text).toContain("<noscript><button>Submit this form</button></noscript>");

    const signedIn = await browser.submit(handed);
    expect([signedIn.status, signedIn.headers.get("location")]).toEqual([302, "/portal/containers"]);
    expect(signedIn.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^\.AspNetCore\.Cookies=\w+; HttpOnly; path=\/portal$/),
      expect.stringMatching(/^portal\.state=; expires=/),
    ]);
    expect(cookieNames()).toEqual([
      "upstreams.test /identity .AspNetCore.Antiforgery",
      "upstreams.test /identity idsrv",
      "upstreams.test /portal .AspNetCore.Cookies",
    ]);
    const first = await browser.get("/portal/containers");
    expect(first.text).toContain('<a href="/portal/logout">Log out</a> <span class="user">ann</span></nav>');
    expect(operations()).toEqual([
      ...["login_page", "login_page", "credentials", "authorize", "login", "signin", "containers"],
    ]);
    expect(upstreams.count({ upstream: "portal", operation: "login", account: "ann" })).toBe(1);
    for (const operation of ["credentials", "authorize", "signin", "containers"] as const)
      expect(upstreams.count({ upstream: "portal", operation, account: "ann" })).toBe(1);
    expect([upstreams.portal.logins, upstreams.portal.live_sessions, upstreams.captcha.used]).toEqual([
      1, 1, 1,
    ]);
  });

  test("the code may come in the query", async () => {
    upstreams.set({ portal: { response_mode: "query" } });
    expect(isLoggedIn(await browser.login("ann"))).toBe(true);
    expect(upstreams.calls.find(({ operation }) => operation === "authorize")?.status).toBe(302);
  });

  test.each(["form_post", "query"] as const)(
    "the identity pages may have a host of their own (%s)",
    async (mode) => {
      upstreams.set({ portal: { identity_host: "identity.test", response_mode: mode } });
      const page = await browser.get("/portal/login");
      expect(page.url).toMatch(/^https:\/\/identity\.test\/identity\/account\/login\?/);
      expect(isLoggedIn(await browser.login("ann"))).toBe(true);
      expect(cookieNames()).toContain("identity.test /identity idsrv");
      expect((await browser.get("/portal/logout")).url).toBe("https://identity.test/identity/account/logout");
    },
  );

  test.each([200, 403] as const)("what is wrong is said on the login page, under %i", async (status) => {
    upstreams.set({ portal: { refusal_status: status } });
    const attempts: [Record<string, string>, string][] = [
      [{ Password: "x" }, "Invalid username or password"],
      [{ Username: "bob" }, "Invalid username or password"],
      [{ Username: "", Password: "-pass" }, "Invalid username or password"],
      [{ "g-recaptcha-response": "" }, "Captcha validation failed"],
      [{ "g-recaptcha-response": "03Aunknown" }, "Captcha validation failed"],
    ];
    for (const [changes, error] of attempts) {
      const page = await browser.login("ann", changes);
      expect([page.status, errorsOf(page), isLoggedIn(page)]).toEqual([status, [error], false]);
      expect(formOf(page).fields.Username).toBe(changes.Username ?? "ann");
    }
    expect(upstreams.calls.at(-1)).toMatchObject({
      operation: "credentials",
      status,
      gave: "Captcha validation failed",
    });
    // The page with the error is a login page like the first one.
    const refused = await browser.login("ann", { Password: "x" });
    const fields = { Password: "ann-pass", "g-recaptcha-response": await solve() };
    expect(isLoggedIn(await browser.follow(await browser.submit(refused, fields)))).toBe(true);
    expect([upstreams.portal.logins, upstreams.portal.live_sessions]).toEqual([1, 1]);
  });

  test("too many wrong passwords lock that user", async () => {
    upstreams.set({ portal: { lock_after: 2 } });
    for (const password of ["x", "y"])
      expect(errorsOf(await browser.login("ann", { Password: password }))).toEqual([
        "Invalid username or password",
      ]);
    expect(errorsOf(await browser.login("ann"))).toEqual(["Your account is locked"]);
    expect(isLoggedIn(await browser.login("bob"))).toBe(true);
  });

  test("the users may be others", async () => {
    upstreams.set({ portal: { users: { carla: "s3cret & <more>" } } });
    expect(errorsOf(await browser.login("ann"))).toEqual(["Invalid username or password"]);
    expect(errorsOf(await browser.login("toString"))).toEqual(["Invalid username or password"]);
    expect(isLoggedIn(await browser.login("carla", { Password: "s3cret & <more>" }))).toBe(true);
  });

  test("the password may be any that does not say that it is wrong", async () => {
    upstreams.set({ portal: { users: "any_password", lock_after: 4 } });
    for (const Password of ["hunter2", "ann-pass", "not wrong", "pass & <wörd> 密"])
      expect(isLoggedIn(await new Browser().login("ann@example.com", { Password }))).toBe(true);
    for (const Password of ["wrong", "Wrong-pass", "INVALID", ""])
      expect(errorsOf(await browser.login("ann", { Password }))).toEqual(["Invalid username or password"]);
    expect(errorsOf(await browser.login("ann", { Password: "hunter2" }))).toEqual(["Your account is locked"]);
    expect(errorsOf(await browser.login("", { Password: "x" }))).toEqual(["Invalid username or password"]);
    upstreams.set({ portal: { users: "any" } });
    expect(errorsOf(await browser.login("bob", { Password: "hunter2" }))).toEqual([
      "Invalid username or password",
    ]);
  });

  test("a form that does not fit its cookie, or was sent before, is a bad request", async () => {
    const fields = { Username: "ann", Password: "ann-pass", "g-recaptcha-response": await solve() };
    const page = await browser.get("/portal/login");
    expect((await new Browser().submit(page, fields)).status).toBe(400);
    expect((await browser.submit(page, fields)).status).toBe(400);
    const again = await browser.get("/portal/login");
    expect((await browser.submit(again, { ...fields, __RequestVerificationToken: "" })).status).toBe(400);
    expect((await browser.submit(again, { ...fields, ReturnUrl: "https://elsewhere.test/" })).status).toBe(
      400,
    );
    expect(upstreams.captcha.used).toBe(0);
  });

  test("a code is good once, with its own state, in the browser that began", async () => {
    const page = await browser.get("/portal/login");
    const fields = { Username: "ann", Password: "ann-pass" };
    const enter = async () => {
      const solution = { "g-recaptcha-response": await solve() };
      const accepted = await browser.submit(await browser.get(page.url), { ...fields, ...solution });
      return browser.get(accepted.headers.get("location") ?? "");
    };
    expect((await browser.submit(await enter(), { state: "other" })).status).toBe(400);
    expect((await new Browser().submit(await enter())).status).toBe(400);
    const handed = await enter();
    const before = new Map(browser.cookies);
    expect((await browser.submit(handed)).status).toBe(302);
    browser.cookies = before;
    expect((await browser.submit(handed)).status).toBe(400);
    expect([upstreams.portal.logins, upstreams.count({ operation: "login" })]).toEqual([1, 1]);
    expect(
      (await browser.send("GET", "/identity/connect/authorize/callback?client_id=portal&state=x")).status,
    ).toBe(400);
  });

  test("who is not known to the identity pages is sent to their login page", async () => {
    const { url } = await browser.get("/portal/login");
    const returnUrl = new URL(url).searchParams.get("ReturnUrl") ?? "";
    expect((await browser.get(returnUrl)).url).toBe(url);
  });

  test("takes its time where it is told to, and ends when the caller leaves or all waiting is released", async () => {
    upstreams.set({ portal: { login_ms: 60_000 } });
    const page = await browser.get("/portal/login");
    const { fields } = formOf(page);
    const left = browser.send("POST", "/identity/account/login", fields, AbortSignal.timeout(10));
    await expect(left).rejects.toThrow(/timeout/);
    const waiting = browser.login("ann");
    await expect.poll(() => upstreams.atOnce({ operation: "credentials" }).now).toBe(1);
    upstreams.release();
    expect(isLoggedIn(await waiting)).toBe(true);
  });
});

describe("a session", () => {
  const TEXT = /<p>You are either not logged in or your session has expired\. Please use your back button/;

  test.each(["text_200", "redirect"] as const)("without one, or with a wrong one: %s", async (logged_out) => {
    upstreams.set({ portal: { logged_out } });
    browser.cookies.set("upstreams.test /portal .AspNetCore.Cookies", "wrong");
    for (const path of ["/portal/containers", "/portal/containers/MSCU1000000"])
      for (const each of [browser, new Browser()]) {
        const page = await each.send("GET", path);
        if (logged_out === "redirect")
          expect([page.status, page.headers.get("location")]).toEqual([302, "/portal/login"]);
        else
          expect([page.status, TEXT.test(page.text), page.text.includes("<nav")]).toEqual([200, true, false]);
        expect(isLoggedIn(page)).toBe(false);
      }
  });

  test("ends when it was idle; any page keeps it", async () => {
    await browser.login("ann");
    for (let n = 0; n < 3; n += 1) {
      upstreams.advance(599_999);
      expect(isLoggedIn(await browser.get("/portal/containers"))).toBe(true);
    }
    upstreams.advance(600_000);
    expect(upstreams.portal.live_sessions).toBe(0);
    expect((await browser.get("/portal/containers")).text).toMatch(TEXT);
    expect(upstreams.calls.at(-1)).toMatchObject({ account: "ann", status: 200, gave: "logged out" });
    upstreams.set({ portal: { idle_seconds: 10 } });
    await browser.login("ann");
    upstreams.advance(10_000);
    expect(isLoggedIn(await browser.get("/portal/containers"))).toBe(false);
  });

  test("is ended from outside, by its account or with all", async () => {
    const others = [new Browser(), new Browser()];
    await browser.login("ann");
    for (const other of others) await other.login("bob");
    expect((await call("GET", "/_control")).json).toMatchObject({
      portal: { logins: 3, live_sessions: 3 },
      captcha: { tasks: 3, solved: 3, used: 3 },
    });
    const revoke = { upstream: "portal", account: "bob" };
    const { json } = await call("POST", "/_control", { json: { revoke } });
    expect([json.revoked, json.portal.live_sessions]).toEqual([2, 1]);
    expect(isLoggedIn(await others[0]!.get("/portal/containers"))).toBe(false);
    const cookie = browser.cookies.get("upstreams.test /portal .AspNetCore.Cookies") ?? "";
    expect([upstreams.alive(cookie), upstreams.revoke("portal"), upstreams.alive(cookie)]).toEqual([
      true,
      1,
      false,
    ]);
  });

  test("ends with a logout, at both hosts", async () => {
    await browser.login("ann");
    const before = new Map(browser.cookies);
    const page = await browser.get("/portal/logout");
    expect([page.url, page.status]).toEqual([`${BASE}/identity/account/logout`, 200]);
    expect(page.text).toContain("You are now logged out");
    expect(cookieNames()).toEqual(["upstreams.test /identity .AspNetCore.Antiforgery"]);
    browser.cookies = before;
    expect((await browser.get("/portal/containers")).text).toMatch(TEXT);
    expect(upstreams.count({ upstream: "portal", operation: "logout", account: "ann" })).toBe(2);
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 0 });
  });

  test("a reset ends all and unlocks", async () => {
    upstreams.set({ portal: { lock_after: 1 } });
    await browser.login("ann", { Password: "x" });
    await browser.login("bob");
    upstreams.reset();
    expect(upstreams.portal).toMatchObject({ logins: 0, live_sessions: 0 });
    upstreams.set({ portal: { lock_after: 1 } });
    expect(isLoggedIn(await browser.get("/portal/containers"))).toBe(false);
    expect(isLoggedIn(await browser.login("ann"))).toBe(true);
  });
});

describe("pages", () => {
  test("unknown paths and methods", async () => {
    expect((await call("GET", "/portal/nothing")).status).toBe(404);
    expect((await call("GET", "/identity/nothing")).headers.get("content-type")).toContain("text/html");
    const wrong = await call("PUT", "/identity/account/login");
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, POST"]);
    expect(upstreams.count({ upstream: "portal", operation: "unknown" })).toBe(3);
  });

  test("faults meet them as they meet other calls", async () => {
    await browser.login("ann");
    const path = "/portal/containers";
    upstreams.fail(
      "portal",
      [
        { fault: "status", status: 503, retry_after: 3 },
        { fault: "html_200" },
        { fault: "half_json" },
        { fault: "redirect", to: "https://elsewhere.test/" },
      ],
      { operation: "containers", account: "ann" },
    );
    const failed = await browser.send("GET", path);
    expect([failed.status, failed.headers.get("retry-after"), textsOf(failed, "h1")]).toEqual([
      503,
      "3",
      ["Error 503"],
    ]);
    expect(isLoggedIn(await browser.send("GET", path))).toBe(false);
    const half = await browser.send("GET", path);
    expect([half.headers.get("content-type"), half.text.includes("</html>")]).toEqual([
      "text/html; charset=utf-8",
      false,
    ]);
    expect((await browser.send("GET", path)).headers.get("location")).toBe("https://elsewhere.test/");
    upstreams.fail("portal", { fault: "reset" }, { operation: "timeline" });
    await expect(browser.send("GET", `${path}/MSCU1000000`)).rejects.toThrow(TypeError);
    const hold = upstreams.hold("portal", "containers", "ann");
    const held = browser.send("GET", path);
    await hold.arrived;
    hold.release();
    expect(isLoggedIn(await held)).toBe(true);
  });

  test("on a port, with all cookies of an answer and two names of this machine", async () => {
    const {
      url,
      upstreams: there,
      close,
    } = await listen({ switches: { portal: { identity_host: "localhost" } } });
    const real = new Browser(url, (request) => fetch(request, { redirect: "manual" }));
    expect(isLoggedIn(await real.login("ann"))).toBe(true);
    expect([...real.cookies.keys()].sort()).toEqual([
      "127.0.0.1 /portal .AspNetCore.Cookies",
      "localhost /identity .AspNetCore.Antiforgery",
      "localhost /identity idsrv",
    ]);
    expect(there.portal).toMatchObject({ logins: 1, live_sessions: 1 });
    await close();
  });

  test("a sign-in whose answer is lost has begun a session", async () => {
    upstreams.fail("portal", { fault: "fail_after" }, { operation: "signin" });
    expect((await browser.login("ann")).status).toBe(502);
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 1 });
    expect(upstreams.calls.slice(-2).map(({ operation, status }) => [operation, status])).toEqual([
      ["login", 302],
      ["signin", 502],
    ]);
  });
});

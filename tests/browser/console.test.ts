// The console, with everything that stands behind it: the real Worker, the scripted upstreams, a browser.
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inChromium, type Person } from "../support/browser/chromium.ts";
import { makeKey, PASSWORD } from "../support/process/client.ts";
import { type Fakes, fakes } from "../support/process/keeper.ts";
import { someone } from "../support/process/portal.ts";
import { type Server, start } from "../support/process/server.ts";

let upstreams: Fakes;
let server: Server;
let key: string;

beforeAll(async () => {
  upstreams = await fakes();
  const bindings = {
    ...upstreams.bindings,
    CAPTCHA_POLL_MILLISECONDS: "5",
    AUDIT_TRAIL: "on",
    // Each test has an admin of its own, and waits for no retry of an upstream.
    MAX_CONCURRENT_SESSIONS_PER_USER: "50",
    FACTURIFY_MAX_RETRIES: "0",
    UPSTREAM_WAIT_SECONDS: "0",
  };
  server = await start({ bindings });
  key = await makeKey(server.client, ["tokens:read", "tokens:write", "portal", "audit"]);
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await upstreams?.[Symbol.asyncDispose]();
});

const button = (at: Page | Locator, name: string | RegExp) => at.getByRole("button", { name, exact: true });
const said = (page: Page, text: string | RegExp) => page.getByRole("status").getByText(text).waitFor();
const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click();

async function logIn(page: Page, username = "root", password = PASSWORD): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await button(page, "Sign in").click();
}

/** As an admin who is in the console. */
async function admin(person: Person, hash = ""): Promise<Page> {
  await server.client.admin();
  const page = await person.open(`/console${hash}`);
  await logIn(page);
  await page.getByRole("tablist").waitFor();
  return page;
}

/** A row of a table, or of the accounts, by a text in it. */
const row = (page: Page, text: string | RegExp) => page.getByRole("row").filter({ hasText: text });
const account = (page: Page, name: string) => page.locator(".account").filter({ hasText: name });

inChromium("the console", (chromium) => {
  const person = () => chromium.person(server.client.base);

  it("a wrong password and a user who is no admin are told so; an admin comes in, and stays in after a reload", async () => {
    const page = await (await person()).open("/console");
    const name = await server.client.user();
    await server.client.admin();
    await logIn(page, name, "wrong password");
    await page.getByRole("alert").getByText("invalid_credentials").waitFor();
    await logIn(page, name);
    await page.getByRole("alert").getByText(`${name} is not an admin`).waitFor();
    const token = await server.client.admin();
    const live = await server.client.call("GET", `/admin/sessions/active?username=${name}`, token);
    expect(live.json.sessions).toEqual([]);
    await logIn(page);
    await page.getByRole("tablist").waitFor();
    // No script can read what the session is by.
    expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }))).not.toMatch(
      /ey[\w-]+\./,
    );
    await page.reload();
    await page.getByRole("heading", { name: "Tokens" }).waitFor();
    await button(page, "Sign out").click();
    await page.getByLabel("Password").waitFor();
    await page.reload();
    await page.getByLabel("Password").waitFor();
  });

  it("every account has a bar that moves; a refresh by hand gives a new token, and the history says by whom", async () => {
    const page = await admin(await person());
    const bar = account(page, "crm").locator(".mark.now");
    const left = () => bar.evaluate((mark: HTMLElement) => Number.parseFloat(mark.style.left));
    const before = await left();
    await expect.poll(left).toBeGreaterThan(before);
    await button(page, "crm oauth2").click();
    const crm = account(page, "crm");
    await button(crm, "curl: Refresh now: oauth2/crm").click();
    expect(await crm.locator(".curl code").textContent()).toBe(
      `curl -sS -X POST '${server.client.base.origin}/api/v1/tokens/oauth2/crm/refresh' -H "authorization: Bearer $SALLYPORT_TOKEN"`,
    );
    const calls = upstreams.upstreams.count({ upstream: "oauth2" });
    await button(crm, "Refresh now: oauth2/crm").click();
    await said(page, "oauth2/crm has a new token");
    expect(upstreams.upstreams.count({ upstream: "oauth2" })).toBe(calls + 1);
    await row(page, "user:").filter({ hasText: "refresh" }).filter({ hasText: "ok" }).waitFor();
    expect(await left()).toBeLessThan(5);
  });

  it("an account that fails is told with code, since when, and what is done about it; a failed refresh with its request id", async () => {
    const stop = upstreams.upstreams.fail(
      "facturify",
      { fault: "status", status: 503 },
      { times: "forever" },
    );
    const page = await admin(await person(), "#tokens?account=facturify%2Fdefault");
    await button(page, "Refresh now: facturify/default").click();
    const problem = account(page, "default").getByRole("alert");
    await problem.getByText("upstream_error").waitFor();
    await problem.getByText("HTTP 502").waitFor();
    expect(await problem.getByRole("button").first().textContent()).toMatch(/^[0-9a-f]{32}$/);
    stop();
  });

  it("a session that is ended dies at once, says why, and so does one that ends elsewhere", async () => {
    const { client } = server;
    const name = await client.user();
    const [one, other] = [await client.login(name), await client.login(name)];
    const page = await admin(await person(), "#sessions");
    await page.getByRole("searchbox").fill(name);
    await button(page, "Find").click();
    await page.getByRole("heading", { name: "2 live sessions" }).waitFor();
    await button(page, new RegExp(`^End: ${name}`))
      .first()
      .click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("curl -sS -X DELETE").waitFor();
    await button(dialog, "End").click();
    await said(page, "The session has ended");
    await page.locator("tr.gone").getByText("ended by an admin").waitFor();
    const refused = async () =>
      (await Promise.all([one, other].map((pair) => client.protected(pair.access_token)))).map(
        ({ status, json }) => [status, json.reason],
      );
    expect((await refused()).sort()).toEqual([
      [200, undefined],
      [401, "admin"],
    ]);
    await button(page, `End all sessions: ${name}`).click();
    await button(page.getByRole("dialog"), "End all sessions").click();
    await said(page, "1 session has ended");
    await expect.poll(() => page.locator("tr.gone").count()).toBe(2);
    expect((await refused()).map(([status]) => status)).toEqual([401, 401]);
    // By its id, too, as long as anybody knows it.
    const [, id] = /"sid":"([0-9a-f]{64})"/.exec(atob(one.access_token.split(".")[1] ?? "")) ?? [];
    await page.getByRole("searchbox").fill(id ?? "");
    await button(page, "Find").click();
    await page.getByRole("heading", { name: /^Session / }).waitFor();
    await page.getByText("ended by an admin").waitFor();
  });

  it("a user is found by id, unlocked, disabled, enabled, and given a new password", async () => {
    const { client } = server;
    const name = await client.user();
    const token = await client.admin();
    const { id } = (await client.call("GET", `/admin/users/${name}`, token)).json;
    const page = await admin(await person(), `#sessions?find=${id}&as=user_id`);
    await page.getByRole("heading", { name }).waitFor();
    await button(page, `Unlock logins: ${name}`).click();
    await said(page, `The failed logins of ${name} are forgotten`);
    const unlocked = { event: "audit", action: "unlock_user", outcome: "ok", user_id: id };
    await expect
      .poll(() => server.lines.map((line) => JSON.parse(line)))
      .toContainEqual(expect.objectContaining(unlocked));
    await button(page, `Disable: ${name}`).click();
    await button(page.getByRole("dialog"), "Disable").click();
    await said(page, `${name} is disabled`);
    expect((await client.tryLogin(name)).json.code).toBe("user_inactive");
    await button(page, `Enable: ${name}`).click();
    await said(page, `${name} is enabled`);
    await button(page, "Reset password").click();
    const dialog = page.getByRole("dialog");
    await button(dialog, "Make one").click();
    const password = await dialog.getByRole("textbox").inputValue();
    expect(password).toMatch(/^[\w]{21}$/);
    expect(await dialog.locator(".curl code").textContent()).toContain(`{"password":"'"$NEW_PASSWORD"'",`);
    await button(dialog, "Reset password").click();
    await said(page, `${name} has a new password`);
    expect((await client.tryLogin(name, password)).json.code).toBe("password_change_required");
  });

  it("what needs a recent login asks for the password, and then does it", async () => {
    const name = await server.client.user();
    const page = await admin(await person(), `#sessions?find=${name}&as=username`);
    let asked = 0;
    await page.route("**/unlock", (route) =>
      asked++ === 0
        ? route.fulfill({
            status: 401,
            json: { code: "insufficient_user_authentication", detail: "A more recent login is required" },
          })
        : route.continue(),
    );
    const unlock = button(page, `Unlock logins: ${name}`);
    await unlock.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password").fill("wrong");
    await button(dialog, "Confirm").click();
    await dialog.getByText("invalid_credentials").waitFor();
    await dialog.getByLabel("Password").fill(PASSWORD);
    await button(dialog, "Confirm").click();
    await said(page, `The failed logins of ${name} are forgotten`);
    expect(asked).toBe(2);
    // And the focus is back where it was.
    expect(await unlock.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it("a session that is ended elsewhere leads to the login, which says why", async () => {
    const { client } = server;
    const token = await client.admin();
    const username = "second";
    await client.call("POST", "/admin/users", token, { username, password: PASSWORD, roles: ["admin"] });
    const page = await (await person()).open("/console");
    await logIn(page, username);
    await page.getByRole("tablist").waitFor();
    await client.call("DELETE", `/admin/users/${username}/sessions`, token);
    await page.getByRole("tab", { name: "Sessions" }).click();
    await page.getByRole("alert").getByText("ended by an admin").waitFor();
    await page.getByLabel("Password").waitFor();
  });

  it("with a service key there is what the key may, and the key is in no storage unless that is wished", async () => {
    const page = await (await person()).open("/console");
    await button(page, "With a service key").click();
    await page.getByLabel("Service key").fill("sp_wrong");
    await button(page, "Sign in").click();
    await page.getByRole("alert").getByText("service_key_invalid").waitFor();
    await page.getByLabel("Service key").fill(key);
    await button(page, "Sign in").click();
    await button(page, "crm oauth2").click();
    await button(page, "Refresh now: oauth2/crm").click();
    await said(page, "oauth2/crm has a new token");
    const stored = () => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    expect(await stored()).not.toContain(key);
    await tab(page, "Sessions");
    await page.getByText("This needs an admin’s login").waitFor();
    await page.reload();
    await button(page, "With a service key").click();
    await page.getByLabel("Service key").fill(key);
    await page.getByLabel("Keep it for this tab").check();
    await button(page, "Sign in").click();
    await page.getByRole("tablist").waitFor();
    await page.reload();
    await page.getByRole("tablist").waitFor();
    await button(page, "Sign out").click();
    await page.getByLabel("User name").waitFor();
    expect(await stored()).not.toContain(key);
  });

  it("a portal session says what it saves and what failed last; its page is shown and runs nothing; it is closed", async () => {
    const driver = someone();
    const call = (path: string, body: unknown) => server.client.call("POST", path, key, body);
    const { session_id } = (await call("/get_session", driver)).json;
    await call("/get_session", driver);
    upstreams.upstreams.fail("portal", { fault: "html_200" }, { operation: "containers" });
    expect((await call("/get_containers", { session_id })).json.code).toBe("portal_unintelligible");
    const page = await admin(await person(), "#portal");
    const mine = row(page, driver.username);
    await mine.waitFor();
    // A login that failed has no session: what failed is in a list of its own, too.
    const failed = page
      .getByRole("region", { name: "Failed steps" })
      .getByRole("row", { name: "get_containers" });
    await failed.getByText("portal_unintelligible").waitFor();
    await button(failed, /^Show the page/).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("portal_unintelligible").waitFor();
    for (const as of ["Source", "Page", "Text"]) await button(dialog, as).click();
    await button(dialog, "Close").click();
    await button(mine, `Close: ${driver.username}`).click();
    await button(page.getByRole("dialog"), "Close").click();
    await said(page, "The portal session is closed");
    await expect.poll(() => mine.count()).toBe(0);
  });

  it("the audit trail has what was done, by filters; a bookmark keeps them", async () => {
    const page = await admin(await person(), "#health");
    const name = await server.client.user();
    await server.client.tryLogin(name, "wrong");
    await page.getByLabel("Action").fill("login");
    await page.getByLabel("Outcome").fill("failed");
    await button(page, "Apply").click();
    await row(page, "invalid_credentials").first().waitFor();
    expect(await row(page, "login").filter({ hasText: "ok" }).count()).toBe(0);
    expect(new URL(page.url()).hash).toBe("#health?action=login&outcome=failed");
    await page.reload();
    await row(page, "invalid_credentials").first().waitFor();
    await button(page, "Clear").click();
    await row(page, "create_user").first().waitFor();
  });

  it("when nobody is there it pauses, so as to keep no session alive, and goes on when somebody is", async () => {
    const one = await person();
    await one.context.clock.install();
    const page = await admin(one);
    await account(page, "crm").waitFor();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await one.context.clock.fastForward("16:00");
    const paused = page.getByText("Paused: nobody is active in this page");
    await paused.waitFor();
    expect(asked.filter((url) => url.includes("/auth/refresh"))).toEqual([]);
    await page.mouse.move(200, 200);
    await expect.poll(() => paused.count()).toBe(0);
    expect(asked.filter((url) => url.includes("/auth/refresh"))).toHaveLength(1);
  });

  it("without answers it says since when it is not up to date, waits as long as it is told, and comes back", async () => {
    const page = await admin(await person());
    await account(page, "crm").waitFor();
    await page.route("**/api/v1/tokens*", (route) =>
      route.fulfill({
        status: 503,
        json: { code: "service_unavailable", detail: "Later" },
        headers: { "retry-after": "120", "x-request-id": "request-1" },
      }),
    );
    await tab(page, "Health and audit");
    await tab(page, "Tokens");
    const problem = page.getByRole("alert");
    await problem.getByText("service_unavailable").waitFor();
    await problem.getByText("request-1").waitFor();
    await problem.getByText(/next try in (1:5\d|2:\d\d)/).waitFor();
    await page.unrouteAll();
    await button(problem, "Try again").click();
    await account(page, "crm").waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
  });

  it("by keyboard: the arrows go between the views, Escape closes a dialog, and the focus comes back", async () => {
    const page = await admin(await person());
    const selected = () => page.locator("[role=tab][aria-selected=true]").textContent();
    await page.getByRole("tab", { name: "Tokens" }).focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(selected).toBe("Health and audit");
    await page.keyboard.press("Home");
    await expect.poll(selected).toBe("Tokens");
    await page.keyboard.press("ArrowRight");
    await expect.poll(selected).toBe("Sessions");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("tab-sessions");
    const end = button(page, /^End: root/).first();
    await end.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
    expect(await end.evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

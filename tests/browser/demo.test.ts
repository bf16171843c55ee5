// The demo of `npm start`: `useSession()` in a small application, in Chromium, on the real Worker.
import { afterAll, beforeAll, expect, it } from "vitest";
import { violations } from "../support/browser/axe.ts";
import { inChromium } from "../support/browser/chromium.ts";
import {
  type DemoServer,
  DemoServers,
  hello,
  loggedOut,
  logIn,
  press,
  session,
  STORAGES,
  tryLogIn,
} from "../support/browser/demo.ts";
import { PASSWORD } from "../support/process/client.ts";
import { start } from "../support/process/server.ts";

const servers = new DemoServers();
let server: DemoServer;

beforeAll(async () => {
  server = await servers.start();
});
afterAll(() => servers[Symbol.asyncDispose]());

it("a deployment has no demo: neither among what is uploaded, nor at its address", async () => {
  await using deployed = await start();
  for (const path of ["/demo", "/demo.html", "/demo/demo.js"]) {
    const answer = await fetch(new URL(path, deployed.client.base));
    expect([path, answer.status]).toEqual([path, 404]);
  }
  const page = await fetch(new URL("/demo", server.base));
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'/);
});

inChromium("the demo", (chromium) => {
  it("by keyboard alone: a wrong password, the login, the countdown, and logging out", async () => {
    const username = await server.user();
    const { context, open } = await chromium.person(server.base);
    await context.clock.install();
    const page = await open("/demo");
    await page.getByLabel("User name").waitFor();
    const type = (text: string) => page.keyboard.type(text);
    const keys = async (...all: string[]) => {
      for (const key of all) await page.keyboard.press(key);
    };
    // The field has the focus.
    await type(username);
    await keys("Tab");
    await type("wrong");
    await keys("Enter");
    await page.getByRole("alert").getByText("(invalid_credentials)").waitFor();
    await keys("Shift+Tab", "Tab");
    await type(PASSWORD);
    await keys("Enter");
    await hello(page, username).waitFor();

    const timer = page.getByRole("timer");
    await expect.poll(() => timer.textContent()).toMatch(/^(30:00|29:5\d)$/);
    await context.clock.pauseAt(Date.now() + 60_000);
    const before = (await timer.textContent()) ?? "";
    await context.clock.runFor(10_000);
    const seconds = (text: string) => text.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
    expect(seconds(before) - seconds((await timer.textContent()) ?? "")).toBe(10);

    await page.getByRole("button", { name: "Log out", exact: true }).focus();
    await keys("Enter");
    await loggedOut(page, "logout").waitFor();
  });

  it("an account's devices are listed, and one that is ended there is told why", async () => {
    const username = await server.user();
    const [laptop, phone] = await Promise.all([
      chromium.person(server.base),
      chromium.person(server.base, { userAgent: "Mozilla/5.0 (iPhone) Safari" }),
    ]);
    const [here, there] = [await laptop.open("/demo"), await phone.open("/demo?storage=localStorage")];
    await Promise.all([logIn(here, username), logIn(there, username)]);
    await press(here, "Look again");
    await press(here, "End the session of Safari on iPhone");
    await expect.poll(() => here.getByText("Safari on iPhone").count()).toBe(0);
    await press(there, "Send one");
    await loggedOut(there, "logout").waitFor();
    expect(await hello(here, username).isVisible()).toBe(true);
  });

  it.for(STORAGES)("%s: a logout in one tab is seen in the other, and so is a login", async (storage) => {
    const username = await server.user();
    const { open } = await chromium.person(server.base);
    const [one, other] = [await open(`/demo?storage=${storage}`), await open(`/demo?storage=${storage}`)];
    await logIn(one, username);
    await hello(other, username).waitFor();
    const { cookies, stored } = await one.evaluate(() => ({
      cookies: document.cookie,
      stored: JSON.stringify(localStorage),
    }));
    // Scripts see tokens only where that was chosen.
    expect([cookies, /eyJ/.test(stored)]).toEqual(["", storage === "localStorage"]);
    await press(one, "Log out");
    await Promise.all([one, other].map((page) => loggedOut(page, "logout").waitFor()));
  });

  it("memory: a reload begins as nobody", async () => {
    const username = await server.user();
    const { open } = await chromium.person(server.base);
    const page = await open("/demo?storage=memory");
    await logIn(page, username);
    await page.reload();
    await page.getByRole("region", { name: "Log in" }).waitFor();
  });

  it.for(STORAGES)(
    "%s: whoever was ended elsewhere is told why, also after a reload, and is never shown as logged in",
    async (storage) => {
      const username = await server.user();
      const { context, open } = await chromium.person(server.base);
      // What the page has ever shown since it was loaded.
      await context.addInitScript(() => {
        const shown: string[] = [];
        Object.assign(globalThis, { shown });
        new MutationObserver(() => shown.push(document.body?.innerText ?? "")).observe(document, {
          subtree: true,
          childList: true,
        });
      });
      const page = await open(`/demo?storage=${storage}`);
      await logIn(page, username);
      await page.reload();
      await hello(page, username).waitFor();
      const { session_id: id } = await session(page);
      await server.admin("DELETE", `/admin/sessions/${id}`);
      await page.reload();
      await loggedOut(page, "admin").waitFor();
      const shown = await page.evaluate(() =>
        (globalThis as unknown as { shown: string[] }).shown.join("\n"),
      );
      expect(shown).toContain("Asking whether somebody is logged in");
      expect(shown).not.toContain("Hello");
    },
  );

  it.for(["light", "dark"] as const)(
    "%s: axe-core finds nothing, and on a phone nothing is wider than the screen",
    async (colorScheme) => {
      const username = await server.user();
      const { open } = await chromium.person(server.base, {
        colorScheme,
        viewport: { width: 360, height: 740 },
      });
      const page = await open("/demo");
      await page.getByRole("region", { name: "Log in" }).waitFor();
      await tryLogIn(page, username, "wrong");
      await page.getByRole("alert").getByText("(invalid_credentials)").waitFor();
      const all = async () => [
        ...(await violations(page)),
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ];
      expect(await all()).toEqual([0]);
      await logIn(page, username);
      await page.getByText("this one").waitFor();
      expect(await all()).toEqual([0]);
    },
  );

  it("a newer login at the limit, and a new password, are reasons too", async () => {
    const username = await server.user();
    const { open } = await chromium.person(server.base);
    const page = await open("/demo");
    await logIn(page, username);
    for (let n = 0; n < 5; n += 1) await server.server.client.login(username);
    await press(page, "Send one");
    await loggedOut(page, "evicted").waitFor();
    await tryLogIn(page, username, PASSWORD);
    await hello(page, username).waitFor();
    await server.admin("PATCH", `/admin/users/${username}`, { password: "another correct horse" });
    await press(page, "Send fifty at once");
    await loggedOut(page, "password").waitFor();
  });
});

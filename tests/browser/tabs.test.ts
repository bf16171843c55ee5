// What only shows in time, and between tabs: expiry under load, inactivity, sleep, and a network that goes and comes back.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, it } from "vitest";
import { asleep, inChromium } from "../support/browser/chromium.ts";
import {
  accessToken,
  count,
  type DemoServer,
  DemoServers,
  hello,
  loggedOut,
  logIn,
  press,
  session,
  STORAGES,
} from "../support/browser/demo.ts";
import { secrets } from "../support/process/server.ts";

const servers = new DemoServers();
/** Of one the access tokens are short, of another the sessions. */
let brief: DemoServer;
let idle: DemoServer;
let night: DemoServer;

beforeAll(async () => {
  [brief, idle, night] = await Promise.all([
    servers.start({ bindings: { ACCESS_TOKEN_EXPIRE_SECONDS: "3" } }),
    servers.start({ bindings: { SESSION_INACTIVITY_TIMEOUT_SECONDS: "8" } }),
    servers.start(),
  ]);
});
afterAll(() => servers[Symbol.asyncDispose]());

/** Whether the server takes the session's access token, as a page sends it. */
const status = async (page: Page): Promise<number> => (await session(page)).status;

/** How long to wait for the end of a token. */
const EXPIRY = { timeout: 20_000, interval: 200 };

inChromium("in time", (chromium) => {
  it.concurrent(
    "a hundred requests of two tabs, all with an expired token, make one refresh",
    async (test) => {
      // The tokens are of a server whose tokens are short, and are shown to one on the same state whose tokens last.
      const [persist, keys] = [servers.folder(), secrets()];
      const bindings = { ...keys, ACCESS_TOKEN_EXPIRE_SECONDS: "6" };
      await using first = await servers.start({ persist, bindings });
      const everybody = await Promise.all(
        STORAGES.map(async (storage) => {
          const username = await first.user();
          const { context, open } = await chromium.person(first.base, { test });
          // The pages do not notice that the token expires: the server has to tell them, in each answer.
          await context.clock.setFixedTime(Date.now());
          const [one, other] = [
            await open(`/demo?storage=${storage}`),
            await open(`/demo?storage=${storage}`),
          ];
          await logIn(one, username);
          await hello(other, username).waitFor();
          return { storage, one, other };
        }),
      );
      await first[Symbol.asyncDispose]();
      await servers.start({ persist, bindings: keys, port: Number(first.base.port) });
      for (const { storage, one, other } of everybody) {
        await test.expect.poll(() => status(one)).toBe(401);
        const [refreshes, requests] = [
          count(one, "POST", "/auth/refresh"),
          count(one, "GET", "/api/v1/protected"),
        ];
        const began = performance.now();
        const tabs = [one, other];
        await Promise.all(tabs.map((tab) => press(tab, "Send fifty at once")));
        await Promise.all(tabs.map((tab) => tab.getByText("50 × 200").waitFor()));
        const took = Math.round(performance.now() - began);
        console.log(
          `${storage}: 100 requests of two tabs, ${refreshes()} refresh, ${requests()} sent, ${took} ms`,
        );
        test.expect([storage, refreshes()]).toEqual([storage, 1]);
        // Each that was refused is sent once more; who came after the refresh is not.
        test.expect(requests()).toBeGreaterThan(100);
        test.expect(requests()).toBeLessThanOrEqual(200);
      }
    },
  );

  it.concurrent("inactivity is counted down, warned of, and told as the reason", async (test) => {
    const username = await idle.user();
    const { open } = await chromium.person(idle.base, { test });
    const page = await open("/demo");
    await logIn(page, username);
    await page.getByRole("alert").getByText("You will be logged out soon").waitFor();
    // Whoever is there stays.
    await press(page, "I am here");
    await page.getByRole("alert").getByText("You will be logged out soon").waitFor({ state: "hidden" });
    await page.getByRole("alert").getByText("You will be logged out soon").waitFor();
    test.expect(await page.getByRole("timer").textContent()).toMatch(/^0:0[0-8]$/);
    await loggedOut(page, "inactivity").waitFor();
  });

  it.concurrent("a page that stood still past the end shows why when it goes on", async (test) => {
    const username = await idle.user();
    const { open } = await chromium.person(idle.base, { test });
    const page = await open("/demo?storage=localStorage");
    await logIn(page, username);
    const { session_id: id } = await session(page);
    const { wake } = await asleep(page);
    const ended = async () => (await idle.admin("GET", `/admin/sessions/${id}`)).json;
    await test.expect.poll(ended, EXPIRY).toMatchObject({ state: "ended", reason: "inactivity" });
    await wake();
    await loggedOut(page, "inactivity").waitFor();
  });

  it.concurrent(
    "a laptop that slept for a night asks the server, and only then believes anything",
    async (test) => {
      const username = await night.user();
      const { context, open } = await chromium.person(night.base, { test });
      await context.clock.install();
      const page = await open("/demo");
      await logIn(page, username);
      const asked = count(page, "GET", "/auth/session");
      // By the page's clock the session has ended long ago. By the server's it has not.
      await context.clock.fastForward("09:00:00");
      await test.expect.poll(asked, EXPIRY).toBeGreaterThan(0);
      await test.expect
        .poll(() => page.getByRole("timer").textContent(), EXPIRY)
        .toMatch(/^(30:00|29:\d\d)$/);
      const { session_id: id } = await session(page);
      await night.admin("DELETE", `/admin/sessions/${id}`);
      test.expect(await hello(page, username).isVisible()).toBe(true);
      await context.clock.fastForward("09:00:00");
      await loggedOut(page, "admin").waitFor();
    },
  );

  it.concurrent(
    "offline nobody is logged out, also while the token expires; back online all goes on",
    async (test) => {
      const username = await brief.user();
      const { context, open } = await chromium.person(brief.base, { test });
      const page = await open("/demo?storage=localStorage");
      await logIn(page, username);
      const token = await accessToken(page);
      await context.setOffline(true);
      await page.getByRole("status").getByText("You are offline.").waitFor();
      await press(page, "Send one");
      await page.getByText("(network_error)").first().waitFor();
      const { client } = brief.server;
      const profile = async () => (await client.call("GET", "/auth/profile", token)).json;
      await test.expect.poll(profile, EXPIRY).toMatchObject({ code: "token_expired" });
      test.expect(await hello(page, username).isVisible()).toBe(true);
      await context.setOffline(false);
      await page.getByRole("status").getByText("You are offline.").waitFor({ state: "hidden" });
      await press(page, "Send one");
      await page.getByText("1 × 200").waitFor();
    },
  );
});

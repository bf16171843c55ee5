// The page of the API in a browser. And the browser itself: that it says what goes wrong in a page.
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inChromium } from "../support/browser/chromium.ts";
import { PASSWORD } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
beforeAll(async () => {
  server = await start();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** An empty page at `/page`, with a policy. */
const page = (context: BrowserContext) =>
  context.route("/page", (route) =>
    route.fulfill({
      contentType: "text/html",
      headers: { "content-security-policy": "default-src 'self'" },
      body: "<!doctype html><title>Page</title>",
    }),
  );

inChromium("in Chromium", (chromium) => {
  it("/docs shows the routes, asks nobody else, and its policy refuses nothing of it", async () => {
    const { open } = await chromium.person(server.client.base);
    const docs = await open("/docs");
    await docs.getByText("/auth/login").first().waitFor({ state: "attached", timeout: 60_000 });
    expect(await docs.title()).toMatch(/Sallyport/);
  });

  it("an error, a refusal by the policy, a missing file and a request to another host are faults", async () => {
    const { context, open, faults } = await chromium.person(server.client.base);
    await page(context);
    const tab = await open("/page");
    await tab.evaluate(async () => {
      console.error("said");
      setTimeout(() => {
        throw new Error("thrown");
      });
      for (const src of ["https://elsewhere.test/x.png", "/missing.png"])
        document.body.append(Object.assign(document.createElement("img"), { src }));
      await fetch("https://elsewhere.test/").catch(() => undefined);
      await fetch("/nowhere");
    });
    const parts = [
      "console: said",
      "error: Error: thrown",
      "404: http",
      "policy: img-src refuses https://elsewhere.test/x.png",
      "policy: connect-src refuses https://elsewhere.test/",
    ];
    const all = () => faults.join("\n");
    for (const part of parts) await expect.poll(all).toContain(part);
    // A script may expect a refusal.
    expect(faults.splice(0).join("\n")).not.toContain("/nowhere");
    await context.unrouteAll();
    await context.route("/page", (route) => route.fulfill({ contentType: "text/html", body: "<p>" }));
    const free = await open("/page");
    await free.evaluate(() => fetch("https://elsewhere.test/").catch(() => undefined));
    expect(faults.splice(0)).toEqual(["asks another host: https://elsewhere.test/"]);
  });

  it("both names of this machine keep cookies, which two tabs share and two people do not", async () => {
    const { port } = server.client.base;
    const body = JSON.stringify({ username: await server.client.user(), password: PASSWORD, cookie: true });
    const login = async (body: string) => {
      const headers = { "content-type": "application/json" };
      return (await fetch("/auth/login", { method: "POST", headers, body })).status;
    };
    const profile = async () => (await fetch("/auth/profile")).status;
    for (const host of ["localhost", "127.0.0.1"]) {
      const base = new URL(`http://${host}:${port}`);
      const [one, other] = [await chromium.person(base), await chromium.person(base)];
      await Promise.all([page(one.context), page(other.context)]);
      expect([host, await (await one.open("/page")).evaluate(login, body)]).toEqual([host, 200]);
      expect([host, await (await one.open("/page")).evaluate(profile)]).toEqual([host, 200]);
      expect([host, await (await other.open("/page")).evaluate(profile)]).toEqual([host, 401]);
    }
  });
});

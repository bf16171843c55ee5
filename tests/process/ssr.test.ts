// examples/ssr-hono: an application that makes its pages on a server, as its users' browsers meet it, and Sallyport behind it as it
// is deployed.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { application } from "../../examples/ssr-hono/app.mjs";
import { PASSWORD, times } from "../support/process/client.ts";
import { start } from "../support/process/server.ts";

/** Long enough for what comes between two expiries, on a busy machine too. */
const LIFE_SECONDS = 6;
const expiry = () => sleep(LIFE_SECONDS * 1000 + 100);

/** A browser that keeps cookies of one host, and says whose page it sends a request for. */
class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    readonly base: string,
    readonly origin: string,
  ) {}

  async send(path: string, form?: Record<string, string>, page: Record<string, string> = this.own()) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { cookie, ...(form ? page : {}) };
    const method = form ? "POST" : "GET";
    const body = form ? new URLSearchParams(form) : null;
    const answer = await fetch(this.base + path, { method, headers, body, redirect: "manual" });
    return {
      status: answer.status,
      to: answer.headers.get("location"),
      text: await answer.text(),
      cookies: answer.headers.getSetCookie(),
      clear: answer.headers.get("clear-site-data"),
    };
  }

  own = () => ({ origin: this.origin, "sec-fetch-site": "same-origin" });

  take(cookies: string[]): void {
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__(Host|Secure)-sallyport-\w+=[\w.-]*; Path=\/; Max-Age=\d+; /);
      expect(cookie).toMatch(/; Secure; HttpOnly; SameSite=Strict$/);
      const [name = "", value = ""] = (cookie.split(";", 1)[0] ?? "").split("=");
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }
}

it("a session lasts from page to page over its expiries, other sites change nothing, and an outage logs nobody out", async () => {
  await using sallyport = await start({ bindings: { ACCESS_TOKEN_EXPIRE_SECONDS: String(LIFE_SECONDS) } });
  const names = [sallyport.client.user(), sallyport.client.user()] as const;
  const [username, another] = await Promise.all(names);
  const origin = "https://notes.example.com";
  const app = application({ sallyportUrl: sallyport.client.base.href, origin });
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  if (!server.listening) await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const browser = new Browser(`http://127.0.0.1:${port}`, origin);

    // Nobody yet; a wrong password; another site's page.
    expect(await browser.send("/")).toMatchObject({ status: 303, to: "/login", cookies: [] });
    const wrong = await browser.send("/login", { username, password: "wrong" });
    expect([wrong.status, wrong.cookies]).toEqual([401, []]);
    expect(wrong.text).toContain("Invalid username or password");
    const credentials = { username, password: PASSWORD };
    for (const page of [{ origin: "https://evil.test" }, { origin, "sec-fetch-site": "cross-site" }, {}])
      expect(await browser.send("/login", credentials, page)).toMatchObject({ status: 403, cookies: [] });

    const login = await browser.send("/login", credentials);
    expect([login.status, login.to, login.cookies.length]).toEqual([303, "/", 2]);
    browser.take(login.cookies);
    const home = await browser.send("/");
    expect([home.status, home.cookies]).toEqual([200, []]);
    expect(home.text).toContain(`Hello ${username}!`);

    // Two tabs with fifty requests, all with cookies whose access token has expired: all get the page, and the same tokens.
    await expiry();
    const pages = await times(50, () => browser.send("/"));
    const tokens = new Set<string>();
    for (const { status, text, cookies } of pages) {
      expect([status, text.includes(`Hello ${username}!`), cookies.length]).toEqual([200, true, 2]);
      tokens.add(cookies.map((cookie) => cookie.split(";", 1)[0]).join());
    }
    expect(tokens.size).toBe(1);
    for (const page of pages.toReversed()) browser.take(page.cookies);
    expect(await browser.send("/")).toMatchObject({ status: 200, cookies: [] });

    // A form works over an expiry as well; another site's does not, and leaves nothing behind.
    await expiry();
    const forged = await browser.send("/notes", { note: "forged" }, { origin: "https://evil.test" });
    expect([forged.status, forged.cookies]).toEqual([403, []]);
    const kept = await browser.send("/notes", { note: "kept" });
    expect([kept.status, kept.to, kept.cookies.length]).toEqual([303, "/", 2]);
    browser.take(kept.cookies);
    expect((await browser.send("/")).text).toContain('value="kept"');

    // Somebody's cookie of a sibling host in place of the refresh token: nobody goes on as somebody else.
    const other = new Browser(browser.base, origin);
    const second = { username: another, password: PASSWORD };
    other.take((await other.send("/login", second)).cookies);
    const tossed = new Browser(browser.base, origin);
    for (const [name, value] of browser.cookies) tossed.cookies.set(name, value);
    const REFRESH = "__Secure-sallyport-refresh";
    tossed.cookies.set(REFRESH, other.cookies.get(REFRESH) ?? "");
    await expiry();
    expect(await tossed.send("/")).toMatchObject({ status: 303, to: "/login", cookies: [] });

    const left = new Map(browser.cookies);
    const logout = await browser.send("/logout", {});
    expect([logout.status, logout.to, logout.clear]).toEqual([303, "/login", '"cache", "storage"']);
    browser.take(logout.cookies);
    expect(browser.cookies.size).toBe(0);
    for (const [name, value] of left) browser.cookies.set(name, value);
    expect(await browser.send("/")).toMatchObject({ status: 303, to: "/login", cookies: [] });

    // Sallyport is not there: the page is not, either, and the browser keeps what it has.
    await sallyport.mf.dispose();
    expect(await other.send("/")).toMatchObject({ status: 503, cookies: [], clear: null });
    expect(await other.send("/login")).toMatchObject({ status: 200 });
  } finally {
    server.close();
  }
});

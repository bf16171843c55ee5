// The demo as people use it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { devAssets } from "../../../scripts/lib/dev-assets.mjs";
import { expect } from "vitest";
import { type Answer, PASSWORD } from "../process/client.ts";
import { type Options, type Server, start } from "../process/server.ts";

export const STORAGES = ["cookie", "localStorage"] as const;

/** Servers that have the demo beside the Worker, as `npm start` has it. */
export class DemoServers implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
  readonly #assets = devAssets(join(this.#folder, "assets"));
  readonly #started: Server[] = [];

  async start(options: Options = {}): Promise<DemoServer> {
    const server = await start({ assets: await this.#assets, ...options });
    this.#started.push(server);
    return new DemoServer(server);
  }

  /** A folder for what a server keeps. */
  folder = (): string => mkdtempSync(join(this.#folder, "state-"));

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((server) => server[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class DemoServer implements AsyncDisposable {
  readonly base: URL;
  #users = 0;
  readonly #ready: Promise<unknown>;

  constructor(readonly server: Server) {
    this.base = new URL(`http://localhost:${server.client.base.port}`);
    this.#ready = server.client.admin();
  }

  /** What an admin does, who has just logged in: sessions and tokens may be short, and the machine busy. */
  async admin(method: string, path: string, body?: unknown): Promise<Answer> {
    await this.#ready;
    const { client } = this.server;
    for (let tries = 5; ; tries -= 1) {
      const { access_token } = await client.login("root");
      const answer = await client.call(method, path, access_token, body);
      if (answer.status === 401 && tries > 0) continue;
      expect(answer.status, answer.text).toBeLessThan(300);
      return answer;
    }
  }

  [Symbol.asyncDispose] = () => this.server[Symbol.asyncDispose]();

  /** A new user. */
  async user(): Promise<string> {
    const username = `somebody-${++this.#users}`;
    await this.admin("POST", "/admin/users", { username, password: PASSWORD, roles: ["user"] });
    return username;
  }
}

/** Logs in, and waits until somebody is. */
export async function logIn(page: Page, username: string): Promise<void> {
  await tryLogIn(page, username, PASSWORD);
  await hello(page, username).waitFor();
}

export async function tryLogIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await press(page, "Log in");
}

export const hello = (page: Page, username = "") =>
  page.getByRole("heading", { name: new RegExp(`^Hello, ${username}`) });

/** The form, with the reason for it. */
export const loggedOut = (page: Page, reason: string) =>
  page.getByRole("region", { name: "Log in" }).getByRole("alert").getByText(reason, { exact: true });

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole("button", { name, exact: true }).click();

/** The access token of a page that keeps it in `localStorage`. */
export const accessToken = (page: Page): Promise<string | undefined> =>
  page.evaluate(() => {
    const records = (Object.values(localStorage) as string[]).filter((value) => value.startsWith("{"));
    return records.map((value) => (JSON.parse(value) as { a?: string }).a).find(Boolean);
  });

/** What the server says of the session that a page is in. Asking is no activity, and renews nothing. */
export async function session(page: Page): Promise<{ status: number; session_id: string }> {
  const token = await accessToken(page);
  return page.evaluate(async (token) => {
    const headers = { "x-session-passive": "1", ...(token && { authorization: `Bearer ${token}` }) };
    const answer = await fetch("/auth/session", { headers });
    return { ...((await answer.json()) as { session_id: string }), status: answer.status };
  }, token);
}

/** How many requests of a kind the pages of a context send from now on. */
export function count(page: Page, method: string, path: string) {
  let sent = 0;
  page.context().on("request", (request) => {
    if (request.method() === method && new URL(request.url()).pathname === path) sent += 1;
  });
  return () => sent;
}

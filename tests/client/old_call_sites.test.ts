// Code that was written for the client of the earlier system, as it stands in applications: it compiles against this one, and runs.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SessionErrorHandler, SessionManager } from "../../client/src/index.ts";
import { MINUTE, World } from "./world.ts";

let world: World;

/** A page, as far as that code looks at it. */
beforeEach(() => {
  world = new World();
  vi.stubGlobal("document", {});
  vi.stubGlobal("localStorage", world.storage);
  vi.stubGlobal("fetch", world.server.fetch);
  vi.spyOn(Date, "now").mockImplementation(world.clock.now);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A component's state, and what it does with the manager. */
class Application {
  isAuthenticated = false;
  user: { username: string } | null = null;
  readonly sessionManager = new SessionManager("/api/v1");

  login = async (username: string, password: string) => {
    await this.sessionManager.login(username, password);
    this.isAuthenticated = true;
    const response = await this.sessionManager.apiRequest("/api/v1/auth/profile");
    this.user = await response.json();
  };

  logout = async () => {
    await this.sessionManager.logout();
    this.isAuthenticated = false;
    this.user = null;
  };

  apiRequest = async (url: string, options?: RequestInit) => this.sessionManager.apiRequest(url, options);

  mount(): Promise<void> | undefined {
    const token = localStorage.getItem("access_token");
    if (!token) return undefined;
    this.isAuthenticated = true;
    return this.sessionManager
      .apiRequest("/api/v1/auth/profile")
      .then((response) => response.json())
      .then((userData) => {
        this.user = userData;
      })
      .catch(() => {
        this.isAuthenticated = false;
        this.sessionManager.clearTokens();
      });
  }
}

it("logs in, asks, refreshes, logs out", async () => {
  const app = new Application();
  await app.login("ada", "right");
  expect([app.isAuthenticated, app.user]).toEqual([true, { hello: "world", body: "" }]);
  const nothing: void = await app.sessionManager.refreshTokens();
  expect(nothing).toBeUndefined();
  const response = await app.apiRequest("/api/v1/data", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ a: 1 }),
  });
  expect([response.ok, response.status]).toEqual([true, 200]);
  expect(world.server.sent.at(-1)).toMatchObject({
    path: "/api/v1/data",
    body: '{"a":1}',
    token: expect.stringMatching(/^a1\./) as string,
  });
  await app.logout();
  expect([world.server.session?.ended, app.isAuthenticated]).toEqual(["logout", false]);
  await expect(app.apiRequest("/api/v1/data")).rejects.toThrow();
  app.sessionManager.stop();
});

it("a wrong password is thrown; an answer that is no success is the caller's to look at", async () => {
  const app = new Application();
  await expect(app.login("ada", "wrong")).rejects.toThrow("text of invalid_credentials");
  await app.login("ada", "right");
  world.server.before = () => new Response("{}", { status: 403 });
  expect((await app.apiRequest("/api/v1/data")).status).toBe(403);
  app.sessionManager.stop();
});

it("what the earlier version of the page has stored is its session, and does not stay there", async () => {
  const before = new World().server;
  before.clock.time = world.clock.time;
  world.server.session = {
    generation: 3,
    last: world.server.time,
    born: 0,
    ended: null,
    since: world.server.time,
  };
  world.storage.setItem("access_token", `a3.${world.server.time}`);
  world.storage.setItem("refresh_token", "r3");
  const manager = new SessionManager("/api/v1");
  const answer = await manager.apiRequest("/api/v1/auth/profile");
  expect([answer.status, world.storage.map.size]).toEqual([200, 0]);
  manager.stop();
});

/** Once more, with what a page does about errors. */
async function guarded(manager: SessionManager, url: string): Promise<Response | undefined> {
  try {
    return await manager.apiRequest(url);
  } catch (error: any) {
    SessionErrorHandler.handleError(error, manager);
    return undefined;
  }
}

it.each([
  ["inactivity", "/login?message=session_expired"],
  ["admin", "/login?message=token_revoked"],
])("a session that ended by %s leads to the login page", async (reason, url) => {
  const assign = vi.fn();
  vi.stubGlobal("location", { assign });
  const manager = new SessionManager("/api/v1");
  await manager.login("ada", "right");
  if (reason === "inactivity") world.server.session!.last -= 31 * MINUTE;
  else world.server.end(reason);
  expect(await guarded(manager, "/api/v1/data")).toBeUndefined();
  expect(assign.mock.calls).toEqual([[url]]);
  expect(manager.getSnapshot()).toMatchObject({ status: "anonymous", reason });
  manager.stop();
});

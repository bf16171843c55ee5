// One refresh at a time, in a tab and across tabs, and what its outcomes mean.
import { expect, it } from "vitest";
import { MINUTE, refusal, World } from "./world.ts";

const PATH = "/api/v1/protected";
const REFRESH = "/api/v1/auth/refresh";

it("50 parallel 401s make one refresh, and all requests succeed", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  // The device sleeps: nothing is refreshed ahead, and by its clock the token is good for longer than it is.
  world.server.accessSeconds = 60;
  await world.clock.pass(2 * MINUTE);
  const answers = await Promise.all(Array.from({ length: 50 }, () => tab.apiRequest(PATH)));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
  expect([world.server.count(PATH), world.server.count(REFRESH)]).toEqual([100, 1]);
});

it("tabs that find the token expired make one refresh, and take the winner's tokens", async () => {
  const world = new World();
  const first = await world.loggedIn();
  const others = [world.tab(), world.tab(), world.tab()];
  await world.clock.pass(16 * MINUTE);
  world.server.sent.length = 0;
  await Promise.all([first, ...others].map((tab) => tab.apiRequest(PATH)));
  expect(world.server.count(REFRESH)).toBe(1);
  expect(new Set(world.server.sent.filter(({ path }) => path === PATH).map(({ token }) => token)).size).toBe(
    1,
  );
});

it("a session that has ended is said so to all who wait, by code and reason", async () => {
  const world = new World();
  const tab = await world.loggedIn();
  const other = world.tab();
  const ends: unknown[] = [];
  other.on("end", ({ reason }) => ends.push(reason));
  await world.clock.pass(1000);
  expect(other.getSnapshot()).toMatchObject({ status: "authenticated", user: { username: "ada" } });
  world.server.end("admin");
  const results = await Promise.allSettled([tab.apiRequest(PATH), tab.apiRequest(PATH)]);
  for (const result of results)
    expect(result).toMatchObject({
      reason: { code: "access_token_blacklisted", reason: "admin", status: 401 },
    });
  await world.clock.pass(1000);
  expect([tab.getSnapshot(), other.getSnapshot()]).toMatchObject([
    { status: "anonymous", reason: "admin", user: null },
    { status: "anonymous", reason: "admin", user: null },
  ]);
  expect(ends).toEqual(["admin"]);
  expect([...world.storage.map].join()).not.toMatch(/a\d|r\d/);
});

it.each([408, 429, 500, 502, 503, 504])("a refresh that is answered %i logs nobody out", async (status) => {
  const world = new World();
  const tab = await world.loggedIn();
  world.server.before = (request) => (request.url.endsWith("/refresh") ? refusal(status, "x") : undefined);
  await world.clock.pass(15 * MINUTE + 1);
  const failed = tab.apiRequest(PATH);
  const told = expect(failed).rejects.toMatchObject({ status, transient: true });
  await world.clock.pass(10 * MINUTE);
  await told;
  expect(tab.getSnapshot()).toMatchObject({ status: "authenticated" });
  world.server.before = () => undefined;
  expect((await tab.apiRequest(PATH)).status).toBe(200);
});

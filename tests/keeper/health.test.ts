// GET /health: how many accounts there are and how they do, without a key and without asking each.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { api } from "../support/worker/api.ts";
import { advance, SECOND } from "../support/worker/time.ts";
import { ACCOUNTS, FIRST, HOUR, keeper, later } from "../support/worker/keeper.ts";
import { order, read, runDue, told, upstreams } from "../support/worker/keeper.ts";

keeper();

/** An instance asks at most once a second, also across tests, whose clocks begin anew. */
let asked = 0;
async function health() {
  advance(SECOND);
  while (Date.now() >= asked && Date.now() - asked < SECOND) advance(SECOND);
  asked = Date.now();
  return (await api("GET", "/health")).json;
}

const counts = (total: number, healthy: number, failed: number) => ({ total, healthy, failed });
/** Of one provider: also how many have a token. */
const upstream = (total: number, healthy: number, failed: number, available = healthy) => ({
  ...counts(total, healthy, failed),
  available,
  misconfigured: 0,
});

async function all(): Promise<void> {
  for (const account of ACCOUNTS) await read(account);
  for (const account of ACCOUNTS) await told(account);
}

it("counts what is configured, what has a token and what failed", async () => {
  // Nobody has a token yet.
  expect(await health()).toEqual({
    status: "degraded",
    service: "sallyport",
    active_sessions: 0,
    persistent_sessions: 0,
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    timestamp: new Date().toISOString(),
    current_time_ist: expect.stringMatching(/^2030-01-01T11:3\d:\d\d\+05:30$/),
    accounts: counts(3, 0, 0),
    upstreams: { facturify: upstream(1, 0, 0), upstox: upstream(3, 0, 0), oauth2: upstream(2, 0, 0) },
  });
  await all();
  expect(await health()).toMatchObject({
    status: "healthy",
    accounts: counts(3, 3, 0),
    upstreams: { facturify: upstream(1, 1, 0), upstox: upstream(3, 3, 0), oauth2: upstream(2, 2, 0) },
  });
});

it("an account that failed is told of, and the others carry on", async () => {
  upstreams.fail("tokens", { fault: "status", status: 401 }, { account: "agnidata002", times: "forever" });
  await order("upstox/agnidata002");
  await read(FIRST);
  expect(await health()).toMatchObject({ status: "degraded", accounts: { failed: 1 } });
  expect((await read(FIRST)).status).toBe(200);
  upstreams.heal();
  await order("upstox/agnidata002");
  await all();
  expect(await health()).toMatchObject({ status: "healthy", accounts: counts(3, 3, 0) });
});

it("one whose renewal was refused three times has failed; one that has only expired has not", async () => {
  await all();
  await later(16 * HOUR);
  // No token at all is not healthy, and no failure.
  expect(await health()).toMatchObject({ status: "degraded", accounts: counts(3, 0, 0) });
  upstreams.set({ tokens: { refresh_gives: "dead" } });
  await read(FIRST);
  for (let n = 0; n < 2; n++) {
    await told(FIRST);
    advance(4 * SECOND);
    await runDue(FIRST);
  }
  await told(FIRST);
  expect(await health()).toMatchObject({ status: "degraded", accounts: counts(3, 0, 1) });
});

it("asks one object, and that once a second at most", async () => {
  await all();
  await health();
  const objects = [vi.spyOn(env.UPSTREAM, "get"), vi.spyOn(env.ROSTER, "get"), vi.spyOn(env.KV, "get")];
  for (let n = 0; n < 20; n++) expect((await api("GET", "/health")).status).toBe(200);
  expect(objects.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0]);
  advance(SECOND);
  for (let n = 0; n < 20; n++) await api("GET", "/health");
  expect(objects.map((spy) => spy.mock.calls.length)).toEqual([0, 1, 0]);
});

it("without the roster it still answers, and does not call itself healthy", async () => {
  advance(HOUR);
  vi.spyOn(env.ROSTER, "get").mockImplementation(() => {
    throw new Error("the roster is away");
  });
  expect(await health()).toMatchObject({ status: "degraded", accounts: null });
});

it("a roster that is away is asked once a second at most, and believed as soon as it is back", async () => {
  await all();
  await health();
  advance(SECOND);
  const away = vi.spyOn(env.ROSTER, "get").mockImplementation(() => {
    throw new Error("the roster is away");
  });
  for (let n = 0; n < 20; n++)
    expect((await api("GET", "/health")).json).toMatchObject({ status: "degraded", accounts: null });
  expect(away).toHaveBeenCalledTimes(1);
  advance(SECOND);
  for (let n = 0; n < 20; n++) await api("GET", "/health");
  expect(away).toHaveBeenCalledTimes(2);
  away.mockRestore();
  expect(await health()).toMatchObject({ status: "healthy", accounts: counts(3, 3, 0) });
});

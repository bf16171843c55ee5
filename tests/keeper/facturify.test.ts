// The life of the Facturify token: short, five seconds later long, renewed before it ends; and the shapes of its routes.
// Natively: crates/keeper/src/provider_tests.rs, crates/sim/tests/keeper/lives.rs.
import { expect, it } from "vitest";
import { DAY, MINUTE, SECOND } from "../support/worker/time.ts";
import { alarmAt, cron, FACTURIFY, get, keeper, later, MINUTELY } from "../support/worker/keeper.ts";
import { post, runDue, START, stored, told, upstreams } from "../support/worker/keeper.ts";

keeper();

const TOKEN = "/api/v1/facturify/auth/token";
const LONG = 43_200;
const BUFFER = 60;

const calls = () =>
  upstreams.calls
    .filter(({ upstream }) => upstream === "facturify")
    .map(({ operation, status }) => `${operation} ${status}`);
const token = async (): Promise<string> => (await get(TOKEN)).json.token;
const iso = (ms: number) => new Date(ms).toISOString();

/** Up to the long token. */
async function long(): Promise<string> {
  await token();
  await later(5 * SECOND);
  expect(await runDue(FACTURIFY)).toBe(1);
  return token();
}

it("has no token until somebody asks", async () => {
  expect((await get(`${TOKEN}/status`)).json).toEqual({
    has_token: false,
    ttl: 0,
    expires_in: 0,
    status: "missing",
    expires_at: null,
    source: null,
    last_error: null,
    next_renewal_at: null,
  });
  expect(upstreams.calls).toEqual([]);
});

it("gets a short token, and five seconds later a long one", async () => {
  const first = await get(TOKEN);
  expect(first.status).toBe(200);
  expect(first.json).toEqual({ token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/), ttl: 240 });
  expect(upstreams.alive(first.json.token)).toBe(true);
  await told(FACTURIFY);
  expect(await alarmAt(FACTURIFY)).toBe(START + 5 * SECOND);
  await later(5 * SECOND - 1);
  expect(await runDue(FACTURIFY)).toBe(0);
  await later(1);
  expect(await runDue(FACTURIFY)).toBe(1);
  const second = await get(TOKEN);
  expect(second.json).toEqual({ token: expect.any(String), ttl: LONG });
  expect(upstreams.alive(second.json.token)).toBe(true);
  expect(second.json.token).not.toBe(first.json.token);
  expect(calls()).toEqual(["auth 200", "refresh 200"]);
  expect((await get(`${TOKEN}/status`)).json).toMatchObject({
    has_token: true,
    ttl: LONG,
    expires_in: LONG,
    status: "valid",
    expires_at: iso(Date.now() + LONG * SECOND),
    source: "refresh",
    last_error: null,
  });
});

it("renews the long one before it ends: by the buffer, and by up to a tenth of it more", async () => {
  const before = await long();
  const end = Date.now() + LONG * SECOND;
  await told(FACTURIFY);
  const due = (await alarmAt(FACTURIFY)) ?? 0;
  expect(due).toBeLessThanOrEqual(end - BUFFER * SECOND);
  expect(due).toBeGreaterThanOrEqual(end - BUFFER * 1.1 * SECOND);
  await later(due - 1 - Date.now());
  expect(await runDue(FACTURIFY)).toBe(0);
  await later(1);
  expect(await runDue(FACTURIFY)).toBe(1);
  expect(calls()).toEqual(["auth 200", "refresh 200", "refresh 200"]);
  expect(await token()).not.toBe(before);
  // A JWT ends at a whole second.
  expect((await get(TOKEN)).json.ttl).toBeOneOf([LONG - 1, LONG]);
});

it("for a day of alarms and crons makes no call that is not due", async () => {
  await long();
  const end = Date.now() + DAY;
  while (Date.now() < end) {
    const alarm = (await alarmAt(FACTURIFY)) ?? Infinity;
    await later(Math.min(60 * MINUTE, alarm - Date.now()));
    await Promise.all([cron(MINUTELY), runDue(FACTURIFY)]);
    expect((await get(TOKEN)).json.ttl).toBeGreaterThan(0);
  }
  // Almost twelve hours each.
  expect(calls()).toEqual(["auth 200", "refresh 200", "refresh 200", "refresh 200"]);
});

it("POST obtains, whatever there is", async () => {
  const before = await long();
  const answer = await post(TOKEN);
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    message: "Token obtained successfully",
    jwt: { token: expect.any(String), expires_in: 240 },
  });
  expect(await token()).toBe(answer.json.jwt.token);
  expect(answer.json.jwt.token).not.toBe(before);
  expect((await stored(FACTURIFY)).held.source).toBe("obtain");
});

it("POST …/refresh gives a long one from nothing, from a short one, and from a long one", async () => {
  const shape = {
    message: "Token refreshed successfully",
    jwt: { token: expect.any(String), expires_in: LONG },
  };
  expect((await post(`${TOKEN}/refresh`)).json).toEqual(shape);
  expect(calls()).toEqual(["auth 200", "refresh 200"]);
  expect((await post(`${TOKEN}/refresh`)).json).toEqual(shape);
  expect(calls().slice(2)).toEqual(["refresh 200"]);
  await post(TOKEN);
  expect((await post(`${TOKEN}/refresh`)).json).toEqual(shape);
  expect(calls().slice(3)).toEqual(["auth 200", "refresh 200"]);
  upstreams.revoke("facturify");
  expect((await post(`${TOKEN}/refresh`)).json).toEqual(shape);
  expect(calls().slice(5)).toEqual(["refresh 401", "auth 200", "refresh 200"]);
});

it("keeps the short one if its change for a long one fails", async () => {
  upstreams.fail("facturify", { fault: "status", status: 503 }, { operation: "refresh" });
  const answer = await post(`${TOKEN}/refresh`);
  expect([answer.status, answer.json.jwt.expires_in]).toEqual([200, 240]);
  expect(await token()).toBe(answer.json.jwt.token);
});

// One task at a time: whoever wants the same shares it, and nobody waits longer than it takes.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { advance, SECOND } from "../support/worker/time.ts";
import {
  BATCH,
  cron,
  DAILY,
  FACTURIFY,
  FIRST,
  get,
  HOUR,
  keeper,
  later,
  order,
} from "../support/worker/keeper.ts";
import {
  eventually,
  MINUTELY,
  post,
  read,
  runDue,
  SECOND_ACCOUNT,
  status,
  told,
  untilAlarm,
  upstreams,
} from "../support/worker/keeper.ts";

keeper();

const many = <T>(n: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, make));
const TOKEN = "/api/v1/facturify/auth/token";

it.each([FACTURIFY, FIRST, BATCH])("1,000 requests for %s at its expiry are one task", async (account) => {
  const before = await read(account);
  await later(before.json.expires_in * SECOND);
  upstreams.clearCalls();
  const began = performance.now();
  const answers = await many(1000, () => read(account));
  console.info(`1,000 callers of ${account}: ${Math.round(performance.now() - began)} ms`);
  const tokens = new Set(answers.map((answer) => `${answer.status} ${answer.json.access_token}`));
  expect(tokens.size).toBe(1);
  expect([...tokens][0]).toMatch(/^200 /);
  expect(tokens).not.toContain(`200 ${before.json.access_token}`);
  const calls = upstreams.calls.map(({ upstream, operation }) => `${upstream} ${operation}`);
  const expected: Record<string, string[]> = {
    [FACTURIFY]: ["facturify auth"],
    [FIRST]: ["tokens token", "tokens refresh", "tokens token", "upstox profile"],
    [BATCH]: ["oauth2 client_credentials"],
  };
  expect(calls).toEqual(expected[account]);
  expect(upstreams.atOnce().peak).toBe(1);
});

it("whoever comes while it is under way waits for the same, and no longer", async () => {
  const hold = upstreams.hold("facturify", "auth");
  const first = get(TOKEN);
  await hold.arrived;
  const asked = vi.spyOn(env.UPSTREAM, "get");
  const others = many(20, () => get(TOKEN));
  const orders = [post(TOKEN), order(FACTURIFY)];
  await eventually(
    () => asked.mock.calls.length,
    (n) => n >= 22,
  );
  // They have come by then.
  for (let n = 0; n < 5; n++) await status(FACTURIFY);
  hold.release();
  const answers = await Promise.all([first, others, ...orders]).then((all) => all.flat());
  expect(answers.map((answer) => answer.status)).toEqual(Array(23).fill(200));
  expect(upstreams.count()).toBe(1);
});

it("one that fails is one failure for all who wait, and nobody calls again for it", async () => {
  upstreams.fail("facturify", { fault: "status", status: 503 }, { times: "forever" });
  const answers = await many(200, () => get(TOKEN));
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.json.code}`))).toEqual(
    new Set(["502 upstream_error"]),
  );
  expect(upstreams.count()).toBe(1);
  for (const answer of answers) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
});

it("a token that is good is served at once while its renewal hangs", async () => {
  const before = (await get(TOKEN)).json.token;
  await untilAlarm(FACTURIFY);
  const hold = upstreams.hold("facturify", "refresh");
  const alarm = runDue(FACTURIFY);
  await hold.arrived;
  for (const answer of await many(50, () => get(TOKEN)))
    expect(answer.json).toEqual({ token: before, ttl: 235 });
  expect(hold.waiting).toBe(1);
  hold.release();
  expect(await alarm).toBe(1);
  expect((await get(TOKEN)).json.ttl).toBe(43_200);
  expect(upstreams.count({ operation: "refresh" })).toBe(1);
});

it("a token that is good is served while its renewal fails, and nobody sets off another", async () => {
  const before = (await get(TOKEN)).json.token;
  upstreams.fail("facturify", { fault: "status", status: 500 }, { times: "forever" });
  await untilAlarm(FACTURIFY);
  await runDue(FACTURIFY);
  const calls = upstreams.count();
  for (const answer of await many(50, () => get(TOKEN))) expect(answer.json.token).toBe(before);
  expect(upstreams.count()).toBe(calls);
  expect((await get(`${TOKEN}/status`)).json).toMatchObject({
    has_token: true,
    last_error: { code: "upstream_error", status: 500 },
  });
});

it("nobody waits longer than the call: it ends after its timeout for all", async () => {
  upstreams.fail("facturify", { fault: "hang" }, { times: "forever" });
  const began = performance.now();
  const answers = await many(50, () => get(TOKEN));
  const took = performance.now() - began;
  expect(new Set(answers.map((answer) => `${answer.status} ${answer.json.code}`))).toEqual(
    new Set(["504 upstream_timeout"]),
  );
  expect(took).toBeGreaterThan(950);
  expect(took).toBeLessThan(20_000); // The call would hang for a minute.
  expect(upstreams.count()).toBe(1);
});

it("min_ttl of many callers is one renewal", async () => {
  await get(TOKEN);
  const answers = await many(100, () => get(`${TOKEN}?min_ttl=1000`));
  expect(new Set(answers.map((answer) => answer.json.ttl))).toEqual(new Set([43_200]));
  expect(upstreams.count({ operation: "refresh" })).toBe(1);
});

it("five crons at once, and during an alarm, make one task", async () => {
  await read(FIRST);
  await read(SECOND_ACCOUNT);
  await later(HOUR);
  upstreams.clearCalls();
  await many(5, () => cron(DAILY));
  await later(2 * SECOND);
  const hold = upstreams.hold("tokens", "refresh", "agnidata001");
  const alarms = [FIRST, SECOND_ACCOUNT].map(runDue);
  await hold.arrived;
  await Promise.all([many(5, () => cron(DAILY)), many(5, () => cron(MINUTELY))]);
  hold.release();
  await Promise.all(alarms);
  for (const account of [FIRST, SECOND_ACCOUNT]) await told(account);
  await many(5, () => cron(DAILY));
  await later(2 * SECOND);
  await Promise.all([FIRST, SECOND_ACCOUNT].map(runDue));
  for (const account of ["agnidata001", "agnidata002"]) {
    expect(upstreams.count({ upstream: "tokens", operation: "refresh", account })).toBe(1);
    expect(upstreams.count({ account })).toBe(3);
  }
});

it("the minute's cron and the alarm together obtain once", async () => {
  await many(5, () => cron(MINUTELY));
  advance(SECOND);
  await Promise.all([runDue(BATCH), cron(MINUTELY), read(BATCH), cron(MINUTELY)]);
  expect(upstreams.count({ upstream: "oauth2", account: "batch" })).toBe(1);
});

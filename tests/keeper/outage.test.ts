// An hour of outage, with the clock moved from event to event: alarms when they are due, a cron each minute, and callers
// who ask every few seconds. However it fails, no account makes more than 15 calls in that hour.
import { describe, expect, it } from "vitest";
import { advance, SECOND } from "../support/worker/time.ts";
import type { Fault, Upstream } from "../upstreams/index.ts";
import {
  mended,
  alarmAt,
  BATCH,
  cron,
  CRM,
  FACTURIFY,
  FIRST,
  HOUR,
  keeper,
  later,
} from "../support/worker/keeper.ts";
import { MINUTELY, order, read, runDue, status, told, upstreams } from "../support/worker/keeper.ts";

keeper();

const CALLS_MAX = 15;
/** Callers: every few seconds in one case of each provider, and more seldom in the others, which is faster. */
const OFTEN = 7 * SECOND;
const SELDOM = 40 * SECOND;

const PROVIDERS: [account: string, upstreams: Upstream[]][] = [
  [FACTURIFY, ["facturify"]],
  [FIRST, ["tokens", "upstox"]],
  [CRM, ["oauth2"]],
  [BATCH, ["oauth2"]],
];

const HOWS: [how: string, fault: Fault][] = [
  ["503", { fault: "status", status: 503 }],
  ["429 that says to come at once", { fault: "status", status: 429, retry_after: 0 }],
  ["broken connections", { fault: "reset" }],
];

/** An hour; what the callers were told, by status. */
async function hour(
  account: string,
  asksEvery = SELDOM,
  more?: () => Promise<unknown>,
): Promise<Map<number, number>> {
  const end = Date.now() + HOUR;
  let ask = Date.now() + asksEvery;
  let minute = Date.now() + 60 * SECOND;
  const told = new Map<number, number>();
  while (Date.now() < end) {
    const alarm = (await alarmAt(account)) ?? Infinity;
    advance(Math.max(0, Math.min(alarm, ask, minute) - Date.now()));
    if (alarm <= Date.now()) await runDue(account);
    if (minute <= Date.now()) {
      await cron(MINUTELY);
      minute += 60 * SECOND;
    }
    if (ask > Date.now()) continue;
    ask += asksEvery;
    const answer = await read(account);
    told.set(answer.status, (told.get(answer.status) ?? 0) + 1);
    await more?.();
  }
  return told;
}

describe.each(PROVIDERS)("%s", (account, its) => {
  const calls = () => its.reduce((sum, upstream) => sum + upstreams.count({ upstream }), 0);

  it.each(HOWS)("that has no token yet: %s", async (how, fault) => {
    for (const upstream of its) upstreams.fail(upstream, fault, { times: "forever" });
    const answers = await hour(account, how === "503" ? OFTEN : SELDOM);
    console.info(`${account}, no token, ${how}: ${calls()} calls in the hour`);
    expect([...answers.keys()]).toEqual([502]);
    expect(calls()).toBeGreaterThan(3);
    expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
    // It comes back by itself, within half an hour of slow tries.
    upstreams.heal();
    for (let n = 0; n < 5 && !(await status(account)).has_token; n++) {
      advance(Math.max(0, ((await alarmAt(account)) ?? 0) - Date.now()));
      await runDue(account);
    }
    await mended(account);
    expect(await status(account)).toMatchObject({ has_token: true, status: "valid", last_error: null });
  });

  it("whose token runs out in the middle of it", async () => {
    await read(account);
    await later(0);
    upstreams.clearCalls();
    for (const upstream of its)
      upstreams.fail(upstream, { fault: "status", status: 500 }, { times: "forever" });
    await order(account);
    const answers = await hour(account);
    console.info(`${account}, with a token: ${calls()} calls in the hour, answers ${[...answers]}`);
    expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
    expect([...answers.keys()].every((is) => is === 200 || is === 502)).toBe(true);
  });

  it("with orders every few seconds on top", async () => {
    for (const upstream of its)
      upstreams.fail(upstream, { fault: "status", status: 502 }, { times: "forever" });
    const ordered = new Map<number, number>();
    await hour(account, SELDOM, async () => {
      const { status } = await order(account);
      ordered.set(status, (ordered.get(status) ?? 0) + 1);
    });
    console.info(`${account}, with orders: ${calls()} calls in the hour, orders ${[...ordered]}`);
    expect(calls()).toBeLessThanOrEqual(CALLS_MAX);
    expect([...ordered.keys()].sort()).toEqual([429, 502]);
  });
});

it("the worst case of Upstox, where each try is five calls, stays within the hour's number, too", async () => {
  upstreams.set({ tokens: { initial: "dead", refresh_gives: "dead" } });
  await hour(FIRST);
  const calls = upstreams.count({ upstream: "tokens" }) + upstreams.count({ upstream: "upstox" });
  console.info(`${FIRST}, tokens that are dead: ${calls} calls in the hour`);
  expect(calls).toBeGreaterThan(5);
  expect(calls).toBeLessThanOrEqual(CALLS_MAX);
  await told(FIRST).catch(() => {});
});

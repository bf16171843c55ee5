// The Cron Triggers: they look after every account, and what they do may be done twice.
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { MINUTE, SECOND } from "../support/worker/time.ts";
import {
  ACCOUNTS,
  alarmAt,
  cron,
  DAILY,
  FACTURIFY,
  FIRST,
  history,
  HOUR,
  keeper,
  later,
} from "../support/worker/keeper.ts";
import { MINUTELY, read, runDue, status, stored, stub, UPSTOX, upstreams } from "../support/worker/keeper.ts";

keeper();

const loseAlarm = (account: string) =>
  runInDurableObject(stub(account), (_instance, { storage }) => storage.deleteAlarm());

it("the first one of a deployment gets every account its token", async () => {
  await cron(MINUTELY);
  for (const account of ACCOUNTS) {
    expect(await alarmAt(account), account).toBeLessThanOrEqual(Date.now() + SECOND);
  }
  await later(SECOND);
  await Promise.all(ACCOUNTS.map(runDue));
  for (const account of ACCOUNTS) {
    expect(await status(account), account).toMatchObject({ has_token: true, source: "startup" });
  }
  expect(upstreams.count()).toBe(1 + 3 * 2 + 2);
  upstreams.clearCalls();
  await later(SECOND);
  for (let n = 0; n < 3; n++) await cron(MINUTELY);
  await Promise.all(ACCOUNTS.filter((account) => account !== FACTURIFY).map(runDue));
  expect(upstreams.calls).toEqual([]);
});

it.each(["while the object lives", "while it sleeps"])(
  "an alarm that was lost (%s) is back after a minute",
  async (when) => {
    await read(FACTURIFY);
    await later(0);
    const due = await alarmAt(FACTURIFY);
    await loseAlarm(FACTURIFY);
    if (when === "while it sleeps") await abortAllDurableObjects();
    await later(MINUTE);
    expect(await alarmAt(FACTURIFY)).toBeNull();
    await cron(MINUTELY);
    expect(await alarmAt(FACTURIFY)).toBeGreaterThanOrEqual(due ?? Infinity);
    expect(await alarmAt(FACTURIFY)).toBeLessThanOrEqual(Date.now() + SECOND);
    await later(SECOND);
    expect(await runDue(FACTURIFY)).toBe(1);
    expect((await stored(FACTURIFY)).held.expires_in).toBe(43_200);
  },
);

it("an alarm that was lost is back with the next request for the token, too, if that finds it missing", async () => {
  await read(FIRST);
  await later(0);
  await loseAlarm(FIRST);
  await abortAllDurableObjects();
  await later(16 * HOUR);
  expect((await read(FIRST)).status).toBe(200);
  expect(await alarmAt(FIRST)).toBeGreaterThan(Date.now());
});

it("is daily for Upstox only, and renews no account twice within a minute", async () => {
  for (const account of ACCOUNTS) await read(account);
  await later(HOUR / 2);
  upstreams.clearCalls();
  await cron(DAILY);
  await later(SECOND);
  await Promise.all(UPSTOX.map(runDue));
  const refreshes = () => upstreams.count({ upstream: "tokens", operation: "refresh" });
  expect(refreshes()).toBe(3);
  await cron(DAILY);
  await later(SECOND);
  await Promise.all(UPSTOX.map(runDue));
  expect(refreshes()).toBe(3);
  // A day later is another day.
  await later(24 * HOUR);
  await cron(DAILY);
  await later(SECOND);
  await Promise.all(UPSTOX.map(runDue));
  expect(refreshes()).toBe(6);
  expect(upstreams.count({ upstream: "oauth2" })).toBe(0);
});

it("the history says that the cron did it", async () => {
  await read(FIRST);
  await later(HOUR);
  await cron(DAILY);
  await later(SECOND);
  await runDue(FIRST);
  expect((await stored(FIRST)).held.source).toBe("cron");
  expect((await history(FIRST))[0]).toMatchObject({
    operation: "refresh",
    who: "cron",
    outcome: "ok",
    calls: 2,
  });
});

it("an account in trouble is left to its own plan by the crons", async () => {
  upstreams.fail("tokens", { fault: "status", status: 503 }, { times: "forever" });
  await read(FIRST);
  const { retry_at } = (await stored(FIRST)).trouble;
  for (let n = 0; n < 3; n++) await Promise.all([cron(DAILY), cron(MINUTELY)]);
  expect((await stored(FIRST)).trouble.retry_at).toBe(retry_at);
  expect(upstreams.count({ account: "agnidata001" })).toBe(1);
});

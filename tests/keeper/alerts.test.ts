// Alerts: signed, of four kinds, once for each change of fortune, and delivered at least once.
// Natively: crates/keeper/src/trouble_tests.rs and crates/keeper/src/named_times_tests.rs.
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, it } from "vitest";
import { advance, SECOND } from "../support/worker/time.ts";
import {
  mended,
  alarmAt,
  eventually,
  FACTURIFY,
  FIRST,
  HOUR,
  keeper,
  later,
  order,
} from "../support/worker/keeper.ts";
import { post, read, runDue, status, stored, untilAlarm, upstreams } from "../support/worker/keeper.ts";

keeper();

const said = () => upstreams.alerts.map((alert) => JSON.parse(alert.body));
const types = () => said().map(({ type }) => type);
const outbox = async (account: string): Promise<unknown[]> => (await stored(account)).outbox ?? [];
/** The alerts of the account have all been delivered. */
const delivered = (account: string) =>
  eventually(
    () => outbox(account),
    (waiting) => waiting.length === 0,
  );
const iso = (ms: number) => new Date(ms).toISOString();

/** Fails until the quick tries are used up. */
async function failing(account: string): Promise<void> {
  await read(account);
  for (let n = 0; n < 3; n++) {
    await untilAlarm(account);
    await runDue(account);
  }
}

it("failing once the quick tries are used up, then recovered", async () => {
  upstreams.fail("facturify", { fault: "status", status: 503 }, { times: "forever" });
  await read(FACTURIFY);
  for (let n = 0; n < 2; n++) {
    await untilAlarm(FACTURIFY);
    await runDue(FACTURIFY);
    expect(upstreams.alerts).toEqual([]);
  }
  await untilAlarm(FACTURIFY);
  await runDue(FACTURIFY);
  await delivered(FACTURIFY);
  const failedAt = Date.now();
  for (let n = 0; n < 3; n++) {
    await untilAlarm(FACTURIFY);
    await runDue(FACTURIFY);
  }
  expect(said()).toEqual([
    {
      type: "token.failing",
      timestamp: iso(failedAt),
      data: {
        provider: "facturify",
        account_id: "default",
        count: 1,
        account_ids: ["default"],
        code: "upstream_error",
        expires_at: null,
      },
    },
  ]);
  upstreams.heal();
  await untilAlarm(FACTURIFY);
  await runDue(FACTURIFY);
  await mended(FACTURIFY);
  await delivered(FACTURIFY);
  expect(types()).toEqual(["token.failing", "token.recovered"]);
  expect(said()[1].data).toEqual({
    provider: "facturify",
    account_id: "default",
    count: 1,
    account_ids: ["default"],
    code: null,
    // A JWT ends at a whole second.
    expires_at: iso(Math.floor(Date.now() / SECOND + 43_200) * SECOND),
  });
  for (const alert of upstreams.alerts)
    expect(alert).toMatchObject({ verified: true, timely: true, duplicate: false, status: 204 });
});

it("a short trouble is nobody's business", async () => {
  upstreams.fail("facturify", { fault: "reset" }, { times: 3 });
  await failing(FACTURIFY);
  await later(0);
  await mended(FACTURIFY);
  expect(await status(FACTURIFY)).toMatchObject({ status: "valid", last_error: null });
  expect(upstreams.alerts).toEqual([]);
});

it("an approval that is asked for needs attention", async () => {
  await post("/accounts/agnidata001/token/request");
  await delivered(FIRST);
  expect(said()).toMatchObject([{ type: "token.needs_attention", data: { code: "approval_pending" } }]);
});

it("a receiver that is down gets it when it is up again, with the same id", async () => {
  upstreams.set({ alerts: { status: 503 } });
  upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  await read(FACTURIFY);
  await eventually(
    () => outbox(FACTURIFY),
    ([alert]) => (alert as { attempts: number }).attempts === 1,
  );
  const waits: number[] = [];
  for (let n = 0; n < 4; n++) {
    const at = (await alarmAt(FACTURIFY)) ?? 0;
    waits.push(at - Date.now());
    advance(at - Date.now());
    expect(await runDue(FACTURIFY)).toBe(1);
  }
  expect(waits).toEqual([5, 10, 20, 40].map((seconds) => seconds * SECOND));
  upstreams.set({ alerts: { status: 204 } });
  await untilAlarm(FACTURIFY);
  await runDue(FACTURIFY);
  expect(await outbox(FACTURIFY)).toEqual([]);
  expect(upstreams.alerts.map((alert) => alert.status)).toEqual([503, 503, 503, 503, 503, 204]);
  expect(new Set(upstreams.alerts.map((alert) => alert.id)).size).toBe(1);
  expect(upstreams.alerts.every(({ verified, timely }) => verified && timely)).toBe(true);
  advance(HOUR);
  await runDue(FACTURIFY);
  expect(upstreams.alerts).toHaveLength(6);
});

it("an answer that was lost means a second time, with the same id", async () => {
  upstreams.fail("alerts", { fault: "fail_after", how: "reset" });
  upstreams.fail("facturify", { fault: "status", status: 401 });
  await read(FACTURIFY);
  await eventually(
    () => outbox(FACTURIFY),
    ([alert]) => (alert as { attempts: number }).attempts === 1,
  );
  advance(5 * SECOND);
  await runDue(FACTURIFY);
  expect(upstreams.alerts.map(({ duplicate }) => duplicate)).toEqual([false, true]);
  expect(await outbox(FACTURIFY)).toEqual([]);
});

it("one that was lost with its object is sent by the alarm", async () => {
  const hold = upstreams.hold("alerts");
  upstreams.fail("facturify", { fault: "status", status: 401 });
  await read(FACTURIFY);
  await hold.arrived;
  await abortAllDurableObjects();
  hold.release();
  expect(upstreams.alerts).toEqual([]);
  advance(30 * SECOND);
  expect(await runDue(FACTURIFY)).toBeGreaterThan(0);
  expect(types()).toEqual(["token.needs_attention"]);
});

it("a slow receiver holds up nobody who wants a token", async () => {
  const hold = upstreams.hold("alerts");
  upstreams.fail("facturify", { fault: "status", status: 401 });
  await read(FACTURIFY);
  await hold.arrived;
  expect((await order(FACTURIFY)).status).toBe(200);
  expect((await read(FACTURIFY)).status).toBe(200);
  hold.release();
  // The first is delivered; the second, of the order, is left to the alarm.
  await eventually(
    () => outbox(FACTURIFY),
    (waiting) => waiting.length === 1,
  );
  expect(types()).toEqual(["token.needs_attention"]);
  advance(5 * SECOND);
  await runDue(FACTURIFY);
  expect(types()).toEqual(["token.needs_attention", "token.recovered"]);
});

it("holds nothing secret", async () => {
  const { access_token } = (await read(FACTURIFY)).json;
  upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  await order(FACTURIFY);
  await delivered(FACTURIFY);
  const all = JSON.stringify(upstreams.alerts);
  for (const secret of [access_token, "fk-local", "fs-local", "whsec-"]) expect(all).not.toContain(secret);
});

// Many Upstox accounts (1,500 in `npm run soak`) in one Cron Trigger, with the calls of every invocation counted as the platform would.
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { createUpstreams } from "../upstreams/index.ts";
import { api } from "../support/worker/api.ts";
import { eventually } from "../support/worker/runtime.ts";
import { MINUTE, SECOND } from "../support/worker/time.ts";

/** Subrequests of one invocation on a free plan, where calls to objects count, too. */
const SUBREQUESTS_MAX = 50;
const ids = env.UPSTOX_ACCOUNT_IDS.split(",");
const COUNT = ids.length;
/** Seconds over which first tokens are spread: each account adds 20 ms. */
const FIRST_SPREAD = (COUNT * 20) / SECOND;
/** The same of the daily run: the setting, or a second for each account if that is less. */
const DAILY_SPREAD = Math.min(30, COUNT);
const stub = (id: string) => env.UPSTREAM.get(env.UPSTREAM.idFromName(`upstox/${id}`));

const upstreams = createUpstreams({ accounts: "any", keep: 20_000 });

/** A Cron Trigger at this time; the calls to objects that the trigger made, and those of each of its sweeps. */
async function cron(expression: string, at: string): Promise<{ trigger: number; sweeps: number[] }> {
  vi.setSystemTime(Date.parse(at));
  const toRoster = vi.spyOn(env.ROSTER, "get");
  const toAccounts = vi.spyOn(env.UPSTREAM, "get");
  const worker = exports.default as unknown as { scheduled(trigger: object): Promise<unknown> };
  const began = performance.now();
  await worker.scheduled({ cron: expression, scheduledTime: new Date() });
  console.info(
    `${expression}: ${COUNT} accounts looked after in ${Math.round(performance.now() - began)} ms`,
  );
  const named = (name: string) => env.ROSTER.idFromName(name).toString();
  const sweeps = Math.ceil(COUNT / 45);
  const ids = toRoster.mock.calls.map(([id]) => id.toString());
  const reports = ids.filter((id) => id === named("roster")).length - 2;
  // Each account was asked by one sweep, and each sweep reported once.
  expect(toAccounts.mock.calls.length).toBe(COUNT);
  expect(reports).toBe(sweeps);
  const each = Array.from({ length: sweeps }, (_, n) => {
    expect(ids.filter((id) => id === named(`sweep/${n}`))).toHaveLength(1);
    return Math.min(45, COUNT - 45 * n) + 1;
  });
  toRoster.mockRestore();
  toAccounts.mockRestore();
  return { trigger: ids.length - reports, sweeps: each };
}

/** The alarms that are due by then, some at once as they come in time. */
async function alarms(): Promise<void> {
  const began = performance.now();
  const todo = [...ids];
  const work = async () => {
    for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
      const at = await runInDurableObject(stub(id), (_instance, { storage }) => storage.getAlarm());
      expect(at, id).toBeLessThanOrEqual(Date.now());
      await runDurableObjectAlarm(stub(id));
    }
  };
  await Promise.all(Array.from({ length: 50 }, work));
  console.info(`${COUNT} alarms in ${Math.round(performance.now() - began)} ms`);
}

/** KV and the roster know all there is to know of every account: that follows after an alarm is over. */
async function told(): Promise<void> {
  for (const id of ids)
    await eventually(
      () =>
        runInDurableObject(
          stub(id),
          (_instance, { storage }) => JSON.parse(storage.kv.get<string>("account") ?? "{}").untold ?? null,
        ),
      (untold) => untold === null,
    );
}

/** They do not come all at once. */
async function spread(over: number): Promise<void> {
  const due = await Promise.all(
    ids.map((id) => runInDurableObject(stub(id), (_instance, { storage }) => storage.getAlarm())),
  );
  const times = due.map((at) => ((at ?? Infinity) - Date.now()) / SECOND);
  expect(Math.max(...times)).toBeGreaterThan((over * 5) / 6);
  expect(Math.max(...times)).toBeLessThanOrEqual(over + 1);
  expect(new Set(times).size).toBeGreaterThan(COUNT / 2);
}

const health = async () => (await api("GET", "/health")).json.accounts;

it("all get their token by the first one, and another by the daily one, within the limits", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
    upstreams.handle(new Request(input, init)),
  );
  const first = await cron("* * * * *", "2030-01-01T06:00:00Z");
  console.info(
    `calls to objects: ${first.trigger} by the trigger, at most ${Math.max(...first.sweeps)} by a sweep`,
  );
  expect(first.trigger).toBeLessThanOrEqual(SUBREQUESTS_MAX);
  expect(Math.max(...first.sweeps)).toBeLessThanOrEqual(SUBREQUESTS_MAX);
  await spread(FIRST_SPREAD);
  vi.setSystemTime(Date.now() + MINUTE / 2 + SECOND);
  await alarms();
  await told();
  expect(upstreams.count({ upstream: "tokens", operation: "token", status: 200 })).toBe(COUNT);
  expect(upstreams.count({ upstream: "upstox", operation: "profile", status: 200 })).toBe(COUNT);
  expect(upstreams.count()).toBe(2 * COUNT);
  expect(await health()).toEqual({ total: COUNT, healthy: COUNT, failed: 0 });
  for (const id of [ids[0], ids[COUNT >> 1], ids[COUNT - 1]])
    expect(
      (await env.KV.list({ prefix: `upstox_access_token:${id}` })).keys.map(({ name }) => name),
    ).toContain(`upstox_access_token:${id}`);

  // The tokens are over by then, and with them what was to be checked of them.
  vi.setSystemTime(Date.parse("2030-01-02T02:29:00Z"));
  await alarms();
  await told();
  upstreams.clearCalls();
  const daily = await cron("30 2 * * *", "2030-01-02T02:30:00Z");
  expect(daily).toEqual(first);
  await spread(DAILY_SPREAD);
  vi.setSystemTime(Date.now() + MINUTE / 2 + SECOND);
  await alarms();
  await told();
  for (const id of ids) expect(upstreams.count({ operation: "refresh", account: id }), id).toBe(1);
  expect(upstreams.count()).toBe(2 * COUNT);
  vi.setSystemTime(Date.now() + SECOND);
  expect(await health()).toEqual({ total: COUNT, healthy: COUNT, failed: 0 });
  vi.useRealTimers();
}, 240_000);

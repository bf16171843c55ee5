// The keeper with scripted upstreams: every test begins with none of its accounts ever asked for, at the same moment.
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { createUpstreams } from "../../upstreams/index.ts";
import { ACCOUNTS, FACTURIFY, OAUTH2_CLIENTS } from "../accounts.ts";
import { type Answer, api, type Call } from "./api.ts";
import { makeKey } from "./keys.ts";
import { eventually } from "./runtime.ts";
import { advance } from "./time.ts";

export * from "../accounts.ts";
export { cron, DAILY, eventually, MINUTELY } from "./runtime.ts";

export const START = Date.parse("2030-01-01T06:00:00.000Z");

export const upstreams = createUpstreams({
  clients: OAUTH2_CLIENTS,
  fetch: (url, init) => exports.default.fetch(new Request(url, init)),
  patient: true,
});

/** A service key with both scopes. */
export let serviceKey: string;

/** To be called at the top of a file. */
export function keeper(): void {
  const begin = () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(START);
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
      upstreams.handle(new Request(input, init)),
    );
  };
  beforeAll(async () => {
    begin();
    await (started ??= start());
  });
  beforeEach(begin);
  afterEach(async () => {
    // First what may be under way still: nothing of it is to find another `fetch`.
    await abortAllDurableObjects();
    vi.restoreAllMocks();
    await forget();
    upstreams.reset();
    vi.useRealTimers();
  });
}

let started: Promise<void> | undefined;

/** Once for all files, which share the Worker's instance. */
async function start(): Promise<void> {
  serviceKey = (await makeKey({ scopes: ["tokens:read", "tokens:write"] })).key;
  // The first request of an instance has all accounts looked after; that is to be over.
  for (const account of ACCOUNTS)
    await eventually(
      () => alarmAt(account),
      (at) => at !== null,
    );
  await forget();
}

/** As if there had never been any accounts. */
async function forget(): Promise<void> {
  for (const object of [...ACCOUNTS.map(stub), roster()]) {
    await runInDurableObject(object, async (_instance, { storage }) => {
      await storage.deleteAlarm();
      await storage.deleteAll();
    });
  }
  await abortAllDurableObjects();
  for (const { name } of (await env.KV.list()).keys) if (/token/.test(name)) await env.KV.delete(name);
}

/** A call with the service key. 502, 503 and 504 are for the test to judge. */
export const service = (method: string, path: string, call: Call = {}): Promise<Answer> =>
  api(method, path, { token: serviceKey, upstream: true, ...call });

export const get = (path: string): Promise<Answer> => service("GET", path);
export const post = (path: string, body?: unknown): Promise<Answer> => service("POST", path, { body });

/** The general routes of an account; each has them besides those of its provider. */
export const read = (account: string, query = ""): Promise<Answer> =>
  get(`/api/v1/tokens/${account}${query}`);
export const status = async (account: string) => (await get(`/api/v1/tokens/${account}/status`)).json;
export const order = (account: string): Promise<Answer> => post(`/api/v1/tokens/${account}/refresh`);

/** The last operations, newest first. */
export const history = async (account: string): Promise<any[]> =>
  (await get(`/api/v1/tokens/${account}/history`)).json.operations;

export const stub = (account: string) => env.UPSTREAM.get(env.UPSTREAM.idFromName(account));
export const roster = () => env.ROSTER.get(env.ROSTER.idFromName("roster"));

/** When the account's alarm is due. */
export const alarmAt = (account: string): Promise<number | null> =>
  runInDurableObject(stub(account), (_instance, { storage }) => storage.getAlarm());

/** What the object keeps. */
export const stored = (account: string): Promise<any> =>
  runInDurableObject(stub(account), (_instance, { storage }) =>
    JSON.parse(storage.kv.get<string>("account") ?? "{}"),
  );

/** Runs the account's alarm as often as it is due now; the runtime's own clock does not follow the test's. */
export async function runDue(account: string): Promise<number> {
  for (let runs = 0; ; runs++) {
    expect(runs, "the alarm comes again and again").toBeLessThan(10);
    const at = await alarmAt(account);
    if (at === null || at > Date.now()) return runs;
    await runDurableObjectAlarm(stub(account));
  }
}

export const HOUR = 3_600_000;
/** KV and the roster know all there is to know of the account, and each of its alerts was sent, if not taken. */
export const told = (account: string): Promise<unknown> =>
  eventually(
    async () => {
      const { untold = null, outbox = [] } = await stored(account);
      return { untold, unsent: outbox.filter(({ attempts }: { attempts: number }) => attempts === 0) };
    },
    ({ untold, unsent }) => untold === null && unsent.length === 0,
  );

/** Moves the clock once nothing is under way any more in the background. */
export async function later(ms: number): Promise<void> {
  for (const account of ACCOUNTS) await told(account);
  advance(ms);
}

/** As long as it takes until the account's alarm is due. Says when that was. */
export async function untilAlarm(account: string): Promise<number> {
  await told(account);
  const at = await alarmAt(account);
  expect(at, `${account} has an alarm`).not.toBeNull();
  await later(Math.max(0, (at ?? 0) - Date.now()));
  return at ?? 0;
}

/** A short token of Facturify's mends nothing until it is changed for a long one, at the next alarm. */
export async function mended(account: string): Promise<void> {
  if (account !== FACTURIFY) return;
  await untilAlarm(account);
  expect(await runDue(account)).toBe(1);
}

// Portal sessions with a scripted portal: every test begins without any, at the same moment, with users of its own.
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, expect, vi } from "vitest";
import { createUpstreams } from "../../upstreams/index.ts";
import { type PortalUser as User, portalUser } from "../portal.ts";
import { type Answer, api, type Call } from "./api.ts";
import { makeKey } from "./keys.ts";
import { cron as trigger, MINUTELY } from "./runtime.ts";
import { advance } from "./time.ts";

export type { User };
export { eventually, MINUTELY } from "./runtime.ts";

export const START = Date.parse("2030-01-01T06:00:00.000Z");

export const upstreams = createUpstreams({ patient: true });

/** A service key with the scope `portal`. */
export let serviceKey: string;

/** To be called at the top of a file. */
export function portal(): void {
  const begin = () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(START);
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
      upstreams.handle(new Request(input, init)),
    );
  };
  beforeAll(async () => {
    begin();
    serviceKey ??= (await makeKey({ scopes: ["portal"] })).key;
  });
  beforeEach(begin);
  afterEach(async () => {
    // First what may be under way still: nothing of it is to find another `fetch`.
    await abortAllDurableObjects();
    vi.restoreAllMocks();
    await runInDurableObject(registry(), (_instance, { storage }) => storage.deleteAll());
    await abortAllDurableObjects();
    upstreams.reset();
    vi.useRealTimers();
  });
}

/** A call with the service key. What the portal and the captcha service cause is for the test to judge. */
export const service = (method: string, path: string, call: Call = {}): Promise<Answer> =>
  api(method, path, { token: serviceKey, upstream: true, ...call });

export const get = (path: string): Promise<Answer> => service("GET", path);
export const post = (path: string, body?: unknown): Promise<Answer> => service("POST", path, { body });

let users = 0;

/** Somebody whom the portal knows, and nobody else in this file. */
export function someone(more: Partial<User> = {}): User {
  return { ...portalUser(more.username ?? `user${++users}`), ...more };
}

export const getSession = (user: User, more: Record<string, unknown> = {}): Promise<Answer> =>
  post("/get_session", { ...user, ...more });

/** The id of a live session of theirs. */
export async function sessionOf(user: User, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await getSession(user, more);
  expect(answer.status, answer.text).toBe(200);
  return answer.json.session_id;
}

export const closeSession = (id: string): Promise<Answer> => service("DELETE", `/sessions/${id}`);
export const listed = async (): Promise<any[]> => (await get("/sessions")).json.sessions;

/** What the portal and the captcha service saw of a user. */
export const seen = (user: User) => ({
  logins: upstreams.count({ upstream: "portal", operation: "login", account: user.username }),
  captchas: upstreams.count({ upstream: "captcha", operation: "captcha_in", account: user.captcha_api_key }),
});

export const ONE_LOGIN = { logins: 1, captchas: 1 };

export const registry = () => env.PORTAL_REGISTRY.get(env.PORTAL_REGISTRY.idFromName("registry"));

/** The name of the object that has this session. */
export async function nameOf(sessionId: string): Promise<string> {
  const rows = JSON.parse(await registry().command('"list"')).rows;
  const row = rows.find((row: { session_id: string }) => row.session_id === sessionId);
  expect(row, `${sessionId} is known`).toBeDefined();
  return row.name;
}

export const stub = (name: string) => env.PORTAL.get(env.PORTAL.idFromName(name));

/** What the object keeps in the clear. */
export const stored = (name: string): Promise<any> =>
  runInDurableObject(stub(name), (_instance, { storage }) =>
    JSON.parse(storage.kv.get<string>("login") ?? "{}"),
  );

export const alarmAt = (name: string): Promise<number | null> =>
  runInDurableObject(stub(name), (_instance, { storage }) => storage.getAlarm());

/** The object's memory is gone, its storage is not. Work that is under way goes on. */
export const evict = (name: string): Promise<void> => evictDurableObject(stub(name));

/** Runs the object's alarm as often as it is due now; the runtime's own clock does not follow the test's. */
export async function runDue(name: string): Promise<number> {
  for (let runs = 0; ; runs++) {
    expect(runs, "the alarm comes again and again").toBeLessThan(10);
    const at = await alarmAt(name);
    if (at === null || at > Date.now()) return runs;
    await runDurableObjectAlarm(stub(name));
  }
}

/** Lets time pass, with every alarm of the object at its moment. */
export async function pass(name: string, ms: number): Promise<void> {
  const end = Date.now() + ms;
  for (;;) {
    const at = await alarmAt(name);
    if (at === null || at > end) break;
    advance(Math.max(0, at - Date.now()));
    await runDurableObjectAlarm(stub(name));
  }
  advance(end - Date.now());
}

/** The Cron Trigger that comes every minute. */
export const cron = (): Promise<{ outcome: string }> => trigger(MINUTELY);

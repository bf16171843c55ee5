// Sealing keys that are rotated, under load; and one that was taken away too early.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  ACCOUNTS,
  BATCH,
  CRM,
  FACTURIFY,
  type Fakes,
  fakes,
  FIRST,
  makeKey,
  Service,
} from "../support/process/keeper.ts";
import { secret, secrets, type Server, start } from "../support/process/server.ts";

const [S1, S2] = [`s1:${secret()}`, `s2:${secret()}`];

let persist: string;
let their: Fakes;
let server: Server;
let bindings: Record<string, string>;
let service: Service;

beforeEach(async () => {
  persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  their = await fakes();
  bindings = { ...secrets(), ...their.bindings };
  await restart(S1);
  service = new Service(server.client, await makeKey(server.client));
  // What every account gets at the start is over, so that the orders are not given the same.
  await service.tokens();
  // A refresh token that is nowhere but here.
  expect((await service.order(CRM)).status).toBe(200);
  await service.order(FACTURIFY);
});
afterEach(async () => {
  await server.mf.dispose();
  await their[Symbol.asyncDispose]();
  rmSync(persist, { recursive: true, force: true });
});

async function restart(SEALING_KEYS: string): Promise<void> {
  await server?.mf.dispose();
  server = await start({ persist, bindings: { ...bindings, SEALING_KEYS } });
  service = new Service(server.client, service?.key ?? "");
}

const cron = async () => {
  const worker = await server.mf.getWorker();
  expect(await worker.scheduled({ cron: "* * * * *" })).toMatchObject({ outcome: "ok" });
};

const keys = async () => {
  const answer = await server.client.call("GET", "/admin/sealing-keys", await server.client.admin());
  return answer.json.keys;
};
const key = (kid: string, accounts: number, seals: boolean, configured = true) => ({
  kid,
  configured,
  seals,
  accounts,
  portal_sessions: 0,
});

it("a rotation under load: every answer is right, and the old key is not needed after one sweep", async () => {
  const tokens = await service.tokens();
  await cron();
  expect(await keys()).toEqual([key("s1", 6, true)]);
  const calls = their.upstreams.count();

  let running = true;
  const wrong: unknown[] = [];
  let right = 0;
  const load = Array.from({ length: 4 }, async () => {
    for (let n = 0; running; n++) {
      const account = ACCOUNTS[n % ACCOUNTS.length] ?? "";
      // While the server is away nobody is answered.
      const answer = await service.read(account).catch(() => undefined);
      if (answer?.json?.access_token === tokens[n % ACCOUNTS.length]) right += 1;
      else if (answer) wrong.push([account, answer.status, answer.text]);
    }
  });
  await restart(`${S2},${S1}`);
  await cron();
  const seen = right;
  await expect.poll(() => right).toBeGreaterThan(seen + 50);
  expect(await keys()).toEqual([key("s2", 6, true), key("s1", 0, false)]);
  await restart(S2);
  await expect.poll(() => right).toBeGreaterThan(seen + 150);
  running = false;
  await Promise.all(load);
  expect(wrong).toEqual([]);

  expect(await keys()).toEqual([key("s2", 6, true)]);
  expect(await service.tokens()).toEqual(tokens);
  for (const account of ACCOUNTS)
    expect(await service.status(account)).toMatchObject({ status: "valid", last_error: null });
  // A rotation of keys is nothing that upstreams hear of.
  expect(their.upstreams.count()).toBe(calls);
  // The refresh token has come along, too.
  expect((await service.order(CRM)).status).toBe(200);
});

it("a rotation leaves a final refusal final", async () => {
  their.upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  await service.order(FACTURIFY);
  const calls = their.upstreams.count({ upstream: "facturify" });
  await restart(`${S2},${S1}`);
  await cron();
  await service.read(FACTURIFY);
  await restart(S2);
  await cron();
  expect(await service.status(FACTURIFY)).toMatchObject({ status: "needs_attention" });
  expect(their.upstreams.count({ upstream: "facturify" })).toBe(calls);
});

it("a key that was taken away too early: a clear error, nothing overwritten, and all comes back with it", async () => {
  const tokens = await service.tokens();
  const calls = their.upstreams.count();
  await restart(S2);
  await cron();
  for (const account of ACCOUNTS) {
    const answer = await service.read(account);
    expect([account, answer.status, answer.json.code]).toEqual([account, 503, "credential_unreadable"]);
    expect(await service.status(account)).toMatchObject({ status: "needs_attention" });
  }
  expect(await keys()).toEqual([key("s2", 0, true), key("s1", 6, false, false)]);
  // One is mended by an order; the others wait.
  const mended = await service.order(BATCH);
  expect(mended.status).toBe(200);
  expect(their.upstreams.count({ upstream: "alerts" })).toBeLessThanOrEqual(ACCOUNTS.length + 1);
  const upstreamCalls = their.upstreams.count() - their.upstreams.count({ upstream: "alerts" });
  expect(upstreamCalls).toBe(calls + 1);

  await restart(`${S2},${S1}`);
  const back = ACCOUNTS.map((account, n) => (account === BATCH ? mended.json.access_token : tokens[n]));
  expect(await service.tokens()).toEqual(back);
  await cron();
  expect(await keys()).toEqual([key("s2", 6, true), key("s1", 0, false)]);
  for (const account of [CRM, FIRST]) expect((await service.order(account)).status).toBe(200);
});

// Killed without warning in the middle of a refresh, and started again on the same data.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import {
  BATCH,
  CRM,
  FACTURIFY,
  type Fakes,
  fakes,
  FIRST,
  makeKey,
  Service,
} from "../support/process/keeper.ts";
import { Killable } from "../support/process/killable.ts";
import { secrets } from "../support/process/server.ts";
import type { Operation, Upstream } from "../upstreams/index.ts";

const persist = mkdtempSync(join(tmpdir(), "sallyport-"));
let their: Fakes;
let server: Killable;
let bindings: Record<string, string>;
let service: Service;

beforeAll(async () => {
  their = await fakes();
  bindings = { ...secrets(), ...their.bindings };
  server = await Killable.start(persist, bindings);
  service = new Service(server.client, await makeKey(server.client));
});
beforeEach(async () => {
  await service.tokens();
  // A long one, so that no alarm changes it in the middle of a test.
  expect((await service.order(FACTURIFY)).status).toBe(200);
});
afterAll(async () => {
  await server.kill();
  await their[Symbol.asyncDispose]();
  rmSync(persist, { recursive: true, force: true });
});

async function restart(more: Record<string, string> = {}): Promise<void> {
  await server.kill();
  server = await Killable.start(persist, { ...bindings, ...more });
  service = new Service(server.client, service.key);
}

const CASES: [account: string, upstream: Upstream, operation: Operation][] = [
  [FACTURIFY, "facturify", "refresh"],
  [FIRST, "tokens", "refresh"],
  [CRM, "oauth2", "refresh"],
  [BATCH, "oauth2", "client_credentials"],
];
const MINUTELY = "* * * * *";
const unknown = { outcome: "upstream_outcome_unknown", operation: "refresh", who: "key:a service" };

it("before the upstreams did anything: the old tokens are served, and the next orders work", async () => {
  const before = await service.tokens();
  const holds = CASES.map(([, upstream, operation]) => their.upstreams.hold(upstream, operation));
  const cut = CASES.map(([account]) => service.order(account).catch(() => "cut off"));
  for (const hold of holds) await hold.arrived;
  await server.kill();
  expect(await Promise.all(cut)).toEqual(CASES.map(() => "cut off"));
  // The upstreams have seen that nobody waits any more: they do nothing of it.
  await expect.poll(() => holds.map(({ waiting }) => waiting)).toEqual(holds.map(() => 0));
  for (const hold of holds) hold.release();
  await restart();
  expect(await service.tokens()).toEqual(before);
  for (const [account] of CASES) {
    const ordered = await service.order(account);
    expect([account, ordered.status, ordered.text]).toEqual([account, 200, expect.anything()]);
    expect(their.upstreams.alive(ordered.json.access_token)).toBe(true);
    expect(await service.history(account)).toContainEqual(expect.objectContaining(unknown));
    expect(await service.status(account)).toMatchObject({ status: "valid", last_error: null });
  }
});

it("after the upstreams did it: accounts recover by themselves, but for one whose refresh token was used up", async () => {
  const recover = CASES.filter(([account]) => account !== CRM);
  await service.order(CRM);
  const before = (await service.read(CRM)).json.access_token;
  const fault = { fault: "fail_after", how: "hang" } as const;
  for (const [, upstream, operation] of CASES) their.upstreams.fail(upstream, fault, { operation });
  const cut = CASES.map(([account]) => service.order(account).catch(() => "cut off"));
  for (const [, upstream, operation] of CASES)
    await expect.poll(() => their.upstreams.atOnce({ upstream, operation }).now).toBe(1);
  // Their tokens of before have ended meanwhile.
  for (const upstream of ["facturify", "upstox"] as const) their.upstreams.revoke(upstream);
  their.upstreams.revoke("oauth2", "batch");
  await server.kill();
  await Promise.all(cut);
  await restart();
  their.upstreams.clearCalls();
  await server.cron(MINUTELY);
  for (const [account] of recover) {
    await expect
      .poll(async () => (await service.history(account)).map(({ outcome }) => outcome).slice(0, 2))
      .toEqual(["ok", unknown.outcome]);
    expect(await service.status(account)).toMatchObject({ status: "valid" });
    // KV's copy follows.
    await expect
      .poll(async () => their.upstreams.alive((await service.read(account)).json.access_token), {
        message: account,
      })
      .toBe(true);
  }
  expect(their.upstreams.count({ upstream: "oauth2", operation: "client_credentials" })).toBe(1);
  // Facturify's short token is changed for a long one after five seconds; only that ends the trouble.
  const errors = () =>
    Promise.all(recover.map(async ([account]) => (await service.status(account)).last_error));
  await expect.poll(errors, { timeout: 20_000 }).toEqual(recover.map(() => null));

  // The one that is lost is said to be, and tried once more only; its token of before is good for its time.
  await expect.poll(async () => (await service.status(CRM)).status).toBe("needs_attention");
  expect(await service.status(CRM)).toMatchObject({
    has_token: true,
    last_error: { code: "upstream_grant_refused" },
  });
  expect((await service.read(CRM)).json.access_token).toBe(before);
  expect(their.upstreams.count({ upstream: "oauth2", operation: "refresh", status: 400 })).toBe(1);
});

it("a final refusal outlives a restart, and ends with new settings", async () => {
  their.upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  await service.order(FACTURIFY);
  await restart();
  const calls = their.upstreams.count({ upstream: "facturify" });
  for (const account of [FACTURIFY, CRM])
    expect(await service.status(account)).toMatchObject({ status: "needs_attention" });
  await service.read(FACTURIFY);
  expect(their.upstreams.count({ upstream: "facturify" })).toBe(calls);
  their.upstreams.heal();
  const accounts = JSON.parse(bindings.OAUTH2_ACCOUNTS ?? "{}");
  accounts.crm.refresh_token = their.upstreams.issueRefreshToken("crm");
  await restart({ FACTURIFY_API_SECRET: "another", OAUTH2_ACCOUNTS: JSON.stringify(accounts) });
  await server.cron(MINUTELY);
  await expect.poll(() => their.upstreams.count({ upstream: "facturify" })).toBeGreaterThan(calls);
  await expect.poll(async () => (await service.status(CRM)).status, { interval: 100 }).toBe("valid");
  expect((await service.order(CRM)).status).toBe(200);
});

// Killed without warning in the middle of a refresh, and started again on the same data.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
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

let persist: string;
let their: Fakes;
let server: Killable;
let bindings: Record<string, string>;
let service: Service;

beforeEach(async () => {
  persist = mkdtempSync(join(tmpdir(), "sallyport-"));
  their = await fakes();
  bindings = { ...secrets(), ...their.bindings };
  server = await Killable.start(persist, bindings);
  service = new Service(server.client, await makeKey(server.client));
  await service.tokens();
  // A long one, so that no alarm changes it in the middle of a test.
  expect((await service.order(FACTURIFY)).status).toBe(200);
});
afterEach(async () => {
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

it("after the upstreams did it: the accounts recover by themselves", async () => {
  const cases = CASES.filter(([account]) => account !== CRM);
  const fault = { fault: "fail_after", how: "hang" } as const;
  for (const [, upstream, operation] of cases) their.upstreams.fail(upstream, fault, { operation });
  const cut = cases.map(([account]) => service.order(account).catch(() => "cut off"));
  for (const [, upstream, operation] of cases)
    await expect.poll(() => their.upstreams.atOnce({ upstream, operation }).now).toBe(1);
  // Their tokens of before have ended meanwhile.
  for (const upstream of ["facturify", "upstox", "oauth2"] as const) their.upstreams.revoke(upstream);
  await server.kill();
  await Promise.all(cut);
  await restart();
  their.upstreams.clearCalls();
  await server.cron(MINUTELY);
  for (const [account] of cases) {
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
    Promise.all(cases.map(async ([account]) => (await service.status(account)).last_error));
  await expect.poll(errors, { timeout: 20_000 }).toEqual(cases.map(() => null));
});

it("a refresh token that was used up in that moment is said to be lost, and tried once more only", async () => {
  await service.order(CRM);
  const before = (await service.read(CRM)).json.access_token;
  their.upstreams.fail("oauth2", { fault: "fail_after", how: "hang" }, { operation: "refresh" });
  const cut = service.order(CRM).catch(() => "cut off");
  await expect.poll(() => their.upstreams.atOnce({ upstream: "oauth2", operation: "refresh" }).now).toBe(1);
  await server.kill();
  await cut;
  await restart();
  await server.cron(MINUTELY);
  await expect.poll(async () => (await service.status(CRM)).status).toBe("needs_attention");
  expect(await service.status(CRM)).toMatchObject({
    has_token: true,
    last_error: { code: "upstream_grant_refused" },
  });
  // What can be kept is kept: the token of before is good for its time.
  expect((await service.read(CRM)).json.access_token).toBe(before);
  expect(their.upstreams.count({ upstream: "oauth2", operation: "refresh", status: 400 })).toBe(1);
  // A new one in the settings is the change that it waits for.
  const accounts = JSON.parse(bindings.OAUTH2_ACCOUNTS ?? "{}");
  accounts.crm.refresh_token = their.upstreams.issueRefreshToken("crm");
  await restart({ OAUTH2_ACCOUNTS: JSON.stringify(accounts) });
  await server.cron(MINUTELY);
  await expect.poll(async () => (await service.status(CRM)).status, { interval: 100 }).toBe("valid");
  expect((await service.order(CRM)).status).toBe(200);
});

it("a final refusal outlives a restart, and ends with new settings", async () => {
  their.upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  await service.order(FACTURIFY);
  await restart();
  const calls = their.upstreams.count({ upstream: "facturify" });
  expect(await service.status(FACTURIFY)).toMatchObject({ status: "needs_attention" });
  await service.read(FACTURIFY);
  expect(their.upstreams.count({ upstream: "facturify" })).toBe(calls);
  their.upstreams.heal();
  await restart({ FACTURIFY_API_SECRET: "another" });
  await service.read(FACTURIFY);
  await expect.poll(() => their.upstreams.count({ upstream: "facturify" })).toBeGreaterThan(calls);
});

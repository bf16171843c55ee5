// Any API behind OAuth 2.0, and the refresh token that its server changes with every use.
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { SECOND } from "../support/worker/time.ts";
import { alarmAt, BATCH, CRM, get, history, keeper, later, order } from "../support/worker/keeper.ts";
import { read, runDue, START, status, stored, stub, told, upstreams } from "../support/worker/keeper.ts";

keeper();

const renew = async (): Promise<string> => (await order(CRM)).json.access_token;

it("client credentials, with the client in the body and a scope", async () => {
  const answer = await read(BATCH);
  expect(answer.json).toMatchObject({ token_type: "bearer", expires_in: 3600 });
  expect(upstreams.calls).toMatchObject([{ operation: "client_credentials", account: "batch", status: 200 }]);
  expect(await status(BATCH)).toEqual({
    has_token: true,
    status: "valid",
    expires_at: "2030-01-01T07:00:00.000Z",
    ttl: 3600,
    source: "startup",
    last_check: null,
    last_error: null,
    next_renewal_at: expect.stringMatching(/^2030-01-01T06:4[345]:\d\d\.\d{3}Z$/),
    approval_until: null,
  });
});

it("is renewed a quarter of an hour before its end", async () => {
  await read(BATCH);
  await told(BATCH);
  const due = (await alarmAt(BATCH)) ?? 0;
  expect(START + 3600 * SECOND - due).toBeGreaterThanOrEqual(900 * SECOND);
  expect(START + 3600 * SECOND - due).toBeLessThanOrEqual(990 * SECOND);
  await later(due - Date.now());
  expect(await runDue(BATCH)).toBe(1);
  expect((await read(BATCH)).json.expires_in).toBe(3600);
  expect(upstreams.count()).toBe(2);
});

it.each(["rotate", "keep", "reuse_detection"] as const)("refresh tokens: %s", async (rotation) => {
  upstreams.set({ oauth2: { rotation } });
  const tokens = new Set<string>();
  for (let n = 0; n < 5; n++) tokens.add(await renew());
  expect(tokens.size).toBe(5);
  for (const token of tokens) expect(upstreams.alive(token)).toBe(true);
  expect(upstreams.count({ operation: "refresh", status: 200 })).toBe(5);
  expect(upstreams.alive("rt-crm-0")).toBe(rotation === "keep");
});

it("the newest refresh token is not shown anywhere, and lies sealed", async () => {
  const token = await renew();
  const all = await runInDurableObject(stub(CRM), (_i, { storage }) =>
    JSON.stringify([...storage.kv.list()]),
  );
  expect(all).not.toMatch(/rt-[\w-]{10,}/);
  expect(all).not.toContain(token);
  for (const path of ["", "/status", "/history"])
    expect((await get(`/api/v1/tokens/oauth2/crm${path}`)).text).not.toMatch(/rt-/);
});

it("an answer that was lost takes its refresh token with it: final, said, and mended by a new one", async () => {
  await renew();
  upstreams.fail("oauth2", { fault: "fail_after", how: "reset" });
  refused(await order(CRM), 502, "upstream_unreachable");
  // The token of before is good for its time.
  expect((await read(CRM)).status).toBe(200);
  await later(2 * SECOND);
  await runDue(CRM);
  expect(await status(CRM)).toMatchObject({
    has_token: true,
    status: "needs_attention",
    last_error: { code: "upstream_grant_refused" },
  });
  expect((await history(CRM)).map(({ outcome }) => outcome)).toEqual([
    "upstream_grant_refused",
    "upstream_unreachable",
    "ok",
  ]);
  expect(upstreams.count({ upstream: "oauth2" })).toBe(3);
});

it("where the server keeps the old one good, a lost answer loses nothing", async () => {
  upstreams.set({ oauth2: { rotation: "keep" } });
  upstreams.fail("oauth2", { fault: "fail_after", how: "status" });
  refused(await read(CRM), 502, "upstream_error");
  await later(2 * SECOND);
  expect((await read(CRM)).status).toBe(200);
});

it("without expires_in a token is taken to live an hour", async () => {
  upstreams.set({ oauth2: { expires_in: "missing" } });
  expect((await read(BATCH)).json.expires_in).toBe(3600);
  expect((await stored(BATCH)).held.expires_in).toBeNull();
});

it("a life that is shorter than the buffer is renewed in its last quarter", async () => {
  upstreams.set({ oauth2: { expires_in: 40 } });
  await read(BATCH);
  await told(BATCH);
  const due = ((await alarmAt(BATCH)) ?? 0) - START;
  expect(due).toBeLessThanOrEqual(30 * SECOND);
  expect(due).toBeGreaterThanOrEqual(29 * SECOND);
});

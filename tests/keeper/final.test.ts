// Refusals that are final: passed on as they are, and not tried again by anything but an order.
import { expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { MINUTE, SECOND } from "../support/worker/time.ts";
import {
  mended,
  ACCOUNTS,
  BATCH,
  cron,
  CRM,
  DAILY,
  FACTURIFY,
  FIRST,
  get,
  HOUR,
  keeper,
} from "../support/worker/keeper.ts";
import { later, MINUTELY, order, post, read, runDue, status, upstreams } from "../support/worker/keeper.ts";

keeper();

const TOKEN = "/api/v1/facturify/auth/token";

/** Whatever comes by itself for some hours, and callers who keep asking. */
async function hours(account: string, is: number, code: string): Promise<void> {
  for (let n = 0; n < 6; n++) {
    await later(n < 3 ? MINUTE : HOUR);
    await Promise.all([cron(MINUTELY), cron(DAILY)]);
    await later(SECOND);
    await runDue(account);
    refused(await read(account), is, code);
  }
}

it.each([
  [401, "upstream_credentials_refused"],
  [403, "upstream_credentials_refused"],
  [422, "upstream_input_refused"],
] as const)("Facturify's %i to the key and secret", async (code_of_facturify, code) => {
  upstreams.fail("facturify", { fault: "status", status: code_of_facturify }, { times: "forever" });
  const is = code_of_facturify === 422 ? 422 : 401;
  const first = await get(TOKEN);
  refused(first, is, code);
  expect(first.headers.get("retry-after")).toBeNull();
  expect(first.headers.get("www-authenticate")).toBe(is === 401 ? 'Bearer realm="sallyport"' : null);
  for (let n = 0; n < 5; n++) refused(await get(TOKEN), is, code);
  await hours(FACTURIFY, 502, code);
  refused(await get(TOKEN), is, code);
  expect(upstreams.count({ upstream: "facturify" })).toBe(1);
  expect((await get(`${TOKEN}/status`)).json).toMatchObject({
    has_token: false,
    status: "needs_attention",
    last_error: { code, status: code_of_facturify, failures: 1, at: "2030-01-01T06:00:00.000Z" },
    next_renewal_at: null,
  });
  // An order is a change: somebody wants it tried.
  refused(await post(TOKEN), is, code);
  refused(await post(`${TOKEN}/refresh`), is, code);
  expect(upstreams.count({ upstream: "facturify" })).toBe(3);
  upstreams.heal();
  refused(await get(TOKEN), is, code);
  expect((await post(TOKEN)).status).toBe(200);
  expect((await get(TOKEN)).status).toBe(200);
  expect((await get(`${TOKEN}/status`)).json).toMatchObject({ status: "valid", last_error: null });
});

it("a refused refresh is not final: the credentials are asked about next", async () => {
  await get(TOKEN);
  await later(5 * SECOND);
  upstreams.fail("facturify", { fault: "status", status: 401 }, { operation: "refresh" });
  await runDue(FACTURIFY);
  expect((await get(TOKEN)).status).toBe(200);
  // It is an outage all the same, until a short token is changed for a long one.
  expect(await status(FACTURIFY)).toMatchObject({
    status: "valid",
    last_error: { code: "upstream_token_refused", failures: 1 },
  });
  await mended(FACTURIFY);
  expect((await get(`${TOKEN}/status`)).json).toMatchObject({ status: "valid", expires_in: 43_200 });
});

it("a good token is served although its renewal was refused for good", async () => {
  const { token } = (await get(TOKEN)).json;
  upstreams.fail("facturify", { fault: "status", status: 422 }, { times: "forever" });
  await later(5 * SECOND);
  await runDue(FACTURIFY);
  expect((await get(TOKEN)).json).toEqual({ token, ttl: 235 });
  expect(await status(FACTURIFY)).toMatchObject({ has_token: true, status: "needs_attention" });
  await later(235 * SECOND);
  refused(await get(TOKEN), 422, "upstream_input_refused");
  expect(upstreams.count({ upstream: "facturify" })).toBe(2);
});

it.each([
  ["invalid_client", 401, "upstream_credentials_refused"],
  ["unauthorized_client", 400, "upstream_credentials_refused"],
  ["invalid_grant", 400, "upstream_grant_refused"],
  ["invalid_scope", 400, "upstream_input_refused"],
] as const)("OAuth 2.0 says %s", async (error, is, code) => {
  const fault = { fault: "status", status: is, json: { error } } as const;
  upstreams.fail("oauth2", fault, { account: "crm", times: "forever" });
  refused(await read(CRM), 502, code);
  await hours(CRM, 502, code);
  expect(upstreams.count({ upstream: "oauth2", account: "crm" })).toBe(1);
  expect(await status(CRM)).toMatchObject({ status: "needs_attention" });
  // The other account carries on.
  expect((await read(BATCH)).status).toBe(200);
  upstreams.heal();
  expect((await order(CRM)).status).toBe(200);
});

it("an error that OAuth 2.0 does not know is not final", async () => {
  const fault = { fault: "status", status: 400, json: { error: "temporarily_unavailable" } } as const;
  upstreams.fail("oauth2", fault, { account: "crm" });
  refused(await read(CRM), 502, "upstream_unintelligible");
  expect(await status(CRM)).toMatchObject({ status: "missing", last_error: { failures: 1 } });
  await later(2 * SECOND);
  expect((await read(CRM)).status).toBe(200);
});

it.each([401, 403])("the token service's %i", async (is) => {
  upstreams.fail("tokens", { fault: "status", status: is }, { account: "agnidata001", times: "forever" });
  refused(await read(FIRST), 502, "upstream_credentials_refused");
  await hours(FIRST, 502, "upstream_credentials_refused");
  expect(upstreams.count({ upstream: "tokens", account: "agnidata001" })).toBe(1);
  expect((await get("/token/status")).json).toMatchObject({ status: "needs_attention" });
  // The others carry on, also at eight in the morning.
  for (const account of ACCOUNTS.slice(2, 4)) expect((await read(account)).status).toBe(200);
  // A token that somebody brings mends it.
  const access_token = await upstreams.issueToken("agnidata001");
  expect((await post("/token/update", { access_token })).status).toBe(200);
  expect((await get("/token/status")).json).toMatchObject({ status: "valid", last_error: null });
});

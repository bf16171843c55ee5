// The last hundred operations of an account: what, who, how it went; nothing secret.
import { expect, it } from "vitest";
import { api } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import { SECOND } from "../support/worker/time.ts";
import { FACTURIFY, FIRST, get, history, keeper, later, order, post } from "../support/worker/keeper.ts";
import { read, runDue, service, upstreams } from "../support/worker/keeper.ts";

keeper();

it("has every operation, newest first, by the routes of each provider", async () => {
  const named = await makeKey({ name: "billing", scopes: ["tokens:write"] });
  await service("GET", "/api/v1/facturify/auth/token", { headers: { "x-request-id": "first-read" } });
  await later(5 * SECOND);
  await runDue(FACTURIFY);
  await api("POST", "/api/v1/facturify/auth/token", {
    token: named.key,
    headers: { "x-request-id": "by-billing" },
  });
  upstreams.fail("facturify", { fault: "status", status: 503 }, { operation: "refresh" });
  await post("/api/v1/facturify/auth/token/refresh");
  const answer = await get("/api/v1/facturify/auth/token/history");
  expect(answer.json).toEqual({
    provider: "facturify",
    account_id: "default",
    operations: [
      {
        at: "2030-01-01T06:00:05.000Z",
        operation: "refresh",
        outcome: "upstream_error",
        who: "key:a service",
        request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        calls: 1,
        status: 503,
        expires_at: null,
      },
      {
        at: "2030-01-01T06:00:05.000Z",
        operation: "obtain",
        outcome: "ok",
        who: "key:billing",
        request_id: "by-billing",
        calls: 1,
        status: null,
        expires_at: "2030-01-01T06:04:05.000Z",
      },
      {
        at: "2030-01-01T06:00:05.000Z",
        operation: "renew",
        outcome: "ok",
        who: "alarm",
        request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        calls: 1,
        status: null,
        expires_at: "2030-01-01T18:00:05.000Z",
      },
      {
        at: "2030-01-01T06:00:00.000Z",
        operation: "renew",
        outcome: "ok",
        who: "key:a service",
        request_id: "first-read",
        calls: 1,
        status: null,
        expires_at: "2030-01-01T06:04:00.000Z",
      },
    ],
  });
  expect((await get("/api/v1/tokens/facturify/default/history")).json).toEqual(answer.json);
  const none = await get("/accounts/agnidata001/history");
  expect(none.json).toEqual({ provider: "upstox", account_id: "agnidata001", operations: [] });
});

it("holds nothing secret, whatever was done", async () => {
  const code = upstreams.issueCode("agnidata001");
  const given = await upstreams.issueToken("agnidata001");
  await post("/accounts/agnidata001/token/exchange", { code });
  await post("/accounts/agnidata001/token/exchange", { code: "used-or-wrong" });
  await post("/token/update", { access_token: given });
  await post("/token/update", { access_token: "forged-token" });
  const { access_token } = (await order(FIRST)).json;
  const { text } = await get("/accounts/agnidata001/history");
  expect(JSON.parse(text).operations).toHaveLength(5);
  for (const secret of [code, given, access_token, "used-or-wrong", "forged-token", "app-secret"])
    expect(text).not.toContain(secret);
});

it("a read is no operation", async () => {
  for (let n = 0; n < 5; n++) await read(FIRST);
  expect(await history(FIRST)).toHaveLength(1);
});

// Upstox tokens that a caller gives, and the check of one.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { SECOND } from "../support/worker/time.ts";
import { FIRST, get, history, HOUR, keeper, later } from "../support/worker/keeper.ts";
import { post, runDue, stored, told, upstreams } from "../support/worker/keeper.ts";

keeper();

const A1 = "/accounts/agnidata001";
const END = "2030-01-02T03:30:00+05:30";
const USER = upstreams.app("agnidata001").user_id;
const status = async () => (await get(`${A1}/token/status`)).json;
const issue = () => upstreams.issueToken("agnidata001");

describe("update", () => {
  it("takes over what Upstox accepts, also without account_id in the body", async () => {
    const access_token = await issue();
    const answer = await post(`${A1}/token/update`, { access_token, expires_at: "2030-01-02T23:59:59Z" });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toEqual({
      success: true,
      message: "Token updated successfully",
      account_id: "agnidata001",
      expires_at: END,
      source: "manual",
      user_id: USER,
    });
    expect(upstreams.calls).toMatchObject([{ operation: "profile", account: "agnidata001", status: 200 }]);
    expect((await get(`${A1}/token`)).json).toMatchObject({ access_token, source: "manual" });
    expect(await history(FIRST)).toMatchObject([{ operation: "adopt", outcome: "ok", calls: 1 }]);
  });

  it("by the route without an id, the body says which", async () => {
    const access_token = await upstreams.issueToken("agnidata002");
    const body = { access_token, account_id: "agnidata002" };
    expect((await post("/token/update", body)).json.account_id).toBe("agnidata002");
    expect((await get("/accounts/agnidata002/token")).json.access_token).toBe(access_token);
    refused(await post(`${A1}/token/update`, body), 422, "validation_error");
    expect((await post(`${A1}/token/update`, body)).json.errors).toMatchObject([{ field: "account_id" }]);
  });

  it("what Upstox refuses is 422, and nothing is stored", async () => {
    const good = await issue();
    await post("/token/update", { access_token: good });
    await told(FIRST);
    const before = await stored(FIRST);
    refused(await post("/token/update", { access_token: "forged" }), 422, "upstream_token_refused");
    refused(await post("/token/update", { access_token: `${good}x` }), 422, "upstream_token_refused");
    await told(FIRST);
    expect({ ...(await stored(FIRST)), calls: [] }).toEqual(before);
    expect((await get(`${A1}/token`)).json.access_token).toBe(good);
    expect(await status()).toMatchObject({ status: "valid", last_error: null });
  });

  it.each([
    ["503", { fault: "status", status: 503 }, 502, "upstream_error"],
    ["silence", { fault: "hang" }, 504, "upstream_timeout"],
  ] as const)("Upstox says %s: it is unknown, and nothing is stored", async (_what, fault, is, code) => {
    upstreams.fail("upstox", fault);
    refused(await post("/token/update", { access_token: await issue() }), is, code);
    expect(await status()).toMatchObject({ has_token: false, status: "missing", last_error: null });
    expect((await env.KV.get("upstox_access_token:agnidata001")) ?? null).toBeNull();
  });

  it.each([
    ["access_token", {}],
    ["access_token", { access_token: "" }],
    ["access_token", { access_token: 1 }],
    ["access_token", { access_token: "a b" }],
    ["access_token", { access_token: "a\nb" }],
    ["access_token", { access_token: "x".repeat(8193) }],
    ["expires_at", { access_token: "x", expires_at: "tomorrow" }],
    ["expires_at", { access_token: "x", expires_at: "2029-12-31T00:00:00Z" }],
    ["expires_at", { access_token: "x", expires_at: 1 }],
    ["account_id", { access_token: "x", account_id: 7 }],
  ])("the field %s is wrong: 422, and Upstox is not asked", async (field, body) => {
    const answer = await post("/token/update", body);
    refused(answer, 422, "validation_error");
    expect(answer.json.errors).toMatchObject([{ field }]);
    expect(upstreams.calls).toEqual([]);
  });
});

describe("validate", () => {
  const validate = () => get(`${A1}/token/validate`);
  const shape = { account_id: "agnidata001", checked_at: "2030-01-01T11:30:00+05:30", expires_at: END };

  it("valid, then refused", async () => {
    await get(`${A1}/token`);
    const good = await validate();
    expect(good.json).toEqual({ ...shape, valid: true, reason: null, user_id: USER });
    upstreams.revoke("upstox", "agnidata001");
    const bad = await validate();
    expect([bad.status, bad.json.valid, bad.json.reason]).toEqual([200, false, "refused"]);
    // Refused is ended: a new one is due.
    expect(await status()).toMatchObject({
      has_token: false,
      last_check: { outcome: "upstream_token_refused" },
    });
    await later(SECOND);
    expect(await runDue(FIRST)).toBe(1);
    expect((await validate()).json.valid).toBe(true);
  });

  it("missing and expired are known without a call", async () => {
    expect((await validate()).json).toMatchObject({ valid: false, reason: "missing", expires_at: null });
    await get(`${A1}/token`);
    await later(16 * HOUR);
    upstreams.clearCalls();
    expect((await validate()).json).toMatchObject({ valid: false, reason: "expired", expires_at: END });
    expect(upstreams.calls).toEqual([]);
  });

  it("unknown is neither: 502, and the token stays", async () => {
    const { access_token } = (await get(`${A1}/token`)).json;
    upstreams.fail("upstox", { fault: "status", status: 500 });
    refused(await validate(), 502, "upstream_error");
    expect((await get(`${A1}/token`)).json.access_token).toBe(access_token);
    expect(await status()).toMatchObject({ status: "valid", last_check: { outcome: "upstream_error" } });
  });
});

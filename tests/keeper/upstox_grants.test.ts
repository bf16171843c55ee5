// Upstox tokens by an authorization code, and by the notifier webhook after an approval.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { FIRST, get, history, HOUR, keeper, later } from "../support/worker/keeper.ts";
import { post, runDue, told, upstreams } from "../support/worker/keeper.ts";

keeper();

const A1 = "/accounts/agnidata001";
const END = "2030-01-02T03:30:00+05:30";
const USER = upstreams.app("agnidata001").user_id;
const status = async () => (await get(`${A1}/token/status`)).json;
const upstoxCalls = () =>
  upstreams.calls.filter((c) => c.upstream === "upstox").map((c) => `${c.operation} ${c.status}`);

describe("the exchange of a code", () => {
  const exchange = (body: unknown) => post(`${A1}/token/exchange`, body);

  it("gives a token", async () => {
    const answer = await exchange({ code: upstreams.issueCode("agnidata001") });
    expect(answer.json).toEqual({
      success: true,
      message: "Token obtained successfully",
      account_id: "agnidata001",
      expires_at: END,
      source: "exchange",
      user_id: USER,
    });
    expect(upstoxCalls()).toEqual(["token 200"]);
    expect(upstreams.alive((await get(`${A1}/token`)).json.access_token)).toBe(true);
  });

  it.each([401, 400] as const)("a bad code is 422, and is tried once (%i)", async (bad_code_status) => {
    upstreams.set({ upstox: { bad_code_status } });
    refused(await exchange({ code: "nonsense" }), 422, "upstream_grant_refused");
    expect(upstoxCalls()).toEqual([`token ${bad_code_status}`]);
    expect(await status()).toMatchObject({ status: "missing", last_error: null });
  });

  it.each([
    [{ fault: "fail_after", how: "status" }, 502, "upstream_error"],
    [{ fault: "fail_after", how: "reset" }, 502, "upstream_unreachable"],
    [{ fault: "fail_after", how: "hang" }, 504, "upstream_timeout"],
    [{ fault: "half_json" }, 502, "upstream_unintelligible"],
  ] as const)("a code whose answer was lost (%o) is not tried again, by nobody", async (fault, is, code) => {
    upstreams.fail("upstox", fault, { operation: "token" });
    refused(await exchange({ code: upstreams.issueCode("agnidata001") }), is, code);
    await told(FIRST);
    await later(HOUR);
    await runDue(FIRST);
    expect(upstreams.count({ upstream: "upstox", operation: "token" })).toBe(1);
  });

  it("a code of somebody else is refused, and a missing one is 422", async () => {
    refused(await exchange({ code: upstreams.issueCode("agnidata002") }), 422, "upstream_grant_refused");
    expect((await exchange({})).json.errors).toMatchObject([{ field: "code" }]);
    expect((await exchange({ code: "x", redirect_uri: 1 })).json.errors).toMatchObject([
      { field: "redirect_uri" },
    ]);
    expect(upstoxCalls()).toHaveLength(1);
  });
});

describe("the request and the notifier", () => {
  const path = (secret = env.UPSTOX_NOTIFIER_SECRET) => `/upstox/notifier/${secret}`;
  const notify = (url: string, payload: Record<string, unknown> = {}) =>
    upstreams.approve("agnidata001", `https://sallyport.test${url}`, { force: true, payload });

  it("asks for approval; the token comes by the webhook", async () => {
    const asked = await post(`${A1}/token/request`);
    expect(asked.status).toBe(202);
    expect(asked.json).toEqual({
      success: true,
      message: "Approval requested",
      account_id: "agnidata001",
      approval_until: END,
    });
    expect(await status()).toMatchObject({ status: "awaiting_approval", approval_until: END });
    const came = await upstreams.approve("agnidata001", `https://sallyport.test${path()}`);
    expect(came).toBe(200);
    expect(upstoxCalls()).toEqual(["token_request 200", "profile 200"]);
    expect(await status()).toMatchObject({
      has_token: true,
      source: "notifier",
      user_id: USER,
      approval_until: null,
    });
    expect((await history(FIRST)).map(({ operation, who }) => [operation, who])).toEqual([
      ["adopt", "notifier"],
      ["request", "key:a service"],
    ]);
  });

  it("a wrong secret is no route at all", async () => {
    const secret = env.UPSTOX_NOTIFIER_SECRET;
    for (const wrong of ["x", secret.slice(0, -1), `${secret}A`, secret.toUpperCase()]) {
      expect(await notify(path(wrong))).toBe(404);
      expect((await api("POST", path(wrong), { body: {} })).json.code).toBe("not_found");
    }
    expect(upstreams.calls).toEqual([]);
  });

  it.each([
    ["a token of another user", { access_token: "agnidata002" }, 422, ["profile 200"]],
    ["a forged token", { access_token: "forged" }, 422, ["profile 401"]],
    ["another user of this app", { user_id: "ZZZZZZ" }, 422, ["profile 200"]],
    ["an app that nobody has", { client_id: "client-x" }, 404, []],
    ["no token", { access_token: null }, 422, []],
    ["a token with a space in it", { access_token: "a b" }, 422, []],
  ])("%s is refused, and nothing is stored", async (_what, given, code, calls) => {
    const payload: Record<string, unknown> = given;
    if (payload.access_token === "agnidata002")
      payload.access_token = await upstreams.issueToken("agnidata002");
    expect(await notify(path(), payload)).toBe(code);
    expect(upstoxCalls()).toEqual(calls);
    expect(await status()).toMatchObject({ has_token: false });
  });

  it("while Upstox cannot say, it is 502 and nothing is stored: the sender comes again", async () => {
    upstreams.fail("upstox", { fault: "status", status: 503 }, { operation: "profile" });
    expect(await notify(path())).toBe(502);
    expect(await status()).toMatchObject({ has_token: false });
    expect(await notify(path())).toBe(200);
    expect(await status()).toMatchObject({ has_token: true });
  });

  it("needs no service key, and nothing but JSON", async () => {
    const raw = "x=1";
    refused(
      await api("POST", path(), { raw, headers: { "content-type": "text/plain" } }),
      415,
      "unsupported_media_type",
    );
    refused(await api("GET", path()), 404, "not_found");
  });

  it("a request that Upstox refuses is ours to mend: 502", async () => {
    upstreams.fail("upstox", { fault: "status", status: 401 }, { operation: "token_request" });
    refused(await post(`${A1}/token/request`), 502, "upstream_credentials_refused");
    expect(await status()).toMatchObject({ status: "missing", approval_until: null });
  });
});

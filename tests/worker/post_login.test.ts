// Post-login sessions: the two routes, their bodies and their refusals.
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import {
  asked,
  call,
  fakeBank,
  freshCif,
  init,
  INIT,
  initBody,
  protectedRoute,
  renew,
  RENEW,
  tryInit,
  tryRenew,
  upstreams,
} from "../support/worker/post_login.ts";
import { claimsOf, headerOf, sign } from "../support/worker/tokens.ts";
import { refresh, someone } from "../support/worker/users.ts";

fakeBank();

it("init-session → protected → renew-token → protected, as the earlier clients do it", async () => {
  const first = await tryInit("1234567890");
  expect([first.status, first.headers.get("pragma")]).toEqual([200, "no-cache"]);
  expect(first.json).toEqual({
    token: expect.any(String),
    refreshToken: expect.any(String),
    message: "SME session initialized successfully",
  });
  const { token, refreshToken } = first.json;
  expect(claimsOf(token)).toMatchObject({ sub: "VPB-SME-1234567890", gen: 0 });
  expect([headerOf(token).typ, headerOf(refreshToken).typ]).toEqual(["at+jwt", "rt+jwt"]);
  expect(Number(claimsOf(refreshToken).exp) - Number(claimsOf(refreshToken).iat)).toBe(3600);
  const both = ["aud", "exp", "gen", "iat", "iss", "jti", "nbf", "sid", "sub"];
  expect(Object.keys(claimsOf(refreshToken)).sort()).toEqual(both);
  expect(Object.keys(claimsOf(token)).sort()).toEqual(["aud", "auth_time", ...both.slice(1)]);

  expect((await protectedRoute(token)).json).toEqual({ message: "Hello VPB-SME-1234567890!" });
  const next = await renew(refreshToken);
  expect(next.message).toBe("SME token renewed successfully");
  expect([next.token, next.refreshToken]).not.toContain(token);
  expect(next.refreshToken).not.toBe(refreshToken);
  expect((await protectedRoute(next.token)).status).toBe(200);
  expect(asked("1234567890")).toBe(2);
});

it("the call to the bank is that of the contract", async () => {
  const cif = freshCif();
  const body = JSON.stringify(initBody(cif));
  const headers = { "content-type": "application/json", "x-request-id": "from-the-caller" };
  expect((await api("POST", INIT, { raw: body, headers })).status).toBe(200);
  expect(upstreams.calls.at(-1)).toMatchObject({ status: 200, request_id: "from-the-caller", account: cif });
});

it.each([
  ["sme", "SME", 1],
  ["1", "SME", 1],
  ["retail", "RETAIL", 0],
  ["2", "RETAIL", 0],
])("channel %s is of %s", async (channelId, unit, calls) => {
  const cif = freshCif();
  const { token, message } = await init(cif, { payload: { channelId } });
  expect(message).toBe(`${unit} session initialized successfully`);
  expect(claimsOf(token).sub).toBe(`VPB-${unit}-${cif}`);
  expect(asked(cif)).toBe(calls);
});

it("a channel without a verifier cannot renew, and loses nothing by trying", async () => {
  const { token, refreshToken } = await init(freshCif(), { payload: { channelId: "retail" } });
  for (let n = 0; n < 2; n++) refused(await tryRenew(refreshToken), 400, "channel_without_verifier");
  expect((await protectedRoute(token)).status).toBe(200);
});

it("a channel that is none is 400, one that nobody knows 404", async () => {
  for (const payload of [undefined, null, {}, { channelId: null }, { channelId: "" }, { channelId: " " }]) {
    const answer = await tryInit(freshCif(), { payload });
    refused(answer, 400, "invalid_channel_id");
    expect(answer.json.detail).toBe("Invalid channel id");
  }
  for (const channelId of ["x7", "SME", "sme ", "__proto__", 'a"b\\\n<c>']) {
    const answer = await tryInit(freshCif(), { payload: { channelId } });
    refused(answer, 404, "channel_not_found");
    expect(answer.json.detail).toBe(`Cannot find channel with id ${channelId}`);
  }
  const spanish = { ...initBody(freshCif(), { payload: { channelId: "x7" } }), language: "es" };
  expect((await call(INIT, spanish)).json.detail).toBe("No se encontró ningún canal con el identificador x7");
});

it.each([
  ["nothing", {}, ["data"]],
  ["null", { data: null }, ["data"]],
  ["no object", { data: "x" }, ["data", "data.cif", "data.tokenKey"]],
  ["no fields", { data: {} }, ["data.cif", "data.tokenKey"]],
  ["no customer", initBody(""), ["data.cif"]],
  ["a number for a customer", initBody("1", { cif: 1 }), ["data.cif"]],
  ["a path", initBody("../1"), ["data.cif"]],
  ["a line break", initBody("1\n2", { tokenKey: "t" }), ["data.cif"]],
  ["another prefix", initBody("session:1"), ["data.cif"]],
  ["a long customer", initBody("1".repeat(65)), ["data.cif"]],
  ["no token", initBody("1", { tokenKey: "" }), ["data.tokenKey"]],
  ["a token with a line break", initBody("1", { tokenKey: "a\r\nx-user-id: 2" }), ["data.tokenKey"]],
  ["a token in another script", initBody("1", { tokenKey: "é" }), ["data.tokenKey"]],
  ["a long token", initBody("1", { tokenKey: "x".repeat(8193) }), ["data.tokenKey"]],
  ["a list for a channel", initBody("1", { payload: { channelId: [1] } }), ["data.payload.channelId"]],
  ["a list for the payload", initBody("1", { payload: [] }), ["data.payload"]],
  ["text for the customer's data", initBody("1", { basicCustomerInfo: "x" }), ["data.basicCustomerInfo"]],
  [
    "a number for a name",
    initBody("1", { basicCustomerInfo: { customer_name: 1 } }),
    ["data.basicCustomerInfo.customer_name"],
  ],
])("%s: 422, and the fields are named", async (_what, body, fields) => {
  const answer = await call(INIT, body);
  refused(answer, 422, "validation_error");
  expect(answer.json.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
  expect(upstreams.count({ upstream: "sme" })).toBe(0);
});

it("the customer's data may be left out", async () => {
  await init(freshCif(), { basicCustomerInfo: undefined });
  await init(freshCif(), { basicCustomerInfo: { customer_id: null } });
});

it("a renewal needs a refresh token", async () => {
  for (const body of [{}, { data: null }, { data: {} }, { data: { refreshToken: "" } }]) {
    const answer = await call(RENEW, body);
    refused(answer, 400, "refresh_token_required");
    expect(answer.json.detail).toBe("Refresh token is required");
  }
  refused(await tryRenew(7), 422, "validation_error");
  refused(await tryRenew("x".repeat(4097)), 422, "validation_error");
  refused(await tryRenew("x"), 401, "token_invalid");
});

it("access and refresh tokens are not interchangeable, and neither are the two kinds of session", async () => {
  const { token, refreshToken } = await init();
  refused(await tryRenew(token), 401, "token_invalid");
  refused(await protectedRoute(refreshToken), 401, "token_invalid");
  refused(await refresh(refreshToken), 401, "token_invalid");
  const { tokens } = await someone();
  refused(await tryRenew(tokens.refresh_token), 401, "token_invalid");
  refused(await tryRenew(tokens.access_token), 401, "token_invalid");
  // Nothing of that did any harm.
  await renew(refreshToken);
  expect((await refresh(tokens.refresh_token)).status).toBe(200);
});

it("a session that nobody knows any more is 404", async () => {
  const { refreshToken } = await init();
  const sid = env.SESSION.newUniqueId().toString();
  const unknown = await sign(headerOf(refreshToken), { ...claimsOf(refreshToken), sid });
  const answer = await tryRenew(unknown);
  refused(answer, 404, "session_not_found");
  expect(answer.json.detail).toBe("Session not found");
});

it("another customer's token is refused, whoever the bank says that it is", async () => {
  for (const [user_id, status] of [
    ["given", 200],
    ["number", 200],
    ["missing", 200],
    ["other", 401],
  ] as const) {
    upstreams.set({ sme: { user_id } });
    const answer = await tryInit(freshCif());
    expect([user_id, answer.status]).toEqual([user_id, status]);
    if (status === 401) refused(answer, 401, "external_token_invalid");
  }
});

it.each([
  ["expired", { tokenKey: "expired-1" }, "external_token_expired"],
  ["refused", { tokenKey: "invalid-1" }, "external_token_invalid"],
])("a token that is %s at the beginning begins nothing", async (_what, more, code) => {
  const answer = await tryInit(freshCif(), more);
  refused(answer, 401, code);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="sallyport", error="invalid_token"');
});

it("nothing said of the expiry is an expiry", async () => {
  upstreams.set({ sme: { is_expire: "missing" } });
  refused(await tryInit(freshCif()), 401, "external_token_expired");
});

it("GET /api/v1/postlogin/health", async () => {
  const answer = await api("GET", "/api/v1/postlogin/health");
  expect([answer.status, answer.json]).toEqual([200, { status: "healthy", service: "postlogin" }]);
  expect((await api("HEAD", "/api/v1/postlogin/health")).status).toBe(200);
  refused(await api("POST", "/api/v1/postlogin/health"), 405, "method_not_allowed");
  refused(await api("GET", INIT), 405, "method_not_allowed");
  refused(await api("GET", "/api/v1/postlogin/nothing"), 404, "not_found");
});

it("the mock is not there, by any method", async () => {
  const path = "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session";
  for (const method of ["POST", "GET", "OPTIONS", "DELETE"]) {
    const headers = { "x-session-token": "t", "x-user-id": "1" };
    const answer = await api(method, path, { headers });
    refused(answer, 404, "not_found");
    expect(answer.headers.get("allow")).toBeNull();
  }
});

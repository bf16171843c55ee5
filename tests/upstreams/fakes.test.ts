// Each fake does what is known of its third party, and follows its switches.
import { beforeEach, describe, expect, test } from "vitest";
import { nextHalfPastThreeIst } from "./clock.ts";
import { base64, hmac } from "./crypto.ts";
import {
  AUTH,
  CLIENT,
  KEYS,
  NOON,
  REFRESH,
  auth,
  call,
  claims,
  exchange,
  fresh,
  grant,
  posted,
  profile,
  read,
  refresh,
  rotated,
  upstreams,
} from "../support/process/fake_calls.ts";

beforeEach(() => fresh());

describe("facturify", () => {
  test("gives a short token for the key, and a long one for the token, which it ends", async () => {
    const short = await auth();
    expect(short.json).toEqual({
      message: expect.any(String),
      jwt: { token: expect.any(String), expires_in: 240 },
    });
    const token = short.json.jwt.token;
    expect(claims(token)).toMatchObject({ iat: NOON / 1000, exp: NOON / 1000 + 240, nbf: NOON / 1000 });
    const long = await call("GET", REFRESH, { token });
    expect(long.json.jwt.expires_in).toBe(43_200);
    expect([upstreams.alive(token), upstreams.alive(long.json.jwt.token)]).toEqual([false, true]);
    expect((await call("GET", REFRESH, { token })).json).toEqual({ message: "Unauthenticated.", code: null });
    upstreams.advance(43_200_000);
    expect((await call("GET", REFRESH, { token: long.json.jwt.token })).status).toBe(401);
  });

  test("refuses wrong keys with 401, missing ones with 422, the other method with 405", async () => {
    expect((await call("POST", AUTH, { json: { ...KEYS, api_secret: "x" } })).status).toBe(401);
    const invalid = await call("POST", AUTH, { json: { api_key: 7 } });
    expect(invalid.status).toBe(422);
    expect(invalid.json.code).toBe(33);
    expect(invalid.json.errors.map(({ field }: { field: string }) => field)).toEqual([
      "api_key",
      "api_secret",
    ]);
    const other = await call("POST", REFRESH, { token: (await auth()).json.jwt.token });
    expect([other.status, other.headers.get("allow")]).toEqual([405, "GET"]);
  });

  test("follows its switches", async () => {
    upstreams.set({ facturify: { refresh_method: "POST", refresh_kills_old: false, jwt_exp: "half" } });
    const token = (await auth()).json.jwt.token;
    expect((await call("POST", REFRESH, { token })).status).toBe(200);
    expect(upstreams.alive(token)).toBe(true);
    upstreams.advance(120_000);
    expect(upstreams.alive(token)).toBe(false);
  });
});

describe("upstox", () => {
  test.each([
    ["2030-01-01T14:30:00Z", "2030-01-01T22:00:00Z"],
    ["2030-01-01T21:00:00Z", "2030-01-01T22:00:00Z"],
    ["2030-01-01T21:59:59.999Z", "2030-01-01T22:00:00Z"],
    ["2030-01-01T22:00:00Z", "2030-01-02T22:00:00Z"],
  ])("a token of %s ends at %s", (issued, ends) => {
    expect(nextHalfPastThreeIst(Date.parse(issued))).toBe(Date.parse(ends));
  });

  test("exchanges a code once, for a token that ends at 03:30 IST", async () => {
    const code = upstreams.issueCode("agnidata001");
    const { json } = await exchange({ code });
    expect(json).toMatchObject({ user_id: upstreams.app("agnidata001").user_id, extended_token: null });
    expect(claims(json.access_token)).toMatchObject({
      iss: "udapi-gateway-service",
      exp: NOON / 1000 + 36_000,
    });
    expect((await profile(json.access_token)).json).toMatchObject({
      status: "success",
      data: { user_id: json.user_id, broker: "UPSTOX", is_active: true },
    });
    expect((await exchange({ code })).json.errors[0].errorCode).toBe("UDAPI100057");
    upstreams.advance(36_000_000);
    expect((await profile(json.access_token)).status).toBe(401);
  });

  test("a failed exchange uses the code up", async () => {
    upstreams.set({ upstox: { bad_code_status: 400 } });
    const code = upstreams.issueCode("agnidata001");
    expect((await exchange({ code, client_secret: "wrong" })).status).toBe(401);
    const again = await exchange({ code });
    expect([again.status, again.json.errors[0].error_code]).toEqual([400, "UDAPI100057"]);
    const anothers = upstreams.issueCode("agnidata002");
    expect((await exchange({ code: anothers })).json.errors[0].error_code).toBe("UDAPI100057");
  });

  test("a logout and a new token end tokens; keys of errors as the switch says", async () => {
    const one = await upstreams.issueToken("agnidata001");
    const two = await upstreams.issueToken("agnidata001");
    expect((await call("DELETE", "/upstox/v2/logout", { token: one })).json).toEqual({
      status: "success",
      data: true,
    });
    expect([upstreams.alive(one), upstreams.alive(two)]).toEqual([false, true]);
    upstreams.set({ upstox: { new_token_ends_old: true, error_keys: "snake" } });
    await upstreams.issueToken("agnidata001");
    expect((await profile(two)).json.errors).toEqual([
      {
        error_code: "UDAPI100050",
        message: "Invalid token used to access API",
        property_path: null,
        invalid_value: null,
      },
    ]);
    expect((await profile()).status).toBe(401);
  });

  test("a token request is approved by the user, and the notifier gets the token", async () => {
    const { client_id, client_secret, user_id } = upstreams.app("agnidata002");
    const path = `/upstox/v3/login/auth/token/request/${client_id}`;
    expect(await upstreams.approve("agnidata002", "http://127.0.0.1/n")).toBe(undefined);
    const { json } = await call("POST", path, { json: { client_secret } });
    expect(json.data).toEqual({
      authorization_expiry: String(NOON + 86_400_000),
      notifier_url: expect.stringContaining("agnidata002"),
    });
    expect(await upstreams.approve("agnidata002", "http://127.0.0.1/n")).toBe(200);
    const { access_token, ...rest } = posted[0]?.body;
    expect(upstreams.alive(access_token)).toBe(true);
    expect(rest).toEqual({
      ...{ client_id, user_id, token_type: "Bearer", message_type: "access_token" },
      ...{ expires_at: String(NOON + 36_000_000), issued_at: String(NOON) },
    });
  });
});

describe("tokens", () => {
  test("keeps a token for each account, and mints another", async () => {
    upstreams.set({ upstox: { new_token_ends_old: true } });
    const [one, same] = await Promise.all([read("agnidata001"), read("agnidata001")]);
    expect(one.json).toMatchObject({
      success: true,
      account_id: "agnidata001",
      expires_at: "2030-01-01T22:00:00.000Z",
    });
    expect(same.json.access_token).toBe(one.json.access_token);
    expect((await profile(one.json.access_token)).status).toBe(200);
    const two = await refresh("agnidata001");
    expect(two.json.access_token).not.toBe(one.json.access_token);
    expect((await read("agnidata001")).json.access_token).toBe(two.json.access_token);
    expect((await read("nobody")).status).toBe(404);
  });

  test("follows its switches, of one account or of all", async () => {
    upstreams.set({
      tokens: { expires_at: "ist", of: { agnidata002: { initial: "dead", refresh_body: "empty" } } },
    });
    upstreams.set({ tokens: { of: { agnidata003: { initial: "none" } } } });
    expect((await read("agnidata001")).json.expires_at).toBe("2030-01-02T03:30:00+05:30");
    expect((await profile((await read("agnidata002")).json.access_token)).status).toBe(401);
    expect((await refresh("agnidata002")).text).toBe("");
    expect((await profile((await read("agnidata002")).json.access_token)).status).toBe(200);
    expect((await read("agnidata003")).json.success).toBe(false);
    upstreams.set({ tokens: { accounts: "any", success: "missing" } });
    const any = (await read("acc-1500")).json;
    expect([any.success, (await profile(any.access_token)).json.data.user_name]).toEqual([
      undefined,
      "ACC-1500",
    ]);
  });
});

describe("oauth2", () => {
  test("gives tokens to clients, by either way of showing the secret", async () => {
    const body = await grant({ ...CLIENT, grant_type: "client_credentials", scope: "a b" });
    expect(body.json).toEqual({
      ...{ access_token: expect.any(String), token_type: "Bearer", expires_in: 3600, scope: "a b" },
    });
    const authorization = `Basic ${btoa("crm:crm-secret")}`;
    const header = await grant({ grant_type: "client_credentials" }, { authorization });
    const token = header.json.access_token;
    expect((await call("GET", "/oauth2/resource", { token })).json).toEqual({ client: "crm" });
    upstreams.advance(3_600_000);
    expect((await call("GET", "/oauth2/resource", { token })).status).toBe(401);
  });

  test("refuses as RFC 6749 says", async () => {
    const client = await grant({ ...CLIENT, client_secret: "x", grant_type: "client_credentials" });
    expect([client.status, client.json.error]).toEqual([401, "invalid_client"]);
    expect(client.headers.get("www-authenticate")).toContain("Basic");
    expect((await grant({ ...CLIENT, grant_type: "password" })).json.error).toBe("unsupported_grant_type");
    expect((await rotated("nonsense")).json.error).toBe("invalid_grant");
    expect((await call("POST", "/oauth2/token", { json: CLIENT })).json.error).toBe("invalid_request");
  });

  test("rotates, keeps, or detects reuse", async () => {
    const first = (await rotated("rt-crm-0")).json;
    expect([(await rotated("rt-crm-0")).status, upstreams.alive(first.refresh_token)]).toEqual([400, true]);
    upstreams.set({ oauth2: { rotation: "reuse_detection", expires_in: "missing" } });
    const second = (await rotated(first.refresh_token)).json;
    expect(second.expires_in).toBe(undefined);
    expect((await rotated(first.refresh_token)).json.error).toBe("invalid_grant");
    expect([upstreams.alive(second.refresh_token), upstreams.alive(second.access_token)]).toEqual([
      false,
      false,
    ]);
    upstreams.reset();
    upstreams.set({ oauth2: { rotation: "keep" } });
    expect((await rotated("rt-crm-0")).json.refresh_token).toBe(undefined);
    expect((await rotated("rt-crm-0")).status).toBe(200);
  });
});

describe("alerts", () => {
  const send = async (id: string, secret = "whsec-local-0123456789abcdefghijklmnop") => {
    const [timestamp, body] = [String(NOON / 1000), '{"type":"account.failed"}'];
    const signature = base64(await hmac(secret, "SHA-256", `${id}.${timestamp}.${body}`));
    const headers = {
      ...{ "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` },
    };
    return call("POST", "/alerts", { json: JSON.parse(body), headers });
  };

  test("are recorded, their signature checked, duplicates marked", async () => {
    expect((await send("a1")).status).toBe(204);
    expect((await send("a1")).status).toBe(204);
    expect((await send("a2", "wrong")).status).toBe(401);
    upstreams.set({ alerts: { status: 503 } });
    expect((await send("a3")).status).toBe(503);
    upstreams.set({ alerts: { status: 204 } });
    await send("a3");
    expect(
      upstreams.alerts.map(({ id, verified, duplicate, timely }) => [id, verified, duplicate, timely]),
    ).toEqual([
      ["a1", true, false, true],
      ["a1", true, true, true],
      ["a2", false, false, true],
      ["a3", true, false, true],
      ["a3", true, false, true],
    ]);
  });

  test("a secret of the form whsec_ is base64", async () => {
    fresh({ alertSecret: `whsec_${btoa("abc")}` });
    expect((await send("a1", "abc")).status).toBe(204);
  });
});

describe("sme", () => {
  const PATH = "/sme/corporate/relationship-management/marketing/v1/customer/validate-session";
  const ask = (token: string, more = {}) => {
    const headers = { apikey: "sme-local", "x-session-token": token, "x-user-id": "123", ...more };
    return call("POST", PATH, { json: {}, headers });
  };

  test("goes by how the token begins, and says whose it is", async () => {
    expect((await ask("t")).json).toEqual({
      status: "success",
      data: { isExpire: false, userId: "123", sessionToken: "t", validatedAt: "2030-01-01T12:00:00.000Z" },
      message: "Session validation completed",
    });
    expect((await ask("expired-1")).json.data.isExpire).toBe(true);
    expect((await ask("invalid-1")).status).toBe(401);
    expect(upstreams.count({ upstream: "sme", operation: "validate", account: "123" })).toBe(3);
  });

  test("wants its key, a token and a customer", async () => {
    expect((await ask("t", { apikey: "x" })).status).toBe(403);
    expect((await ask("")).status).toBe(400);
    expect((await ask("t", { "x-user-id": "" })).status).toBe(400);
    expect((await call("GET", PATH)).status).toBe(405);
    expect((await call("POST", "/sme/x")).status).toBe(404);
  });

  test("follows its switches, and refuses a customer that was revoked", async () => {
    upstreams.set({ sme: { is_expire: "missing", user_id: "missing" } });
    expect(Object.keys((await ask("t")).json.data)).toEqual(["sessionToken", "validatedAt"]);
    upstreams.set({ sme: { is_expire: false, user_id: "other" } });
    expect((await ask("t")).json.data.userId).not.toBe("123");
    expect(upstreams.revoke("sme", "123")).toBe(1);
    expect((await ask("t")).status).toBe(401);
    expect((await ask("t", { "x-user-id": "124" })).status).toBe(200);
  });
});

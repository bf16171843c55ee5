// Who may call the service routes: whoever shows a service key that is good and has the scope.
// Natively: crates/sim/tests/http/service_keys.rs.
import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, api, type Call, refused } from "../support/worker/api.ts";
import { elsewhere, type Key, makeKey, malformed, otherSecret, revokeKey } from "../support/worker/keys.ts";
import { advance, DAY, SECOND } from "../support/worker/time.ts";
import { admin, someone } from "../support/worker/users.ts";
import { keeper } from "../support/worker/keeper.ts";

keeper();

/** A route of each scope. */
const READ = ["GET", "/accounts/agnidata001/token/status"] as const;
const WRITE = ["POST", "/accounts/agnidata001/refresh"] as const;
const ROUTES = [READ, WRITE];

const REALM = 'Bearer realm="sallyport"';

let key: Key;

beforeAll(async () => {
  await admin();
  key = await makeKey({ name: "all scopes" });
});

const challenge = (answer: Answer) => answer.headers.get("www-authenticate");

/** Past the door: whatever the route says then, it is not about who asks. */
async function letIn(call: Call, [method, path] = READ as readonly [string, string]): Promise<void> {
  const answer = await api(method, path, call);
  expect([method, path, answer.status, answer.text]).not.toEqual([
    method,
    path,
    expect.toBeOneOf([400, 401, 403, 404, 405]),
    expect.anything(),
  ]);
}

/** The same refusal on every service route. */
async function everywhere(call: Call, status: number, code: string, header: string): Promise<Answer[]> {
  const answers = [];
  for (const [method, path] of ROUTES) {
    const answer = await api(method, path, call);
    refused(answer, status, code);
    expect([method, path, challenge(answer)]).toEqual([method, path, header]);
    answers.push(answer);
  }
  return answers;
}

const notShown = (call: Call) => everywhere(call, 401, "not_authenticated", REALM);
const invalid = (call: Call) =>
  everywhere(call, 401, "service_key_invalid", `${REALM}, error="invalid_token"`);
const malformedRequest = (call: Call) =>
  everywhere(call, 400, "invalid_request", `${REALM}, error="invalid_request"`);

describe("where the key stands", () => {
  it.each([
    ["Authorization: Bearer", (text: string) => ({ authorization: `Bearer ${text}` })],
    ["Authorization: bearer", (text: string) => ({ authorization: `bearer ${text}` })],
    ["X-API-Key", (text: string) => ({ "x-api-key": text })],
    ["Apikey", (text: string) => ({ apikey: text })],
  ])("%s: a good one is let in, a forged one is not", async (_where, headers) => {
    for (const route of ROUTES) await letIn({ headers: headers(key.key) }, route);
    await invalid({ headers: headers(otherSecret(key.key)) });
  });

  it("the same key twice is one key", async () => {
    await letIn({ headers: { authorization: `Bearer ${key.key}`, "x-api-key": key.key, apikey: key.key } });
    await letIn({ headers: { "x-api-key": key.key, apikey: key.key } });
    const { tokens } = await someone();
    await letIn({ headers: { authorization: `Bearer ${tokens.access_token}`, "x-api-key": key.key } });
    const twice = new Headers({ "x-api-key": key.key });
    twice.append("x-api-key", key.key);
    await letIn({ headers: twice });
  });

  it("B03 two that differ are 400, also if one of them or both are good", async () => {
    const other = await makeKey();
    for (const headers of [
      { authorization: `Bearer ${key.key}`, "x-api-key": other.key },
      { authorization: `Bearer ${key.key}`, apikey: "x" },
      { "x-api-key": key.key, apikey: other.key },
      { "x-api-key": `${key.key}, ${other.key}` },
      { authorization: `Bearer ${key.key}, Bearer ${key.key}` },
      { authorization: `Bearer ${key.key} ${key.key}` },
    ])
      await malformedRequest({ headers });
  });

  it("another scheme beside a key is not looked at", () =>
    letIn({ headers: { authorization: "Basic dXNlcjpwYXNz", "x-api-key": key.key } }));

  it("B01 nothing given is 401 without an error", async () => {
    await notShown({});
    await notShown({ headers: { authorization: "" } });
    await notShown({ headers: { authorization: "Bearer" } });
    await notShown({ headers: { "x-api-key": "", apikey: "" } });
    await notShown({ headers: { authorization: `Basic ${btoa(`key:${key.key}`)}` } });
    await notShown({ headers: { authorization: key.key } });
    await notShown({ headers: { cookie: `x-api-key=${key.key}` } });
  });

  it("D05 a key in the query or in the body is not looked at", async () => {
    for (const name of ["key", "api_key", "apikey", "Apikey", "x-api-key", "X-API-Key", "access_token"]) {
      for (const [method, path] of ROUTES)
        refused(await api(method, `${path}?${name}=${key.key}`), 401, "not_authenticated");
      const body = { [name]: key.key };
      refused(await api(WRITE[0], WRITE[1], { body }), 401, "not_authenticated");
    }
  });
});

describe("B02 what is not good is one and the same 401", () => {
  it("malformed, unknown, wrong secret, expired, revoked", async () => {
    const expired = await makeKey({ expires_in_days: 1 });
    const revoked = await makeKey();
    await revokeKey(revoked.id);
    advance(DAY);
    const texts = new Set<string>();
    for (const token of [
      ...malformed(key.key),
      key.key.replace(/^sp_.{12}/, "sp_0123456789ab"),
      otherSecret(key.key),
      key.key.slice(0, 16) + expired.key.slice(16),
      expired.key,
      revoked.key,
      otherSecret(revoked.key),
    ])
      for (const answer of await invalid({ token })) texts.add(answer.text);
    expect([...texts]).toEqual(['{"code":"service_key_invalid","detail":"Service key is invalid"}']);
    await letIn({ token: key.key });
  });

  it("a user's token, an admin's, a refresh token", async () => {
    const { tokens } = await someone();
    for (const token of [tokens.refresh_token, "x.y.z"]) await invalid({ token });
    for (const token of [tokens.access_token, await admin()])
      refused(await api(...WRITE, { token }), 401, "service_key_invalid");
    // How an account is, admins may see as well.
    refused(await api(...READ, { token: tokens.access_token }), 403, "forbidden");
    await letIn({ token: await admin() });
    await invalid({ headers: { "x-api-key": tokens.access_token } });
  });

  it("B05 nothing of the key comes back", async () => {
    for (const token of [otherSecret(key.key), `sp_${'x",error="none'.replaceAll(" ", "")}_y`])
      for (const [method, path] of ROUTES) {
        const answer = await api(method, path, { headers: { "x-api-key": token.replaceAll(",", ";") } });
        expect(answer.status).toBe(401);
        expect(answer.text + challenge(answer)).not.toContain(token.slice(3, 12));
      }
  });
});

describe("D04 how long a key is good", () => {
  it("until it is revoked: here at once, elsewhere within 10 seconds", async () => {
    const here = await makeKey();
    await letIn({ token: here.key });
    await revokeKey(here.id);
    await invalid({ token: here.key });

    const there = await makeKey();
    await letIn({ token: there.key });
    await elsewhere({ revoke_key: there.id });
    advance(10 * SECOND - 1);
    await letIn({ token: there.key });
    advance(1);
    await invalid({ token: there.key });
  });

  it("a key is good from the moment it is made, and several are at once", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => makeKey({ name: "rotated" })));
    for (const { key: token } of keys) await letIn({ token });
    await revokeKey(keys[0]?.id ?? "");
    for (const { key: token } of keys.slice(1)) await letIn({ token });
  });
});

describe("B04 the scopes", () => {
  it.each([
    [["tokens:read"], READ, WRITE],
    [["tokens:write"], WRITE, READ],
  ] as const)("%s", async (scopes, allowed, other) => {
    const { key: token } = await makeKey({ scopes });
    await letIn({ token }, allowed);
    const answer = await api(other[0], other[1], { token });
    refused(answer, 403, "forbidden");
    expect(challenge(answer)).toBe(`${REALM}, error="insufficient_scope"`);
  });
});

it("D01 a good key on an admin route is 403, a forged one 401", async () => {
  refused(await api("GET", "/admin/users", { token: key.key }), 403, "forbidden");
  refused(await api("GET", "/admin/users", { token: otherSecret(key.key) }), 401, "token_invalid");
});

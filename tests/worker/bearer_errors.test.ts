// What a refusal says in WWW-Authenticate (RFC 6750 §3).
import { beforeAll, expect, it } from "vitest";
import { logIn, makeUser, someone, type Tokens } from "../support/worker/users.ts";
import { api, type Call } from "../support/worker/api.ts";
import { forge } from "../support/worker/tokens.ts";

const REALM = 'Bearer realm="sallyport"';
const INVALID = `${REALM}, error="invalid_token"`;
let tokens: Tokens;

beforeAll(async () => {
  tokens = (await someone()).tokens;
});

/** Both ways through the entry, and routes that read a body. */
const routes: [string, string][] = [
  ["GET", "/auth/profile"],
  ["GET", "/auth/verify"],
  ["HEAD", "/auth/verify"],
  ["GET", "/auth/sessions"],
  ["GET", "/api/v1/data"],
  ["POST", "/auth/logout"],
  ["POST", "/api/v1/auth/logout-all"],
  ["GET", "/admin/users"],
  ["GET", "/debug/session-info"],
];

async function everywhere(call: Call, status: number, challenge: string): Promise<void> {
  for (const [method, path] of routes) {
    const { status: got, headers } = await api(method, path, call);
    expect([method, path, got, headers.get("www-authenticate")]).toEqual([method, path, status, challenge]);
  }
}

it("B01 no credentials: a challenge, and no error in it", () => everywhere({}, 401, REALM));

it.each([
  ["B06", "Basic credentials", "Basic dXNlcjpwYXNz"],
  ["B06", "Digest credentials", 'Digest username="a"'],
  ["B06", "a bare token", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"],
  ["B01", "an empty header", ""],
  ["B01", "a scheme that only begins like Bearer", "Bearerx abc"],
])("%s %s: the same challenge as without", (_id, _what, authorization) =>
  everywhere({ headers: { authorization } }, 401, REALM),
);

it.each([
  ["a bad token", async () => "x.y.z"],
  ["no token after the scheme", async () => ""],
  ["an expired token", () => forge(tokens.access_token, {}, { iat: 1_000, nbf: 1_000, exp: 2_000 })],
  ["a token of an unknown session", () => forge(tokens.access_token, {}, { sid: "ab".repeat(32) })],
  ["a refresh token", async () => tokens.refresh_token],
])("B02 %s: invalid_token", async (_what, token) => everywhere({ token: await token() }, 401, INVALID));

it("B02 a revoked token: invalid_token", async () => {
  const { access_token: token } = (await someone()).tokens;
  await api("POST", "/auth/logout", { token });
  await everywhere({ token }, 401, INVALID);
});

it.each([
  ["two tokens", "Bearer a.b.c, Bearer d.e.f"],
  ["a token with a space", "Bearer a.b c"],
  ["a token with parameters", 'Bearer a.b.c, realm="x"'],
])("B03 %s: 400 invalid_request", (_what, authorization) =>
  everywhere({ headers: { authorization } }, 400, `${REALM}, error="invalid_request"`),
);

it("B04 a role that is missing: 403 insufficient_scope", async () => {
  const scope = `${REALM}, error="insufficient_scope"`;
  const { access_token: token } = tokens;
  for (const path of ["/admin/users", "/admin/sessions/active", "/auth/verify?role=admin"]) {
    const { status, headers } = await api("GET", path, { token });
    expect([path, status, headers.get("www-authenticate")]).toEqual([path, 403, scope]);
  }
});

it("B05 nothing of a token comes back in the challenge", async () => {
  const evil = 'x", error="none", realm="evil';
  for (const token of [
    await forge(tokens.access_token, { kid: evil }, {}),
    await forge(tokens.access_token, { kid: "k1\r\nset-cookie: a=b" }, {}),
    await forge(tokens.access_token, {}, { iss: evil, sub: evil, sid: evil }),
  ]) {
    await everywhere({ token }, 401, INVALID);
    expect((await api("GET", "/auth/profile", { token })).headers.get("set-cookie")).toBeNull();
  }
  const raw = await api("GET", "/auth/profile", {
    headers: { authorization: `Bearer ${evil.replaceAll(" ", "")}` },
  });
  expect([raw.status, raw.headers.get("www-authenticate")]).toEqual([
    400,
    `${REALM}, error="invalid_request"`,
  ]);
});

it("a wrong password is challenged without an error, as no token was given", async () => {
  const { username } = await makeUser();
  await logIn(username);
  const wrong = await api("POST", "/auth/login", { body: { username, password: "wrong password" } });
  expect([wrong.status, wrong.headers.get("www-authenticate")]).toEqual([401, REALM]);
});

it("a refused refresh token: invalid_token", async () => {
  const answer = await api("POST", "/auth/refresh", { body: { refresh_token: "x.y.z" } });
  expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, INVALID]);
});

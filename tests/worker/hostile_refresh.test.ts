// Refresh tokens that are not ours, not the caller's, or not refresh tokens. None of them ends anything.
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import {
  logIn,
  makeUser,
  protectedRoute,
  refresh,
  someone,
  type Tokens,
  type User,
} from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";
import { claimsOf, forge, headerOf, sessionOf, sign } from "../support/worker/tokens.ts";

let user: User;
let own: Tokens;
let other: { user: User; tokens: Tokens };

beforeAll(async () => {
  ({ user, tokens: own } = await someone());
  other = await someone();
});

/** Neither session has lost anything: both refresh tokens still work, and as the next of their kind. */
async function unharmed(): Promise<void> {
  own = await goesOn(own);
  other.tokens = await goesOn(other.tokens);
}

async function goesOn(tokens: Tokens): Promise<Tokens> {
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  const next = await refresh(tokens.refresh_token);
  expect(next.status, next.text).toBe(200);
  expect(claimsOf(next.json.refresh_token).gen).toBe(Number(claimsOf(tokens.refresh_token).gen) + 1);
  return next.json;
}

const splice = (a: string, b: string, part: number) =>
  a
    .split(".")
    .map((text, i) => (i === part ? b.split(".")[part] : text))
    .join(".");

const claims = () => claimsOf(own.refresh_token);
const hour = () => Math.floor(Date.now() / 1000) + 3600;

const invalid: [string, string, () => string | Promise<string>][] = [
  ["J57", "an access token", () => own.access_token],
  ["J59", "an access token typed as a refresh token by hand", () => retyped(own.access_token, "rt+jwt")],
  [
    "J59",
    "a refresh token typed as an access token, rightly signed",
    () => forge(own.refresh_token, { typ: "at+jwt" }, {}),
  ],
  ["J59", "a refresh token typed JWT, rightly signed", () => forge(own.refresh_token, { typ: "JWT" }, {})],
  [
    "R06",
    "the claims of another's under its own signature",
    () => splice(own.refresh_token, other.tokens.refresh_token, 1),
  ],
  [
    "R06",
    "its own claims under another's signature",
    () => splice(own.refresh_token, other.tokens.refresh_token, 2),
  ],
  [
    "R06",
    "another's session, signed with a guessed key",
    () => guessed({ sid: sessionOf(other.tokens.refresh_token) }),
  ],
  ["R07", "random text", () => "k3Jx9Qw7Zr5Tn2Vb8Lm4Pc6Hd1Fg0Sy"],
  [
    "R07",
    "a well-formed token of random bytes",
    () => `${own.refresh_token.split(".")[0]}.e30.${"A".repeat(43)}`,
  ],
  ["R07", "a session id", () => sessionOf(own.refresh_token)],
  ["R08", "another signature", () => `${own.refresh_token.slice(0, -43)}${"B".repeat(42)}A`],
  ["R08", "a line break inside", () => own.refresh_token.replace(".", ".\n")],
  ["R08", "a line break behind", () => `${own.refresh_token}\n`],
  ["R08", "the word Bearer before it", () => `Bearer ${own.refresh_token}`],
  [
    "J07",
    "alg none",
    () =>
      `${btoa('{"alg":"none","kid":"k1","typ":"rt+jwt"}').replaceAll("=", "")}.${own.refresh_token.split(".")[1]}.`,
  ],
  ["J29", "no exp", () => sign(headerOf(own.refresh_token), JSON.stringify({ ...claims(), exp: undefined }))],
  [
    "J39",
    "a life longer than any setting allows",
    () => forge(own.refresh_token, {}, { exp: 253_402_300_799 }),
  ],
  ["J43", "nbf an hour ahead", () => forge(own.refresh_token, {}, { nbf: hour() })],
  ["J47", "another issuer", () => forge(own.refresh_token, {}, { iss: "other" })],
  ["J49", "another audience", () => forge(own.refresh_token, {}, { aud: "other" })],
  [
    "J55",
    "no session",
    () => sign(headerOf(own.refresh_token), JSON.stringify({ ...claims(), sid: undefined })),
  ],
];

function retyped(token: string, typ: string): string {
  const head = btoa(JSON.stringify({ ...headerOf(token), typ })).replaceAll("=", "");
  return [head, ...token.split(".").slice(1)].join(".");
}
const guessed = (more: Record<string, unknown>) =>
  sign(headerOf(own.refresh_token), { ...claims(), ...more }, "sallyport sallyport sallyport sally");

it.each(invalid)("%s as a refresh token, %s is refused and ends nothing", async (_id, _what, make) => {
  refused(await refresh(await make()), 401, "token_invalid");
  await unharmed();
});

it("J40 an expired refresh token is refused and ends nothing", async () => {
  const past = Math.floor(Date.now() / 1000) - 1;
  const expired = await forge(own.refresh_token, {}, { iat: past - 60, nbf: past - 60, exp: past });
  refused(await refresh(expired), 401, "token_expired");
  await unharmed();
});

it("R07 a refresh token of a session that nobody knows is refused, and no session comes of it", async () => {
  const unopened = env.SESSION.newUniqueId();
  for (const sid of [unopened.toString(), "ab".repeat(32), env.USER.newUniqueId().toString()]) {
    const foreign = await forge(own.refresh_token, {}, { sid, jti: `${sid}.0.r` });
    refused(await refresh(foreign), 401, "session_revoked_or_invalid");
  }
  expect(await env.SESSION.get(unopened).command('"peek"')).toBe('"unknown"');
  await unharmed();
});

it("R06 a refresh token of one user for the session of another is refused, and the other's session goes on", async () => {
  const mixed = await forge(own.refresh_token, {}, { sid: sessionOf(other.tokens.refresh_token) });
  expect((await refresh(mixed)).status).toBe(401);
  await unharmed();
});

it("a refresh token of a generation that is not yet there is refused and ends nothing", async () => {
  refused(
    await refresh(await forge(own.refresh_token, {}, { gen: Number(claims().gen) + 1 })),
    401,
    "session_revoked_or_invalid",
  );
  await unharmed();
});

it("J56 a refresh token opens no route, not even an admin's", async () => {
  const tokens = await logIn("root");
  for (const path of ["/auth/verify", "/auth/profile", "/auth/sessions", "/api/v1/data", "/admin/users"]) {
    const answer = await api("GET", path, { token: tokens.refresh_token });
    expect([path, answer.status]).toEqual([path, 401]);
  }
  const login = { body: { username: user.username, password: user.password }, token: own.refresh_token };
  expect((await api("POST", "/auth/login", login)).status).toBe(200);
  await unharmed();
});

it("a refresh token in the header, and none in the body, is none", async () => {
  const answer = await api("POST", "/auth/refresh", { token: own.refresh_token, body: {} });
  refused(answer, 422, "validation_error");
  expect(answer.json.errors).toEqual([{ field: "refresh_token", message: "Required" }]);
});

it("R01 a refresh gives other tokens with other ids, for the same session", async () => {
  const { username } = await makeUser();
  const first = await logIn(username);
  const next: Tokens = (await refresh(first.refresh_token)).json;
  const ids = [first, next].flatMap((t) => [claimsOf(t.access_token).jti, claimsOf(t.refresh_token).jti]);
  expect(new Set(ids).size).toBe(4);
  expect(sessionOf(next.access_token)).toBe(sessionOf(first.access_token));
});

// Access tokens that are rightly signed, with claims that we never make, and genuine ones whose time is over.
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { protectedRoute, someone } from "../support/worker/users.ts";
import { api, refused, refusedToken } from "../support/worker/api.ts";
import { claimsOf, forge, headerOf, type Json, sign } from "../support/worker/tokens.ts";

const HOUR = 3600;
let token: string;
let otherSession: string;
const now = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  token = (await someone()).tokens.access_token;
  otherSession = String(claimsOf((await someone()).tokens.access_token).sid);
});

afterEach(() => {
  vi.useRealTimers();
});

const without = (name: string) => () => {
  const { [name]: _, ...rest } = claimsOf(token);
  return sign(headerOf(token), rest);
};
const withClaims = (claims: () => Json) => () => forge(token, {}, claims());
/** The claims as text, so that a number can be written in any way and a name stand there twice. */
const rewritten = (from: RegExp, to: () => string) => () =>
  sign(headerOf(token), JSON.stringify(claimsOf(token)).replace(from, to()));
const exp = (value: string) => rewritten(/"exp":\d+/, () => `"exp":${value}`);

const invalid: [string, string, () => Promise<string>][] = [
  ["J29", "no exp", without("exp")],
  ["J30", "exp null", exp("null")],
  ["J31", "exp as text", withClaims(() => ({ exp: String(now() + HOUR) }))],
  ["J32", 'exp "never"', exp('"never"')],
  ["J33", "exp as a list", withClaims(() => ({ exp: [now() + HOUR] }))],
  ["J34", "exp 1e300", exp("1e300")],
  ["J34", "exp that fits no number", exp("1e400")],
  ["J35", "exp 2^64-1", exp("18446744073709551615")],
  ["J35", "exp 2^64", exp("18446744073709551616")],
  ["J35", "exp 2^63", exp("9223372036854775808")],
  ["J36", "exp -1", exp("-1")],
  ["J38", "exp with a fraction", withClaims(() => ({ exp: now() + 60.9 }))],
  ["J38", "exp with a zero fraction", rewritten(/"exp":(\d+)/, () => '"exp":$1.0')],
  ["J39", "exp in the year 9999", exp("253402300799")],
  ["J39", "a life longer than any setting allows", withClaims(() => ({ iat: now(), exp: now() + 86_401 }))],
  ["J43", "nbf an hour ahead", withClaims(() => ({ nbf: now() + HOUR }))],
  ["J43", "nbf beyond the allowance for clocks", withClaims(() => ({ nbf: now() + 60 }))],
  ["J44", "nbf as text", withClaims(() => ({ nbf: String(now()) }))],
  ["J45", "nbf before all time", rewritten(/"nbf":\d+/, () => '"nbf":-8334601228800')],
  ["J45", "nbf after all time", rewritten(/"nbf":\d+/, () => '"nbf":18446744073709551615')],
  ["J46", "iat an hour ahead", withClaims(() => ({ iat: now() + HOUR, exp: now() + 2 * HOUR }))],
  ["J46", "no iat", without("iat")],
  ["J46", "no nbf", without("nbf")],
  ["J47", "another iss", withClaims(() => ({ iss: "other" }))],
  ["J47", "iss in capitals", withClaims(() => ({ iss: "Sallyport" }))],
  ["J48", "no iss", without("iss")],
  ["J49", "another aud", withClaims(() => ({ aud: "other" }))],
  ["J50", "no aud", without("aud")],
  ["J51", "aud as a list with ours in it", withClaims(() => ({ aud: ["sallyport", "other"] }))],
  ["J52", "aud as a list without ours", withClaims(() => ({ aud: ["other"] }))],
  ["J53", "no sub", without("sub")],
  ["J53", "empty sub", withClaims(() => ({ sub: "" }))],
  ["J53", "sub as a number", withClaims(() => ({ sub: Number(claimsOf(token).sub) }))],
  ["J54", "no jti", without("jti")],
  ["J55", "no sid", without("sid")],
  ["J55", "sid that is no id", withClaims(() => ({ sid: "session" }))],
  ["J55", "sid in capitals", withClaims(() => ({ sid: String(claimsOf(token).sid).toUpperCase() }))],
  ["J55", "sid a digit too long", withClaims(() => ({ sid: `${String(claimsOf(token).sid)}0` }))],
  ["J55", "sid with a path", withClaims(() => ({ sid: `../${"a".repeat(61)}` }))],
  ["J55", "no gen", without("gen")],
  ["J55", "negative gen", withClaims(() => ({ gen: -1 }))],
  ["J61", "exp twice, past first", rewritten(/"exp":/, () => '"exp":1,"exp":')],
  ["J61", "exp twice, past last", rewritten(/}$/, () => ',"exp":1}')],
  ["J61", "exp twice, once escaped", rewritten(/}$/, () => ',"\\u0065xp":1}')],
  ["J62", "sub twice", rewritten(/}$/, () => ',"sub":"1"}')],
  ["J62", "sid twice", rewritten(/}$/, () => `,"sid":"${otherSession}"}`)],
  ["J68", "a byte order mark", () => sign(headerOf(token), `\u{feff}${JSON.stringify(claimsOf(token))}`)],
  ["J69", "an empty list", () => sign(headerOf(token), "[]")],
  ["J69", "a text", () => sign(headerOf(token), '"x"')],
  ["J69", "a number", () => sign(headerOf(token), "1")],
  ["J69", "null", () => sign(headerOf(token), "null")],
  ["J69", "nothing", () => sign(headerOf(token), "")],
  ["J69", "two objects", rewritten(/$/, () => "{}")],
  [
    "J69",
    "a list of the right values",
    () => {
      const { iss, aud, sub, sid, jti, gen, iat, nbf, exp } = claimsOf(token);
      return sign(headerOf(token), JSON.stringify([iss, aud, sub, sid, jti, gen, iat, nbf, exp]));
    },
  ],
  ["J70", "deep nesting", () => sign(headerOf(token), "[".repeat(1000) + "]".repeat(1000))],
  [
    "J70",
    "deep nesting in a claim",
    rewritten(/}$/, () => `,"account":${"[".repeat(900)}${"]".repeat(900)}}`),
  ],
  ["J70", "deep nesting left open", rewritten(/}$/, () => `,"x":${'{"x":'.repeat(400)}`)],
];

it.each(invalid)("%s a token with %s is refused", async (_id, _what, make) => {
  await refusedToken(await make());
  expect((await protectedRoute(token)).status).toBe(200);
});

it.each([
  ["J40", "expired a second ago", () => ({ exp: now() - 1 })],
  ["J40", "that expires this second", () => ({ exp: now() })],
  ["J41", "expired within what others allow for clocks", () => ({ exp: now() - 59 })],
  ["J42", "expired beyond it", () => ({ exp: now() - 62 })],
  ["J37", "that expired in 1970", () => ({ exp: 0 })],
])("%s a token %s has expired, without leeway", async (_id, _what, claims) => {
  await refusedToken(
    await forge(token, {}, { iat: now() - 900, nbf: now() - 900, ...claims() }),
    401,
    "token_expired",
  );
});

it("J40 a genuine token is accepted until the second in which it expires", async () => {
  const own = (await someone()).tokens.access_token;
  const end = Number(claimsOf(own).exp) * 1000;
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(end - 1);
  expect((await protectedRoute(own)).status).toBe(200);
  vi.setSystemTime(end);
  await refusedToken(own, 401, "token_expired");
});

it("J46 a token of a clock that is a little ahead is accepted", async () => {
  const ahead = await forge(token, {}, { iat: now() + 3, nbf: now() + 3 });
  expect((await protectedRoute(ahead)).status).toBe(200);
});

it.each([
  ["a session that this server never had", () => "ab".repeat(32)],
  ["a session id of nothing but zeros", () => "0".repeat(64)],
])("a token of %s is refused", async (_what, sid) => {
  await refusedToken(await forge(token, {}, { sid: sid() }), 401, "session_revoked_or_invalid");
});

it("a token of a generation that is not yet there is refused", async () => {
  for (const gen of [1, 2 ** 53, "18446744073709551615"]) {
    const claims = JSON.stringify(claimsOf(token)).replace(/"gen":\d+/, `"gen":${gen}`);
    await refusedToken(await sign(headerOf(token), claims), 401, "session_revoked_or_invalid");
  }
});

it("J53 a token whose sub is not the user of its session is refused", async () => {
  const mixed = await forge(token, {}, { sid: otherSession });
  expect((await protectedRoute(mixed)).status).toBe(401);
});

it("roles in a token count for nothing: those of the session do", async () => {
  const { sub } = claimsOf(token);
  const account = { user_id: Number(sub), username: "root", roles: ["admin"], created_at: 0 };
  const promoted = await forge(token, {}, { account });
  expect((await api("GET", "/auth/verify", { token: promoted })).headers.get("x-auth-roles")).toBe("user");
  refused(await api("GET", "/admin/users", { token: promoted }), 403, "forbidden");
});

it("J81 a token says nothing about its user but the id, and lives as long as is documented", async () => {
  const { user, tokens } = await someone();
  for (const [text, life] of [
    [tokens.access_token, 900],
    [tokens.refresh_token, 7 * 86_400],
  ] as const) {
    const claims = claimsOf(text);
    const names = ["aud", "exp", "gen", "iat", "iss", "jti", "nbf", "sid", "sub"];
    expect(Object.keys(claims).sort()).toEqual(names);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(life);
    expect(claims.sub).toBe(String(user.id));
    expect(JSON.stringify(claims)).not.toContain(user.username);
    expect(Object.keys(headerOf(text)).sort()).toEqual(["alg", "kid", "typ"]);
  }
});

// Access tokens whose signature, algorithm or header somebody has tampered with. The numbers are those of the checklist.
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { protectedRoute, someone } from "../support/worker/users.ts";
import { api, refused, refusedToken } from "../support/worker/api.ts";
import { base64url, forge, headerOf, sign, signingSecret, signText } from "../support/worker/tokens.ts";

type Forgery = string | Promise<string>;

let token: string;
let header: string;
let payload: string;
let signature: string;
/** What KV holds. Nothing that is refused may change it. */
const stored = async () => (await env.KV.list()).keys.map((key) => key.name).sort();
let before: string[];
const outbound = vi.spyOn(globalThis, "fetch");

beforeAll(async () => {
  token = (await someone()).tokens.access_token;
  [header, payload, signature] = token.split(".") as [string, string, string];
  before = await stored();
  outbound.mockClear();
});

// The genuine token is untouched by all that is done with copies of it.
afterEach(async () => {
  expect((await protectedRoute(token)).status).toBe(200);
  expect(outbound).not.toHaveBeenCalled();
});

afterAll(async () => expect(await stored()).toEqual(before));

/** Another character in the same place, with one of the bits that count flipped. */
function flip(part: string, at: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const other = alphabet[alphabet.indexOf(part[at] ?? "A") ^ 32] ?? "A";
  return part.slice(0, at) + other + part.slice(at + 1);
}

const tampered: [string, string, () => Forgery][] = [
  [
    "J01",
    "a bit of the signature flipped at its beginning",
    () => `${header}.${payload}.${flip(signature, 0)}`,
  ],
  ["J01", "a bit of the signature flipped at its end", () => `${header}.${payload}.${flip(signature, 42)}`],
  ["J02", "a bit of the payload flipped", () => `${header}.${flip(payload, 20)}.${signature}`],
  ["J02", "a bit of the header flipped", () => `${flip(header, 20)}.${payload}.${signature}`],
  [
    "J02",
    "another payload under the old signature",
    () => `${header}.${base64url('{"sub":"1"}')}.${signature}`,
  ],
  ["J03", "no signature", () => `${header}.${payload}.`],
  ["J04", "two parts", () => `${header}.${payload}`],
  ["J04", "one part", () => header],
  ["J05", "four parts", () => `${token}.${signature}`],
  ["J05", "five parts", () => `${token}.${payload}.${signature}`],
  ["J05", "an empty part before", () => `.${token}`],
  ["J05", "an empty part after", () => `${token}.`],
  ["J06", "nothing", () => ""],
  ["J06", "dots", () => ".."],
  ["J06", "a signature cut short", () => `${header}.${payload}.${signature.slice(0, 22)}`],
  ["J06", "a signature too long", () => `${token}AAAA`],
  ...["none", "None", "NONE", "nOnE", ""].flatMap((alg, i): [string, string, () => Forgery][] => {
    const unsigned = () => `${base64url(JSON.stringify({ ...headerOf(token), alg }))}.${payload}.`;
    return [
      [`J0${7 + i}`, `alg "${alg}" without a signature`, unsigned],
      [`J0${7 + i}`, `alg "${alg}" with the old signature`, () => unsigned() + signature],
      [`J0${7 + i}`, `alg "${alg}", rightly signed`, () => forge(token, { alg }, {})],
    ];
  }),
];

const otherHash = (alg: string, hash: string) =>
  sign({ ...headerOf(token), alg }, claims(), signingSecret(), hash);
const claims = () => atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
const withKey = (secret: string) => signText(`${header}.${payload}`, secret);

const algorithms: [string, string, () => Forgery][] = [
  ["J11", "HS384 with our key", () => otherHash("HS384", "SHA-384")],
  ["J11", "HS512 with our key", () => otherHash("HS512", "SHA-512")],
  ["J11", "HS512 that says HS256", () => otherHash("HS256", "SHA-512")],
  ["J11", "HS256 that says HS512", () => otherHash("HS512", "SHA-256")],
  ["J12", "ES256 named over an HMAC", () => forge(token, { alg: "ES256" }, {})],
  ["J13", "an empty key", () => withKey("")],
  ["J13", "the name of the key as the key", () => withKey("k1")],
  ["J13", "the whole setting as the key", () => withKey(env.TOKEN_SIGNING_KEYS)],
  ["J13", "the key that seals", () => withKey(env.SEALING_KEYS.split(":")[1] ?? "")],
  ["J14", "hs256 in small letters", () => forge(token, { alg: "hs256" }, {})],
  ["J14", "alg of another type", () => forge(token, { alg: ["HS256"] }, {})],
  ["J14", "alg null", () => forge(token, { alg: null }, {})],
  ["J14", "no alg", () => sign({ kid: "k1", typ: "at+jwt" }, claims())],
];

// A listener of the attacker's: a name that nobody can own (RFC 6761).
const LISTENER = "https://keys.invalid/set";
const jwk = { kty: "oct", alg: "HS256", kid: "k1", k: base64url("x".repeat(32)) };
const attacker = (more: Record<string, unknown>) =>
  sign({ ...headerOf(token), ...more }, claims(), "x".repeat(32));

const headers: [string, string, () => Forgery][] = [
  ["J15", "the attacker's key in jwk", () => attacker({ jwk })],
  ["J15", "jwk beside our key", () => forge(token, { jwk }, {})],
  ["J16", "jku", () => attacker({ jku: LISTENER })],
  ["J16", "jku beside our key", () => forge(token, { jku: LISTENER }, {})],
  ["J17", "x5u", () => attacker({ x5u: LISTENER })],
  ["J17", "x5u beside our key", () => forge(token, { x5u: LISTENER }, {})],
  ["J18", "x5c", () => attacker({ x5c: ["MIIB"] })],
  ["J19", "kid that is a path", () => forge(token, { kid: "../../dev/null" }, {})],
  [
    "J19",
    "kid that is a path, empty key",
    () => sign({ ...headerOf(token), kid: "../../dev/null" }, claims(), ""),
  ],
  ["J20", "kid that is SQL", () => forge(token, { kid: "' OR 1=1--" }, {})],
  ["J21", "kid with a line break", () => forge(token, { kid: "k1\n" }, {})],
  ["J21", "kid with NUL", () => forge(token, { kid: "k1\0" }, {})],
  ["J22", "kid of 10 kB", () => forge(token, { kid: "k".repeat(10_000) }, {})],
  ["J22", "kid of 2 kB", () => forge(token, { kid: "k".repeat(2_000) }, {})],
  ["J23", "kid with a prefix of KV's", () => forge(token, { kid: "blacklist:x" }, {})],
  ["J23", "kid that names a session's record", () => forge(token, { kid: before[0] ?? "session:x" }, {})],
  ["J24", "unknown kid", () => forge(token, { kid: "k2" }, {})],
  ["J24", "kid in capitals", () => forge(token, { kid: "K1" }, {})],
  ["J24", "empty kid", () => forge(token, { kid: "" }, {})],
  ["J25", "no kid", () => sign({ alg: "HS256", typ: "at+jwt" }, claims())],
  ["J25", "kid that is a number", () => forge(token, { kid: 1 }, {})],
  ["J26", "crit", () => forge(token, { crit: ["x"], x: 1 }, {})],
  ["J27", "crit b64", () => forge(token, { crit: ["b64"], b64: false }, {})],
  ["J27", "b64 without crit", () => forge(token, { b64: false }, {})],
  ["J28", "empty crit", () => forge(token, { crit: [] }, {})],
  ["J59", "typ of a refresh token", () => forge(token, { typ: "rt+jwt" }, {})],
  ["J59", "typ JWT", () => forge(token, { typ: "JWT" }, {})],
  ["J59", "typ in capitals", () => forge(token, { typ: "AT+JWT" }, {})],
  ["J59", "no typ", () => sign({ alg: "HS256", kid: "k1" }, claims())],
  [
    "J60",
    "alg twice, none first",
    () => sign('{"alg":"none","alg":"HS256","kid":"k1","typ":"at+jwt"}', claims()),
  ],
  [
    "J60",
    "alg twice, none last",
    () => sign('{"alg":"HS256","alg":"none","kid":"k1","typ":"at+jwt"}', claims()),
  ],
  ["J60", "kid twice", () => sign('{"alg":"HS256","kid":"k1","kid":"k1","typ":"at+jwt"}', claims())],
  ["J69", "a header that is a list of the right values", () => sign('["HS256","k1","at+jwt"]', claims())],
  ["J69", "a header that is text", () => sign('"HS256"', claims())],
  ["J69", "an empty header", () => sign("{}", claims())],
];

it.each(tampered)("%s a token with %s is refused", async (_id, _what, make) => refusedToken(await make()));

it.each(algorithms)("%s a token made with %s is refused", async (_id, _what, make) =>
  refusedToken(await make()),
);

it.each(headers)("%s a token with %s is refused, and nothing is fetched", async (_id, _what, make) =>
  refusedToken(await make()),
);

// J75: what can be seen of rotation with one key; several keys are tested where the keyring is made.
it("J75 the key is chosen by its id: the right key under another id is refused, and so is another key under it", async () => {
  await refusedToken(await forge(token, { kid: "k0" }, {}));
  await refusedToken(await sign(headerOf(token), claims(), "another secret of thirty-two bytes"));
  expect((await protectedRoute(await forge(token, {}, {}))).status).toBe(200);
});

it("the answer to a bad token is the same whatever is wrong with it", async () => {
  const answers = [];
  for (const make of [tampered[0], algorithms[0], headers[0]].map((row) => row?.[2])) {
    const answer = await api("GET", "/auth/sessions", { token: await make?.() });
    refused(answer, 401, "token_invalid");
    answers.push(answer.text);
  }
  expect(new Set(answers).size).toBe(1);
});

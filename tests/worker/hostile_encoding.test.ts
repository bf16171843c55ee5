// Access tokens written, sent or sized in other ways than ours.
import { beforeAll, expect, it } from "vitest";
import { protectedRoute, someone, type Tokens } from "../support/worker/users.ts";
import { api, refused, refusedToken } from "../support/worker/api.ts";
import { base64url, claimsOf, encode, forge, headerOf, sign, signText } from "../support/worker/tokens.ts";

let tokens: Tokens;
let parts: [string, string, string];

beforeAll(async () => {
  tokens = (await someone()).tokens;
  parts = tokens.access_token.split(".") as [string, string, string];
});

/** The last character, with the bits set that stand for nothing. */
function stray(part: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return part.slice(0, -1) + alphabet[alphabet.indexOf(part.at(-1) ?? "") | 1];
}
const ordinary = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
const claimsText = () => JSON.stringify(claimsOf(tokens.access_token));
const header = () => headerOf(tokens.access_token);

const tokensOfOtherForms: [string, string, () => string | Promise<string>][] = [
  ["J63", "padding on the signature", () => `${tokens.access_token}=`],
  [
    "J63",
    "padding in the signed part",
    () => signText(`${ordinary(text(JSON.stringify(header())))}.${padded()}`),
  ],
  ["J64", "the ordinary alphabet of base64", () => sign(header(), ordinaryOnly())],
  [
    "J66",
    "stray bits at the end of the signature",
    () => parts.slice(0, 2).join(".") + `.${stray(parts[2])}`,
  ],
  ["J66", "stray bits at the end of the claims", () => signText(`${parts[0]}.${stray(base64url(two()))}`)],
  ["J67", "claims that are not UTF-8", () => signText(`${parts[0]}.${encode(notUtf8())}`)],
  [
    "J67",
    "a header that is not UTF-8",
    () => signText(`${encode(new Uint8Array([0x7b, 0xff, 0x7d]))}.${parts[1]}`),
  ],
  ["J70", "100,000 levels of nesting", () => signText(`${parts[0]}.${base64url("[".repeat(100_000))}`)],
  ["J71", "a megabyte", () => forge(tokens.access_token, {}, { x: "x".repeat(1_000_000) })],
  ["J71", "a megabyte of dots", () => ".".repeat(1_000_000)],
  ["J72", "8 kB", () => forge(tokens.access_token, {}, { x: "x".repeat(5_600) })],
  ["J72", "one byte more than is looked at", () => ofLength(4097)],
  ["J58", "a key of a service", () => "sp_live_0123456789abcdef0123456789abcdef"],
  ["J58", "an id of a portal session", () => "session_1760000000_abcdef"],
  ["J58", "the id of its own session", () => String(claimsOf(tokens.access_token).sid)],
  ["J56", "a refresh token's type", () => tokens.refresh_token],
];
const text = (value: string) => new TextEncoder().encode(value);
const padded = () => {
  // One space more or less until the length needs padding.
  const bare = claimsText();
  return [bare, `${bare} `, `${bare}  `].map((t) => ordinary(text(t))).find((t) => t.endsWith("=")) ?? "";
};
const two = () => {
  const bare = claimsText();
  return [bare, `${bare} `, `${bare}  `].find((t) => text(t).length % 3 !== 0) ?? "";
};
const notUtf8 = () =>
  new Uint8Array([...text(claimsText().slice(0, -1)), ...text(',"x":"'), 0xff, 0xfe, 0x22, 0x7d]);
/** Claims whose base64 has the two characters in which the alphabets differ; put in the ordinary one by `signed`. */
const ordinaryOnly = () => claimsText().replace(/}$/, ',"x":"\u{fbff}\u{3ffff}~~~???>>>"}');
async function ofLength(length: number): Promise<string> {
  for (let pad = 0; ; pad++) {
    const made = await forge(tokens.access_token, {}, { x: "x".repeat(2_600 + pad) });
    if (made.length >= length) return made;
  }
}

it.each(tokensOfOtherForms)("%s a token with %s is refused", async (id, _what, make) => {
  let token = await make();
  if (id === "J64") {
    const [head, claims] = token.split(".") as [string, string];
    expect(claims).toMatch(/[-_]/);
    token = await signText(`${head}.${claims.replaceAll("-", "+").replaceAll("_", "/")}`);
  }
  await refusedToken(token);
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
});

it.each([
  ["J65", "a space inside", (t: string) => t.replace(".", ". ")],
  ["J65", "a space before a part", (t: string) => t.replace(".", " .")],
  ["J65", "a tab inside", (t: string) => t.replace(".", ".\t")],
  ["J73", "JSON in place of the three parts", (t: string) => JSON.stringify({ payload: t, signatures: [t] })],
  ["J77", "a second token after a comma", (t: string) => `${t}, Bearer ${t}`],
  ["J77", "a second token after a space", (t: string) => `${t} ${t}`],
])("%s a bearer header with %s is a malformed request", async (_id, _what, make) => {
  await refusedToken(make(tokens.access_token), 400, "invalid_request");
});

it("J77 two Authorization headers are a malformed request, whichever is first", async () => {
  const good = ["authorization", `Bearer ${tokens.access_token}`];
  for (const other of ["Bearer x.y.z", "Basic dTpw", `Bearer ${tokens.access_token}`]) {
    const bad = ["authorization", other];
    refused(await api("GET", "/auth/sessions", { headers: [good, bad] }), 400, "invalid_request");
    const swapped = await api("GET", "/auth/sessions", { headers: [bad, good] });
    expect([400, 401], swapped.text).toContain(swapped.status);
  }
});

it("J78 a cookie counts for nothing beside a token, or in place of one", async () => {
  const { user, tokens: others } = await someone();
  const cookie = `access_token=${others.access_token}; session=${others.access_token}`;
  const both = await api("GET", "/auth/profile", { token: tokens.access_token, headers: { cookie } });
  expect([both.status, both.json.id === user.id]).toEqual([200, false]);
  refused(await api("GET", "/auth/profile", { headers: { cookie } }), 401, "not_authenticated");
});

it("J79 a token in the query or the body is not looked at", async () => {
  const query = `access_token=${tokens.access_token}&token=${tokens.access_token}&bearer=${tokens.access_token}`;
  refused(await api("GET", `/auth/profile?${query}`), 401, "not_authenticated");
  const { user, tokens: own } = await someone();
  expect((await api("GET", `/auth/profile?${query}`, { token: own.access_token })).json.id).toBe(user.id);
  const body = { access_token: tokens.access_token };
  refused(await api("POST", "/auth/logout", { body }), 401, "not_authenticated");
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
});

it.each(["bearer", "BEARER", "BeArEr"])("J80 the scheme %s is read in any case", async (scheme) => {
  const headers = { authorization: `${scheme} ${tokens.access_token}` };
  expect((await api("GET", "/auth/profile", { headers })).status).toBe(200);
});

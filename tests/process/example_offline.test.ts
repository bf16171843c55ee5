// The Worker of examples/worker-offline, as it is, beside Sallyport in one Miniflare: whom it lets in without asking, whom it asks
// about, and whom it refuses.
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { PASSWORD, type Tokens } from "../support/process/client.ts";
import { SWITCHED, turn } from "../support/process/examples.ts";
import { type Server, start } from "../support/process/server.ts";

const MINUTE = 60_000;
const OFFLINE = { main: SWITCHED, beside: [inRoot("examples", "worker-offline", "wrangler.toml")] };

const seed = randomBytes(32);
const bindings = { JWT_ALG: "EdDSA", TOKEN_SIGNING_KEYS: `EdDSA:${seed.toString("base64url")}` };
/** What Sallyport signs with. */
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
  format: "der",
  type: "pkcs8",
});

let server: Server;
let someone: Tokens;
let editor: Tokens;

beforeAll(async () => {
  server = await start({ ...OFFLINE, bindings });
  someone = await server.client.someone();
  editor = await anEditor(server);
});

afterAll(() => server?.[Symbol.asyncDispose]());

async function anEditor({ client }: Server): Promise<Tokens> {
  const body = { username: "editor", password: PASSWORD, roles: ["user", "editor"] };
  await client.call("POST", "/admin/users", await client.admin(), body);
  return client.login(body.username);
}

async function ask(path: string, token: string, { mf } = server) {
  const worker = await mf.getWorker("worker-offline");
  const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
  const answer = await worker.fetch(`https://app.test${path}`, { headers });
  const text = await answer.text();
  return { status: answer.status, checked: text && JSON.parse(text).checked, headers: answer.headers };
}

const part = (token: string, at: number) =>
  JSON.parse(Buffer.from(token.split(".")[at] ?? "", "base64url").toString());

/** A token of Sallyport's, changed and signed anew. */
function forged(token: string, change: { header?: object; claims?: object; key?: KeyObject }): string {
  const parts = [
    { ...part(token, 0), ...change.header },
    { ...part(token, 1), ...change.claims },
  ];
  const signed = parts.map((one) => Buffer.from(JSON.stringify(one)).toString("base64url")).join(".");
  return `${signed}.${sign(null, Buffer.from(signed), change.key ?? key).toString("base64url")}`;
}

const kvKey = ({ access_token }: Tokens) => `session:${part(access_token, 1).sid}`;

/** As if the session had begun so long ago. */
async function age(tokens: Tokens, { mf } = server) {
  const kv = await mf.getKVNamespace("KV");
  const record = (await kv.get(kvKey(tokens), "json")) as object | null;
  expect(record).toMatchObject({ written_at: expect.any(Number) });
  await kv.put(kvKey(tokens), JSON.stringify({ ...record, written_at: Date.now() - 6 * MINUTE }));
}

it("asks about a session of the last five minutes, and lets an older one in without asking, also while Sallyport is down", async () => {
  const tokens = await server.client.someone();
  expect(await ask("/", tokens.access_token)).toMatchObject({ status: 200, checked: "asked" });
  await age(tokens);
  expect(await ask("/", tokens.access_token)).toMatchObject({ status: 200, checked: "offline" });
  await turn(server, "down");
  try {
    expect(await ask("/", tokens.access_token)).toMatchObject({ status: 200, checked: "offline" });
    // Of this one KV does not say enough.
    expect((await ask("/", someone.access_token)).status).toBe(503);
  } finally {
    await turn(server, "up");
  }
});

it("refuses who has logged out by what KV says, without asking", async () => {
  const tokens = await server.client.someone();
  await age(tokens);
  expect((await ask("/", tokens.access_token)).status).toBe(200);
  await server.client.call("POST", "/auth/logout", tokens.access_token);
  const kv = await server.mf.getKVNamespace("KV");
  await expect.poll(() => kv.get(kvKey(tokens), "json")).toMatchObject({ ended: "logout" });
  await turn(server, "down");
  try {
    expect((await ask("/", tokens.access_token)).status).toBe(401);
  } finally {
    await turn(server, "up");
  }
});

it("asks where KV has no record, or one that it cannot read", async () => {
  const tokens = await server.client.someone();
  const kv = await server.mf.getKVNamespace("KV");
  for (const record of ["", "null", "7", "{", '{"written_at":"yesterday"}', "{}", undefined]) {
    await (record === undefined ? kv.delete(kvKey(tokens)) : kv.put(kvKey(tokens), record));
    const answer = await ask("/", tokens.access_token);
    expect([record, answer.status, answer.checked]).toEqual([record, 200, "asked"]);
  }
});

it("refuses what is no access token of Sallyport's", async () => {
  const tokens = await server.client.someone();
  await age(tokens);
  const { access_token, refresh_token } = tokens;
  const [header, claims, signature] = access_token.split(".") as [string, string, string];
  expect((await ask("/", forged(access_token, {}))).status).toBe(200);
  const none = Buffer.from(JSON.stringify({ ...part(access_token, 0), alg: "none" })).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const cases: Record<string, string> = {
    nothing: "",
    text: "x",
    refresh: refresh_token,
    "without a signature": `${header}.${claims}.`,
    "alg none": `${none}.${claims}.`,
    "alg none, signed": `${none}.${claims}.${signature}`,
    "alg HS256": forged(access_token, { header: { alg: "HS256" } }),
    "of another key": forged(access_token, { key: generateKeyPairSync("ed25519").privateKey }),
    "of a key that nobody knows": forged(access_token, { header: { kid: "k9" } }),
    "changed claims": `${header}.${Buffer.from(JSON.stringify({ ...part(access_token, 1), sub: "1" })).toString("base64url")}.${signature}`,
    "another type": forged(access_token, { header: { typ: "JWT" } }),
    "another issuer": forged(access_token, { claims: { iss: "other" } }),
    "another audience": forged(access_token, { claims: { aud: "other" } }),
    "no session": forged(access_token, { claims: { sid: undefined } }),
    expired: forged(access_token, { claims: { exp: now - 1 } }),
    "of tomorrow": forged(access_token, { claims: { nbf: now + 86_400 } }),
    "without an end": forged(access_token, { claims: { exp: undefined } }),
    long: `${access_token}${"A".repeat(4096)}`,
    two: `${access_token}, ${access_token}`,
  };
  for (const [what, token] of Object.entries(cases)) {
    const answer = await ask("/", token);
    expect([what, answer.status]).toEqual([what, 401]);
    expect(answer.headers.get("www-authenticate"), what).toMatch(/^Bearer/);
  }
});

it("asks about roles where the token does not say them, and does not where it does", async () => {
  for (const tokens of [someone, editor]) await age(tokens);
  expect((await ask("/editors/", someone.access_token)).status).toBe(403);
  expect(await ask("/editors/", editor.access_token)).toMatchObject({ status: 200, checked: "asked" });

  await using edge = await start({ ...OFFLINE, bindings: { ...bindings, SESSION_CHECK: "edge" } });
  const [user, other] = [await edge.client.someone(), await anEditor(edge)];
  for (const tokens of [user, other]) await age(tokens, edge);
  expect((await ask("/editors/", other.access_token, edge)).status).toBe(200);
  await turn(edge, "down");
  expect(await ask("/editors/", other.access_token, edge)).toMatchObject({ status: 200, checked: "offline" });
  expect((await ask("/editors/", user.access_token, edge)).status).toBe(403);
});

it("lets nobody in who comes before it has the keys", async () => {
  await using other = await start({ ...OFFLINE, bindings });
  await turn(other, "down");
  expect((await ask("/", someone.access_token, other)).status).toBe(503);
  await turn(other, "up");
  // The keys are there again; its session is one of another deployment.
  expect((await ask("/", someone.access_token, other)).status).toBe(401);
});

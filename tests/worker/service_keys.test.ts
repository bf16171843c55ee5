// Service keys as admins make and revoke them, and as nobody gets past with one where a user is wanted.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { type Answer, api, refused } from "../support/worker/api.ts";
import {
  elsewhere,
  KEYS,
  type Key,
  makeKey,
  malformed,
  otherSecret,
  revokeKey,
} from "../support/worker/keys.ts";
import { advance, DAY, SECOND, standingClock } from "../support/worker/time.ts";
import { admin, freshAdmin, someone } from "../support/worker/users.ts";

standingClock();

beforeAll(async () => void (await admin()));

const create = async (body: unknown) => api("POST", KEYS, { token: await freshAdmin(), body });
const list = async (): Promise<(Key & { status: string; last4: string; revoked_at: string | null })[]> =>
  (await api("GET", KEYS, { token: await freshAdmin() })).json.service_keys;
const listed = async (id: string) => (await list()).find((key) => key.id === id);

/** An admin route with a key in place of a user's token: 403 if it is good, else 401. */
const knock = (key: string): Promise<Answer> => api("GET", "/admin/users", { token: key });
const good = async (key: string) => refused(await knock(key), 403, "forbidden");
const bad = async (key: string) => refused(await knock(key), 401, "token_invalid");

it("a key is shown when it is made, and never again", async () => {
  const made = await makeKey({ name: "nightly job", scopes: ["portal", "tokens:read", "portal"] });
  expect(made).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{12}$/),
    name: "nightly job",
    scopes: ["tokens:read", "portal"],
    created_at: "2030-01-01T00:00:00.000Z",
    expires_at: null,
    key: expect.stringMatching(new RegExp(`^sp_${made.id}_[\\w-]{43}$`)),
  });
  const { key, ...rest } = made;
  expect(await listed(made.id)).toEqual({
    ...rest,
    status: "active",
    revoked_at: null,
    last4: key.slice(-4),
  });
  const text = (await api("GET", KEYS, { token: await freshAdmin() })).text;
  expect(text).not.toMatch(/hash|sp_/);
  expect(text).not.toContain(key.slice(16));
});

it("D06 the directory keeps no key", async () => {
  const { key, id } = await makeKey();
  const stub = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  const rows = await runInDurableObject(stub, (_, state) =>
    JSON.stringify(state.storage.sql.exec("SELECT * FROM service_keys WHERE id = ?", id).toArray()),
  );
  expect(rows).toContain(id);
  expect(rows).not.toContain(key.slice(16));
});

it.each([
  ["nothing", {}, ["name", "scopes"]],
  ["an empty name", { name: "", scopes: ["portal"] }, ["name"]],
  ["a long name", { name: "x".repeat(65), scopes: ["portal"] }, ["name"]],
  ["a very long name", { name: "x".repeat(5000), scopes: ["portal"] }, ["name"]],
  ["a name of two lines", { name: "a\nb", scopes: ["portal"] }, ["name"]],
  ["a name of spaces", { name: "  ", scopes: ["portal"] }, ["name"]],
  ["a name that is none", { name: 1, scopes: ["portal"] }, ["name"]],
  ["no scope", { name: "a", scopes: [] }, ["scopes"]],
  ["an unknown scope", { name: "a", scopes: ["portal", "admin"] }, ["scopes"]],
  ["a scope of two", { name: "a", scopes: ["portal introspect"] }, ["scopes"]],
  ["scopes as text", { name: "a", scopes: "portal" }, ["scopes"]],
  ["scopes that are none", { name: "a", scopes: [1] }, ["scopes"]],
  ["no day", { name: "a", scopes: ["portal"], expires_in_days: 0 }, ["expires_in_days"]],
  ["too many days", { name: "a", scopes: ["portal"], expires_in_days: 3651 }, ["expires_in_days"]],
  ["half a day", { name: "a", scopes: ["portal"], expires_in_days: 0.5 }, ["expires_in_days"]],
  ["days as text", { name: "a", scopes: ["portal"], expires_in_days: "7" }, ["expires_in_days"]],
])("%s: 422, and the fields are named", async (_what, body, fields) => {
  const before = (await list()).length;
  const answer = await create(body);
  refused(answer, 422, "validation_error");
  expect(answer.json.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
  expect(await list()).toHaveLength(before);
});

it("I04 a name comes back as it was given", async () => {
  for (const name of [
    "x".repeat(64),
    "é".repeat(64),
    "'; DROP TABLE service_keys; --",
    '"\\',
    "key:a",
    "🔑",
  ]) {
    const { id } = await makeKey({ name });
    expect((await listed(id))?.name).toBe(name);
  }
});

it("several keys of one name are good at once, and one is revoked without the other", async () => {
  const [one, other] = [await makeKey({ name: "twice" }), await makeKey({ name: "twice" })];
  await good(one.key);
  await good(other.key);
  expect((await revokeKey(one.id)).status).toBe(204);
  await bad(one.key);
  await good(other.key);
});

it("revoking is for ever, may be done twice, and knows its keys", async () => {
  const { id, key } = await makeKey();
  expect((await revokeKey(id)).status).toBe(204);
  advance(SECOND);
  expect((await revokeKey(id)).status).toBe(204);
  expect(await listed(id)).toMatchObject({ status: "revoked", revoked_at: "2030-01-01T00:00:00.000Z" });
  await bad(key);
  for (const unknown of ["000000000000", id.toUpperCase().replace(/\d/g, "A"), "x", "%00", "*", "a:b"])
    refused(await revokeKey(unknown), 404, "service_key_not_found");
});

it("D04 a key expires at once at its time, also where it is known", async () => {
  const { id, key, expires_at } = await makeKey({ expires_in_days: 1 });
  expect(expires_at).toBe("2030-01-02T00:00:00.000Z");
  advance(DAY - 5 * SECOND);
  await good(key);
  advance(5 * SECOND - 1);
  await good(key);
  advance(1);
  await bad(key);
  expect((await listed(id))?.status).toBe("expired");
});

it("D04 a key that was revoked elsewhere is let in for less than 10 seconds more", async () => {
  const { id, key } = await makeKey();
  await good(key);
  expect(await elsewhere({ revoke_key: id })).toMatchObject({ keys: [{ id }] });
  advance(10 * SECOND - 1);
  await good(key);
  advance(1);
  await bad(key);
});

it("revoked and expired keys are listed for 30 days", async () => {
  const expiring = await makeKey({ expires_in_days: 1 });
  const revoked = await makeKey({ expires_in_days: 3650 });
  const kept = await makeKey();
  await revokeKey(revoked.id);
  const there = async () => {
    const ids = (await list()).map((key) => key.id);
    return [expiring, revoked, kept].map(({ id }) => ids.includes(id));
  };
  advance(30 * DAY);
  expect(await there()).toEqual([true, true, true]);
  advance(1);
  expect(await there()).toEqual([true, false, true]);
  advance(DAY);
  expect(await there()).toEqual([false, false, true]);
});

it("the list is the oldest first", async () => {
  const first = await makeKey();
  advance(SECOND);
  const second = await makeKey();
  const ids = (await list()).map((key) => key.id);
  expect(ids.indexOf(first.id)).toBeLessThan(ids.indexOf(second.id));
});

describe("D01 with a key where a user is wanted", () => {
  it("a good key is 403, by any header; anything else stays 401", async () => {
    const { key } = await makeKey();
    const { tokens } = await someone();
    for (const [method, path] of [
      ["GET", "/admin/users"],
      ["GET", KEYS],
      ["POST", KEYS],
      ["POST", "/admin/users"],
      ["POST", "/admin/sessions/cleanup"],
      ["GET", "/debug/session-info"],
    ] as const) {
      const challenge = 'Bearer realm="sallyport", error="insufficient_scope"';
      for (const headers of [{ authorization: `Bearer ${key}` }, { "x-api-key": key }, { apikey: key }]) {
        const answer = await api(method, path, { headers });
        refused(answer, 403, "forbidden");
        expect(answer.headers.get("www-authenticate")).toBe(challenge);
      }
      refused(await api(method, path, { token: otherSecret(key) }), 401, "token_invalid");
      refused(await api(method, path, { headers: { apikey: otherSecret(key) } }), 401, "not_authenticated");
    }
    refused(await api("GET", KEYS, { token: tokens.access_token }), 403, "forbidden");
    // A key beside a user's token changes nothing for the user.
    const both = { token: tokens.access_token, headers: { "x-api-key": key } };
    expect((await api("GET", "/auth/sessions", both)).status).toBe(200);
  });

  it("the short way knows no service keys", async () => {
    const { key } = await makeKey();
    for (const path of ["/auth/profile", "/api/v1/protected"])
      refused(await api("GET", path, { token: key }), 401, "token_invalid");
    expect((await api("GET", "/auth/verify", { token: key })).status).toBe(401);
  });

  it("D05 a key in the query is not looked at", async () => {
    const { key } = await makeKey();
    for (const name of ["key", "api_key", "apikey", "x-api-key", "access_token"])
      refused(await api("GET", `/admin/users?${name}=${key}`), 401, "not_authenticated");
  });

  it("what is no key of ours is 401", async () => {
    const { key } = await makeKey();
    for (const text of malformed(key)) await bad(text);
    await bad(key.replace(/^sp_.{12}/, "sp_0123456789ab"));
    const other = await makeKey();
    await bad(key.slice(0, 16) + other.key.slice(16));
    await good(key);
  });
});

it("at most 1,000 keys are good at once; revoking one makes room", async () => {
  const key = {
    hash: "x",
    last4: "xxxx",
    scopes: "portal",
    created_at: 1,
    expires_at: null,
    revoked_at: null,
  };
  const id = (n: number) => n.toString(16).padStart(12, "f");
  const live = (await list()).filter(({ status }) => status === "active").length;
  for (let n = live; n < 1000; n++)
    expect(await elsewhere({ add_key: { ...key, id: id(n), name: `n${n}` } })).toBe("done");
  refused(await create({ name: "one too many", scopes: ["portal"] }), 409, "too_many_service_keys");
  expect(await list()).toHaveLength(1000 + (await list()).filter((k) => k.status !== "active").length);
  // The same again is no new one.
  expect(await elsewhere({ add_key: { ...key, id: id(999), name: "n999" } })).toBe("done");
  expect((await revokeKey(id(999))).status).toBe(204);
  await makeKey();
});

// The first requests of a deployment, in order: the accounts of upstreams, the first admin, and the last one, who has to stay.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import {
  ACCOUNTS,
  alarmAt,
  eventually,
  roster,
  runDue,
  START,
  stored,
  told,
  upstreams,
} from "../support/worker/keeper.ts";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import { logIn, PASSWORD, tryLogIn } from "../support/worker/users.ts";

it("the first request has every account reconciled once, and not again by an instance that starts within the minute", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
    upstreams.handle(new Request(input, init)),
  );
  const health = () => api("GET", "/health");
  expect((await health()).json).toMatchObject({ accounts: { total: 3, healthy: 0, failed: 0 } });
  for (const account of ACCOUNTS)
    await eventually(
      () => alarmAt(account),
      (at) => at !== null,
    );
  expect(upstreams.calls).toEqual([]); // The request itself called nobody.
  advance(SECOND);
  await Promise.all(ACCOUNTS.map(runDue));
  for (const account of ACCOUNTS)
    expect((await stored(account)).held, account).toMatchObject({ source: "startup" });
  expect(upstreams.count()).toBe(9);
  for (const account of ACCOUNTS) await told(account);
  expect(await env.KV.get("upstox_access_token")).toMatch(/^s1\./);
  expect((await health()).json).toMatchObject({ accounts: { total: 3, healthy: 3, failed: 0 } });

  const start = async () =>
    JSON.parse(await roster().command(JSON.stringify({ start: { now: Date.now() } })));
  expect(await start()).toEqual({ start: false });
  advance(MINUTE);
  expect(await Promise.all([start(), start(), start()])).toEqual([
    { start: true },
    { start: false },
    { start: false },
  ]);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const make = (username: string, roles: string[], key: string) =>
  api("POST", "/admin/users", {
    body: { username, password: PASSWORD, roles },
    headers: { "x-bootstrap-key": key },
  });

it.each([
  ["a wrong key", "0123456789abcdef0123456789abcdef", ["admin"]],
  ["an empty key", "", ["admin"]],
  ["a key cut short", env.BOOTSTRAP_KEY.slice(0, -1), ["admin"]],
  ["a key with more behind it", `${env.BOOTSTRAP_KEY}x`, ["admin"]],
  ["the key in capitals", env.BOOTSTRAP_KEY.toUpperCase(), ["admin"]],
  ["the right key, for somebody who is to be no admin", env.BOOTSTRAP_KEY, ["user"]],
  ["the right key, for nobody's roles", env.BOOTSTRAP_KEY, []],
])("D01 %s makes no user", async (_what, key, roles) => {
  refused(await make("mallory", roles, key), 403, "forbidden");
  refused(await tryLogIn("mallory", PASSWORD), 401, "invalid_credentials");
});

it("without the key, and without a token, nobody is made", async () => {
  const body = { username: "mallory", password: PASSWORD, roles: ["admin"] };
  refused(await api("POST", "/admin/users", { body }), 401, "not_authenticated");
  refused(await api("POST", "/admin/users", { body, token: env.BOOTSTRAP_KEY }), 401, "token_invalid");
});

let first: string;

it("of many who use the key at once, one becomes admin", async () => {
  const names = ["ann", "bob", "cleo", "dan", "eve"];
  const answers = await Promise.all(names.map((name) => make(name, ["admin"], env.BOOTSTRAP_KEY)));
  const made = answers.filter(({ status }) => status === 201);
  expect(made).toHaveLength(1);
  for (const other of answers.filter(({ status }) => status !== 201)) refused(other, 403, "forbidden");
  first = made[0]?.json.username;
  const { access_token: token } = await logIn(first);
  const { users } = (await api("GET", "/admin/users", { token })).json;
  expect(users.map((user: { username: string }) => user.username)).toEqual([first]);
});

it("once there is an admin, the key makes nobody", async () => {
  for (const name of ["fay", first]) {
    const again = await make(name, ["admin"], env.BOOTSTRAP_KEY);
    expect([403, 409]).toContain(again.status);
  }
  refused(await make("gus", ["user"], env.BOOTSTRAP_KEY), 403, "forbidden");
  refused(await tryLogIn("fay", PASSWORD), 401, "invalid_credentials");
  await logIn(first);
});

it("the last admin stays: no demotion, no disabling, no deletion", async () => {
  const { access_token: token } = await logIn(first);
  const path = `/admin/users/${first}`;
  for (const body of [
    { roles: ["user"] },
    { roles: [] },
    { is_active: false },
    { roles: [], is_active: false },
  ]) {
    refused(await api("PATCH", path, { token, body }), 409, "last_admin");
  }
  refused(await api("DELETE", path, { token }), 409, "last_admin");
  expect((await api("GET", path, { token })).json).toMatchObject({ roles: ["admin"], is_active: true });
  // A disabled admin is none.
  const other = { username: "hal", password: PASSWORD, roles: ["admin"] };
  expect((await api("POST", "/admin/users", { token, body: other })).status).toBe(201);
  expect((await api("PATCH", "/admin/users/hal", { token, body: { is_active: false } })).status).toBe(200);
  refused(await api("DELETE", path, { token }), 409, "last_admin");
  refused(await make("ida", ["admin"], env.BOOTSTRAP_KEY), 403, "forbidden");
});

it("of two admins who demote each other at once, one stays", async () => {
  const { access_token: token } = await logIn(first);
  expect((await api("PATCH", "/admin/users/hal", { token, body: { is_active: true } })).status).toBe(200);
  const { access_token: other } = await logIn("hal");
  const [a, b] = await Promise.all([
    api("PATCH", "/admin/users/hal", { token, body: { roles: ["user"] } }),
    api("PATCH", `/admin/users/${first}`, { token: other, body: { roles: ["user"] } }),
  ]);
  expect([a.status, b.status].filter((status) => status === 200)).toHaveLength(1);
  const admins = [token, other].map((token) => api("GET", "/admin/users", { token }));
  expect((await Promise.all(admins)).map(({ status }) => status).sort()).toEqual([200, 403]);
});

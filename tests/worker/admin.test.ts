// What admins do to users, sessions and service keys, once each, by way of the deployed Worker. Every case of it is tested
// natively: crates/sim/tests/http/{admin,owner,service_keys}.rs.
import { beforeEach, expect, it } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { KEYS, makeKey, revokeKey } from "../support/worker/keys.ts";
import { sessionOf } from "../support/worker/tokens.ts";
import {
  anotherAdmin,
  logIn,
  PASSWORD,
  protectedRoute,
  refresh,
  someone,
  type Tokens,
  tryLogIn,
  type User,
} from "../support/worker/users.ts";

let user: User;
let tokens: Tokens;

beforeEach(async () => {
  ({ user, tokens } = await someone());
});

const patch = async (body: unknown) =>
  api("PATCH", `/admin/users/${user.username}`, { token: (await anotherAdmin()).token, body });

/** Both tokens are dead, and say why. */
async function ended(reason: string, of = tokens): Promise<void> {
  refused(await protectedRoute(of.access_token), 401, "access_token_blacklisted", reason);
  refused(
    await api("GET", "/auth/sessions", { token: of.access_token }),
    401,
    "access_token_blacklisted",
    reason,
  );
  refused(await refresh(of.refresh_token), 401, "session_revoked_or_invalid", reason);
}

it("D01 admins' routes are for admins: 401 without a token, 403 with a user's", async () => {
  for (const [method, path] of [
    ["GET", "/admin/users"],
    ["PATCH", `/admin/users/${user.username}`],
    ["DELETE", `/admin/users/${user.username}/sessions`],
    ["GET", "/admin/sessions/active"],
    ["POST", "/admin/sessions/cleanup"],
    ["POST", "/admin/service-keys"],
  ] as const) {
    refused(await api(method, path), 401, "not_authenticated");
    refused(await api(method, path, { token: tokens.access_token }), 403, "forbidden");
  }
});

it("new roles hold in live sessions from the next request, and after a refresh", async () => {
  expect((await patch({ roles: ["user", "auditor"] })).json.roles).toEqual(["auditor", "user"]);
  const roles = async (token: string) =>
    (await api("GET", "/auth/verify", { token })).headers.get("x-auth-roles");
  expect(await roles(tokens.access_token)).toBe("auditor,user");
  expect(await roles((await refresh(tokens.refresh_token)).json.access_token)).toBe("auditor,user");
});

it.each([
  ["disabled", { is_active: false }, 403, "user_inactive"],
  ["password", { password: "an entirely new one" }, 401, "invalid_credentials"],
] as const)("S07 S08 %s: the sessions are over at once, and the password is of no use", async (...row) => {
  const [reason, change, status, code] = row;
  const second = await logIn(user.username);
  expect((await patch(change)).status).toBe(200);
  await ended(reason);
  await ended(reason, second);
  refused(await tryLogIn(user.username, PASSWORD), status, code);
});

it("S07 a deleted user is out at once, and unknown", async () => {
  const { token } = await anotherAdmin();
  const path = `/admin/users/${user.username}`;
  expect((await api("DELETE", path, { token })).status).toBe(204);
  await ended("disabled");
  refused(await api("GET", path, { token }), 404, "user_not_found");
});

it("S09 S10 an admin ends one session of a user or all of them, and the owner any of the own", async () => {
  const { token } = await anotherAdmin();
  const [second, third] = [await logIn(user.username), await logIn(user.username)];
  expect((await api("DELETE", `/admin/sessions/${sessionOf(second.access_token)}`, { token })).status).toBe(
    204,
  );
  await ended("admin", second);
  const own = `/auth/sessions/${sessionOf(third.access_token)}`;
  expect((await api("DELETE", own, { token: tokens.access_token })).status).toBe(204);
  await ended("logout", third);
  const all = await api("DELETE", `/admin/users/${user.username}/sessions`, { token });
  expect([all.status, all.json]).toEqual([200, { closed_sessions: 1 }]);
  await ended("admin");
});

it("S02 S06 a login may take an older session's place, and logout-all ends the others", async () => {
  const body = { username: user.username, password: PASSWORD };
  const next: Tokens = (await api("POST", "/auth/login", { body, token: tokens.access_token })).json;
  await ended("logout");
  const other = await logIn(user.username);
  const all = await api("POST", "/auth/logout-all", {
    token: next.access_token,
    body: { keep_current: true },
  });
  expect([all.status, all.json.closed_sessions]).toEqual([200, 1]);
  await ended("logout", other);
  expect((await protectedRoute(next.access_token)).status).toBe(200);
});

it("a service key is shown once, opens no admin's route, and is good until it is revoked", async () => {
  const { token } = await anotherAdmin();
  const { id, key } = await makeKey({ name: "nightly job" });
  const { text, json } = await api("GET", KEYS, { token });
  expect(json.service_keys).toContainEqual(expect.objectContaining({ id, status: "active" }));
  expect(text).not.toContain(key.slice(16));
  refused(await api("GET", "/admin/users", { token: key }), 403, "forbidden");
  expect((await revokeKey(id)).status).toBe(204);
  refused(await api("GET", "/admin/users", { token: key }), 401, "token_invalid");
  refused(await revokeKey("000000000000"), 404, "service_key_not_found");
  const wrong = await api("POST", KEYS, { token, body: { name: "a\nb", scopes: ["portal"] } });
  refused(wrong, 422, "validation_error");
});

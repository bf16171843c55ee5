// What admins may do, that nobody else may, and that it holds from the very next request.
import { beforeAll, beforeEach, expect, it } from "vitest";
import {
  anotherAdmin,
  logIn,
  makeUser,
  PASSWORD,
  protectedRoute,
  refresh,
  someone,
  tryLogIn,
} from "../support/worker/users.ts";
import type { Tokens, User } from "../support/worker/users.ts";
import { type Answer, api, refused } from "../support/worker/api.ts";
import { sessionOf } from "../support/worker/tokens.ts";

let admin: { user: User; token: string };
let user: User;
let tokens: Tokens;

beforeAll(async () => {
  admin = await anotherAdmin();
});

beforeEach(async () => {
  ({ user, tokens } = await someone());
});

const patch = (body: unknown, username = user.username) =>
  api("PATCH", `/admin/users/${username}`, { token: admin.token, body });
const verify = (query = "", token = tokens.access_token): Promise<Answer> =>
  api("GET", `/auth/verify${query}`, { token });

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

it.each([
  ["GET", "/admin/users"],
  ["POST", "/admin/users"],
  ["GET", "/admin/users/{name}"],
  ["PATCH", "/admin/users/{name}"],
  ["DELETE", "/admin/users/{name}"],
  ["DELETE", "/admin/users/{name}/sessions"],
  ["GET", "/admin/users/nobody-of-that-name"],
  ["GET", "/admin/sessions/active"],
  ["GET", "/admin/sessions/active?user_id=1"],
  ["DELETE", "/admin/sessions/{id}"],
  ["DELETE", "/admin/sessions/unknown"],
  ["POST", "/admin/sessions/cleanup"],
  ["GET", "/admin/service-keys"],
  ["POST", "/admin/service-keys"],
  ["DELETE", "/admin/service-keys/000000000000"],
  ["DELETE", "/admin/service-keys/unknown"],
])(
  "D01 %s %s is for admins: 401 without a token, 403 with a user's, whatever else is wrong",
  async (method, path) => {
    const own = path.replace("{name}", user.username).replace("{id}", sessionOf(tokens.access_token));
    for (const body of method === "GET" || method === "DELETE"
      ? [undefined]
      : [{}, { roles: ["admin"] }, { roles: 1 }]) {
      refused(await api(method, own, { body }), 401, "not_authenticated");
      refused(await api(method, own, { body, token: "x.y.z" }), 401, "token_invalid");
      refused(await api(method, own, { body, token: tokens.access_token }), 403, "forbidden");
    }
    expect((await verify()).headers.get("x-auth-roles")).toBe("user");
  },
);

it("roles that only look like admin are not", async () => {
  for (const role of ["Admin", "ADMIN", "admin2", "administrator", "user:admin"]) {
    expect((await patch({ roles: [role] })).status).toBe(200);
    refused(await api("GET", "/admin/users", { token: tokens.access_token }), 403, "forbidden");
  }
});

it("new roles hold in live sessions from the next request, and after a refresh", async () => {
  expect((await verify("?role=auditor")).status).toBe(403);
  expect((await patch({ roles: ["user", "auditor", "user"] })).json.roles).toEqual(["auditor", "user"]);
  const after = await verify("?role=auditor");
  expect([after.status, after.headers.get("x-auth-roles")]).toEqual([200, "auditor,user"]);
  const next: Tokens = (await refresh(tokens.refresh_token)).json;
  expect((await verify("", next.access_token)).headers.get("x-auth-roles")).toBe("auditor,user");
  expect((await patch({ roles: [] })).json.roles).toEqual([]);
  expect((await verify("?role=user", next.access_token)).status).toBe(403);
  expect((await verify("", next.access_token)).headers.get("x-auth-roles")).toBe("");
});

it("an admin who is one no more may do nothing of it from the next request", async () => {
  const { user: former, token } = await anotherAdmin();
  expect((await api("GET", "/admin/users", { token })).status).toBe(200);
  expect((await patch({ roles: ["user"] }, former.username)).status).toBe(200);
  refused(await api("GET", "/admin/users", { token }), 403, "forbidden");
  refused(
    await api("PATCH", `/admin/users/${former.username}`, { token, body: { roles: ["admin"] } }),
    403,
    "forbidden",
  );
});

it("S07 a disabled user is out at once and gets in no more, until enabled again", async () => {
  const second = await logIn(user.username);
  expect((await patch({ is_active: false })).json.is_active).toBe(false);
  await ended("disabled");
  await ended("disabled", second);
  refused(await tryLogIn(user.username, PASSWORD), 403, "user_inactive");
  expect((await patch({ is_active: true })).json.is_active).toBe(true);
  await ended("disabled");
  await logIn(user.username);
});

it("S08 a new password ends the sessions, and the old one is wrong from then on", async () => {
  expect((await patch({ password: "an entirely new one" })).status).toBe(200);
  await ended("password");
  refused(await tryLogIn(user.username, PASSWORD), 401, "invalid_credentials");
  expect((await tryLogIn(user.username, "an entirely new one")).status).toBe(200);
});

it("S08 a password and roles changed together end the sessions, and the roles hold at the next login", async () => {
  expect((await patch({ password: "an entirely new one", roles: ["auditor"] })).status).toBe(200);
  await ended("password");
  const login = await tryLogIn(user.username, "an entirely new one");
  expect((await verify("", login.json.access_token)).headers.get("x-auth-roles")).toBe("auditor");
});

it("what changes nothing ends nothing", async () => {
  for (const body of [
    {},
    { is_active: true },
    { roles: ["user"] },
    { password: null, roles: null, is_active: null },
  ]) {
    expect((await patch(body)).status).toBe(200);
  }
  refused(await patch({ password: "short" }), 422, "validation_error");
  refused(await patch({ password: "" }), 422, "validation_error");
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
});

it("S07 a deleted user is out at once; who gets the name next has nothing of the old one", async () => {
  await api("POST", "/api/v1/data", { token: tokens.access_token, body: { secret: 1 } });
  const path = `/admin/users/${user.username}`;
  expect((await api("DELETE", path, { token: admin.token })).status).toBe(204);
  await ended("disabled");
  refused(await tryLogIn(user.username, PASSWORD), 401, "invalid_credentials");
  for (const method of ["GET", "DELETE"])
    refused(await api(method, path, { token: admin.token }), 404, "user_not_found");
  const next = await makeUser(user.username);
  expect(next.id).toBeGreaterThan(user.id);
  await ended("disabled");
  const { access_token: token } = await logIn(next.username);
  expect((await api("GET", "/api/v1/data", { token })).json).toEqual({ data: {} });
  expect((await api("GET", "/auth/sessions", { token })).json.sessions).toHaveLength(1);
});

it("S09 an admin ends one session of a user, or all of them", async () => {
  const second = await logIn(user.username);
  const third = await logIn(user.username);
  const one = `/admin/sessions/${sessionOf(second.access_token)}`;
  expect((await api("DELETE", one, { token: admin.token })).status).toBe(204);
  await ended("admin", second);
  refused(await api("DELETE", one, { token: admin.token }), 404, "session_not_found");
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  const all = await api("DELETE", `/admin/users/${user.username}/sessions`, { token: admin.token });
  expect([all.status, all.json]).toEqual([200, { closed_sessions: 2 }]);
  await ended("admin");
  await ended("admin", third);
  const list = await api("GET", `/admin/sessions/active?user_id=${user.id}`, { token: admin.token });
  expect(list.json).toMatchObject({ active_sessions: 0, sessions: [] });
});

it("S10 what an admin sees of users and sessions has no secrets in it", async () => {
  for (const path of [
    "/admin/users?limit=500",
    `/admin/users/${user.username}`,
    `/admin/sessions/active?user_id=${user.id}`,
  ]) {
    const answer = await api("GET", path, { token: admin.token });
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.text).not.toMatch(/eyJ|"password"|hash|argon2|address/);
  }
});

// The flows of clients written for the old session system, unchanged but for the base URL.
import { expect, it } from "vitest";
import { api } from "../support/worker/api.ts";
import { admin, makeUser } from "../support/worker/users.ts";
import { claimsOf } from "../support/worker/tokens.ts";

it("login → protected → refresh → logout → 401 access_token_blacklisted", async () => {
  const { username, password, id } = await makeUser();

  const login = await api("POST", "/api/v1/auth/login", { body: { username, password } });
  expect(login.status).toBe(200);
  expect(Object.keys(login.json).sort()).toEqual([
    "access_token",
    "expires_in",
    "refresh_token",
    "token_type",
  ]);
  expect(login.json).toMatchObject({ token_type: "bearer", expires_in: 900 });
  const payload = claimsOf(login.json.access_token);
  expect(Number.parseInt(String(payload.sub), 10)).toBe(id);

  const hello = await api("GET", "/api/v1/protected", { token: login.json.access_token });
  expect([hello.status, hello.json]).toEqual([200, { message: `Hello ${username}!` }]);

  const refreshed = await api("POST", "/api/v1/auth/refresh", {
    body: { refresh_token: login.json.refresh_token },
  });
  expect(refreshed.status).toBe(200);
  expect(refreshed.json.access_token).not.toBe(login.json.access_token);
  expect(refreshed.json.refresh_token).not.toBe(login.json.refresh_token);
  const token = refreshed.json.access_token;
  expect((await api("GET", "/api/v1/protected", { token })).status).toBe(200);

  const logout = await api("POST", "/api/v1/auth/logout", { token, body: { access_token: token } });
  expect([logout.status, logout.json]).toEqual([200, { message: "Logged out successfully" }]);

  const after = await api("GET", "/api/v1/protected", { token });
  expect(after.status).toBe(401);
  expect(after.json).toEqual({
    detail: "Access token has been revoked",
    code: "access_token_blacklisted",
    reason: "logout",
  });
});

it("sees last_activity move with each request", async () => {
  const { username, password, id } = await makeUser();
  const login = await api("POST", "/auth/login", { body: { username, password } });
  const lastActivity = async () => {
    const active = await api("GET", `/admin/sessions/active?user_id=${id}`, { token: await admin() });
    expect(active.json).toMatchObject({ user_id: id, active_sessions: 1 });
    const [session] = active.json.sessions;
    expect(session.jti).toBe(claimsOf(login.json.access_token).jti);
    expect(Date.parse(session.expires_at)).toBeGreaterThan(Date.parse(session.created_at));
    return Date.parse(session.last_activity);
  };
  const before = await lastActivity();
  await expect
    .poll(async () => {
      await api("GET", "/auth/profile", { token: login.json.access_token });
      return lastActivity();
    })
    .toBeGreaterThan(before);
});

it("keeps a small document of the user's own", async () => {
  const { username, password } = await makeUser();
  const token = (await api("POST", "/auth/login", { body: { username, password } })).json.access_token;
  expect((await api("GET", "/api/v1/data", { token })).json).toEqual({ data: {} });
  const document = { notes: ["a", 1, null], é: true };
  expect((await api("POST", "/api/v1/data", { token, body: document })).json).toEqual({ data: document });
  expect((await api("GET", "/api/v1/data", { token })).json).toEqual({ data: document });
});

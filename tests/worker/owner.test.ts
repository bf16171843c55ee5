// Sessions belong to their users: who sees them, who ends them, and what a login makes of them.
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import {
  logIn,
  makeUser,
  PASSWORD,
  protectedRoute,
  refresh,
  someone,
  type Tokens,
  type User,
} from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";
import { claimsOf, forge, sessionOf } from "../support/worker/tokens.ts";

let user: User;
let tokens: Tokens;

beforeEach(async () => {
  ({ user, tokens } = await someone());
});

const revoked = async (token: string, reason = "logout") =>
  refused(await protectedRoute(token), 401, "access_token_blacklisted", reason);
const alive = async (token: string) => expect((await protectedRoute(token)).status).toBe(200);

it("S10 another's session and none at all get the same answer, and the other's goes on", async () => {
  const other = await someone();
  const answers = [];
  for (const id of [
    sessionOf(other.tokens.access_token),
    env.SESSION.newUniqueId().toString(),
    "ab".repeat(32),
    sessionOf(tokens.access_token).toUpperCase(),
    "x",
    "..%2f" + sessionOf(tokens.access_token),
    String(claimsOf(tokens.access_token).jti),
  ]) {
    const { status, text, headers } = await api("DELETE", `/auth/sessions/${id}`, {
      token: tokens.access_token,
    });
    answers.push({ status, text, headers: [...headers].filter(([name]) => name !== "x-request-id") });
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.status).toBe(404);
  await alive(other.tokens.access_token);
  await alive(tokens.access_token);
});

it("S10 a user ends one of the own sessions by its id, the current one too", async () => {
  const second = await logIn(user.username);
  const close = (id: string) => api("DELETE", `/auth/sessions/${id}`, { token: second.access_token });
  expect((await close(sessionOf(tokens.access_token))).status).toBe(204);
  await revoked(tokens.access_token);
  refused(await close(sessionOf(tokens.access_token)), 404, "session_not_found");
  expect((await close(sessionOf(second.access_token))).status).toBe(204);
  await revoked(second.access_token);
});

it("S10 the list has the own sessions only, and no tokens", async () => {
  await someone();
  const second = await logIn(user.username, { device_name: "phone" });
  const list = await api("GET", "/auth/sessions", { token: second.access_token });
  const ids = list.json.sessions.map((session: { id: string }) => session.id);
  expect(ids.sort()).toEqual([tokens, second].map((t) => sessionOf(t.access_token)).sort());
  for (const session of list.json.sessions) {
    expect(Object.keys(session).sort()).toEqual([
      "absolute_expires_at",
      "created_at",
      "current",
      "device_name",
      "expires_at",
      "id",
      "idle_expires_at",
      "jti",
      "last_activity",
      "user_agent",
    ]);
    expect(session.current).toBe(session.id === sessionOf(second.access_token));
  }
  expect(list.text).not.toMatch(/eyJ|password|argon2|address/);
  const debug = await api("GET", "/debug/session-info", { token: second.access_token });
  expect(debug.text).not.toMatch(/eyJ|password|argon2|address/);
  expect(debug.json).toMatchObject({ user_id: user.id, active_sessions: 2, session_valid: true });
});

it("S01 each login makes a new session, whatever ids the client sends along", async () => {
  const fixed = sessionOf(tokens.access_token);
  const body = {
    username: user.username,
    password: PASSWORD,
    session_id: fixed,
    sid: fixed,
    jti: `${fixed}.0`,
  };
  const headers = { cookie: `session=${fixed}; sid=${fixed}`, "x-session-id": fixed };
  const second: Tokens = (await api("POST", `/auth/login?session_id=${fixed}`, { body, headers })).json;
  expect(sessionOf(second.access_token)).not.toBe(fixed);
  const all = [tokens, second].flatMap((t) => [t.access_token, t.refresh_token]);
  expect(new Set(all).size).toBe(4);
  expect(new Set(all.map((token) => claimsOf(token).jti)).size).toBe(4);
  await alive(tokens.access_token);
});

it("S02 a login with the token of an older session of the same user takes that session's place", async () => {
  const login = { username: user.username, password: PASSWORD };
  const second: Tokens = (await api("POST", "/auth/login", { body: login, token: tokens.access_token })).json;
  await revoked(tokens.access_token);
  refused(await refresh(tokens.refresh_token), 401, "session_revoked_or_invalid", "logout");
  await alive(second.access_token);
});

it("S02 a login with another user's token, or a bad one, ends nothing", async () => {
  const other = await someone();
  const body = { username: user.username, password: PASSWORD };
  const forged = await forge(tokens.access_token, { kid: "k2" }, {});
  for (const token of [other.tokens.access_token, forged, "x.y.z", "", "a b", tokens.refresh_token]) {
    expect((await api("POST", "/auth/login", { body, token })).status).toBe(200);
  }
  await alive(other.tokens.access_token);
});

it("S02 a failed login ends nothing", async () => {
  const body = { username: user.username, password: "wrong password" };
  refused(await api("POST", "/auth/login", { body, token: tokens.access_token }), 401, "invalid_credentials");
  await alive(tokens.access_token);
});

it("S02 a login in place of an older session takes no other session's place, not even at the limit", async () => {
  const others = [];
  for (let i = 0; i < 4; i++) others.push(await logIn(user.username));
  for (const other of others) await alive(other.access_token);
  const body = { username: user.username, password: PASSWORD };
  const replaced = others[3]?.access_token;
  const next: Tokens = (await api("POST", "/auth/login", { body, token: replaced })).json;
  await alive(next.access_token);
  await alive(tokens.access_token);
});

it("S04 a second logout is refused as any request of an ended session", async () => {
  const logout = () => api("POST", "/auth/logout", { token: tokens.access_token });
  expect((await logout()).status).toBe(200);
  for (let i = 0; i < 2; i++) refused(await logout(), 401, "access_token_blacklisted", "logout");
});

it("S05 an expired token logs nobody out; refreshed, it does", async () => {
  const past = Math.floor(Date.now() / 1000) - 1;
  const expired = await forge(tokens.access_token, {}, { iat: past - 60, nbf: past - 60, exp: past });
  refused(await api("POST", "/auth/logout", { token: expired }), 401, "token_expired");
  const next: Tokens = (await refresh(tokens.refresh_token)).json;
  expect((await api("POST", "/auth/logout", { token: next.access_token })).status).toBe(200);
  refused(await refresh(next.refresh_token), 401, "session_revoked_or_invalid", "logout");
});

it("S05 a logout may name an expired token of another of the user's sessions in its body", async () => {
  const second = await logIn(user.username);
  const past = Math.floor(Date.now() / 1000) - 1;
  const expired = await forge(second.access_token, {}, { iat: past - 60, nbf: past - 60, exp: past });
  const body = { access_token: expired };
  expect((await api("POST", "/auth/logout", { token: tokens.access_token, body })).status).toBe(200);
  await revoked(tokens.access_token);
  await revoked(second.access_token);
});

it("a logout that names another user's token ends neither session", async () => {
  const other = await someone();
  for (const access_token of [other.tokens.access_token, other.tokens.refresh_token, "x.y.z"]) {
    const answer = await api("POST", "/auth/logout", { token: tokens.access_token, body: { access_token } });
    refused(answer, 422, "validation_error");
    expect(answer.json.errors[0].field).toBe("access_token");
  }
  await alive(other.tokens.access_token);
  await alive(tokens.access_token);
});

it.each([
  ["all sessions", {}, 3],
  ["all sessions", { keep_current: false }, 3],
  ["all sessions", { keep_current: null }, 3],
  ["all but the current one", { keep_current: true }, 2],
] as const)("S06 logout-all ends %s of the user for %j, and nobody else's", async (_what, body, count) => {
  const other = await someone();
  const more = [await logIn(user.username), await logIn(user.username)];
  const answer = await api("POST", "/auth/logout-all", { token: tokens.access_token, body });
  expect([answer.status, answer.json.closed_sessions]).toEqual([200, count]);
  for (const { access_token, refresh_token } of more) {
    await revoked(access_token);
    refused(await refresh(refresh_token), 401, "session_revoked_or_invalid", "logout");
  }
  await (count === 2 ? alive : revoked)(tokens.access_token);
  await alive(other.tokens.access_token);
  await makeUser();
});

// `/auth/verify`, which proxies ask before they let a request through.
import { expect, it, vi } from "vitest";
import { anotherAdmin, admin, PASSWORD, someone, tryLogIn } from "../support/worker/users.ts";
import { api } from "../support/worker/api.ts";
import { claimsOf, sessionOf } from "../support/worker/tokens.ts";

it("/auth/verify names the user in headers, with an empty body, and asks for every role in the query", async () => {
  const { user, tokens } = await someone();
  const answer = await api("GET", "/auth/verify", { token: tokens.access_token });
  const { headers } = answer;
  expect([answer.status, answer.text]).toEqual([200, ""]);
  expect([headers.get("x-auth-user"), headers.get("x-auth-session")]).toEqual([
    String(user.id),
    sessionOf(tokens.access_token),
  ]);
  const exp = Number(claimsOf(tokens.access_token).exp);
  expect(headers.get("x-auth-expires")).toBe(new Date(exp * 1000).toISOString());
  const body = { roles: ["a", "b"] };
  await api("PATCH", `/admin/users/${user.username}`, { token: await admin(), body });
  for (const [query, status] of [
    ["?role=a", 200],
    ["?role=a&role=b", 200],
    ["?role=%61", 200],
    ["?role=a&role=c", 403],
    ["?role=a,b", 403],
    ["?role=A", 403],
    ["?role=", 403],
    ["?role", 403],
    ["?roles=c", 200],
  ] as const) {
    for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await api(method, `/auth/verify${query}`, { token: tokens.access_token });
      expect([method, query, answer.status, answer.text]).toEqual([method, query, status, ""]);
      if (status === 403) expect(answer.headers.get("x-auth-user")).toBeNull();
    }
  }
  for (const method of ["GET", "OPTIONS"]) {
    const none = await api(method, "/auth/verify");
    expect([none.status, none.text, none.headers.get("x-auth-user")]).toEqual([401, "", null]);
  }
});

it("/auth/verify does not read a body, whatever is in it", async () => {
  const { access_token: token } = (await someone()).tokens;
  for (const raw of ["{", "x".repeat(100_000)]) {
    expect((await api("POST", "/auth/verify", { token, raw })).status).toBe(200);
  }
});

it("I13 a name in another script travels percent-encoded, and nothing in it ends a header", async () => {
  const { token } = await anotherAdmin();
  for (const username of ["ren\u00e9", "\u30ac\u30ad", "a:b,c;d=e", "%0d%0ax"]) {
    expect(
      (await api("POST", "/admin/users", { token, body: { username, password: PASSWORD } })).status,
    ).toBe(201);
    const login = await tryLogIn(username, PASSWORD);
    const { headers } = await api("GET", "/auth/verify", { token: login.json.access_token });
    const name = headers.get("x-auth-username") ?? "";
    expect([name.match(/^[\w%]+$/) !== null, decodeURIComponent(name)]).toEqual([true, username]);
  }
});

it("/auth/verify asks for a recent login, which the password once more is", async () => {
  const { tokens } = await someone();
  const verify = (query: string, token: string) => api("GET", `/auth/verify${query}`, { token });
  const asked = await verify("?max_age=600", tokens.access_token);
  const login = Number(claimsOf(tokens.access_token).auth_time);
  expect([asked.status, asked.headers.get("x-auth-time")]).toEqual([
    200,
    new Date(login * 1000).toISOString(),
  ]);
  expect((await verify("?max_age=soon", tokens.access_token)).status).toBe(422);
  // From the next second on.
  const late = await vi.waitFor(
    async () => {
      const answer = await verify("?max_age=0", tokens.access_token);
      expect(answer.status).toBe(401);
      return answer;
    },
    { timeout: 5000 },
  );
  expect(late.headers.get("www-authenticate")).toContain('error="insufficient_user_authentication"');
  expect(late.headers.get("www-authenticate")).toContain('max_age="0"');
  const body = { password: PASSWORD };
  const again = await api("POST", "/auth/reauthenticate", { token: tokens.access_token, body });
  expect(again.status).toBe(200);
  const claims = claimsOf(again.json.access_token);
  expect([claims.sid, claims.gen]).toEqual([sessionOf(tokens.access_token), 1]);
  expect(Number(claims.auth_time)).toBeGreaterThan(login);
  expect((await verify("?max_age=30", again.json.access_token)).status).toBe(200);
});

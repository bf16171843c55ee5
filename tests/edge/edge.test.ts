// SESSION_CHECK=edge: the signature and KV's record let in; the touch follows after the answer.
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { claimsOf, sessionOf } from "../support/worker/tokens.ts";
import { logIn, makeUser, protectedRoute, refresh, someone } from "../support/worker/users.ts";

afterEach(() => vi.restoreAllMocks());

const command = async (token: string, json: string) =>
  JSON.parse(await env.SESSION.get(env.SESSION.idFromString(sessionOf(token))).command(json));

it("greets the user by what is in the token", async () => {
  const { user, tokens } = await someone();
  expect(claimsOf(tokens.access_token).account).toMatchObject({ username: user.username, roles: ["user"] });
  expect(claimsOf(tokens.refresh_token).account).toBeUndefined();
  expect((await protectedRoute(tokens.access_token)).json).toEqual({ message: `Hello ${user.username}!` });
});

it("refuses what KV says has ended, with the reason", async () => {
  const { tokens } = await someone();
  expect((await api("POST", "/auth/logout", { token: tokens.access_token })).status).toBe(200);
  refused(await protectedRoute(tokens.access_token), 401, "access_token_blacklisted", "logout");
});

// As if the session's record had been written six minutes ago.
async function aged(token: string): Promise<void> {
  const key = `session:${sessionOf(token)}`;
  const record = await env.KV.get<Record<string, unknown>>(key, "json");
  await env.KV.put(key, JSON.stringify({ ...record, written_at: Date.now() - 360_000 }));
}

it("lets a revoked token in as long as KV has not heard: that is its bound", async () => {
  const { tokens } = await someone();
  await aged(tokens.access_token);
  await command(tokens.access_token, '{"revoke":{"reason":"admin"}}');
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  // What changes sessions asks the session's object whatever the setting.
  refused(
    await api("GET", "/auth/sessions", { token: tokens.access_token }),
    401,
    "access_token_blacklisted",
    "admin",
  );
});

it("asks the session's object while KV's record is new, and where there is none", async () => {
  const [fresh, unknown] = [(await someone()).tokens, (await someone()).tokens];
  for (const { access_token } of [fresh, unknown])
    expect((await protectedRoute(access_token)).status).toBe(200);
  await aged(unknown.access_token);
  // As the release before leaves it after an end, or a login whose record has not arrived.
  await env.KV.delete(`session:${sessionOf(unknown.access_token)}`);
  expect((await protectedRoute(unknown.access_token)).status).toBe(200);
  for (const { access_token } of [fresh, unknown]) {
    await command(access_token, '{"revoke":{"reason":"admin"}}');
    refused(await protectedRoute(access_token), 401, "access_token_blacklisted", "admin");
  }
});

it("covers every token of the session, also those of earlier generations", async () => {
  const { tokens } = await someone();
  const { access_token } = (await refresh(tokens.refresh_token)).json;
  await api("POST", "/auth/logout", { token: access_token });
  refused(await protectedRoute(tokens.access_token), 401, "access_token_blacklisted", "logout");
});

it("asks the session's object if KV can't be asked", async () => {
  const user = await makeUser();
  const [kept, closed] = [await logIn(user.username), await logIn(user.username)];
  await api("POST", "/auth/logout", { token: closed.access_token });
  vi.spyOn(env.KV, "get").mockRejectedValue(new Error("KV GET failed: 503"));
  expect((await protectedRoute(kept.access_token)).status).toBe(200);
  refused(await protectedRoute(closed.access_token), 401, "access_token_blacklisted", "logout");
});

it("counts the activity after the answer", async () => {
  const { tokens } = await someone();
  await aged(tokens.access_token);
  const before = (await command(tokens.access_token, '"peek"')).live.last_activity;
  await expect
    .poll(async () => {
      await protectedRoute(tokens.access_token);
      return (await command(tokens.access_token, '"peek"')).live.last_activity;
    })
    .toBeGreaterThan(before);
});

it("knows a post-login session by its subject", async () => {
  // A channel that asks nobody.
  const data = { cif: "42", tokenKey: "t", payload: { channelId: "retail" } };
  const { token } = (await api("POST", "/api/v1/postlogin/init-session", { body: { data } })).json;
  expect(claimsOf(token).account).toMatchObject({ user_id: 0, username: "VPB-RETAIL-42", roles: [] });
  expect((await protectedRoute(token)).json).toEqual({ message: "Hello VPB-RETAIL-42!" });
  expect((await api("GET", "/auth/verify", { token })).headers.get("x-auth-user")).toBe("VPB-RETAIL-42");
  expect((await api("POST", "/auth/logout", { token })).status).toBe(200);
  refused(await protectedRoute(token), 401, "access_token_blacklisted", "logout");
});

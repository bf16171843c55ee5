// KV is not the truth: without it, or with an old copy of it, everything works that does not list.
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { sessionOf } from "../support/worker/tokens.ts";
import { admin, logIn, makeUser, protectedRoute, refresh, someone } from "../support/worker/users.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function kvDown(): void {
  for (const method of ["get", "put", "delete", "list"] as const)
    vi.spyOn(env.KV, method).mockRejectedValue(new Error(`KV ${method.toUpperCase()} failed: 503`));
}

it("logs in, validates, refreshes, logs out and refuses afterwards", async () => {
  const user = await makeUser();
  kvDown();
  const tokens = await logIn(user.username);
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  const next = await refresh(tokens.refresh_token);
  expect(next.status).toBe(200);
  expect((await api("POST", "/auth/logout", { token: next.json.access_token })).status).toBe(200);
  refused(await protectedRoute(next.json.access_token), 401, "access_token_blacklisted", "logout");
  refused(await refresh(next.json.refresh_token), 401, "session_revoked_or_invalid", "logout");
});

it("asks KV for nothing where the session's object is asked", async () => {
  const { tokens } = await someone();
  const reads = vi.spyOn(env.KV, "get");
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
  expect((await api("GET", "/auth/verify", { token: tokens.access_token })).status).toBe(200);
  expect(reads).not.toHaveBeenCalled();
});

it("tells KV of an end later, if it could not at once", async () => {
  const { tokens } = await someone();
  const id = sessionOf(tokens.access_token);
  kvDown();
  await api("POST", "/auth/logout", { token: tokens.access_token });
  vi.restoreAllMocks();
  expect(await env.KV.get(`session:${id}`, "json")).not.toHaveProperty("ended");
  const { runDurableObjectAlarm } = await import("cloudflare:test");
  const session = env.SESSION.get(env.SESSION.idFromString(id));
  // Whoever has ended it has a minute to tell of it.
  vi.setSystemTime(Date.now() + 61_000);
  await runDurableObjectAlarm(session);
  expect(await env.KV.get(`session:${id}`, "json")).toMatchObject({ ended: "logout" });
});

it("lists all sessions by their users, and says that it is without KV", async () => {
  const token = await admin();
  kvDown();
  const list = await api("GET", "/admin/sessions/active", { token });
  expect(list.status).toBe(200);
  expect(list.json.unreachable).toContain("KV");
  expect(list.json.sessions.length).toBeGreaterThan(0);
});

it("lists the sessions of one user all the same", async () => {
  const { user } = await someone();
  const token = await admin();
  kvDown();
  const list = await api("GET", `/admin/sessions/active?user_id=${user.id}`, { token });
  expect(list.json.active_sessions).toBe(1);
});

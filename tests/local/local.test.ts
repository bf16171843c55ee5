// SESSION_CHECK=local: the signature alone lets in.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { MINUTE, advance, standingClock } from "../support/worker/time.ts";
import { logIn, makeUser, protectedRoute, refresh, someone } from "../support/worker/users.ts";

standingClock();

it("lets a revoked token in until it expires: that is its bound", async () => {
  const { user, tokens } = await someone();
  await api("POST", "/auth/logout", { token: tokens.access_token });
  expect((await protectedRoute(tokens.access_token)).json).toEqual({ message: `Hello ${user.username}!` });
  advance(15 * MINUTE);
  refused(await protectedRoute(tokens.access_token), 401, "token_expired");
  refused(await refresh(tokens.refresh_token), 401, "session_revoked_or_invalid", "logout");
});

it("asks no store", async () => {
  const { tokens } = await someone();
  const reads = vi.spyOn(env.KV, "get");
  const calls = vi.spyOn(env.SESSION, "get");
  expect((await api("GET", "/auth/verify", { token: tokens.access_token })).status).toBe(200);
  expect(reads).not.toHaveBeenCalled();
  expect(calls).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

it("asks the session's object where sessions or users are changed", async () => {
  const user = await makeUser(undefined, ["admin"]);
  const tokens = await logIn(user.username);
  await api("POST", "/auth/logout", { token: tokens.access_token });
  refused(
    await api("GET", "/admin/users", { token: tokens.access_token }),
    401,
    "access_token_blacklisted",
    "logout",
  );
});

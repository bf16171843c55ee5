// Users for tests. Storage is shared by the tests of a file, so every name is used once.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { PASSWORD, type Tokens } from "../answers.ts";
import { type Answer, api } from "./api.ts";
import { MINUTE } from "./time.ts";

export interface User {
  id: number;
  username: string;
  password: string;
}

export { PASSWORD, type Tokens };

let count = 0;
let root: { token: string; at: number } | undefined;

/** A name that no other test has. */
export const freshName = (prefix = "user"): string => `${prefix}-${++count}`;

async function bootstrap(): Promise<void> {
  const body = { username: "root", password: PASSWORD, roles: ["admin"] };
  const made = await api("POST", "/admin/users", { body, headers: { "x-bootstrap-key": env.BOOTSTRAP_KEY } });
  expect([201, 409, 403]).toContain(made.status);
}

/** An admin's access token. Many tests have the same, for a login costs as much as ten other requests. */
export async function admin(): Promise<string> {
  const usable =
    root && Math.abs(Date.now() - root.at) < MINUTE && (await protectedRoute(root.token)).status === 200;
  if (root && usable) return root.token;
  if (!root) await bootstrap();
  root = { token: (await logIn("root")).access_token, at: Date.now() };
  return root.token;
}

export async function makeUser(username = freshName(), roles = ["user"]): Promise<User> {
  const body = { username, password: PASSWORD, roles };
  const made = await api("POST", "/admin/users", { token: await admin(), body });
  expect(made.status, made.text).toBe(201);
  return { id: made.json.id, username: made.json.username, password: PASSWORD };
}

export async function logIn(username: string, more: Record<string, unknown> = {}): Promise<Tokens> {
  const answer = await tryLogIn(username, PASSWORD, more);
  expect(answer.status, answer.text).toBe(200);
  return answer.json;
}

export const tryLogIn = (
  username: string,
  password: string,
  more: Record<string, unknown> = {},
): Promise<Answer> => api("POST", "/auth/login", { body: { username, password, ...more } });

/** A new user, logged in. */
export async function someone(): Promise<{ user: User; tokens: Tokens }> {
  const user = await makeUser();
  return { user, tokens: await logIn(user.username) };
}

export const refresh = (refresh_token: string): Promise<Answer> =>
  api("POST", "/auth/refresh", { body: { refresh_token } });

export const protectedRoute = (token: string): Promise<Answer> => api("GET", "/api/v1/protected", { token });

/** An admin whose session is nobody else's. */
export async function anotherAdmin(): Promise<{ user: User; token: string }> {
  const user = await makeUser(freshName("admin"), ["admin", "user"]);
  return { user, token: (await logIn(user.username)).access_token };
}

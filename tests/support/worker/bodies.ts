// Bodies sent as they are, to every route that reads one.
import { type Answer, api } from "./api.ts";
import { admin, someone, type User } from "./users.ts";

export const JSON_TYPE = { "content-type": "application/json" };

/** Every route that reads a body; where no method stands, it is POST. */
export const ROUTES = [
  "/auth/login",
  "/auth/refresh",
  "/auth/logout",
  "/auth/logout-all",
  "/api/v1/auth/login",
  "/admin/users",
  "PATCH /admin/users/root",
  "/admin/service-keys",
  "/api/v1/data",
  "/api/v1/postlogin/init-session",
  "/api/v1/postlogin/renew-token",
];

export type Send = (route: string, raw: BodyInit, headers?: HeadersInit) => Promise<Answer>;

/** Sends bodies with a token that is right for the route. */
export async function sender(): Promise<{ send: Send; user: User; adminToken: string }> {
  const { user, tokens } = await someone();
  const adminToken = await admin();
  const send: Send = (route, raw, headers = JSON_TYPE) => {
    const path = route.split(" ").at(-1) ?? route;
    const method = route === path ? "POST" : (route.split(" ")[0] ?? "POST");
    // A login is sent without a token, as it would end that token's session.
    const none = /login|refresh/.test(path);
    const token = none ? undefined : path.startsWith("/admin") ? adminToken : tokens.access_token;
    return api(method, path, { raw, headers, token });
  };
  return { send, user, adminToken };
}

// Introspection and revocation over the wire: forms, HTTP Basic, and answers without a body.
// Natively: crates/sim/tests/http/oauth.rs.
import { expect, it } from "vitest";
import { api } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import { protectedRoute, someone } from "../support/worker/users.ts";

it("a service asks about a user's token as a client of OAuth 2.0, revokes it, and it is good for nothing", async () => {
  const { id, key } = await makeKey({ scopes: ["introspect"] });
  const { user, tokens } = await someone();
  const form = (path: string, fields: Record<string, string>, authorization?: string) =>
    api("POST", path, {
      raw: new URLSearchParams(fields),
      headers: authorization === undefined ? {} : { authorization },
    });
  const basic = `Basic ${btoa(`${id}:${key}`)}`;
  const token = tokens.access_token;
  const posted = { token, client_id: id, client_secret: key };
  const active = { active: true, sub: String(user.id), username: user.username, token_type: "bearer" };

  expect((await form("/oauth/introspect", { token }, basic)).json).toMatchObject(active);
  expect((await form("/oauth/introspect", posted)).json).toMatchObject(active);

  const revoked = await form("/oauth/revoke", { token: tokens.refresh_token }, basic);
  expect([revoked.status, revoked.text, revoked.headers.get("content-type")]).toEqual([200, "", null]);
  expect((await protectedRoute(token)).json.reason).toBe("logout");
  expect((await form("/oauth/introspect", { token }, basic)).json).toEqual({ active: false });

  const wrong = await form("/oauth/introspect", { token }, `Basic ${btoa(`${id}:wrong`)}`);
  expect([wrong.status, wrong.json.error]).toEqual([401, "invalid_client"]);
  expect(wrong.headers.get("www-authenticate")).toBe('Basic realm="sallyport"');
});

// Clients of OAuth 2.0 as they come from npm, unmodified, against Sallyport as it is deployed.
import * as oauth from "oauth4webapi";
import { expect, it } from "vitest";
import { makeKey } from "../support/process/client.ts";
import { start } from "../support/process/server.ts";

it("oauth4webapi introspects and revokes a user's tokens, authenticated by Basic and by form", async () => {
  await using server = await start();
  const { client } = server;
  const key = await makeKey(client, ["introspect"]);
  const at = (path: string) => new URL(path, client.base).href;
  const authority: oauth.AuthorizationServer = {
    issuer: client.base.origin,
    introspection_endpoint: at("/oauth/introspect"),
    revocation_endpoint: at("/oauth/revoke"),
  };
  const service: oauth.Client = { client_id: String(key.split("_")[1]) };
  // Loopback has no TLS.
  const options = { [oauth.allowInsecureRequests]: true };

  for (const authentication of [oauth.ClientSecretBasic(key), oauth.ClientSecretPost(key)]) {
    const { access_token, refresh_token } = await client.someone();
    const introspect = async (token: string) =>
      oauth.processIntrospectionResponse(
        authority,
        service,
        await oauth.introspectionRequest(authority, service, authentication, token, options),
      );
    const claims = JSON.parse(Buffer.from(String(access_token.split(".")[1]), "base64url").toString());
    const { sub, sid, jti, exp } = claims;
    expect(await introspect(access_token)).toMatchObject({ active: true, sub, sid, jti, exp });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(authority, service, authentication, refresh_token, options),
    );
    expect(await introspect(access_token)).toEqual({ active: false });
    expect((await client.protected(access_token)).json.reason).toBe("logout");
  }

  const unknown = oauth.ClientSecretBasic("wrong");
  const response = oauth.introspectionRequest(authority, service, unknown, "x", options);
  await expect(oauth.processIntrospectionResponse(authority, service, await response)).rejects.toMatchObject({
    status: 401,
  });
});

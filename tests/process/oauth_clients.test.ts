// Clients of OAuth 2.0 as they come from npm, unmodified, against Sallyport as it is deployed.
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
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

it("oauth4webapi refreshes a user's tokens, and exchanges another system's token for a session", async () => {
  const CHANNELS = JSON.stringify({ retail: { business_unit: "RETAIL" } });
  await using server = await start({ bindings: { CHANNELS } });
  const { client } = server;
  const key = await makeKey(client, ["sessions:exchange"]);
  const authority: oauth.AuthorizationServer = {
    issuer: client.base.origin,
    token_endpoint: new URL("/oauth/token", client.base).href,
  };
  const options = { [oauth.allowInsecureRequests]: true };
  const page: oauth.Client = { client_id: "a-page" };
  const refresh = async (token: string) =>
    oauth.processRefreshTokenResponse(
      authority,
      page,
      await oauth.refreshTokenGrantRequest(authority, page, oauth.None(), token, options),
    );
  const { access_token, refresh_token } = await client.someone();
  const next = await refresh(refresh_token);
  expect(next).toMatchObject({ token_type: "bearer", expires_in: 900 });
  expect(next.access_token).not.toBe(access_token);
  // The answer was lost: the same again.
  expect(await refresh(refresh_token)).toEqual(next);
  expect((await client.protected(next.access_token)).status).toBe(200);
  const invalid = { error: "invalid_grant", status: 400, error_description: "Token is invalid" };
  await expect(refresh("x.y.z")).rejects.toMatchObject(invalid);

  const service: oauth.Client = { client_id: String(key.split("_")[1]) };
  const exchange = async (authentication: oauth.ClientAuth, more: Record<string, string> = {}) => {
    const parameters = {
      subject_token: "external-token",
      subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
      cif: "1234567890",
      channel_id: "retail",
      ...more,
    };
    const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    return oauth.processGenericTokenEndpointResponse(
      authority,
      service,
      await oauth.genericTokenEndpointRequest(authority, service, authentication, grant, parameters, options),
    );
  };
  for (const authentication of [oauth.ClientSecretBasic(key), oauth.ClientSecretPost(key)]) {
    const granted = await exchange(authentication);
    expect(granted.issued_token_type).toBe("urn:ietf:params:oauth:token-type:access_token");
    expect((await client.protected(granted.access_token)).json.message).toBe("Hello VPB-RETAIL-1234567890!");
  }
  const basic = oauth.ClientSecretBasic(key);
  await expect(exchange(basic, { audience: "somebody" })).rejects.toMatchObject({ error: "invalid_target" });
  await expect(exchange(basic, { cif: "?" })).rejects.toMatchObject({ error: "invalid_request" });
  await expect(exchange(oauth.ClientSecretBasic("wrong"))).rejects.toMatchObject({ status: 401 });
});

it("openid-client refreshes a user's tokens, exchanges another system's, introspects and revokes", async () => {
  const CHANNELS = JSON.stringify({ retail: { business_unit: "RETAIL" } });
  await using server = await start({ bindings: { CHANNELS } });
  const { client } = server;
  const key = await makeKey(client, ["sessions:exchange", "introspect"]);
  const at = (path: string) => new URL(path, client.base).href;
  const authority = {
    issuer: client.base.origin,
    token_endpoint: at("/oauth/token"),
    introspection_endpoint: at("/oauth/introspect"),
    revocation_endpoint: at("/oauth/revoke"),
  };
  const service = new openid.Configuration(authority, String(key.split("_")[1]), key);
  const page = new openid.Configuration(authority, "a-page", {}, openid.None());
  for (const configuration of [service, page]) openid.allowInsecureRequests(configuration);

  const { refresh_token } = await client.someone();
  const next = await openid.refreshTokenGrant(page, refresh_token);
  expect(next.expiresIn()).toBeGreaterThan(890);
  expect((await client.protected(next.access_token)).status).toBe(200);
  await expect(openid.refreshTokenGrant(page, "x.y.z")).rejects.toMatchObject({ error: "invalid_grant" });

  const granted = await openid.genericGrantRequest(
    service,
    "urn:ietf:params:oauth:grant-type:token-exchange",
    {
      subject_token: "external-token",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      cif: "1234567890",
      channel_id: "retail",
    },
  );
  const asked = await openid.tokenIntrospection(service, granted.access_token);
  expect(asked).toMatchObject({ active: true, sub: "VPB-RETAIL-1234567890" });
  await openid.tokenRevocation(service, String(granted.refresh_token));
  expect((await openid.tokenIntrospection(service, granted.access_token)).active).toBe(false);
});

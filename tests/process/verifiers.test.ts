// Software of others that verifies our tokens by the published keys, or finds its way by the metadata: as it comes from npm and
// PyPI, unmodified.
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createPublicKey, verify as verifyByOpenSSL, type webcrypto } from "node:crypto";
import express from "express";
import { auth, UnauthorizedError } from "express-oauth2-jwt-bearer";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTVerifyOptions, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSigningKey } from "../../scripts/lib/signing-key.mjs";
import { pythonPath } from "../../scripts/lib/python.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { makeKey, type Tokens } from "../support/process/client.ts";
import { secret, type Server, start } from "../support/process/server.ts";

/** The issuer has to be known before the server is there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const AUDIENCE = "https://api.example.com";

describe.each(["EdDSA", "ES256"])("tokens of %s", (alg) => {
  const key = newSigningKey(alg);
  let server: Server;
  let issuer: string;
  let someone: Tokens;
  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://127.0.0.1:${port}`;
    server = await start({
      port,
      bindings: {
        TOKEN_ISSUER: issuer,
        TOKEN_AUDIENCE: AUDIENCE,
        JWT_ALG: alg,
        TOKEN_SIGNING_KEYS: `k1:${secret()},${key.entry}`,
      },
    });
    someone = await server.client.someone();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const parts = (token: string): [string, string, string] => token.split(".") as [string, string, string];
  /** The same with another user in it. */
  const forged = () => {
    const [header, payload, signature] = parts(someone.access_token);
    const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "1" };
    return `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
  };

  it("jose verifies an access token by the JWKS, and nothing else", async () => {
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    const options: JWTVerifyOptions = { algorithms: [alg], issuer, audience: AUDIENCE, typ: "at+jwt" };
    const { payload, protectedHeader } = await jwtVerify(someone.access_token, keys, options);
    expect(protectedHeader).toEqual({ alg, kid: key.kid, typ: "at+jwt" });
    expect(payload).toMatchObject({ iss: issuer, aud: AUDIENCE, sub: expect.stringMatching(/^\d+$/) });
    const refused = async (token: string, more = {}) =>
      expect(jwtVerify(token, keys, { ...options, ...more })).rejects.toThrow();
    await refused(someone.refresh_token);
    await refused(forged());
    await refused(someone.access_token, { algorithms: ["RS256"] });
    await refused(someone.access_token, { audience: "https://other.example.com" });
    const { client } = server;
    // What offline verification cannot know.
    const { access_token } = await client.someone();
    expect((await client.call("POST", "/auth/logout", access_token)).status).toBe(200);
    expect((await client.protected(access_token)).status).toBe(401);
    await expect(jwtVerify(access_token, keys, options)).resolves.toBeDefined();
  });

  it("WebCrypto and OpenSSL verify it by the key that the command has shown", async () => {
    const [header, payload, signature] = parts(someone.access_token);
    const signed = Buffer.from(`${header}.${payload}`);
    const bytes = Buffer.from(signature, "base64url");
    const { jwk } = key as { jwk: Record<string, string> };
    const algorithm = alg === "EdDSA" ? { name: "Ed25519" } : { name: "ECDSA", namedCurve: "P-256" };
    // Of older runtimes some know no `alg` of Ed25519.
    const bare: webcrypto.JsonWebKey = Object.fromEntries(
      Object.entries(jwk).filter(([name]) => name !== "alg"),
    );
    const imported = await crypto.subtle.importKey("jwk", bare, algorithm, false, ["verify"]);
    const how = alg === "EdDSA" ? algorithm : { name: "ECDSA", hash: "SHA-256" };
    expect(await crypto.subtle.verify(how, imported, bytes, signed)).toBe(true);
    const ofOpenSSL = {
      key: createPublicKey({ key: jwk as never, format: "jwk" }),
      dsaEncoding: "ieee-p1363",
    } as const;
    expect(verifyByOpenSSL(alg === "EdDSA" ? null : "sha256", signed, ofOpenSSL, bytes)).toBe(true);
  });

  it("express-oauth2-jwt-bearer protects an application that is told no more than the issuer", async () => {
    const app = express();
    const isAccess = (typ: unknown) => typ === "at+jwt";
    app.use(
      auth({
        issuerBaseURL: issuer,
        audience: AUDIENCE,
        tokenSigningAlg: alg,
        validators: { typ: isAccess },
      }),
    );
    app.get("/who", (request, response) => void response.json({ sub: request.auth?.payload.sub }));
    app.use(((error, _request, response, _next) => {
      response.status(error instanceof UnauthorizedError ? error.status : 500).end();
    }) satisfies express.ErrorRequestHandler);
    const listening = app.listen(0, "127.0.0.1");
    await once(listening, "listening");
    try {
      const { port } = listening.address() as AddressInfo;
      const ask = (token?: string) =>
        fetch(`http://127.0.0.1:${port}/who`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
      const let_in = await ask(someone.access_token);
      expect(let_in.status).toBe(200);
      const { sub } = JSON.parse(Buffer.from(parts(someone.access_token)[1], "base64url").toString());
      expect(await let_in.json()).toEqual({ sub });
      for (const token of [undefined, forged(), someone.refresh_token, "x.y.z"])
        expect((await ask(token)).status, token).toBe(401);
    } finally {
      listening.closeAllConnections();
      listening.close();
    }
  });

  it("openid-client and oauth4webapi find introspection and revocation by the issuer", async () => {
    const service = await makeKey(server.client, ["introspect"]);
    const id = String(service.split("_")[1]);
    const config = await openid.discovery(new URL(issuer), id, service, openid.ClientSecretBasic(service), {
      algorithm: "oauth2",
      execute: [openid.allowInsecureRequests],
    });
    expect(config.serverMetadata()).toMatchObject({
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      introspection_endpoint: `${issuer}/oauth/introspect`,
    });
    const { access_token } = await server.client.someone();
    expect(await openid.tokenIntrospection(config, access_token)).toMatchObject({ active: true });
    await openid.tokenRevocation(config, access_token);
    expect(await openid.tokenIntrospection(config, access_token)).toEqual({ active: false });

    // Where OpenID Connect has its metadata, too.
    for (const algorithm of ["oauth2", "oidc"] as const) {
      const url = new URL(issuer);
      const response = await oauth.discoveryRequest(url, { algorithm, [oauth.allowInsecureRequests]: true });
      expect(await oauth.processDiscoveryResponse(url, response)).toMatchObject({ issuer });
    }
  });

  it.skipIf(!pythonPath() && !process.env.CI)(
    "joserfc verifies it by the JWKS, and nothing else",
    async () => {
      const script = inRoot("tests", "support", "process", "verify.py");
      const verify = (token: string, ...args: string[]) =>
        new Promise<{ code: number; out: string; err: string }>((done) => {
          const env = { ...process.env, PYTHONPATH: pythonPath() };
          const child = execFile(
            "python3",
            [script, `${issuer}/.well-known/jwks.json`, ...args],
            { env },
            (error, out, err) => done({ code: error ? Number(error.code ?? 1) : 0, out, err }),
          );
          child.stdin?.end(token);
        });
      const good = await verify(someone.access_token, issuer, AUDIENCE, alg);
      expect(good.code, good.err).toBe(0);
      expect(JSON.parse(good.out).header).toEqual(decodeProtectedHeader(someone.access_token));
      expect(JSON.parse(good.out).claims).toMatchObject({ iss: issuer, aud: AUDIENCE });
      for (const [token, ...args] of [
        [forged(), issuer, AUDIENCE, alg],
        [someone.refresh_token, issuer, AUDIENCE, alg],
        [someone.access_token, issuer, "https://other.example.com", alg],
        [someone.access_token, issuer, AUDIENCE, alg === "EdDSA" ? "ES256" : "EdDSA"],
      ] as const)
        expect((await verify(token, ...args)).code).not.toBe(0);
    },
  );
});

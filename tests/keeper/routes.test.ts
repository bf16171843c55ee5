// What holds for every route of upstream tokens: who may call, with what, and what it says otherwise.
import { beforeAll, describe, expect, it } from "vitest";
import { api, refused, type Answer } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import { admin, someone } from "../support/worker/users.ts";
import { BATCH, CRM, get, keeper, read, service, told, upstreams } from "../support/worker/keeper.ts";
import {
  accountRoutes,
  generalRoutes,
  notifier,
  ROUTES,
  type TokenRoute,
} from "../support/worker/token_routes.ts";

keeper();

const cases = ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const);
const call = ({ method, path, body }: TokenRoute, token?: string) =>
  api(method, path, { token, body, upstream: true });

let readOnly: string;
let writeOnly: string;
let other: string;
/** The access token of somebody who is no service. */
let user: string;
beforeAll(async () => {
  user = (await someone()).tokens.access_token;
  readOnly = (await makeKey({ scopes: ["tokens:read"] })).key;
  writeOnly = (await makeKey({ scopes: ["tokens:write"] })).key;
  other = (await makeKey({ scopes: ["portal", "introspect"] })).key;
});

describe.each(cases)("%s", (_name, route) => {
  it("401 without a key or with one that is none", async () => {
    const nobody = await call(route);
    refused(nobody, 401, "not_authenticated");
    expect(nobody.headers.get("www-authenticate")).toBe('Bearer realm="sallyport"');
    const none = await call(route, "x");
    refused(none, 401, "service_key_invalid");
    expect(none.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  it("a user is no service, and an admin only where no token is given away", async () => {
    const code = (answer: Answer) => [answer.status, answer.json?.code];
    const noKey = [401, "service_key_invalid"];
    expect(code(await call(route, user))).toEqual(route.admins ? [403, "forbidden"] : noKey);
    const asAdmin = code(await call(route, await admin()));
    if (route.admins) expect(asAdmin[0]).not.toBeOneOf([401, 403]);
    else expect(asAdmin).toEqual(noKey);
  });

  it("403 with another scope", async () => {
    for (const key of [other, route.scope === "tokens:read" ? writeOnly : readOnly]) {
      const answer = await call(route, key);
      refused(answer, 403, "forbidden");
      expect(answer.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
    }
    expect(upstreams.calls).toEqual([]);
  });

  it("405 for other methods, with what is allowed", async () => {
    for (const method of ["PUT", "DELETE", "PATCH", route.method === "GET" ? "POST" : "GET"]) {
      if (route.allow.split(", ").includes(method)) continue;
      const answer = await service(method, route.path);
      refused(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")).toBe(route.allow);
    }
    const options = await service("OPTIONS", route.path);
    expect([options.status, options.headers.get("allow")]).toEqual([204, route.allow]);
  });

  if (route.body) {
    it("400, 413, 415 and 422 for bodies that are none", async () => {
      const send = (raw: BodyInit, type = "application/json") =>
        service("POST", route.path, { raw, headers: { "content-type": type } });
      refused(await send('{"access_token":'), 400, "malformed_json");
      refused(await send('{"language":"en","language":"es"}'), 400, "malformed_json");
      refused(await send(JSON.stringify({ access_token: "x".repeat(17_000) })), 413, "body_too_large");
      refused(await send(JSON.stringify(route.body), "text/plain"), 415, "unsupported_media_type");
      refused(await send("{}"), 422, "validation_error");
      const first = Object.keys(route.body ?? {})[0] ?? "";
      const wrong = await send(JSON.stringify({ ...route.body, [first]: 7 }));
      refused(wrong, 422, "validation_error");
      expect(wrong.json.errors).toMatchObject([{ field: first, message: expect.any(String) }]);
      expect(upstreams.calls).toEqual([]);
    });
  }
});

it("the notifier's bodies are read with the same care, after its secret", async () => {
  const { path } = notifier();
  const send = (raw: BodyInit, type = "application/json") =>
    api("POST", path, { raw, headers: { "content-type": type } });
  refused(await send("{"), 400, "malformed_json");
  refused(await send("x".repeat(17_000)), 413, "body_too_large");
  refused(await send("a=b", "application/x-www-form-urlencoded"), 415, "unsupported_media_type");
  refused(await send("{}"), 422, "validation_error");
  // It is hidden: only POST is there for others.
  refused(await api("OPTIONS", path), 404, "not_found");
});

it("404 for accounts that are not configured, whatever their names", async () => {
  const names = [
    "nobody",
    "agnidata001x",
    "AGNIDATA001",
    "..%2Fagnidata001",
    "%61gnidata001%00",
    "x".repeat(600),
  ];
  for (const id of [...names, "a%3Ab", "*", "%0a"])
    for (const route of accountRoutes(id))
      refused(
        await service(route.method, route.path, route.body ? { body: route.body } : {}),
        404,
        expect.stringMatching(/^(account_)?not_found$/) as unknown as string,
      );
  for (const account of [
    "oauth2/nobody",
    "upstox/nobody",
    "facturify/other",
    "nothing/default",
    "Upstox/agnidata001",
  ])
    for (const { method, path } of generalRoutes(account))
      refused(await service(method, path), 404, "account_not_found");
  refused(
    await service("POST", "/token/update", { body: { access_token: "x", account_id: "nobody" } }),
    404,
    "account_not_found",
  );
  for (const path of [
    "/accounts/",
    "/accounts/agnidata001",
    "/accounts/agnidata001/token/",
    "/token",
    "/api/v1/tokens/oauth2",
  ])
    refused(await get(path), 404, "not_found");
  expect(upstreams.calls).toEqual([]);
});

it("every account has the general routes, in the words of RFC 6749", async () => {
  for (const account of ["facturify/default", "upstox/agnidata001", "oauth2/crm", "oauth2/batch"]) {
    const answer = await read(account);
    expect(answer.json, account).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: expect.any(Number),
      expires_at: expect.stringMatching(/^2030-01-0\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(upstreams.alive(answer.json.access_token)).toBe(true);
    const { expires_in, expires_at } = answer.json;
    expect(expires_in).toBe(Math.floor((Date.parse(expires_at) - Date.now()) / 1000));
  }
});

it("HEAD is GET without a body", async () => {
  const answer = await service("HEAD", "/accounts/agnidata001/token/status");
  expect([answer.status, answer.text]).toEqual([200, ""]);
});

it("errors come in the caller's language", async () => {
  upstreams.fail("facturify", { fault: "status", status: 503 });
  const path = "/api/v1/facturify/auth/token";
  const said = new Set<string>();
  for (const language of ["en", "es", "vi"])
    said.add((await service("GET", path, { headers: { "accept-language": language } })).json.detail);
  expect(said.size).toBe(3);
});

it("the sealing keys are for admins", async () => {
  const path = "/admin/sealing-keys";
  refused(await api("GET", path), 401, "not_authenticated");
  refused(await get(path), 403, "forbidden");
  refused(await api("GET", path, { token: user }), 403, "forbidden");
  await read("oauth2/crm");
  await read("oauth2/batch");
  await told(CRM);
  await told(BATCH);
  expect((await api("GET", path, { token: await admin() })).json).toEqual({
    keys: [{ kid: "s1", configured: true, seals: true, accounts: 2, portal_sessions: 0 }],
  });
});

// Paths, methods and headers that nobody should send, and what is promised of those that one may.
import { beforeAll, expect, it } from "vitest";
import { anotherAdmin, logIn, someone } from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";

let adminToken: string;
let token: string;

beforeAll(async () => {
  token = (await someone()).tokens.access_token;
  adminToken = (await anotherAdmin()).token;
});

it.each([
  "/auth/../admin/users",
  "/auth/%2e%2e/admin/users",
  "/auth/%2e%2e%2fadmin/users",
  "/auth/%252e%252e/admin/users",
  "/auth/..;/admin/users",
  "/auth;/../admin/users",
  "//admin/users",
  "/admin//users",
  "/./admin/users",
  "/admin/users/",
  "/admin/users/.",
  "/admin/users/%00",
  "/admin/users%00",
  "/admin/users%20",
  "/admin%2fusers",
  "/admin\\users",
  "/ADMIN/users",
  "/admin/users;x=1",
  "/admin/users.json",
  "/api/v1/admin/users",
  "/api/v1/auth/../../../admin/users",
  "/admin/users/root/../../users",
  "/admin/users/..%2f..%2fusers",
  "/%61dmin/users",
])("I10 %s leads a user to no admin route", async (path) => {
  for (const method of ["GET", "POST", "DELETE", "PATCH"]) {
    const { status } = await api(method, path, { token });
    expect([401, 403, 404, 405], `${method} ${path}`).toContain(status);
    expect([401, 404, 405], `${method} ${path}`).toContain((await api(method, path)).status);
  }
});

it.each([
  "/",
  "/auth",
  "/auth/",
  "/auth/login/",
  "/auth/Login",
  "/auth/nothing",
  "/api/v1/auth/login/a/b/c",
  "/.env",
])("I19 %s is not found, for any method", async (path) => {
  for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS"]) {
    refused(await api(method, path, { token }), 404, "not_found");
  }
  const head = await api("HEAD", path);
  expect([head.status, head.text]).toEqual([404, ""]);
});

const POST = "POST, OPTIONS";
const GET = "GET, HEAD, OPTIONS";
const served: [string, string][] = [
  ["/health", GET],
  ["/auth/login", POST],
  ["/auth/refresh", POST],
  ["/auth/password", POST],
  ["/auth/logout", POST],
  ["/auth/logout-all", POST],
  ["/auth/profile", GET],
  ["/auth/session", GET],
  ["/auth/sessions", GET],
  ["/auth/sessions/x", "DELETE, OPTIONS"],
  ["/api/v1/auth/login", POST],
  ["/api/v1/auth/profile", GET],
  ["/api/v1/protected", GET],
  ["/api/v1/data", "GET, HEAD, POST, OPTIONS"],
  ["/admin/sessions/active", GET],
  ["/admin/sessions/cleanup", POST],
  ["/admin/sessions/x", "GET, HEAD, DELETE, OPTIONS"],
  ["/admin/users", "GET, HEAD, POST, OPTIONS"],
  ["/admin/users/x", "GET, HEAD, PATCH, DELETE, OPTIONS"],
  ["/admin/users/x/sessions", "DELETE, OPTIONS"],
  ["/admin/users/x/unlock", POST],
  ["/admin/service-keys", "GET, HEAD, POST, OPTIONS"],
  ["/admin/service-keys/x", "DELETE, OPTIONS"],
  ["/debug/session-info", GET],
];

it.each(served)("I19 %s allows %s, and says so to other methods", async (path, allow) => {
  const options = await api("OPTIONS", path);
  expect([options.status, options.headers.get("allow"), options.text]).toEqual([204, allow, ""]);
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "MKCOL", "SEARCH"];
  for (const method of methods.filter((method) => !allow.split(", ").includes(method))) {
    const answer = await api(method, path, { token: adminToken });
    expect([method, answer.status, answer.headers.get("allow")]).toEqual([method, 405, allow]);
    if (method !== "HEAD") expect(answer.json?.code).toBe("method_not_allowed");
  }
});

it.each([
  "/health",
  "/auth/profile",
  "/api/v1/protected",
  "/auth/sessions",
  "/api/v1/data",
  "/admin/users",
  "/auth/login",
])("I19 HEAD %s answers as GET does, without the body", async (path) => {
  const [get, head] = [await api("GET", path, { token }), await api("HEAD", path, { token })];
  expect([head.status, head.text]).toEqual([get.status, ""]);
  const names = (headers: Headers) => [...headers.keys()].filter((name) => name !== "content-length").sort();
  expect(names(head.headers)).toEqual(names(get.headers));
});

it("I15 a method in a header or a query is not looked at", async () => {
  for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
    refused(
      await api("GET", "/auth/logout", { token, headers: { [name]: "POST" } }),
      405,
      "method_not_allowed",
    );
  }
  refused(await api("GET", "/auth/logout?_method=POST", { token }), 405, "method_not_allowed");
  expect((await api("GET", "/auth/profile", { token })).status).toBe(200);
});

it("I14 who a header says one is does not matter", async () => {
  const { user } = await someone();
  const { access_token: own } = await logIn(user.username);
  const names = [
    "x-user-id",
    "x-auth-user",
    "x-auth-roles",
    "x-forwarded-user",
    "x-remote-user",
    "x-original-url",
  ];
  const headers = Object.fromEntries(names.map((name) => [name, name.endsWith("roles") ? "admin" : "1"]));
  expect((await api("GET", "/auth/profile", { token: own, headers })).json.id).toBe(user.id);
  const verify = await api("GET", "/auth/verify", { token: own, headers });
  expect([verify.headers.get("x-auth-user"), verify.headers.get("x-auth-roles")]).toEqual([
    String(user.id),
    "user",
  ]);
  refused(await api("GET", "/admin/users", { token: own, headers }), 403, "forbidden");
  refused(await api("GET", "/auth/profile", { headers }), 401, "not_authenticated");
});

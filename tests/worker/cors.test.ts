// Web pages of other origins: the entry hands their origin over, and the runtime leaves the headers as they are.
// Natively: crates/sim/tests/http/cors.rs. The origin is one of `ALLOWED_ORIGINS` in vitest.config.ts.
import { expect, it } from "vitest";
import { type Call, api } from "../support/worker/api.ts";
import { someone } from "../support/worker/users.ts";

const PAGE = "https://app.example.com";

const cors = (headers: Headers) =>
  Object.fromEntries(
    [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary").sort(),
  );

const readable = {
  "access-control-allow-credentials": "true",
  "access-control-allow-origin": PAGE,
  "access-control-expose-headers": "x-request-id, retry-after, www-authenticate, x-device-token",
  vary: "Origin",
};

it("C07 a page of an allowed origin reads every answer, on the fast path and beside it, and no other does", async () => {
  const { tokens } = await someone();
  const token = tokens.access_token;
  const calls: [string, string, Call, number][] = [
    ["GET", "/auth/profile", { token }, 200],
    ["GET", "/auth/profile", {}, 401],
    ["GET", "/auth/sessions", { token }, 200],
    ["GET", "/admin/users", { token }, 403],
    ["GET", "/nowhere", {}, 404],
    ["POST", "/auth/refresh", { body: { refresh_token: token } }, 401],
    ["POST", "/auth/refresh", { raw: "{", headers: { "content-type": "application/json" } }, 400],
    ["POST", "/auth/refresh", { body: { refresh_token: tokens.refresh_token } }, 200],
  ];
  for (const [method, path, call, status] of calls) {
    const from = async (origin?: string) => {
      const headers = new Headers(call.headers);
      if (origin !== undefined) headers.set("origin", origin);
      const answer = await api(method, path, { ...call, headers });
      expect([method, path, answer.status]).toEqual([method, path, status]);
      return cors(answer.headers);
    };
    expect(await from(PAGE), path).toEqual(readable);
    for (const other of [undefined, "null", "http://app.example.com", `${PAGE}.evil.test`])
      expect(await from(other), `${path} ${other}`).toEqual({ vary: "Origin" });
  }
});

it("C07 a preflight is answered with the methods of its path; what proxies and services call is not for pages", async () => {
  const headers = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };
  const asked = (path: string, origin: string) => api("OPTIONS", path, { headers: { ...headers, origin } });
  const answer = await asked("/auth/refresh", PAGE);
  expect([answer.status, answer.text]).toEqual([204, ""]);
  expect(cors(answer.headers)).toEqual({
    "access-control-allow-credentials": "true",
    "access-control-allow-headers":
      "authorization, content-type, accept-language, x-request-id, x-session-passive, x-device-token",
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-allow-origin": PAGE,
    "access-control-max-age": "7200",
    vary: "Origin",
  });
  expect(cors((await asked("/auth/refresh", "null")).headers)).toEqual({ vary: "Origin" });
  const verify = await asked("/auth/verify", PAGE);
  expect([verify.status, cors(verify.headers)]).toEqual([401, {}]);
  const service = await asked("/accounts", PAGE);
  expect([service.status, cors(service.headers)]).toEqual([204, {}]);
});

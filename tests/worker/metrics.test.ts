// Requests, counted by Analytics Engine where it is bound; and the gauges, once.
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { api } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import { protectedRoute, refresh, someone } from "../support/worker/users.ts";

afterEach(() => vi.restoreAllMocks());

it("writes a data point for each answer, by the route and never by what was sent", async () => {
  const { tokens } = await someone();
  const write = vi.spyOn(env.METRICS, "writeDataPoint");
  await protectedRoute(tokens.access_token);
  await refresh("made-up");
  await api("GET", "/made/up", {});
  await api("GET", "/auth/sessions", { token: tokens.access_token });
  const point = (route: string, status: string, code = "") => ({
    indexes: [route],
    blobs: [route, status, code],
    doubles: [expect.any(Number)],
  });
  expect(write.mock.calls.map(([written]) => written)).toEqual([
    point("GET /api/v1/protected", "200"),
    point("POST /auth/refresh", "401", "token_invalid"),
    point("none", "404", "not_found"),
    point("GET /auth/sessions", "200"),
  ]);
});

it("answers although a data point cannot be written", async () => {
  const { tokens } = await someone();
  vi.spyOn(env.METRICS, "writeDataPoint").mockImplementation(() => {
    throw new Error("too many");
  });
  expect((await protectedRoute(tokens.access_token)).status).toBe(200);
});

it("has gauges in the text format of Prometheus", async () => {
  const { key } = await makeKey({ scopes: ["metrics"] });
  const answer = await api("GET", "/metrics", { token: key });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  expect(answer.text).toContain("# TYPE sallyport_known gauge\nsallyport_known 1\n");
});

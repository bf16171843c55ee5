// The internal token service through a binding of the Worker, in Miniflare: a function stands behind it.
import { type Request as Sent, Response as Answered } from "miniflare";
import { expect, it } from "vitest";
import { fakes, makeKey, Service } from "../support/process/keeper.ts";
import { start } from "../support/process/server.ts";

const ACCOUNT = "upstox/agnidata001";

it("the token service is called through its binding, with what it is to be shown, and by no other way", async () => {
  await using their = await fakes();
  const seen: (string | null)[][] = [];
  const behind = async (request: Sent) => {
    const { pathname, host } = new URL(request.url);
    const shown = ["authorization", "cf-access-client-id", "cf-access-client-secret"];
    seen.push([request.method, host, pathname, ...shown.map((name) => request.headers.get(name))]);
    const answer = await fetch(`${their.url}/tokens${pathname}`, { method: request.method });
    return new Answered(await answer.text(), { status: answer.status });
  };
  const bindings = {
    ...their.bindings,
    TOKEN_REFRESH_SERVICE_URL: "http://tokens.internal",
    TOKEN_REFRESH_SERVICE_BINDING: "TOKEN_SERVICE",
    TOKEN_REFRESH_SERVICE_KEY: "sk-local",
    TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID: "id.access",
    TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_SECRET: "access-local",
    UPSTREAM_WAIT_SECONDS: "0",
  };
  {
    const worker = { serviceBindings: { TOKEN_SERVICE: behind } };
    await using server = await start({ bindings, worker });
    const service = new Service(server.client, await makeKey(server.client));
    // An order shares what is under way, and at first each account gets its token.
    expect((await service.read(ACCOUNT)).status).toBe(200);
    expect((await service.order(ACCOUNT)).status).toBe(200);
    const token = (await service.read(ACCOUNT)).json.access_token;
    expect(their.upstreams.alive(token)).toBe(true);
    const shown = ["Bearer sk-local", "id.access", "access-local"];
    const path = "/accounts/agnidata001";
    expect(seen).toContainEqual(["POST", "tokens.internal", `${path}/refresh`, ...shown]);
    expect(
      seen.every(([, host, , ...headers]) => host === "tokens.internal" && `${headers}` === `${shown}`),
    ).toBe(true);
  }
  // Without the binding nothing is called, and the log says what is missing.
  const calls = their.upstreams.count({ upstream: "tokens" });
  await using server = await start({ bindings });
  const service = new Service(server.client, await makeKey(server.client));
  const answer = await service.read(ACCOUNT);
  expect([answer.status, answer.json.code]).toEqual([502, "upstream_unreachable"]);
  expect(their.upstreams.count({ upstream: "tokens" })).toBe(calls);
  expect(server.lines.some((line) => line.includes("TOKEN_REFRESH_SERVICE_BINDING"))).toBe(true);
});

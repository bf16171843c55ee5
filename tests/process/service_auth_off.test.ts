// SERVICE_AUTH=off: for old clients on somebody's own machine, and nowhere else.
import { request } from "node:http";
import { expect, it } from "vitest";
import { start } from "../support/process/server.ts";

const OFF = { SERVICE_AUTH: "off", ENVIRONMENT: "development" };
const PATH = "/accounts/agnidata001/token/status";

/** A call that names another host than the one that it goes to, as a page does by DNS rebinding. */
const statusAs = (base: URL, host: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const call = request(new URL(PATH, base), { headers: { host, connection: "close" } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    call.once("error", reject).end();
  });

it("no key is asked for at a loopback address, and one is at any other", async () => {
  await using server = await start({ bindings: OFF });
  const base = server.client.base;
  const refusals = [401, 403];
  for (const host of [`127.0.0.1:${base.port}`, `localhost:${base.port}`, "localhost", `[::1]:${base.port}`])
    expect([host, refusals.includes((await statusAs(base, host)) ?? 0)]).toEqual([host, false]);
  for (const host of [
    "example.com",
    "localhost.example.com",
    `127.0.0.1.example.com:${base.port}`,
    "10.0.0.1",
  ])
    expect([host, await statusAs(base, host)]).toEqual([host, 401]);
  // Users and admins are asked for who they are all the same.
  expect((await server.client.call("GET", "/admin/users")).status).toBe(401);
});

it("with a key asked for, a loopback address lets nobody in without", async () => {
  await using server = await start({ bindings: { ENVIRONMENT: "development" } });
  expect(await statusAs(server.client.base, "localhost")).toBe(401);
});

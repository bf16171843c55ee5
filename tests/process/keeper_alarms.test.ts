// Alarms do the work by themselves, in real time: nobody asks for anything after the first request.
import { expect, it } from "vitest";
import { FACTURIFY, fakes, makeKey, Service } from "../support/process/keeper.ts";
import { start } from "../support/process/server.ts";

/** Only Facturify, with lives of seconds. */
async function facturify(short_seconds: number, long_seconds: number) {
  const their = await fakes({ switches: { facturify: { short_seconds, long_seconds } } });
  const names = ["FACTURIFY_BASE_URL", "FACTURIFY_API_KEY", "FACTURIFY_API_SECRET"];
  const own = Object.fromEntries(names.map((name) => [name, their.bindings[name] ?? ""]));
  const server = await start({ bindings: { ...own, FACTURIFY_TOKEN_REFRESH_BUFFER: "2" } });
  const calls = () => their.upstreams.calls.map(({ operation }) => operation);
  const at = (n: number) => Date.parse(their.upstreams.calls[n]?.at ?? "") / 1000;
  const end = async () => {
    await server.mf.dispose();
    await their[Symbol.asyncDispose]();
  };
  return { their, server, calls, at, [Symbol.asyncDispose]: end };
}

it("a short token is got at the start, changed, and the long one renewed again and again", async () => {
  await using run = await facturify(8, 8);
  await run.server.client.call("GET", "/health");
  await expect
    .poll(run.calls, { timeout: 40_000, interval: 50 })
    .toEqual(["auth", "refresh", "refresh", "refresh"]);
  // A quarter of the short life; then two seconds before the end of the long one, less a tenth of that. None is later than
  // the token that it renews lives, or it would be no refresh.
  const gaps = [1, 2, 3].map((n) => run.at(n) - run.at(n - 1));
  expect(gaps[0]).toBeGreaterThan(1.7); // JWTs end at whole seconds.
  for (const gap of gaps.slice(1)) expect(gap).toBeGreaterThan(4.8);
});

it("five seconds after a short token of the usual life comes the long one", async () => {
  await using run = await facturify(240, 43_200);
  const service = new Service(run.server.client, await makeKey(run.server.client));
  const first = (await service.read(FACTURIFY)).json.access_token;
  await expect.poll(run.calls, { timeout: 20_000, interval: 50 }).toEqual(["auth", "refresh"]);
  const gap = run.at(1) - run.at(0);
  expect(gap).toBeGreaterThanOrEqual(5);
  expect(gap, "and not at the next moment that there is").toBeLessThan(15);
  await expect.poll(async () => (await service.status(FACTURIFY)).ttl).toBeGreaterThan(43_000);
  expect((await service.read(FACTURIFY)).json.access_token).not.toBe(first);
});

it("a failed call is made again by the alarm, until it works", async () => {
  await using run = await facturify(240, 43_200);
  run.their.upstreams.fail("facturify", { fault: "status", status: 503 }, { times: 2 });
  await run.server.client.call("GET", "/health");
  await expect
    .poll(run.calls, { timeout: 20_000, interval: 50 })
    .toEqual(["auth", "auth", "auth", "refresh"]);
  // Quick tries, which a busy machine may make a little later.
  expect(run.at(1) - run.at(0)).toBeLessThan(8);
  expect(run.at(2) - run.at(1)).toBeLessThan(12);
});

it("an unknown cron expression counts as failed, and does nothing", async () => {
  await using run = await facturify(240, 43_200);
  const worker = await run.server.mf.getWorker();
  for (const cron of ["", "* * * *", "30 2 * * MON", "daily"])
    expect((await worker.scheduled({ cron })).outcome, cron).not.toBe("ok");
  expect((await worker.scheduled({ cron: "* * * * *" })).outcome).toBe("ok");
  await expect.poll(run.calls).toEqual(["auth"]);
});

// 1,500 Upstox accounts in real time: one Cron Trigger, and all of them have their token.
import { expect, it } from "vitest";
import { fakes, makeKey, Service } from "../support/process/keeper.ts";
import { start } from "../support/process/server.ts";

const COUNT = 1500;

it("one cron gets every account its token, by the accounts' own alarms", async () => {
  await using their = await fakes({ accounts: "any", keep: 20_000 });
  const ids = Array.from({ length: COUNT }, (_, n) => `acc${n}`);
  await using server = await start({
    bindings: {
      UPSTOX_BASE_URL: `${their.url}/upstox`,
      TOKEN_REFRESH_SERVICE_URL: `${their.url}/tokens`,
      UPSTOX_ACCOUNT_IDS: ids.join(","),
      REQUEST_LOG: "off",
    },
  });
  const worker = await server.mf.getWorker();
  const began = Date.now();
  expect(await worker.scheduled({ cron: "* * * * *" })).toMatchObject({ outcome: "ok" });
  const looked = Date.now();
  const health = async () => (await server.client.call("GET", "/health")).json.accounts;
  await expect
    .poll(health, { timeout: 100_000, interval: 500 })
    .toEqual({ total: COUNT, healthy: COUNT, failed: 0 });
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  console.info(
    `${COUNT} accounts: the cron took ${seconds(looked - began)} s, all had tokens after ${seconds(Date.now() - began)} s`,
  );
  expect(their.upstreams.count({ upstream: "tokens" })).toBe(COUNT);
  expect(their.upstreams.count({ upstream: "upstox", operation: "profile", status: 200 })).toBe(COUNT);
  expect(their.upstreams.atOnce().peak).toBe(1);
  const service = new Service(server.client, await makeKey(server.client));
  const tokens = await service.tokens(ids.slice(-20).map((id) => `upstox/${id}`));
  expect(tokens.every((token) => their.upstreams.alive(token))).toBe(true);
  // Another one finds nothing to do.
  await worker.scheduled({ cron: "* * * * *" });
  expect(their.upstreams.count()).toBe(2 * COUNT);
}, 150_000);

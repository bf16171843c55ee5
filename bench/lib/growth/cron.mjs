// What a Cron Trigger costs against the number of upstream accounts, and what their list does.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { call, createKey, createUser, login } from "../../../scripts/lib/api.mjs";
import { Failure, say } from "../../../scripts/lib/log.mjs";
import { inRoot } from "../../../scripts/lib/paths.mjs";
import { randomPassword } from "../../../scripts/lib/private-file.mjs";
import { listen } from "../../../tests/upstreams/listen.ts";
import { inTurn, load, request } from "../load.mjs";
import { startSallyport } from "../sallyport.mjs";
import { median } from "../stats.mjs";

const TRIGGERS = 10;
const HEALTHY_WITHIN_MS = 180_000;
/** A setting of account ids holds 5 kB. */
const IDS_IN_A_SETTING = 600;
const cron = (expression) => request("GET", "/health", { headers: { "x-bench-cron": expression } });

function settingsFor(accounts, url) {
  const ids = Array.from({ length: accounts }, (_, n) => `acc${n}`);
  const settings = {
    ENVIRONMENT: "development",
    UPSTOX_BASE_URL: `${url}/upstox`,
    TOKEN_REFRESH_SERVICE_URL: `${url}/tokens`,
    UPSTREAM_RENEWALS_AT_ONCE: "10000",
    TOKEN_CHECK_MINUTES: "0",
  };
  for (let n = 0; n * IDS_IN_A_SETTING < accounts; n += 1)
    settings[`UPSTOX_ACCOUNT_IDS${n === 0 ? "" : `_${n + 1}`}`] = ids
      .slice(n * IDS_IN_A_SETTING, (n + 1) * IDS_IN_A_SETTING)
      .join(",");
  return settings;
}

async function onePoint(state, dist, accounts, url, seconds) {
  const main = inRoot("bench", "runtime", "cron.js");
  const settings = settingsFor(accounts, url);
  const { server, vars } = await startSallyport(join(state, `cron-${accounts}`), dist, { settings, main });
  const trigger = () =>
    load({ port: server.port, connections: 1, seconds: 120, count: 1, source: inTurn([cron("* * * * *")]) });
  await trigger();
  for (const until = Date.now() + HEALTHY_WITHIN_MS; ; await sleep(500)) {
    const { healthy } = (await call(server.base, "GET", "/health")).accounts;
    if (healthy === accounts) break;
    if (Date.now() > until) throw new Failure(`Only ${healthy} of ${accounts} accounts have a token.`);
  }
  // Nothing is due any more: what is left is to look.
  const looks = [];
  for (let n = 0; n < TRIGGERS; n += 1) {
    const before = server.cpu();
    const { p50_ms } = await trigger();
    looks.push({ cpu: (server.cpu() - before) * 1000, ms: p50_ms });
  }
  const key = await serviceKey(server.base, vars.BOOTSTRAP_KEY);
  const source = inTurn([request("GET", "/accounts", { headers: { "x-api-key": key } })]);
  await load({ port: server.port, connections: 4, seconds: 0.5, source });
  const before = server.cpu();
  const { requests } = await load({ port: server.port, connections: 4, seconds, source });
  const list = ((server.cpu() - before) / requests) * 1e6;
  await server.stop();
  const cpu_ms = looks.reduce((sum, look) => sum + look.cpu, 0) / TRIGGERS;
  const point = { accounts, cpu_ms, ms: median(looks.map(({ ms }) => ms)), list_us: list };
  say(
    `   ${accounts} accounts: a cron ${cpu_ms.toFixed(1)} ms of CPU in ${point.ms.toFixed(0)} ms, the list ${list.toFixed(0)} µs`,
  );
  return point;
}

async function serviceKey(base, bootstrapKey) {
  const admin = { username: "root", password: randomPassword(), roles: ["admin", "user"] };
  await createUser(base, { bootstrapKey }, admin);
  const token = await login(base, admin);
  return (await createKey(base, { token }, { name: "bench", scopes: ["tokens:read"] })).key;
}

export async function againstAccounts(state, { dist, sizes, seconds }) {
  const { url, close } = await listen({ accounts: "any", keep: 100 });
  try {
    const points = [];
    for (const accounts of sizes) points.push(await onePoint(state, dist, accounts, url, seconds));
    return points;
  } finally {
    await close();
  }
}

// npm start: the whole thing on this machine, at http://127.0.0.1:8787 (or PORT), with fake upstreams at the next port (or
// UPSTREAMS_PORT), two users and a service key to try it. A setting in the environment wins over .dev.vars.
// npm start -- --fresh deletes the local data, users and secrets first.
import { rmSync } from "node:fs";
import { buildWasm } from "./lib/build-wasm.mjs";
import { startCron } from "./lib/cron.mjs";
import { startDevServer, requireFreePort } from "./lib/dev-server.mjs";
import { ensureDevKey } from "./lib/dev-key.mjs";
import { ensureDevUsers } from "./lib/dev-users.mjs";
import { ensureDevVars, localSettings, writeLocalSettings } from "./lib/dev-vars.mjs";
import { Failure, bold, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { whenOrphaned } from "./lib/orphaned.mjs";
import { inRoot } from "./lib/paths.mjs";
import { startUpstreams, upstreamSettings } from "./lib/upstreams.mjs";

await main(async (args) => {
  const unknown = args.filter((arg) => arg !== "--fresh");
  if (unknown.length > 0)
    throw new Failure(
      `I don't know ${unknown.join(" ")}. Usage: npm start [-- --fresh]; the port is PORT (8787).`,
      2,
    );
  const port = portOf("PORT", 8787);
  const upstreamsPort = portOf("UPSTREAMS_PORT", port + 1);
  const base = `http://127.0.0.1:${port}`;

  await requireFreePort(port, "PORT=8789");
  await requireFreePort(upstreamsPort, "UPSTREAMS_PORT=8790");
  await buildWasm();
  if (args.includes("--fresh"))
    for (const path of [".wrangler/state", ".dev", ".dev.vars"])
      rmSync(inRoot(path), { recursive: true, force: true });
  ensureDevVars();

  const upstreams = await startUpstreams(upstreamsPort);
  process.on("exit", upstreams.kill);
  const own = localSettings();
  writeLocalSettings({ ...upstreamSettings(upstreams.url, own), ...own });
  const server = startDevServer(port);
  process.on("exit", server.kill);
  let cron;
  const asked = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve("asked to"));
    whenOrphaned(() => resolve("asked to"));
  });
  try {
    await Promise.race([asked, server.ready(base).then(() => greet(base, upstreams.url))]);
    cron = startCron(base);
    const why = await Promise.race([asked, server.ended]);
    if (why !== "asked to") throw new Failure(`wrangler dev ${why}; its output is above.`);
    say("\nStopped. The local data is kept; `npm start` goes on with it.");
  } finally {
    cron?.stop();
    await server.stop();
    upstreams.kill();
  }
  // Not left to run out: a request under way would hold the process.
  process.exit(0);
});

function portOf(name, otherwise) {
  const port = Number(process.env[name] || otherwise);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new Failure(`${name} must be a port number (1 to 65535); it is "${process.env[name]}".`, 2);
  return port;
}

async function greet(base, upstreamsUrl) {
  const { users, made } = await ensureDevUsers(base, upstreamsUrl);
  await ensureDevKey(base);
  say(`\n${bold(`Sallyport is ready at ${base}`)}`);
  for (const { username, password, roles } of users)
    say(`   ${username.padEnd(10)}${made ? `${password}   ` : ""}(${roles.join(", ")})`);
  say(
    made
      ? "   The passwords are shown this once; they are kept in .dev/credentials.json."
      : "   Their passwords are in .dev/credentials.json.",
  );
  say("   A service key is there too.");
  say(`   The fake upstreams are at ${upstreamsUrl}; each call to one is a line here.`);
  // Later runs take the password from the file, so that it is not shown again and the line can still be pasted.
  const body = made
    ? `'{"username":"testuser","password":"${users[1].password}"}'`
    : `"$(node -p 'const [, { username, password }] = require("./.dev/credentials.json").users; ` +
      `JSON.stringify({ username, password })')"`;
  say("\nTry it:");
  say(`   curl -sS ${base}/auth/login -H 'content-type: application/json' -d ${body}`);
  say("   key=$(node -p 'require(\"./.dev/credentials.json\").service_key')");
  say(`   curl -sS ${base}/api/v1/facturify/auth/token/status -H "x-api-key: $key"`);
  say("\nCtrl-C ends it.\n");
}

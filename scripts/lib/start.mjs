// What `npm start` does, in order: settings, the fakes, the server, who may come in, the first screen, and then the log.
import { rmSync } from "node:fs";
import { buildWasm } from "./build-wasm.mjs";
import { startCron } from "./cron.mjs";
import { devAssets, followAssets } from "./dev-assets.mjs";
import { jsonOutput, prettyOutput } from "./dev-log.mjs";
import { screen, writeTryFile } from "./dev-screen.mjs";
import { requireFreePort, startDevServer } from "./dev-server.mjs";
import { ensureDevAccess } from "./dev-users.mjs";
import { ensureDevVars, localSettings, writeLocalSettings } from "./dev-vars.mjs";
import { startDevtools } from "./devtools.mjs";
import { Failure, say } from "./log.mjs";
import { readOptions, wrongUse } from "./options.mjs";
import { whenOrphaned } from "./orphaned.mjs";
import { inRoot } from "./paths.mjs";
import {
  eventSettings,
  needsBrowser,
  portalSettings,
  startUpstreams,
  upstreamSettings,
} from "./upstreams.mjs";
import { wranglerConfig } from "./wrangler.mjs";

const START = {
  name: "npm start",
  about: "Sallyport on this machine, with fake upstreams, two users and a service key to try it.",
  options: {
    port: { type: "string", value: "N", about: "where it listens (else: PORT, or 8787)" },
    fresh: { type: "boolean", about: "begins anew: deletes the local data, users, keys and .dev.vars first" },
    json: {
      type: "boolean",
      about: "the log as it is (docs/logs.md): JSON lines on standard output, with each call to a fake",
    },
  },
  notes: `The fake upstreams listen at the next port (or UPSTREAMS_PORT); tests/upstreams/README.md says how to make them fail.
Settings: .dev.vars, which the first run makes, and before it the environment: SESSION_CHECK=edge npm start. Whoever
sets the address, a credential or the accounts of an upstream means another one, and its fake is left alone.
Local data is in .wrangler/state; passwords and the service key are in .dev/credentials.json.`,
};

/** What a deployment may not have, or pays for. */
const DEVELOPMENT = {
  MOCK_ROUTES: "on",
  ALLOWED_ORIGINS: "http://localhost:*,http://127.0.0.1:*",
  AUDIT_TRAIL: "on",
};

export async function start(args) {
  const options = readOptions(START, args);
  if (options === null) return;
  const port = portOf("--port", options.port ?? process.env.PORT, 8787);
  const upstreamsPort = portOf("UPSTREAMS_PORT", process.env.UPSTREAMS_PORT, port + 1);
  const base = `http://127.0.0.1:${port}`;

  await requireFreePort(port, `npm start -- --port ${port + 10}`);
  await requireFreePort(upstreamsPort, `UPSTREAMS_PORT=${upstreamsPort + 10} npm start`);
  await buildWasm();
  if (options.fresh)
    for (const path of [".wrangler/state", ".dev", ".dev.vars"])
      rmSync(inRoot(path), { recursive: true, force: true });
  ensureDevVars();
  const assets = await devAssets();

  const output = options.json ? jsonOutput() : prettyOutput();
  // Nobody reads any more: there is nobody to run for.
  process.stdout.on("error", () => process.exit(0));
  const upstreams = await startUpstreams(upstreamsPort, output.line);
  process.on("exit", upstreams.kill);
  // For portals whose pages need one; where there is none, the rest works all the same.
  const browser = needsBrowser(localSettings()) ? await startDevtools() : undefined;
  process.on("exit", () => browser?.killNow());
  const settings = settingsFor(upstreams.url, browser?.url);
  writeLocalSettings(settings);
  const server = startDevServer(port, output.line, assets);
  process.on("exit", server.kill);
  // While the server starts: it takes a second, in which nothing else comes along here.
  const configuration = await wranglerConfig();
  let cron;
  const asked = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve("asked to"));
    whenOrphaned(() => resolve("asked to"));
  });
  const greet = async () => {
    const { users, made, names } = await ensureDevAccess(base, upstreams.url);
    writeTryFile();
    const mock = settings.MOCK_ROUTES === "on";
    say(
      `\n${screen({ base, upstreamsUrl: upstreams.url, shown: made ? users : [], mock, browser: browserOf(settings) })}\n`,
    );
    output.open(names);
    followAssets(assets);
    cron = startCron(base, configuration);
  };
  try {
    await Promise.race([asked, server.ready(base).then(greet)]);
    const why = await Promise.race([asked, server.ended]);
    output.end();
    if (why !== "asked to") throw new Failure(`wrangler dev ${why}; its output is above.`);
    say("\nStopped. The local data is kept; `npm start` goes on with it.");
  } finally {
    cron?.stop();
    await server.stop();
    upstreams.kill();
    await browser?.kill();
  }
  // Not left to run out: a request under way would hold the process.
  process.exit(0);
}

/** What whoever starts it has set, and around that the fakes and what development alone may have. */
function settingsFor(upstreamsUrl, browserUrl) {
  const own = localSettings();
  const development = own.ENVIRONMENT === "development" ? DEVELOPMENT : {};
  return {
    ...development,
    ...upstreamSettings(upstreamsUrl, own),
    ...portalSettings(upstreamsUrl, browserUrl, own),
    ...eventSettings(upstreamsUrl, own),
    ...own,
  };
}

/** The browser of portals, as the first screen has it. */
const browserOf = ({ PORTAL_BROWSER_URL, PORTAL_BROWSER_BINDING, PORTALS }) => ({
  at: PORTAL_BROWSER_URL ?? PORTAL_BROWSER_BINDING,
  portals: ["spa", "oidc"].filter((name) => PORTALS?.includes(`"${name}":{"driver"`)),
});

function portOf(name, given, otherwise) {
  const port = Number(given || otherwise);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  throw wrongUse(START, `${name} takes a port (1 to 65535), not "${given}"`);
}

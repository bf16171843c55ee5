// Loads dist/ in Miniflare, configured from wrangler.toml: for black-box tests and benchmarks.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import {
  unstable_getMiniflareWorkerOptions as workerOptions,
  unstable_readConfig as readConfig,
} from "wrangler";
import { Failure } from "./log.mjs";
import { inRoot } from "./paths.mjs";

/**
 * Options for `new Miniflare(…)`. `bindings` (text variables and secrets) add to those of wrangler.toml; `worker` takes
 * further options for the Worker (`outboundService`, …), `instance` for the server (`port`, `log`, …). State is kept in
 * the folder `persist`, or in memory and lost. `main` is the text of a module to run in place of the bundle's, which it
 * finds as `./entry.js`. `assets` is a folder in place of assets/. `beside` are the files `wrangler.toml` of further Workers.
 */
export function distOptions({
  bindings = {},
  persist,
  main,
  assets,
  worker = {},
  instance = {},
  beside = [],
} = {}) {
  const dist = inRoot("dist");
  if (!existsSync(join(dist, "entry.js")))
    throw new Failure("dist/ is missing. Run `node scripts/bundle.mjs`; `npm test` does it by itself.");
  const config = readConfig({ config: inRoot("wrangler.toml") }, { hideWarnings: true });
  const overrides = assets === undefined ? {} : { assets: { directory: assets } };
  const fromConfig = workerOptions(config, undefined, { overrides }).workerOptions;
  const sallyport = {
    ...fromConfig,
    // Names the folders of the objects' state, and the Worker in Miniflare's own calls.
    name: config.name,
    ...worker,
    // Not those of `fromConfig`: they hold the secrets of .dev.vars, too.
    bindings: { ...config.vars, ...bindings },
    modulesRoot: dist,
    modules: [
      ...(main ? [{ type: "ESModule", path: join(dist, "main.js"), contents: main }] : []),
      { type: "ESModule", path: join(dist, "entry.js") },
      ...readdirSync(dist)
        .filter((name) => name.endsWith(".wasm"))
        .map((name) => ({ type: "CompiledWasm", path: join(dist, name) })),
    ],
  };
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    cf: false,
    ...(persist ? { resourcePersistencePath: persist } : {}),
    ...instance,
    // The first one is whom a request to the server reaches.
    workers: [sallyport, ...beside.map(besideSallyport)],
  });
}

/** A Worker as its configuration says. */
function besideSallyport(file) {
  const config = readConfig({ config: file }, { hideWarnings: true });
  const [bundled] = buildSync({
    entryPoints: [config.main],
    bundle: true,
    format: "esm",
    external: ["cloudflare:*"],
    write: false,
  }).outputFiles;
  return {
    ...workerOptions(config).workerOptions,
    name: config.name,
    bindings: config.vars,
    modulesRoot: dirname(config.main),
    modules: [{ type: "ESModule", path: config.main, contents: bundled.text }],
  };
}

/** A running server. End it with `dispose()`. */
export async function startDist(options) {
  const server = new Miniflare(distOptions(options));
  await server.ready;
  return server;
}

// wrangler, its configuration, and the bundle that it makes.
import { readFileSync, rmSync } from "node:fs";
import { runQuietly } from "./captured.mjs";
import { inRoot, npmTool } from "./paths.mjs";

/** What wrangler would keep in the home folder stays in the project; so local servers of other projects aren't met. */
export const wranglerEnv = {
  WRANGLER_REGISTRY_PATH: inRoot(".wrangler", "registry"),
  WRANGLER_LOG_PATH: inRoot(".wrangler", "logs"),
};

/** wrangler.toml as wrangler reads it; with `env`, that environment of it, else its top level. */
export async function wranglerConfig(env) {
  // Not imported above: the set-up, which brings it, is read before it is there; and it takes a second.
  const { unstable_readConfig: readConfig } = await import("wrangler");
  return readConfig({ config: inRoot("wrangler.toml"), env }, { hideWarnings: true });
}

/** The names of its environments. */
export async function environments() {
  const { parse } = await import("smol-toml");
  return Object.keys(parse(readFileSync(inRoot("wrangler.toml"), "utf8")).env ?? {});
}

/**
 * dist/: the entry in one file and the wasm beside it, as a deployment would upload them. Needs no network and no account.
 * Call it after buildWasm().
 */
export async function bundle({ env } = {}) {
  rmSync(inRoot("dist"), { recursive: true, force: true });
  // Said even when it is none: wrangler would warn that there are several.
  const args = ["deploy", "--dry-run", "--outdir", "dist", `--env=${env ?? ""}`];
  await runQuietly("bundle", npmTool("wrangler"), args, {
    env: { ...wranglerEnv, WRANGLER_LOG: "warn", SALLYPORT_BUILT: "1" },
  });
}

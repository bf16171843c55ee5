// wrangler, and the bundle that it makes.
import { rmSync } from "node:fs";
import { runQuietly } from "./captured.mjs";
import { inRoot, npmTool } from "./paths.mjs";

/** What wrangler would keep in the home folder stays in the project; so local servers of other projects aren't met. */
export const wranglerEnv = {
  WRANGLER_REGISTRY_PATH: inRoot(".wrangler", "registry"),
  WRANGLER_LOG_PATH: inRoot(".wrangler", "logs"),
};

/**
 * dist/: the entry in one file and the wasm beside it, as a deployment would upload them. Needs no network and no account.
 * Call it after buildWasm().
 */
export async function bundle() {
  rmSync(inRoot("dist"), { recursive: true, force: true });
  await runQuietly("bundle", npmTool("wrangler"), ["deploy", "--dry-run", "--outdir", "dist"], {
    env: { ...wranglerEnv, WRANGLER_LOG: "warn", SALLYPORT_BUILT: "1" },
  });
}

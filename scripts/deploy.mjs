// npm run deploy: builds what is there and deploys it, but not with settings of development.
import { buildWasm } from "./lib/build-wasm.mjs";
import { faultsOf } from "./lib/deployable.mjs";
import { Failure, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { readOptions } from "./lib/options.mjs";
import { npmTool } from "./lib/paths.mjs";
import { run } from "./lib/run.mjs";
import { bundle, wranglerConfig, wranglerEnv } from "./lib/wrangler.mjs";

const DEPLOY = {
  name: "npm run deploy",
  about:
    "Builds the Worker and deploys it to your Cloudflare account (docs/deploying.md). .dev.vars stays here.",
  options: {
    "dry-run": { type: "boolean", about: "does all but the deploying; needs no account" },
    env: { type: "string", value: "NAME", about: "an environment of wrangler.toml" },
  },
};

await main(async (args) => {
  const options = readOptions(DEPLOY, args);
  if (options === null) return;
  const { "dry-run": dry, env } = options;
  const faults = faultsOf(await wranglerConfig(env), { dry });
  if (faults.length > 0) throw new Failure(`wrangler.toml is not fit to be deployed: ${faults.join("; ")}.`);
  await buildWasm();
  await bundle({ env });
  if (dry) return say("A deployment would upload what is in dist/ now.");
  // It may have to ask which account.
  await run(npmTool("wrangler"), ["deploy", ...(env ? ["--env", env] : [])], {
    env: { ...wranglerEnv, SALLYPORT_BUILT: "1" },
    stdio: "inherit",
  });
});

// npm run deploy: builds what is there and deploys it, but not with settings that the Worker would refuse, or of development.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import util from "node:util";
import { buildWasm } from "./lib/build-wasm.mjs";
import { faultsOf } from "./lib/deployable.mjs";
import { devVars } from "./lib/dev-vars.mjs";
import { Failure, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { readOptions } from "./lib/options.mjs";
import { npmTool } from "./lib/paths.mjs";
import { run } from "./lib/run.mjs";
import { bundle, environments, wranglerConfig, wranglerEnv } from "./lib/wrangler.mjs";

const DEPLOY = {
  name: "npm run deploy",
  about:
    "Builds the Worker and deploys it to your Cloudflare account (docs/deploying.md). .dev.vars stays here.",
  options: {
    "dry-run": { type: "boolean", about: "does all but the deploying; needs no account" },
    env: { type: "string", value: "NAME", about: "an environment of wrangler.toml (else: production)" },
    "secrets-file": {
      type: "string",
      value: "FILE",
      about: "secrets to set with it, NAME=value on each line; a first deployment needs it",
    },
    domain: {
      type: "string",
      value: "NAME",
      about: "a custom domain that the Worker gets, such as auth.example.com",
    },
  },
};

const HELP = `
docs/settings.md says what each may be. A random secret:
  node -p 'require("crypto").randomBytes(32).toString("base64url")'`;

await main(async (args) => {
  const options = readOptions(DEPLOY, args);
  if (options === null) return;
  const { "dry-run": dry, env = "production", "secrets-file": file, domain } = options;
  const known = await environments();
  if (!known.includes(env))
    throw new Failure(`--env "${env}" is not in wrangler.toml, which has ${known.join(" and ")}.`, 2);

  const config = await wranglerConfig(env);
  const required = config.secrets?.required ?? [];
  const secrets = file === undefined ? {} : secretsIn(file);
  refuse(faultsOf({ env, config, top: await wranglerConfig(), secrets, local: devVars() }));
  await buildWasm();
  await bundle({ env });
  // Not imported above: the set-up may just have brought what it needs.
  const { tried } = await import("./lib/trial.mjs");
  const { faults, unseen } = await tried({ ...config.vars, ...secrets });
  refuse(faults, HELP);
  for (const fault of unseen) say(`Unless the Worker has it as a secret already: ${fault}.`);
  const missing = required.filter((name) => !Object.hasOwn(secrets, name));
  if (missing.length > 0)
    say(`The Worker must have ${missing.join(" and ")} already; if not, use --secrets-file.`);
  if (dry) return say(`A deployment of ${env} would upload what is in dist/ now.`);

  const more = [
    ...(file === undefined ? [] : ["--secrets-file", resolve(file)]),
    ...(domain === undefined ? [] : ["--domain", domain]),
  ];
  // It may have to ask which account.
  await run(npmTool("wrangler"), ["deploy", "--env", env, ...more], {
    env: { ...wranglerEnv, SALLYPORT_BUILT: "1" },
    stdio: "inherit",
  });
});

function refuse(faults, help = "") {
  if (faults.length === 0) return;
  throw new Failure(`Not fit to be deployed:\n${faults.map((fault) => `  - ${fault}.`).join("\n")}${help}`);
}

/** As wrangler reads it: JSON, or lines as in .dev.vars. */
function secretsIn(file) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`--secrets-file: ${error.message}`, 2);
  }
  const isJson = text.trimStart().startsWith("{");
  try {
    return isJson ? JSON.parse(text) : util.parseEnv(text);
  } catch {
    // The parser's message would show a part of the text.
    throw new Failure("--secrets-file is not JSON, though it begins with {.", 2);
  }
}

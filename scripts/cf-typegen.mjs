// npm run cf-typegen: the types of the Worker's bindings, for the tests, from wrangler.toml. --check only looks.
import { captured, programFailure } from "./lib/captured.mjs";
import { say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { readOptions } from "./lib/options.mjs";
import { npmTool } from "./lib/paths.mjs";
import { wranglerEnv } from "./lib/wrangler.mjs";

const FILE = "tests/support/worker/bindings.d.ts";
const TYPEGEN = {
  name: "npm run cf-typegen",
  about: `Writes the types of wrangler.toml's bindings to ${FILE}.`,
  options: { check: { type: "boolean", about: "says whether they are current, and writes nothing" } },
};

/** Of the top level, which the others repeat; without the runtime's, which come as a package, and what .dev.vars has. */
const TYPES = ["types", FILE, "--env=", "--include-runtime=false", "--env-file=/dev/null"];

await main(
  async (args) => {
    const options = readOptions(TYPEGEN, args);
    if (options === null) return;
    const { code, file } = await captured(
      "cf-typegen",
      npmTool("wrangler"),
      options.check ? [...TYPES, "--check"] : TYPES,
      { env: { ...wranglerEnv, SALLYPORT_BUILT: "1" } },
    );
    if (code !== 0) throw programFailure(file, `${FILE} is not current: run \`npm run cf-typegen\`.`, code);
    say(`${FILE} is current.`);
  },
  { needs: "npm" },
);

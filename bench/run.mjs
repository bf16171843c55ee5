// npm run bench: what requests cost, beside Sallyport's peers, into docs/performance.md. `npm run bench -- --help` says more.
import { resolve } from "node:path";
import { buildWasm } from "../scripts/lib/build-wasm.mjs";
import { heading, say } from "../scripts/lib/log.mjs";
import { main } from "../scripts/lib/main.mjs";
import { inRoot } from "../scripts/lib/paths.mjs";
import { bundle } from "../scripts/lib/wrangler.mjs";
import { compare } from "./lib/compare.mjs";
import { conditions } from "./lib/conditions.mjs";
import { growth } from "./lib/growth/index.mjs";
import { HELP, optionsOf } from "./lib/options.mjs";
import { requireProc } from "./lib/processes.mjs";
import { keep, show, writeReport } from "./lib/report.mjs";
import { stateFolder } from "./lib/state.mjs";
import { suite } from "./lib/suite.mjs";

/** A bundle that is given is measured as it is, and needs no Rust. */
const given = process.argv.some((arg) => /^(--dist|--report|--help|-h)/.test(arg));

await main(
  async (args) => {
    const options = optionsOf(args);
    if (options.help) return console.log(HELP);
    if (options.report) return writeReport();
    requireProc();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
    const [first, second] = options.dists;
    if (second !== undefined) return compare(options);
    if (first === undefined) {
      await buildWasm();
      await bundle();
    }
    const dist = first === undefined ? inRoot("dist") : resolve(first);
    const state = stateFolder();
    heading("Side by side");
    const results = await suite(state, { ...options, dist });
    if (options.only.includes("growth")) {
      heading("Growth");
      results.growth = await growth(state, { ...options, dist });
    }
    results.conditions = await conditions(options);
    show(results);
    if (!options.kept) return;
    keep(results);
    await writeReport();
    say("\ndocs/performance.md is written.");
  },
  { needs: given ? "npm" : "everything" },
);

// All of the bench, for bench/run.mjs.
import { resolve } from "node:path";
import { buildWasm } from "../../scripts/lib/build-wasm.mjs";
import { heading, say } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { bundle } from "../../scripts/lib/wrangler.mjs";
import { killAll } from "./children.mjs";
import { compare } from "./compare.mjs";
import { conditions } from "./conditions.mjs";
import { growth } from "./growth/index.mjs";
import { HELP, optionsOf } from "./options.mjs";
import { requireProc } from "./processes.mjs";
import { keep, show, writeReport } from "./report.mjs";
import { stateFolder } from "./state.mjs";
import { suite } from "./suite.mjs";
import { workers } from "./workers.mjs";

export async function bench(args) {
  const options = optionsOf(args);
  if (options.help) return console.log(HELP);
  if (options.report) return writeReport();
  requireProc();
  try {
    await measure(options);
  } finally {
    killAll(); // After a failure they would keep this process alive.
  }
}

async function measure(options) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
  const [first, second] = options.dists;
  if (second !== undefined) return compare(options);
  if (first === undefined) {
    await buildWasm();
    await bundle();
  }
  const dist = first === undefined ? inRoot("dist") : resolve(first);
  if (options.workers) return workers({ ...options, dist });
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
}

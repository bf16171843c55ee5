// npm run soak: what takes too long for npm test. The native tests with other random cases, the tests with many accounts at
// their full size, then the simulation for as long as its arguments say (npm run soak -- --minutes 60; 10 minutes without any).
import { inRoot, root } from "./lib/paths.mjs";
import { main } from "./lib/main.mjs";
import { run } from "./lib/run.mjs";

const MANY = ["--project", "many", "--project", "process", "many"];

await main(async (args) => {
  const node = (script, rest, env) =>
    run(process.execPath, [inRoot("scripts", script), ...rest], { cwd: root, env });
  // A failure says the seed.
  await node("test.mjs", ["--native"], { PROPTEST_RNG_SEED: String(Date.now()) });
  await node("test.mjs", ["--worker", ...MANY], { SALLYPORT_SOAK: "1" });
  await node("simulate.mjs", args.length > 0 ? args : ["--minutes", "10"]);
});

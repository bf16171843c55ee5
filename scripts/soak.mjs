// npm run soak: what takes too long for npm test.
import { inRoot, root } from "./lib/paths.mjs";
import { main } from "./lib/main.mjs";
import { helpOf } from "./lib/options.mjs";
import { run } from "./lib/run.mjs";

const SOAK = {
  name: "npm run soak",
  about:
    "Runs what takes too long for `npm test`: the native tests with other random cases, the tests with many accounts at their full\n" +
    "size, then the simulation.",
  options: {
    minutes: { value: "N", about: "how long the simulation runs (10); it takes its other options, too" },
  },
};
const MANY = ["--project", "many", "--project", "process", "many"];

await main(async (args) => {
  if (args.includes("--help") || args.includes("-h")) return void console.log(helpOf(SOAK));
  const node = (script, rest, env) =>
    run(process.execPath, [inRoot("scripts", script), ...rest], { cwd: root, env });
  // A failure says the seed.
  await node("test.mjs", ["--native"], { PROPTEST_RNG_SEED: String(Date.now()) });
  await node("test.mjs", ["--worker", ...MANY], { SALLYPORT_SOAK: "1" });
  await node("simulate.mjs", args.length > 0 ? args : ["--minutes", "10"]);
});

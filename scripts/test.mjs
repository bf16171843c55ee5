// npm test: the native tests, then a build, then the tests in the real runtime.
// --native or --worker runs that part only; everything else goes to vitest (npm test -- --worker --project process).
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildWasm } from "./lib/build-wasm.mjs";
import { cargoTest } from "./lib/cargo-test.mjs";
import { green, heading, red, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { npmTool, tools } from "./lib/paths.mjs";
import { exitCodeOf } from "./lib/run.mjs";
import { bundle, wranglerEnv } from "./lib/wrangler.mjs";

const report = join(tools, "vitest.json");

/** The stages in order; each says its exit code and its counts. */
const STAGES = {
  native: { title: "Native tests", run: () => cargoTest([]) },
  worker: {
    title: "Tests in the real runtime",
    async run(rest) {
      await buildWasm();
      await bundle();
      rmSync(report, { force: true });
      const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
      const code = await exitCodeOf(npmTool("vitest"), ["run", ...reporters, ...rest], { env: wranglerEnv });
      return { code, ...counted() };
    },
  },
};

function counted() {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    // vitest ended before it could write: its exit code tells.
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

await main(async (args) => {
  const only = Object.keys(STAGES).filter((name) => args.includes(`--${name}`));
  const rest = args.filter((arg) => !Object.keys(STAGES).includes(arg.slice(2)));
  const done = [];
  for (const name of only.length > 0 ? only : Object.keys(STAGES)) {
    heading(STAGES[name].title);
    const result = await STAGES[name].run(rest);
    done.push({ name, ...result });
    if (result.code !== 0) break;
  }
  const failed = done.at(-1).code;
  heading("Summary");
  for (const { name, code, passed } of done)
    say(`   ${code === 0 ? green("ok  ") : red("FAIL")} ${name}: ${passed} passed`);
  const sum = (key) => done.reduce((total, stage) => total + stage[key], 0);
  // A stage can also fail without a failed test, by not compiling for example.
  const failures = Math.max(sum("failed"), failed === 0 ? 0 : 1);
  console.log(`${sum("passed")} passed, ${failures} failed, ${sum("skipped")} skipped`);
  return failed;
});

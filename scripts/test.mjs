// npm test: the native tests and a build beside each other, then the tests in the real runtime.
import { buildWasm } from "./lib/build-wasm.mjs";
import { cargoTest } from "./lib/cargo-test.mjs";
import { setUpChromium } from "./lib/chromium.mjs";
import { step } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { helpOf } from "./lib/options.mjs";
import { setUpProxies } from "./lib/proxies.mjs";
import { setUpPython } from "./lib/python.mjs";
import { Report } from "./lib/report.mjs";
import { setUpPrograms } from "./lib/set-up.mjs";
import { vitest } from "./lib/vitest.mjs";
import { bundle } from "./lib/wrangler.mjs";

const TEST = {
  name: "npm test",
  about: "Runs all tests: the native ones beside a build, then those in the real runtime.",
  options: {
    native: {
      about: "the native tests only; further words are names of tests (npm test -- --native refresh)",
    },
    worker: {
      about:
        "the tests in the runtime only; further words go to vitest (npm test -- --worker --project process)",
    },
  },
  notes:
    "With further words the output of the tests is shown as well. `npm run soak` runs what takes longer.",
};
const PARTS = Object.keys(TEST.options);
/** The vitest projects of the tests that run on plain Node begin so. */
const OUTSIDE = "process";

await main(
  async (args) => {
    if (args.includes("--help") || args.includes("-h")) return void console.log(helpOf(TEST));
    const named = PARTS.filter((name) => args.includes(`--${name}`));
    const parts = named.length > 0 ? named : PARTS;
    const rest = args.filter((arg) => !PARTS.includes(arg.slice(2)));
    const native = new Report("native tests");
    const worker = new Report("tests in the real runtime");

    const runNative = () => {
      const filters = parts.includes("worker") ? [] : rest;
      const work = async () => {
        // What the runtime's tests wait for comes first.
        await cargoTest(filters, native, { low: parts.includes("worker"), echo: filters.length > 0 });
        return native;
      };
      return step("Native tests", work, native.progress);
    };
    const build = async () => {
      await setUpPrograms();
      await buildWasm();
      await bundle();
    };
    const setUpOthers = async () => {
      // One after the other: both take Debian's packages, and may have to make lists of them.
      await setUpProxies();
      await setUpChromium();
    };
    const runWorker = async () => {
      // Tests from outside wait for real time more than they work, so they run beside the others.
      if (rest.length > 0) await vitest(rest, worker, { echo: true });
      else
        await Promise.all([
          vitest(["--project", `${OUTSIDE}*`], worker, { log: "vitest-outside" }),
          vitest(["--project", `!${OUTSIDE}*`], worker, { log: "vitest-inside" }),
        ]);
      return worker;
    };

    // Only the tests from outside have proxies, clients of others and a browser.
    const outside = rest.length === 0 || rest.some((arg) => arg.includes(OUTSIDE));
    const prepared = await Promise.allSettled([
      parts.includes("native") && runNative(),
      parts.includes("worker") && Promise.all([build(), outside && setUpOthers(), outside && setUpPython()]),
    ]);
    const broken = prepared.filter(({ status }) => status === "rejected");
    if (parts.includes("worker") && broken.length === 0 && native.code === 0)
      await step("Tests in the real runtime", runWorker, worker.progress);

    const reports = [native, worker];
    for (const report of reports) report.explain();
    const sum = (key) => reports.reduce((total, report) => total + report[key], 0);
    const code =
      reports.map((report) => report.code).find((code) => code !== 0) ?? (broken.length > 0 ? 1 : 0);
    for (const { reason } of broken) process.stderr.write(`\n${reason?.message ?? reason}\n`);
    // A part can also fail without a failed test, by not compiling for example.
    console.log(
      `${sum("passed")} passed, ${Math.max(sum("failed"), code === 0 ? 0 : 1)} failed, ${sum("skipped")} skipped`,
    );
    return code;
  },
  { needs: "toolchain" },
);

// npm run lint: everything that is required besides tests. Runs all checks, then shows what the failed ones print.
import { captured, lastLines } from "./lib/captured.mjs";
import { bold, green, red, say, seconds } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { npmTool, tool } from "./lib/paths.mjs";
import { installMissing } from "./lib/set-up.mjs";

const MACHETE = { name: "cargo-machete", version: "0.9.2", program: "cargo-machete" };
const DENY = { name: "cargo-deny", version: "0.20.2", program: "cargo-deny" };

/** Everything but the Worker itself, which is looked at as wasm. */
const NATIVE = ["--workspace", "--exclude", "sallyport"];
/** Only the root package is made for wasm; it brings the other crates with it. */
const WASM = ["--target", "wasm32-unknown-unknown", "-p", "sallyport", "--lib"];
const STRICT = ["--", "-D", "warnings"];
const DOC = ["doc", "--locked", "--no-deps", "--document-private-items"];
const DOC_ENV = { RUSTDOCFLAGS: "-D warnings" };

/** What it is called, the program, its arguments, and its environment. */
const QUICK = [
  ["prettier", npmTool("prettier"), ["--check", "."]],
  ["types, scripts and tests on Node", npmTool("tsc"), ["--noEmit", "-p", "tsconfig.node.json"]],
  ["types, tests in a browser", npmTool("tsc"), ["--noEmit", "-p", "tsconfig.browser.json"]],
  ["types, tests in the Worker", npmTool("tsc"), ["--noEmit", "-p", "tsconfig.worker.json"]],
  ["types, console", npmTool("tsc"), ["--noEmit", "-p", "console/tsconfig.json"]],
  ["types, client", npmTool("tsc"), ["--noEmit", "-p", "client/tsconfig.json"]],
  ["types, tests of the client", npmTool("tsc"), ["--noEmit", "-p", "tests/client"]],
  ["types and pages of the client", process.execPath, ["scripts/client.mjs", "--check"]],
  ["types of the bindings", process.execPath, ["scripts/cf-typegen.mjs", "--check"]],
  ["rustfmt", "cargo", ["fmt", "--all", "--check"]],
  ["unused dependencies", tool("cargo-machete"), ["--skip-target-dir", "."]],
  // Not its advisories: their database comes from GitHub, which a build must not depend on.
  [
    "licences, sources, banned crates",
    tool("cargo-deny"),
    ["--locked", "check", "bans", "licenses", "sources"],
  ],
];

/** They wait for each other anyway, as they share what is compiled: rustdoc takes what clippy has made. */
const COMPILING = [
  ["clippy, native", "cargo", ["clippy", "--locked", ...NATIVE, "--all-targets", ...STRICT]],
  ["rustdoc, native", "cargo", [...DOC, ...NATIVE], DOC_ENV],
  ["clippy, wasm", "cargo", ["clippy", "--locked", ...WASM, ...STRICT]],
  ["rustdoc, wasm", "cargo", [...DOC, ...WASM], DOC_ENV],
];

async function inTurn(checks) {
  const results = [];
  for (const [title, command, args, env] of checks) {
    const since = Date.now();
    const { code, file } = await captured(`lint-${title.replaceAll(/[^a-z]+/g, "-")}`, command, args, {
      env,
    });
    say(`   ${code === 0 ? green("ok  ") : red("FAIL")} ${title} (${seconds(since)})`);
    results.push({ title, code, file });
  }
  return results;
}

await main(
  async () => {
    await installMissing([MACHETE, DENY]);
    const results = (await Promise.all([inTurn(QUICK), inTurn(COMPILING)])).flat();
    const failed = results.filter(({ code }) => code !== 0);
    for (const { title, file } of failed) say(`\n${bold(red(`== ${title}`))}\n${lastLines(file, 200)}`);
    if (failed.length > 0) say("\nFormatting is mended by `npm run fmt`.");
    say(
      failed.length > 0 ? `\n${failed.length} of ${results.length} checks failed.` : "\nAll checks passed.",
    );
    return failed.length > 0 ? 1 : 0;
  },
  { needs: "toolchain" },
);

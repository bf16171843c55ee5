// npm run lint: everything that is required besides tests. Runs all checks, then says which failed.
import { cargoProgramIsThere, installCargoProgram } from "./lib/cargo-program.mjs";
import { green, heading, red, say, seconds, step } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { npmTool, tool } from "./lib/paths.mjs";
import { exitCodeOf } from "./lib/run.mjs";

const MACHETE = { name: "cargo-machete", version: "0.9.2", program: "cargo-machete" };
const DENY = { name: "cargo-deny", version: "0.20.2", program: "cargo-deny" };

const WASM = ["--target", "wasm32-unknown-unknown", "--lib"];
const STRICT = ["--", "-D", "warnings"];
const DOC = ["doc", "--locked", "--no-deps", "--document-private-items"];
const DOC_ENV = { RUSTDOCFLAGS: "-D warnings" };

/** What it is called, the program, its arguments, and its environment. Quick ones first. */
const CHECKS = [
  ["prettier", npmTool("prettier"), ["--check", "."]],
  ["types, scripts and tests on Node", npmTool("tsc"), ["--noEmit", "-p", "tsconfig.node.json"]],
  ["types, tests in the Worker", npmTool("tsc"), ["--noEmit", "-p", "tsconfig.worker.json"]],
  ["rustfmt", "cargo", ["fmt", "--check"]],
  ["unused dependencies", tool("cargo-machete"), ["--skip-target-dir", "."]],
  // Not its advisories: their database comes from GitHub, which a build must not depend on.
  [
    "licences, sources, banned crates",
    tool("cargo-deny"),
    ["--locked", "check", "bans", "licenses", "sources"],
  ],
  ["clippy, native", "cargo", ["clippy", "--locked", "--all-targets", ...STRICT]],
  ["clippy, wasm", "cargo", ["clippy", "--locked", ...WASM, ...STRICT]],
  ["rustdoc, native", "cargo", DOC, DOC_ENV],
  ["rustdoc, wasm", "cargo", [...DOC, ...WASM], DOC_ENV],
];

await main(async () => {
  for (const program of [MACHETE, DENY])
    if (!cargoProgramIsThere(program))
      await step(`${program.name} ${program.version}, compiled here`, () => installCargoProgram(program));

  const results = [];
  for (const [title, command, args, env] of CHECKS) {
    heading(title);
    const since = Date.now();
    const code = await exitCodeOf(command, args, { env });
    results.push({ title, code, took: seconds(since) });
  }
  heading("Summary");
  for (const { title, code, took } of results)
    say(`   ${code === 0 ? green("ok  ") : red("FAIL")} ${title} (${took})`);
  const failed = results.filter(({ code }) => code !== 0).length;
  if (failed > 0) say("\nFormatting is mended by `npm run fmt`.");
  return failed > 0 ? 1 : 0;
});

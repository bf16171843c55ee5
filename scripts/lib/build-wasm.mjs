// Rust to wasm. The result is build/index.js, in one file, and build/index_bg.wasm.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { apiPage } from "./api-page.mjs";
import { BINDGEN } from "./bindgen.mjs";
import { runQuietly } from "./captured.mjs";
import { buildConsole } from "./console.mjs";
import { hashOf } from "./hash.mjs";
import { Failure, say, step } from "./log.mjs";
import { inRoot, npmTool, tool, tools } from "./paths.mjs";
import { toolchain } from "./toolchain.mjs";

/** Everything that the wasm is made from. The lock file of npm is among them: esbuild and wasm-opt come from there. */
const INPUTS = [
  "src",
  "crates",
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  ".cargo",
  "package-lock.json",
  "scripts/lib/build-wasm.mjs",
  ...BINDGEN,
];
/** What needs no Rust build when it changes: the entry is in the bundle only, the simulation and tests in neither. */
const NOT_INPUTS = [
  "src/entry.js",
  "src/located.js",
  "crates/sim",
  "crates/docs",
  /^crates\/[^/]+\/tests\//,
  /_tests\.rs$/,
];

/** Our own limit, far below the platform's: size is start-up time. */
const MAX_GZIPPED_BYTES = 1420 * 1024;

/** What the runtime has, and no more: newer encodings than it reads must not come from wasm-opt. */
const FEATURES = [
  "mutable-globals",
  "sign-ext",
  "nontrapping-float-to-int",
  "bulk-memory",
  "multivalue",
  "reference-types",
  "exception-handling",
].map((feature) => `--enable-${feature}`);

/** To move large functions into their only callers saves 30 kB of wasm and costs 80 kB of it gzipped. */
const OPTIMIZE = ["-O2", "--one-caller-inline-max-function-size=40"];

const build = inRoot("build");
const wasm = join(build, "index_bg.wasm");
const stamp = join(tools, "build.stamp");

/** Builds when something changed since the last build that went well. */
export async function buildWasm({ force = false } = {}) {
  await Promise.all([apiPage(), buildConsole()]);
  const inputs = hashOf(INPUTS, NOT_INPUTS);
  const fresh = existsSync(stamp) && readFileSync(stamp, "utf8") === inputs;
  if (fresh && !force && existsSync(wasm) && existsSync(join(build, "index.js"))) return;
  rmSync(stamp, { force: true });
  await step("Building the Worker (Rust to wasm)", make);
  checkSize();
  writeFileSync(stamp, inputs);
}

async function make() {
  await compile();
  // Apart from build/, which a local server may be reading.
  const made = join(tools, "made");
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  const compiled = inRoot("target", "wasm32-unknown-unknown", "release", "sallyport.wasm");
  await runQuietly("wasm-bindgen", tool("bindgen"), [compiled, made]);
  const raw = join(made, "index_bg.wasm");
  const optimized = join(made, "optimized.wasm");
  await runQuietly("wasm-opt", npmTool("wasm-opt"), [raw, "-o", optimized, ...OPTIMIZE, ...FEATURES]);
  await bundleGlue(made);
  mkdirSync(build, { recursive: true });
  renameSync(optimized, wasm);
  renameSync(join(made, "bundled.js"), join(build, "index.js"));
}

/**
 * With panics that unwind: one request fails, and the instance lives. For that `std` is compiled, too, which stable Rust does
 * by RUSTC_BOOTSTRAP only (docs/decisions/0004-one-pinned-toolchain.md). Since it is compiled anyway, it is compiled small.
 */
async function compile() {
  const args = ["build", "--release", "--locked", "--lib", "--package", "sallyport"];
  args.push("--target", "wasm32-unknown-unknown", "-Zbuild-std=std,panic_unwind");
  args.push("-Zbuild-std-features=optimize_for_size");
  await runQuietly("wasm", "cargo", [`+${(await toolchain()).channel}`, ...args], {
    env: {
      RUSTC_BOOTSTRAP: "1",
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-Cpanic=unwind",
      // `worker` has its bindings in `js-sys`; the macros ask for it when they expand.
      WASM_BINDGEN_USE_JS_SYS: "1",
      // Its own errors need no stack; the compiler has said what is wrong.
      RUST_BACKTRACE: "0",
    },
  });
}

/** The JavaScript that wasm-bindgen makes is several files, with an import that only newer runtimes know. */
async function bundleGlue(made) {
  const glue = join(made, "index.js");
  const text = readFileSync(glue, "utf8");
  writeFileSync(glue, text.replace("import source ", "import "));
  const args = ["index.js", "--bundle", "--minify", "--format=esm", "--outfile=bundled.js"];
  args.push("--external:./index_bg.wasm", "--external:cloudflare:*", "--log-level=warning");
  await runQuietly("esbuild", npmTool("esbuild"), args, { cwd: made });
}

function checkSize() {
  const bytes = readFileSync(wasm);
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  const kib = (n) => `${(n / 1024).toFixed(0)} KiB`;
  say(`   ${kib(bytes.length)} of wasm, ${kib(gzipped)} gzipped`);
  if (gzipped > MAX_GZIPPED_BYTES)
    throw new Failure(
      `The wasm is ${kib(gzipped)} gzipped; the limit is ${kib(MAX_GZIPPED_BYTES)}.\n` +
        "Look at what was added to Cargo.toml; the limit is in scripts/lib/build-wasm.mjs.",
    );
}

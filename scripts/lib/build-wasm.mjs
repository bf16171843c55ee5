// Rust to wasm, with worker-build. The result is build/index.js and build/index_bg.wasm.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { runQuietly } from "./captured.mjs";
import { hashOf } from "./hash.mjs";
import { Failure, say, step } from "./log.mjs";
import { nightlyShim } from "./nightly-shim.mjs";
import { inRoot, npmTool, tool, tools } from "./paths.mjs";
import { withoutNames } from "./wasm-names.mjs";
import { toolchain } from "./toolchain.mjs";

/** Everything that the wasm is made from. The lock file of npm is among them: esbuild and wasm-opt come from there. */
const INPUTS = [
  "src",
  "crates",
  "console",
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  ".cargo",
  "package-lock.json",
  "scripts/lib/build-wasm.mjs",
  "scripts/lib/nightly-shim.mjs",
  "scripts/lib/wasm-names.mjs",
];
/** What needs no Rust build when it changes: the entry is in the bundle only, the simulation and tests in neither. */
const NOT_INPUTS = ["src/entry.js", "crates/sim", /^crates\/[^/]+\/tests\//, /_tests\.rs$/];

/** Our own limit, far below the platform's: size is start-up time. */
const MAX_GZIPPED_BYTES = 1200 * 1024;

const wasm = inRoot("build", "index_bg.wasm");
const stamp = join(tools, "build.stamp");

/** Builds when something changed since the last build that went well. */
export async function buildWasm({ force = false } = {}) {
  const inputs = hashOf(INPUTS, NOT_INPUTS);
  const fresh = existsSync(stamp) && readFileSync(stamp, "utf8") === inputs;
  if (fresh && !force && existsSync(wasm) && existsSync(inRoot("build", "index.js"))) return;
  rmSync(stamp, { force: true });
  await step("Building the Worker (Rust to wasm)", async () =>
    runQuietly("wasm", tool("worker-build"), ["--release", "--panic-unwind"], {
      env: {
        ...nightlyShim((await toolchain()).channel),
        // Its own errors need no stack; the compiler has said what is wrong.
        RUST_BACKTRACE: "0",
        // Named here so that worker-build does not download its own.
        WASM_BINDGEN_BIN: tool("wasm-bindgen"),
        ESBUILD_BIN: npmTool("esbuild"),
        WASM_OPT_BIN: npmTool("wasm-opt"),
      },
    }),
  );
  writeFileSync(wasm, withoutNames(readFileSync(wasm)));
  checkSize();
  mkdirSync(tools, { recursive: true });
  writeFileSync(stamp, inputs);
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

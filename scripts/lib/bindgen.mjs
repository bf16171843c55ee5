// wasm-bindgen, as a program made here from its library (scripts/bindgen): the one from crates.io brings some 250 crates more.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { hashOf } from "./hash.mjs";
import { step } from "./log.mjs";
import { inRoot, tool, tools } from "./paths.mjs";
import { toolchain } from "./toolchain.mjs";

/** What it is made of; the Worker's build depends on it too. */
export const BINDGEN = ["scripts/bindgen/Cargo.toml", "scripts/bindgen/Cargo.lock", "scripts/bindgen/src"];

const stamp = join(tools, "bindgen.stamp");
const compiled = join(tools, "compiled-bindgen");

/** Compiles it when it is missing or another. */
export async function compileBindgen() {
  const inputs = hashOf([...BINDGEN, "rust-toolchain.toml"]);
  const program = tool("bindgen");
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs) return;
  const manifest = inRoot("scripts", "bindgen", "Cargo.toml");
  const args = [
    `+${(await toolchain()).channel}`,
    "build",
    "--release",
    "--locked",
    "--manifest-path",
    manifest,
  ];
  await step("wasm-bindgen, compiled here", () =>
    runQuietly("compile-bindgen", "cargo", args, { env: { CARGO_TARGET_DIR: compiled } }),
  );
  mkdirSync(join(tools, "bin"), { recursive: true });
  copyFileSync(join(compiled, "release", "bindgen"), program);
  writeFileSync(stamp, inputs);
  // A hundred megabytes, of no use once the program is there.
  rmSync(compiled, { recursive: true, force: true });
}

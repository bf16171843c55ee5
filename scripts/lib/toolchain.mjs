// The Rust tool chain named in rust-toolchain.toml.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { inRoot } from "./paths.mjs";
import { outputOf } from "./run.mjs";

/** What rust-toolchain.toml asks for. It is read here so that the version stands in one place. */
export async function toolchain() {
  // Not imported above: the set-up, which brings it, is read before it is there.
  const { parse } = await import("smol-toml");
  return parse(readFileSync(inRoot("rust-toolchain.toml"), "utf8")).toolchain;
}

/** Looks at files instead of asking rustup for its lists: this runs before every build. */
export async function toolchainIsThere({ channel, components = [], targets = [] }) {
  const sysroot = await outputOf("rustc", [`+${channel}`, "--print", "sysroot"]);
  if (!sysroot) return false;
  const proofs = {
    "rust-src": "lib/rustlib/src/rust/library/Cargo.lock",
    clippy: "bin/cargo-clippy",
    rustfmt: "bin/rustfmt",
  };
  return (
    components.every((name) => existsSync(join(sysroot, proofs[name] ?? "bin"))) &&
    targets.every((name) => existsSync(join(sysroot, "lib/rustlib", name, "lib")))
  );
}

/** Said in full, not left to the file: RUSTUP_AUTO_INSTALL=0 makes rustup ignore it. */
export async function installToolchain({ channel, components = [], targets = [] }) {
  const args = ["toolchain", "install", channel, "--profile", "minimal", "--no-self-update"];
  for (const name of components) args.push("--component", name);
  for (const name of targets) args.push("--target", name);
  await runQuietly("install-rust", "rustup", args);
}

// Programs from crates.io, installed into .tools for this project only and pinned by version.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { tool, tools } from "./paths.mjs";

/** cargo records what it installed beside the programs, each as `name version (source)`. */
export function cargoProgramIsThere({ name, version, program }) {
  const record = join(tools, ".crates2.json");
  if (!existsSync(tool(program)) || !existsSync(record)) return false;
  const { installs } = JSON.parse(readFileSync(record, "utf8"));
  return Object.keys(installs).some((one) => one.startsWith(`${name} ${version} `));
}

/** One folder for all of them, so that what they have in common is compiled once. */
const compiled = join(tools, "compiled");

/** They run for a second or two: the optimizer costs far more time here than it saves there. */
const QUICK_TO_COMPILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
  CARGO_TARGET_DIR: compiled,
};

/** Only the program that is needed: some crates have others beside it. */
export async function installCargoProgram({ name, version, program }) {
  const args = ["install", "--locked", "--force", "--root", tools, "--bin", program, `${name}@${version}`];
  await runQuietly(`install-${name}`, "cargo", args, { env: QUICK_TO_COMPILE });
}

/** Several hundred megabytes, of no use once the programs are there. */
export const forgetCompiled = () => rmSync(compiled, { recursive: true, force: true });

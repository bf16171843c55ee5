// Programs from crates.io, installed into .tools for this project only and pinned by version.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tool, tools } from "./paths.mjs";
import { run } from "./run.mjs";

/** cargo records what it installed beside the programs. */
export function cargoProgramIsThere({ name, version, program }) {
  const record = join(tools, ".crates.toml");
  return (
    existsSync(tool(program)) &&
    existsSync(record) &&
    readFileSync(record, "utf8").includes(`"${name} ${version} (`)
  );
}

/** They run for a second at most: the optimizer costs more time here than it saves there (cargo-deny: 125 s to 85 s). */
const QUICK_TO_COMPILE = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
};

export async function installCargoProgram({ name, version }) {
  const args = ["install", "--locked", "--force", "--root", tools, `${name}@${version}`];
  // On a terminal cargo draws one progress line; elsewhere it would print hundreds.
  if (!process.stderr.isTTY) args.push("--quiet");
  await run("cargo", args, { env: QUICK_TO_COMPILE });
}

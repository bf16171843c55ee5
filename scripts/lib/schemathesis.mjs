// schemathesis, which makes requests out of the API's description: from PyPI, into .tools/schemathesis, for this project only.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { captured, runQuietly } from "./captured.mjs";
import { Failure, step } from "./log.mjs";
import { inRoot, tools } from "./paths.mjs";
import { outputOf } from "./run.mjs";

const wanted = inRoot("scripts", "fuzz", "requirements.txt");
const folder = join(tools, "schemathesis");
const stamp = join(folder, "requirements.txt");

export async function setUpSchemathesis() {
  const requirements = readFileSync(wanted, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === requirements) return;
  if ((await outputOf("python3", ["-c", "import sys, pip; assert sys.version_info >= (3, 11)"])) === null)
    throw new Failure("npm run fuzz needs python3, 3.11 or newer, with pip.");
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const from = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", wanted];
  const args = ["-m", "pip", "install", "--disable-pip-version-check", "--target", part, ...from];
  await step("schemathesis, from PyPI", () => runQuietly("install-schemathesis", "python3", args));
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  writeFileSync(stamp, requirements);
}

/** Runs it, its output shown and kept. Resolves with its exit code. */
export async function schemathesis(name, args, env) {
  const start = ["-c", "from schemathesis.cli import schemathesis; schemathesis()"];
  const ours = inRoot("scripts", "fuzz");
  const config = ["--config-file", join(ours, "schemathesis.toml")];
  const PYTHONPATH = [folder, ours].join(delimiter);
  const { code } = await captured(`fuzz-${name}`, "python3", [...start, ...config, "run", ...args], {
    // It prints what it has sent, in any script.
    env: { PYTHONPATH, PYTHONUTF8: "1", PYTHONDONTWRITEBYTECODE: "1", SCHEMATHESIS_HOOKS: "hooks", ...env },
    echo: true,
    // It leaves nothing beside the project's files.
    cwd: tools,
  });
  return code;
}

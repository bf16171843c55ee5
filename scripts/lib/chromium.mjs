// The browser of the tests and of the pictures in the docs: Debian's headless Chromium, with fonts of its own so that a page looks
// the same everywhere. It is unpacked into .tools/chromium, for this project only. Where that cannot be done, one that is installed
// is taken.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fromDebian, isExecutable, libraryPath, onPath } from "./debian.mjs";
import { Failure, say, step } from "./log.mjs";
import { logs, root, tools } from "./paths.mjs";

const PACKAGES = ["chromium-headless-shell", "chromium-common", "fonts-inter", "fonts-dejavu-core"];
/** What windows on a screen are drawn with. */
const FOR_SCREENS = /^lib(?:llvm|gl(?:\d|x|api|vnd)|icu|z3|xaw|xmu|xt\d|xft|xv\d|sm\d|ice\d)/;
const INSTALLED = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
const LOG = "chromium";

const folder = join(tools, "chromium");
const stamp = join(folder, "stamp");
const wanted = PACKAGES.join(" ");

const isUnpacked = () => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;

/** Where it is, and the environment that it has to be started with. Nothing, where there is none. */
export function chromium() {
  if (!isUnpacked()) {
    const path = INSTALLED.map(onPath).find(Boolean);
    return path && { path, env: {} };
  }
  const path = join(folder, "usr/lib/chromium/chromium-headless-shell");
  if (!isExecutable(path)) return undefined;
  const FONTCONFIG_FILE = join(folder, "fonts.conf");
  return { path, env: { LD_LIBRARY_PATH: libraryPath(folder), FONTCONFIG_FILE } };
}

/** Fetches it if it is missing. Where it cannot be had, the tests of pages are left out, but not in CI. */
export async function setUpChromium() {
  if (isUnpacked()) return;
  const why = await step("Chromium for the tests", unpack).catch((error) => error);
  if (chromium()) return;
  if (process.env.CI) throw new Failure(`${why?.message}\n\nWithout Chromium no run in CI counts.`);
  say(
    `   Left out of the tests: all in Chromium (tests/browser). apt-get brings it from Debian's packages ` +
      `${PACKAGES.join(", ")}, or have \`chromium\` on the PATH (${relative(root, join(logs, `${LOG}.log`))}).`,
  );
}

async function unpack() {
  mkdirSync(tools, { recursive: true });
  const [packages, part] = [`${folder}.packages`, `${folder}.part`];
  await fromDebian({ programs: [PACKAGES], packages, part, log: LOG, except: FOR_SCREENS });
  writeFileSync(join(part, "fonts.conf"), fonts(folder));
  writeFileSync(join(part, "stamp"), wanted);
  rmSync(folder, { recursive: true, force: true });
  renameSync(part, folder);
}

/** Inter for pages, DejaVu for code and for what Inter has not; none of this machine's own. */
function fonts(folder) {
  const preferred = {
    "system-ui": "Inter",
    "sans-serif": "Inter",
    serif: "DejaVu Serif",
    monospace: "DejaVu Sans Mono",
  };
  const aliases = Object.entries(preferred).map(
    ([family, font]) =>
      `  <alias binding="same"><family>${family}</family><prefer><family>${font}</family><family>DejaVu Sans</family></prefer></alias>`,
  );
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">',
    "<fontconfig>",
    `  <dir>${join(folder, "usr/share/fonts")}</dir>`,
    `  <cachedir>${join(folder, "fonts-cache")}</cachedir>`,
    ...aliases,
    "</fontconfig>",
    "",
  ].join("\n");
}

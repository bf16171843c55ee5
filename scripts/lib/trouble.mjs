// What can be wrong with a machine, each in one line that says what to do.
import { statfsSync } from "node:fs";
import { Failure } from "./log.mjs";
import { root } from "./paths.mjs";

/** The oldest that the set-up runs on, as in package.json's `engines`; the rest runs on the project's own. */
const OLDEST = [20, 18];

/** Or undefined. 21 lacks what the last of 20 got. */
export function nodeTrouble(version = process.versions.node) {
  const [major, minor] = version.split(".").map(Number);
  if (major > 21 || (major === OLDEST[0] && minor >= OLDEST[1])) return undefined;
  return `Node.js ${version} is too old: install Node.js 22 or newer (20 will do, from ${OLDEST.join(".")} on), then try again.`;
}

/** Under this much, whatever fails fails because of it. */
const NOTHING_LEFT_BYTES = 16 * 1024 * 1024;

function bytesLeft() {
  try {
    const { bavail, bsize } = statfsSync(root);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

const FULL =
  /No space left on device|ENOSPC|EDQUOT|disk quota exceeded|database or disk is full|SQLITE_FULL/i;
const isFull = (text) => FULL.test(text);
const FULL_DISK = `The disk is full: free some space where ${root} is, then try again.`;
const NO_LINKER =
  "Rust needs a C compiler as its linker: install one (Debian's build-essential, Xcode's command line tools), then try again.";

/** What a program's output tells of the machine, in one line, or undefined. */
export function troubleIn(output) {
  if (isFull(output)) return FULL_DISK;
  if (/linker `[^`]+` not found/.test(output)) return NO_LINKER;
  return undefined;
}

/** What a person is told of an error that ends a command. */
export function inWords(error, left = bytesLeft()) {
  if (error?.exitCode !== 2 && (isFull(String(error?.code)) || left < NOTHING_LEFT_BYTES)) return FULL_DISK;
  // What the system refuses says what it was and where; our own stack adds nothing to that.
  if (error instanceof Failure || error?.syscall) return error.message;
  return error?.stack ?? String(error);
}

// How every script starts and ends.
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { constants } from "node:os";
import { Failure, red, say } from "./log.mjs";
import { whenOrphaned } from "./orphaned.mjs";
import { npmTool } from "./paths.mjs";
import { childEnv } from "./run.mjs";
import { setUpNpm, setUpPrograms, setUpToolchain } from "./set-up.mjs";
import { inWords, nodeTrouble } from "./trouble.mjs";

/**
 * Sets up what is missing, changes to the pinned Node, runs `work(args)` and turns what it throws into a message and an
 * exit code. `needs: "npm"` leaves the Rust side out, `needs: "toolchain"` the programs from crates.io.
 */
export async function main(work, { needs = "everything" } = {}) {
  const old = nodeTrouble();
  if (old) {
    process.stderr.write(`error: ${old}\n`);
    process.exitCode = 2;
    return;
  }
  try {
    await setUpNpm();
    if (await ranOnPinnedNode()) return;
    if (needs !== "npm") await setUpToolchain();
    if (needs === "everything") await setUpPrograms();
    const code = await work(process.argv.slice(2));
    process.exitCode = Number.isInteger(code) ? code : 0;
  } catch (error) {
    say(`${red("error:")} ${inWords(error)}`);
    process.exitCode = error?.exitCode ?? 1;
  }
}

/** Runs this same script again on the Node from package.json, if this is another one. */
async function ranOnPinnedNode() {
  const pinned = npmTool("node");
  if (!existsSync(pinned)) {
    if (Number(process.versions.node.split(".")[0]) >= 22) return false;
    throw new Failure(
      "npm did not install the project's own Node 22: run `npm ci --ignore-scripts=false`, or use Node 22 or newer yourself.",
    );
  }
  if (realpathSync(pinned) === realpathSync(process.execPath)) return false;
  // A copy of the same version is as good, and this also rules out a loop.
  if (process.env.SALLYPORT_ON_PINNED_NODE === "1") return false;
  const child = spawn(pinned, process.argv.slice(1), {
    stdio: "inherit",
    env: childEnv({ SALLYPORT_ON_PINNED_NODE: "1" }),
  });
  // Ctrl-C reaches the child by itself, from the terminal; a kill does not.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  whenOrphaned(() => child.kill("SIGTERM"));
  process.exitCode = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
  return true;
}

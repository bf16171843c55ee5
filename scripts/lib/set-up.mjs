// Brings in what a build needs: npm packages, the Rust tool chain, and wasm-bindgen.
// Only package registries are asked (npm, crates.io, rustup's server), and only for what is missing.
import { existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { compileBindgen } from "./bindgen.mjs";
import { captured, programFailure } from "./captured.mjs";
import { cargoProgramIsThere, forgetCompiled, installCargoProgram } from "./cargo-program.mjs";
import { Failure, step } from "./log.mjs";
import { inRoot, npmBin, npmTool } from "./paths.mjs";
import { outputOf } from "./run.mjs";
import { installToolchain, toolchain, toolchainIsThere } from "./toolchain.mjs";

/** The npm packages. Apart from the rest because the rest runs on the Node that this brings. */
export async function setUpNpm() {
  if (npmPackagesAreThere()) return;
  if ((await outputOf("npm", ["--version"])) === null)
    throw new Failure("npm was not found: install it (it comes with Node.js), then try again.");
  await step("npm packages", async () => {
    // Quieter than the default: wrangler asks for Node 22, and this still is the system's own.
    const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    // Not on the Node inside node_modules: `npm ci` deletes that first.
    const PATH = (process.env.PATH ?? "").split(delimiter).filter((part) => part !== npmBin);
    const { code, file } = await captured("install-npm", "npm", args, {
      env: { PATH: PATH.join(delimiter) },
    });
    if (code !== 0 || !npmPackagesAreThere())
      throw programFailure(
        file,
        "`npm ci` did not bring in what package-lock.json names; its output is above.",
      );
  });
}

/** npm leaves its own record of what it installed; that record and the lock file must agree. */
function npmPackagesAreThere() {
  const record = inRoot("node_modules", ".package-lock.json");
  if (!existsSync(record) || !existsSync(npmTool("wrangler"))) return false;
  const wanted = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8")).packages;
  const present = JSON.parse(readFileSync(record, "utf8")).packages;
  // Optional packages are those of other platforms, for the most part.
  return Object.entries(wanted).every(
    // A package of the project itself, as client/, has no integrity: it is there if npm has linked it.
    ([path, entry]) =>
      path === "" || entry.optional || (path in present && present[path].integrity === entry.integrity),
  );
}

/** The Rust tool chain. */
export async function setUpToolchain() {
  if ((await outputOf("rustup", ["--version"])) === null)
    throw new Failure(
      "rustup was not found: install it (https://rustup.rs, or your system's packages), then try again; the right Rust comes by itself.",
    );
  const rust = await toolchain();
  if (!(await toolchainIsThere(rust))) await step(`Rust ${rust.channel}`, () => installToolchain(rust));
}

/** The program that makes the JavaScript around the wasm. It needs the tool chain. */
export const setUpPrograms = () => compileBindgen();

/** Programs from crates.io, compiled here where they are missing. */
export async function installMissing(programs) {
  const missing = programs.filter((program) => !cargoProgramIsThere(program));
  for (const program of missing)
    await step(`${program.name} ${program.version}, compiled here`, () => installCargoProgram(program));
  if (missing.length > 0) forgetCompiled();
}

// npm run simulate: whole deployments in one process, under faults (crates/sim). The arguments are its own, for example
// npm run simulate -- --minutes 10.
import { existsSync } from "node:fs";
import { Failure } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { inRoot } from "./lib/paths.mjs";
import { exitCodeOf } from "./lib/run.mjs";

await main(
  (args) => {
    if (!existsSync(inRoot("crates", "sim", "Cargo.toml"))) throw new Failure("There is no crates/sim.");
    return exitCodeOf("cargo", [
      "run",
      "--quiet",
      "--locked",
      "--profile",
      "simulation",
      "-p",
      "sallyport-sim",
      "--",
      ...args,
    ]);
  },
  { needs: "toolchain" },
);

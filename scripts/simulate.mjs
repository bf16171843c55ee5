// npm run simulate: whole deployments in one process, under faults (crates/sim). The arguments are its own, for example
// npm run simulate -- --minutes 10.
import { main } from "./lib/main.mjs";
import { exitCodeOf } from "./lib/run.mjs";

await main(
  (args) =>
    exitCodeOf("cargo", [
      "run",
      "--quiet",
      "--locked",
      "--profile",
      "simulation",
      "-p",
      "sallyport-sim",
      "--",
      ...args,
    ]),
  { needs: "toolchain" },
);

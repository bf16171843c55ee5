// npm run fuzz: requests made out of the API's description, and a look at each answer. `npm run fuzz -- --help` says more.
import { main } from "./lib/main.mjs";

// Not imported above: it needs npm's packages and the pinned Node, which `main` sees to.
await main(async (args) => (await import("./lib/fuzz.mjs")).fuzz(args), {
  needs: process.argv.some((arg) => ["--help", "-h"].includes(arg)) ? "npm" : "everything",
});

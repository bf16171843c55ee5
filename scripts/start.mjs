// npm start, npm run dev: the whole thing on this machine, with fake upstreams, users and a service key to try it.
import { main } from "./lib/main.mjs";

// Not imported above: it needs npm's packages and the pinned Node, which `main` sees to.
await main(async (args) => (await import("./lib/start.mjs")).start(args), {
  needs: process.argv.some((arg) => ["--help", "-h"].includes(arg)) ? "npm" : "everything",
});

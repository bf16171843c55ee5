// npm run build: makes build/ from src/ and crates/. Also wrangler's build command, so it is quick when nothing changed.
import { say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { buildWasm } from "./lib/build-wasm.mjs";

await main(async (args) => {
  // Set by our own scripts when they start wrangler right after a build.
  if (process.env.SALLYPORT_BUILT === "1") return;
  await buildWasm({ force: args.includes("--force") });
  say("build/ is up to date.");
});

// Makes dist/ from build/ and the entry: what a deployment would upload, and what the black-box tests load.
import { buildWasm } from "./lib/build-wasm.mjs";
import { say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { bundle } from "./lib/wrangler.mjs";

await main(async () => {
  await buildWasm();
  await bundle();
  say("dist/ is up to date.");
});

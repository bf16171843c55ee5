// npm run setup: brings in everything that a build needs, and nothing that is there already.
import { say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";

await main(() => say("Set-up is complete: npm packages, Rust, wasm-bindgen."));

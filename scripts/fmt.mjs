// npm run fmt: formats everything in place.
import { main } from "./lib/main.mjs";
import { npmTool } from "./lib/paths.mjs";
import { run } from "./lib/run.mjs";

await main(async () => {
  await run("cargo", ["fmt", "--all"]);
  await run(npmTool("prettier"), ["--write", "--log-level", "warn", "."]);
});

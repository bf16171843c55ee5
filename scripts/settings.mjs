// npm run settings: writes the README's table of settings from the code. The same test, without the variable, checks it.
import { cargoTest } from "./lib/cargo-test.mjs";
import { Failure } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";

await main(async () => {
  const { code, passed } = await cargoTest(["readme_settings"], { UPDATE_README: "1" });
  if (code === 0 && passed === 0) throw new Failure("There is no test named readme_settings.");
  return code;
});

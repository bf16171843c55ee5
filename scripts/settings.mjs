// npm run settings: writes the table of docs/settings.md from the code. The same test, without the variable, checks it.
import { main } from "./lib/main.mjs";
import { run } from "./lib/run.mjs";

// Only the crate that has it is compiled: the tests of the whole workspace take many minutes.
const TEST = ["test", "--locked", "-p", "sallyport-config", "--lib", "--"];

await main(
  () => run("cargo", [...TEST, "--exact", "tests::settings_table_is_current"], { env: { WRITE_DOCS: "1" } }),
  { needs: "toolchain" },
);

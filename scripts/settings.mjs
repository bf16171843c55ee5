// npm run settings: writes the table of docs/settings.md from the code. The same test, without the variable, checks it.
import { cargoTest } from "./lib/cargo-test.mjs";
import { Failure, step } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { Report } from "./lib/report.mjs";

await main(
  async () => {
    const report = new Report("the table of settings");
    const work = () => cargoTest(["settings_table"], report, { env: { WRITE_DOCS: "1" } });
    await step("The table of settings", work, report.progress);
    report.explain();
    if (report.code === 0 && report.passed === 0)
      throw new Failure("There is no test named settings_table.");
    return report.code;
  },
  { needs: "toolchain" },
);

// npm run screenshots: takes the pictures of pages that the documents show, with fixed answers at a fixed time.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setUpChromium } from "./lib/chromium.mjs";
import { buildConsole } from "./lib/console.mjs";
import { say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { readOptions } from "./lib/options.mjs";
import { inRoot } from "./lib/paths.mjs";

const SCREENSHOTS = {
  name: "npm run screenshots",
  about:
    "Takes the pictures of pages in docs/pictures anew, in Chromium, with fixed answers at a fixed time.",
  options: {},
  notes: "What is in them is in scripts/screenshots.",
};

await main(
  async (args) => {
    if (readOptions(SCREENSHOTS, args) === null) return;
    await setUpChromium();
    // Not imported above: the set-up, which brings what they need, is read before it is there.
    await buildConsole();
    const { launchChromium } = await import("./lib/browser.mjs");
    const { Studio } = await import("./lib/studio.mjs");
    const pictures = inRoot("docs", "pictures");
    mkdirSync(pictures, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), "sallyport-pictures-"));
    const browser = await launchChromium();
    try {
      const studio = await Studio.open(browser, folder, pictures);
      for (const file of readdirSync(inRoot("scripts", "screenshots")).sort()) {
        const { take } = await import(`./screenshots/${file}`);
        await take(studio);
      }
      for (const name of studio.taken) say(`   docs/pictures/${name}.png`);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true });
    }
  },
  { needs: "npm" },
);

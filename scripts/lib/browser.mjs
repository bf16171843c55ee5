// Chromium, driven by Playwright: for the tests of pages and the pictures in the docs.
// `playwright-core` brings no browser and downloads none, and has a clock that pages see in place of the true one.
import { chromium as driver } from "playwright-core";
import { chromium } from "./chromium.mjs";
import { Failure } from "./log.mjs";

/** No name leads anywhere but to this machine, whatever a page asks for. */
const THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";
/** The same letters on every machine. */
const SAME_TEXT = ["--font-render-hinting=none", "--disable-lcd-text"];

export async function launchChromium() {
  const found = chromium();
  if (!found) throw new Failure("Chromium is missing. `npm test` brings it, or says why it can't.");
  return driver.launch({
    executablePath: found.path,
    env: { ...process.env, ...found.env },
    args: [THIS_MACHINE, ...SAME_TEXT],
  });
}

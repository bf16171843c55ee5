// The browser of the tests where it cannot be had: `npm test` says so, and in CI it is a failure.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";

let folder: string;

/** Where the scripts lie is the project; this one has nothing else, and a machine without packages and browsers. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-chromium-"));
  cpSync(inRoot("scripts"), join(folder, "scripts"), { recursive: true });
  mkdirSync(join(folder, "empty"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PROGRAM = `
  const { chromium, setUpChromium } = await import("./scripts/lib/chromium.mjs");
  await setUpChromium();
  console.log(chromium() === undefined ? "none" : "there is one");
`;

function setUp(more: Record<string, string>) {
  const args = ["--input-type=module", "-e", PROGRAM];
  const env = { PATH: join(folder, "empty"), NO_COLOR: "1", ...more };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

it("is left out, with what is left out and how to get it", () => {
  const { status, stdout, stderr } = setUp({});
  expect([status, stdout]).toEqual([0, "none\n"]);
  expect(stderr).toMatch(
    /^ {3}Left out of the tests: all in Chromium \(tests\/browser\)\. apt-get brings it .*chromium-headless-shell, .* or have `chromium` on the PATH/m,
  );
});

it("is a failure in CI", () => {
  const { status, stdout, stderr } = setUp({ CI: "true" });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("Without Chromium no run in CI counts.");
});

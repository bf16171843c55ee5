// What /docs is shown with: Redoc, in one file beside the page (assets/docs.html). Of its package that file alone is wanted, and it
// has everything in it: as a dependency it would bring a hundred packages more.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runQuietly } from "./captured.mjs";
import { Failure, step } from "./log.mjs";
import { inRoot, tools } from "./paths.mjs";

const VERSION = "2.5.4";
const SHA512 = "M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ==";
/** The one thing that the page would ask of others: the logo of Redoc's makers. */
const LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";

const folder = inRoot("assets", "docs");
const script = join(folder, "redoc.js");
const stamp = join(tools, "api-page.stamp");
const wanted = `${VERSION} ${SHA512}\n`;

/** Brings assets/docs/redoc.js, unless it is there. */
export async function apiPage() {
  const fresh = existsSync(script) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (!fresh) await step("The page of the API: Redoc", bring);
}

async function bring() {
  const into = join(tools, "redoc");
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  await runQuietly("redoc", "npm", ["pack", `redoc@${VERSION}`, "--silent", "--pack-destination", into]);
  const packed = join(into, `redoc-${VERSION}.tgz`);
  if (createHash("sha512").update(readFileSync(packed)).digest("base64") !== SHA512)
    throw new Failure(`redoc@${VERSION} is not the package that was reviewed: its SHA-512 is another.`);
  await runQuietly("redoc-unpacked", "tar", ["-xzf", packed, "-C", into]);
  const bundles = join(into, "package", "bundles");
  const text = readFileSync(join(bundles, "redoc.standalone.js"), "utf8");
  if (text.split(LOGO).length !== 2) throw new Failure(`redoc@${VERSION} has another logo than is known.`);
  mkdirSync(folder, { recursive: true });
  const licenses = "redoc.js.LICENSE.txt";
  renameSync(join(bundles, "redoc.standalone.js.LICENSE.txt"), join(folder, licenses));
  writeFileSync(
    script,
    text
      .replace(LOGO, "data:,")
      .replaceAll("redoc.standalone.js.LICENSE.txt", licenses)
      // Its map is not served.
      .replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"),
  );
  rmSync(into, { recursive: true, force: true });
  writeFileSync(stamp, wanted);
}

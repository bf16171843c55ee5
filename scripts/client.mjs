// npm run client: the package in client/. Builds it; --write generates its types and pages, --check says whether they are current.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { apiPages, buildClient, gzippedSize, openapiTypes, PAGES, TYPES } from "./lib/client.mjs";
import { Failure, say } from "./lib/log.mjs";
import { main } from "./lib/main.mjs";
import { readOptions } from "./lib/options.mjs";
import { inRoot } from "./lib/paths.mjs";

const CLIENT = {
  name: "npm run client",
  about: "Builds the package @sallyport/client into client/dist.",
  options: {
    write: { type: "boolean", about: `writes ${TYPES} and ${PAGES} first` },
    check: { type: "boolean", about: "only looks whether those are current" },
  },
};

/** What is generated: `[file, text]`. */
async function generated() {
  const [types, pages] = await Promise.all([openapiTypes(), apiPages()]);
  return [[TYPES, types], ...Object.entries(pages).map(([name, text]) => [`${PAGES}/${name}`, text])];
}

const present = () =>
  existsSync(inRoot(PAGES))
    ? readdirSync(inRoot(PAGES), { recursive: true })
        .filter((name) => name.endsWith(".md"))
        .map((name) => `${PAGES}/${name}`)
    : [];

await main(
  async (args) => {
    const options = readOptions(CLIENT, args);
    if (!options) return;
    if (options.check) {
      const wanted = new Map(await generated());
      const isCurrent = (file) =>
        existsSync(inRoot(file)) && readFileSync(inRoot(file), "utf8") === wanted.get(file);
      const stale = [...new Set([...wanted.keys(), ...present()])].filter((file) => !isCurrent(file));
      if (stale.length > 0)
        throw new Failure(`Not current: ${stale.join(", ")}. \`npm run client -- --write\` writes them.`);
      return void say("The client's types and pages are current.");
    }
    if (options.write) {
      // The pages are made of the sources, the new types among them.
      writeFileSync(inRoot(TYPES), await openapiTypes());
      const pages = await apiPages();
      rmSync(inRoot(PAGES), { recursive: true, force: true });
      for (const [name, text] of Object.entries(pages)) {
        const file = inRoot(PAGES, name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    await buildClient();
    const size = await gzippedSize('export { SessionManager } from "./index.ts"');
    say(`client/dist is built. SessionManager, minified and gzipped: ${size} bytes.`);
  },
  { needs: "npm" },
);

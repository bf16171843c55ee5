// Makes the console: console/ to assets/console.html and assets/console/. It takes a tenth of a second.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Failure } from "./log.mjs";
import { inRoot } from "./paths.mjs";

const source = inRoot("console");
const folder = inRoot("assets", "console");
/** What a browser has to fetch before anything is shown. */
const MAX_GZIPPED_BYTES = 40 * 1024;
const LANGUAGE = /^(es|vi)-/;

export async function buildConsole() {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: { main: join(source, "src", "main.tsx"), style: join(source, "style", "main.css") },
    bundle: true,
    minify: true,
    format: "esm",
    // What has `light-dark()` and `<dialog>`.
    target: ["es2023", "chrome123", "firefox120", "safari17.5"],
    charset: "utf8",
    jsx: "automatic",
    jsxImportSource: "preact",
    // The client as it stands in this project, not as it was last packed.
    conditions: ["@sallyport/source"],
    outdir: folder,
    splitting: true,
    entryNames: "[name]",
    chunkNames: "[name]-[hash]",
    write: false,
    logLevel: "silent",
  });
  const page = readFileSync(join(source, "index.html"));
  // A person's browser fetches one language beside English at most: here the larger one.
  const sizes = outputFiles.map(({ path, contents }) => [
    basename(path),
    gzipSync(contents, { level: 9 }).length,
  ]);
  const languages = sizes.filter(([name]) => LANGUAGE.test(name)).map(([, size]) => size);
  const always = sizes.filter(([name]) => !LANGUAGE.test(name)).map(([, size]) => size);
  const total = [gzipSync(page, { level: 9 }).length, ...always, Math.max(...languages)].reduce(
    (a, b) => a + b,
  );
  if (total > MAX_GZIPPED_BYTES)
    throw new Failure(
      `The console is ${(total / 1024).toFixed(1)} KiB gzipped; the limit is ${MAX_GZIPPED_BYTES / 1024} KiB.\n` +
        "Look at what was added to console/; the limit is in scripts/lib/console.mjs.",
    );
  mkdirSync(folder, { recursive: true });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  files.set("icon.svg", readFileSync(join(source, "icon.svg")));
  for (const [name, contents] of files) writeChanged(join(folder, name), contents);
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
  writeChanged(inRoot("assets", "console.html"), page);
  return total;
}

/** Not what is the same: a local server that serves it would begin anew. */
function writeChanged(path, contents) {
  if (!existsSync(path) || !readFileSync(path).equals(contents)) writeFileSync(path, contents);
}

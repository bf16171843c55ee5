// What `npm start` serves beside the Worker: what a deployment does (assets/), and the demo (demo/), which only development has.
// It is put together in a folder of its own, so that no deployment can have it.
import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";

/** Makes the folder anew, after everything in assets/ has been built. Gives the folder. */
export async function devAssets(folder = inRoot(".dev", "assets")) {
  // Not imported above: the set-up, which brings it, is read before it is there.
  const { build } = await import("esbuild");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "demo"), { recursive: true });
  cpSync(inRoot("assets"), folder, { recursive: true, dereference: true });
  appendFileSync(join(folder, "_headers"), readFileSync(inRoot("demo", "_headers"), "utf8"));
  copyFileSync(inRoot("demo", "demo.html"), join(folder, "demo.html"));
  await build({
    entryPoints: [inRoot("demo", "src", "main.tsx"), inRoot("demo", "demo.css")],
    entryNames: "demo",
    outdir: join(folder, "demo"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    jsx: "automatic",
    // The client as it stands in this project.
    conditions: ["@sallyport/source"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  return folder;
}

/** Brings over what is built anew in assets/ while the server runs. */
export function followAssets(folder) {
  const watcher = watch(inRoot("assets"), { recursive: true }, (_event, name) => {
    if (!name || name === "_headers") return;
    try {
      cpSync(inRoot("assets", name), join(folder, name), { recursive: true, dereference: true });
    } catch {
      // Gone again, or not whole yet: then it changes once more.
    }
  });
  watcher.unref();
}

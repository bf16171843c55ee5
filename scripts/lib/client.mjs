// The package @sallyport/client: its types from the description of the routes, its build, its size, its pages.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { format, resolveConfig } from "prettier";
import { runQuietly } from "./captured.mjs";
import { inRoot } from "./paths.mjs";

const here = (...parts) => inRoot("client", ...parts);
const clientTool = (name) => here("node_modules", ".bin", name);

/** What is generated and checked in. */
export const TYPES = "client/src/openapi.ts";
export const PAGES = "docs/client";

/** The condition by which the project's own programs get the package's source. */
const SOURCE = "@sallyport/source";

/** The parts of the package that can be imported: `[name, source file]`. */
function entries() {
  const { exports } = JSON.parse(readFileSync(here("package.json"), "utf8"));
  return Object.entries(exports)
    .filter(([, target]) => target[SOURCE])
    .map(([name, target]) => [name, target[SOURCE]]);
}

const inScratch = async (work) => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-client-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const formatted = async (text, file) => format(text, { ...(await resolveConfig(file)), filepath: file });

/** The types of requests and answers. Of answers only those of success: an error is a `SessionError`. */
export async function openapiTypes() {
  const whole = JSON.parse(readFileSync(inRoot("docs", "openapi.json"), "utf8"));
  const methods = Object.values(whole.paths).flatMap((path) => Object.values(path));
  for (const method of methods) {
    if (!method.responses) continue;
    const good = Object.entries(method.responses).filter(([status]) => /^[23]/.test(status));
    for (const [, answer] of good) delete answer.headers;
    method.responses = Object.fromEntries(good);
    if (method.parameters)
      method.parameters = method.parameters.filter((one) => one.in !== "header" && !one.$ref);
  }
  delete whole.components.responses;
  delete whole.components.headers;
  delete whole.components.parameters;
  return inScratch(async (folder) => {
    const [from, to] = [join(folder, "openapi.json"), join(folder, "openapi.ts")];
    writeFileSync(from, JSON.stringify(whole));
    await runQuietly("client-types", clientTool("openapi-typescript"), [
      from,
      "--output",
      to,
      "--root-types",
      "--root-types-no-schema-prefix",
    ]);
    const text = readFileSync(to, "utf8")
      .replace(
        /^\/\*\*[^]*?\*\//,
        "// Generated from docs/openapi.json by openapi-typescript: `npm run client -- --write`.",
      )
      // A tag that neither editors nor typedoc know.
      .replaceAll("@description ", "");
    return formatted(text, inRoot(TYPES));
  });
}

/** The pages about everything that the package exports: `{ name: text }`. */
export function apiPages() {
  return inScratch(async (folder) => {
    // The types of the routes are in docs/openapi.json, with all that is to be said of them.
    const sources = entries().filter(([name]) => name !== "./openapi");
    await runQuietly(
      "client-pages",
      clientTool("typedoc"),
      [
        ...["--plugin", "typedoc-plugin-markdown", "--out", folder, "--tsconfig", here("tsconfig.json")],
        ...["--readme", "none", "--name", "@sallyport/client", "--disableSources", "--githubPages", "false"],
        ...["--outputFileStrategy", "modules", "--excludeExternals", "--excludePrivate", "--hidePageHeader"],
        ...[
          "--hideBreadcrumbs",
          "--entryFileName",
          "README",
          "--logLevel",
          "Warn",
          "--treatWarningsAsErrors",
        ],
        ...["--useCodeBlocks", "--parametersFormat", "table", "--hideGroupHeadings"],
        ...["--intentionallyNotExported", "components"],
        ...sources.map(([, file]) => here(file)),
      ],
      { cwd: here() },
    );
    const pages = {};
    for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".md")))
      pages[name] = await formatted(readFileSync(join(folder, name), "utf8"), inRoot(PAGES, name));
    return pages;
  });
}

/** Builds `client/dist`. What React or another peer is stays outside. */
export async function buildClient() {
  rmSync(here("dist"), { recursive: true, force: true });
  const entryPoints = entries().map(([, file]) => here(file));
  const declarations = runQuietly("client-declarations", inRoot("node_modules", ".bin", "tsc"), [
    ...["-p", here("tsconfig.json"), "--noEmit", "false", "--emitDeclarationOnly", "--declaration"],
    ...["--outDir", here("dist"), "--rootDir", here("src"), "--stripInternal"],
  ]);
  const bundles = build({
    ...{ entryPoints, outdir: here("dist"), bundle: true, splitting: true, format: "esm", target: "es2022" },
    ...{ packages: "external", sourcemap: true, sourcesContent: false, logLevel: "warning" },
  });
  await Promise.all([declarations, bundles]);
  // tsc rewrites what is imported in programs, and not in declarations.
  for (const name of readdirSync(here("dist")).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(here("dist", name), "utf8");
    writeFileSync(here("dist", name), text.replaceAll(/(from "\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** How large something that is imported from the package is in a page: minified and gzipped, in bytes. */
export async function gzippedSize(statement, external = []) {
  const result = await build({
    stdin: { contents: statement, resolveDir: here("src"), loader: "ts" },
    ...{
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      write: false,
      external,
      logLevel: "warning",
    },
  });
  return gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
}

// The package as `npm publish` would send it: packed, looked at by publint and "are the types wrong", installed from the tarball
// in a project of its own, and run there: by Node, as Vite builds it for a page, and in a Worker.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, expect, it } from "vitest";
import { build as viteBuild } from "vite";
import { buildClient } from "../../scripts/lib/client.mjs";
import { inRoot, npmTool } from "../../scripts/lib/paths.mjs";
import { PASSWORD } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "sallyport-package-"));
const project = join(folder, "project");
let tarball: string;
let server: Server;
let username: string;

/** What each of them runs: somebody logs in, and is known. */
const APPLICATION = `
import { SessionManager, SessionError } from "@sallyport/client";
export async function visit(base, username, password) {
  const manager = new SessionManager(base + "/api/v1");
  const wrong = await manager.login(username, "wrong").catch((error) => error);
  await manager.login(username, password);
  await manager.refreshTokens();
  const greeting = await manager.apiJson(base + "/api/v1/protected");
  const { status, user } = manager.getSnapshot();
  await manager.logout();
  manager.stop();
  return [wrong instanceof SessionError && wrong.code, status, user.username, greeting.message, manager.getSnapshot().status];
}
`;
const WORKER = `
import { visit } from "./app.js";
export default { fetch: async (request) => Response.json(await visit(...(await request.json()))) };
`;
const visited = () => ["invalid_credentials", "authenticated", username, `Hello ${username}!`, "anonymous"];

beforeAll(async () => {
  mkdirSync(project);
  await buildClient();
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: inRoot("client"),
  });
  const [{ filename }] = JSON.parse(stdout);
  tarball = join(folder, filename);
  writeFileSync(join(project, "package.json"), '{ "name": "scratch", "private": true, "type": "module" }');
  writeFileSync(join(project, "app.js"), APPLICATION);
  // It has no dependencies, so no registry is asked.
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", tarball], {
    cwd: project,
  });
  // Bundled as wrangler does it.
  writeFileSync(join(project, "worker.js"), WORKER);
  const configuration = join(project, "wrangler.toml");
  writeFileSync(configuration, 'name = "visitor"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n');
  server = await start({ beside: [configuration] });
  username = await server.client.user();
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

it("has what it needs and nothing else, and depends on nothing", () => {
  const files = readdirSync(join(project, "node_modules", "@sallyport", "client"), {
    recursive: true,
  }) as string[];
  expect(
    files
      .filter((name) => /\.(ts|js|map|json)$/.test(name))
      .every((name) => /^(dist|src)\/|^package\.json$/.test(name)),
  ).toBe(true);
  expect(files).toEqual(expect.arrayContaining(["dist/index.js", "dist/index.d.ts", "README.md", "LICENSE"]));
  expect(readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith("."))).toEqual([
    "@sallyport",
  ]);
});

it("publint finds nothing", async () => {
  const { messages } = await publint({
    pkgDir: join(project, "node_modules", "@sallyport", "client"),
    pack: false,
  });
  expect(messages).toEqual([]);
});

it("the types are not wrong", async () => {
  // Of those who import: there is nothing for CommonJS. It fails if it finds something.
  const { stdout } = await run(npmTool("attw"), [tarball, "--profile", "esm-only", "--no-color"]);
  for (const name of ["@sallyport/client", "@sallyport/client/openapi"])
    expect(stdout).toContain(`"${name}"\n\nnode16 (from ESM): 🟢 (ESM)\nbundler: 🟢`);
});

it.each([
  ["bundler", "esnext", ["ES2022", "DOM"]],
  ["nodenext", "nodenext", ["ES2022", "DOM"]],
])("an application compiles against it (%s)", async (moduleResolution, module, lib) => {
  writeFileSync(
    join(project, "typed.ts"),
    `import { SessionManager, type Snapshot, type SessionError } from "@sallyport/client";
import type { paths } from "@sallyport/client/openapi";
type Profile = paths["/auth/profile"]["get"]["responses"]["200"]["content"]["application/json"];
const manager = new SessionManager("/api/v1", { storage: "cookie", onIdleWarning: (seconds: number) => seconds });
export const name: Promise<string> = manager.apiJson<Profile>("/auth/profile").then((user) => user.username);
export const status: Snapshot["status"] = manager.getSnapshot().status;
export const wait = (error: SessionError): number | undefined => error.retryAfter;
// @ts-expect-error There is no such storage.
new SessionManager("/api/v1", { storage: "cookies" });
`,
  );
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: "es2022",
    types: [],
    module,
    moduleResolution,
    lib,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["typed.ts"] }));
  const { stdout } = await run(npmTool("tsc"), ["-p", project]).catch((error) => error);
  expect(stdout).toBe("");
});

it("Node runs it, and ends", async () => {
  const script = `import { visit } from "./app.js"; console.log(JSON.stringify(await visit(...process.argv.slice(1))));`;
  const args = ["--input-type=module", "-e", script, server.client.base.origin, username, PASSWORD];
  const { stdout } = await run(process.execPath, args, { cwd: project, timeout: 30_000 });
  expect(JSON.parse(stdout)).toEqual(visited());
});

it("Vite builds it for a page", async () => {
  const outDir = join(folder, "page");
  await viteBuild({
    root: project,
    configFile: false,
    logLevel: "silent",
    build: { outDir, emptyOutDir: true, lib: { entry: "app.js", formats: ["es"], fileName: "page" } },
  });
  const { visit } = await import(join(outDir, "page.js"));
  expect(await visit(server.client.base.origin, username, PASSWORD)).toEqual(visited());
});

it("a Worker runs it", async () => {
  const worker = await server.mf.getWorker("visitor");
  const body = JSON.stringify([server.client.base.origin, username, PASSWORD]);
  const answer = await worker.fetch("https://visitor.test/", { method: "POST", body });
  expect(await answer.json()).toEqual(visited());
});

// `npm start` as whoever cloned the project meets it, in a folder that has nothing local yet.
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromium } from "../../scripts/lib/chromium.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { begin, script } from "../support/process/script.ts";

const NOT_SHARED = [".git", ".dev", ".dev.vars", ".wrangler", "scripts"];
const MOCK = "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session";

let folder: string;
let port: number;
let server: ReturnType<typeof begin>;

/** The scripts are copied, since where they lie is the project; all the rest leads to it. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-start-"));
  for (const name of readdirSync(inRoot(".")).filter((name) => !NOT_SHARED.includes(name)))
    symlinkSync(inRoot(name), join(folder, name));
  cpSync(inRoot("scripts"), join(folder, "scripts"), { recursive: true });
  port = await freePort();
  server = await started([]);
});

afterAll(async () => {
  server.stop();
  await server.ended;
  rmSync(folder, { recursive: true });
});

/** One whose next port is free, too. */
async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer();
    await new Promise<void>((done) => probe.listen(0, "127.0.0.1", done));
    const address = probe.address();
    await new Promise((done) => probe.close(done));
    if (address !== null && typeof address === "object" && address.port < 65_000) return address.port;
  }
}

/** Until its first screen is there; or it has ended, and says why. */
async function started(args: string[]) {
  const one = begin("start", ["--port", String(port), ...args], { folder });
  let ended = false;
  void one.ended.then(() => (ended = true));
  while (!one.said.err.includes("Ctrl-C ends it") && !ended) await sleep(100);
  expect(ended, one.said.err).toBe(false);
  return one;
}

const shell = promisify(execFile);

it("the first screen says what runs where, and what it says to try for each job works", async () => {
  const { err } = server.said;
  const screen = err.slice(err.indexOf("Sallyport is ready at")).trimEnd().split("\n");
  expect(screen.length).toBeLessThan(24);
  expect(screen[0]).toBe(`Sallyport is ready at http://127.0.0.1:${port}`);
  for (const where of [
    `http://127.0.0.1:${port + 1}`,
    ".dev/credentials.json",
    ".dev.vars",
    ".wrangler/state",
  ])
    expect(screen.join("\n")).toContain(where);
  const [browser] = screen.filter((line) => line.trim().startsWith("browser "));
  expect(browser).toMatch(
    chromium() ? /http:\/\/127\.0\.0\.1:\d+   Chromium, .*"portal": "spa"/ : /Chromium is not installed/,
  );
  expect(statSync(join(folder, ".dev", "try.sh")).mode & 0o777).toBe(0o600);

  const jobs = ["user sessions", "post-login", "upstream tokens", "portal sessions", "operating"];
  const tries = jobs.map((job) => screen.find((line) => line.trim().startsWith(`${job} `)) ?? `no ${job}`);
  const calls = tries.flatMap((line) => /curl [^(;]+/.exec(line)?.[0].trim() ?? `false ${line}`);
  const run = ["set -eu", ". .dev/try.sh", ...calls.map((call) => `${call}; echo`)].join("\n");
  // Whatever stands in the variables, for a plain shell, too.
  const { stdout } = await shell("sh", ["-c", run], { cwd: folder });
  const answers = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(answers).toMatchObject([
    { access_token: expect.any(String) },
    { message: "SME session initialized successfully" },
    { account_id: "agnidata001", success: true },
    { session_id: expect.any(String), is_new: true },
    { status: "healthy" },
  ]);

  expect(tries[4]).toContain("npm run user -- list; npm run key -- list");
  const users = await script("user", ["list"], { folder });
  expect(users.out).toBe("admin\tactive\tadmin,user\ntestuser\tactive\tuser\n");
  expect((await script("key", ["list"], { folder })).out).toMatch(/\tactive\t.*\tlocal\n$/);
});

it("a request is a line, and calls to upstreams stand under it", async () => {
  const line = /^\d\d:\d\d:\d\d  POST \/auth\/login  200  \d+ ms  testuser$/m;
  await expect.poll(() => server.said.out).toMatch(line);
  await expect
    .poll(() => server.said.out)
    .toMatch(/init-session  200  \d+ ms  customer \S+\n {10}→ sme validate  1234567890  200  valid$/m);
  // wrangler's own line for a request is not shown beside it, nor what came before the screen.
  expect(server.said.out).not.toMatch(/wrangler:info|POST \/admin\/users/);
});

it("the demo is at the address that the screen says, and names no password", async () => {
  const [address = "none"] = /http:\/\/localhost:\d+\/demo/.exec(server.said.err) ?? [];
  expect(address).toBe(`http://localhost:${port}/demo`);
  const page = await fetch(address);
  expect([page.status, page.headers.get("content-security-policy")]).toEqual([
    200,
    expect.stringContaining("default-src 'none'; script-src 'self'"),
  ]);
  const [, script] = /src="([^"]+)"/.exec(await page.text()) ?? [];
  const code = await (await fetch(new URL(script ?? "", address))).text();
  expect(code).toContain("useSession() needs a");
  const { users, service_key } = JSON.parse(readFileSync(join(folder, ".dev", "credentials.json"), "utf8"));
  for (const secret of [service_key, ...users.map(({ password }: { password: string }) => password)])
    expect(code).not.toContain(secret);
  // Nothing of it is among what a deployment uploads.
  expect(readdirSync(join(folder, "assets"))).not.toContainEqual(expect.stringMatching(/^demo/));
});

it("the mock of the SME service is served", async () => {
  const answer = await fetch(`http://127.0.0.1:${port}${MOCK}`, { method: "POST" });
  expect([answer.status, server.said.err.includes("mock of SME")]).not.toContain(404);
  expect(answer.status).toBe(401);
});

it("pages of this machine may read the answers, whatever their port", async () => {
  const allowed = async (origin: string) => {
    const { headers } = await fetch(`http://127.0.0.1:${port}/health`, { headers: { origin } });
    return headers.get("access-control-allow-origin");
  };
  expect(await allowed("http://localhost:5173")).toBe("http://localhost:5173");
  expect(await allowed("https://app.example.com")).toBeNull();
});

it("a port that is in use is told in one line, with the way out", async () => {
  const { code, out, err } = await script("start", ["--port", String(port)], { folder });
  expect([code, out]).toEqual([1, ""]);
  expect(err).toBe(
    `error: Port ${port} is in use, maybe by another \`npm start\`: end that one, or choose another port: ` +
      `npm start -- --port ${port + 10}\n`,
  );
  const next = await script("start", ["--port", String(port - 1)], { folder });
  expect(next.err).toMatch(
    new RegExp(`^error: Port ${port} is in use, .*UPSTREAMS_PORT=${port + 10} npm start\n$`),
  );
});

it("it goes on with what it has kept; with --json its output is the log as it is, and with --fresh it begins anew", async () => {
  server.stop();
  const { code, err } = await server.ended;
  expect([code, err]).toEqual([0, expect.stringContaining("Stopped. The local data is kept")]);

  server = await started(["--json"]);
  expect(server.said.err).toMatch(/passwords +in that file/);
  const { status } = await fetch(`http://127.0.0.1:${port}/nowhere`);
  expect(status).toBe(404);
  const entries = () =>
    server.said.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  await expect.poll(entries).toContainEqual(expect.objectContaining({ event: "request", route: "none" }));

  server.stop();
  await server.ended;
  server = await started(["--fresh"]);
  expect(server.said.err).toContain("(shown this once)");
});

it("what is missing or too old is told in one line", async () => {
  const old =
    "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.11.1'}})";
  expect(await script("start", [], { folder, node: ["--import", old] })).toEqual({
    code: 2,
    out: "",
    err: "error: Node.js 20.11.1 is too old: install Node.js 22 or newer (20 will do, from 20.18 on), then try again.\n",
  });
  mkdirSync(join(folder, "empty"));
  const bare = await script("start", [], { folder, env: { PATH: join(folder, "empty") } });
  expect([bare.code, bare.err]).toEqual([
    1,
    expect.stringMatching(/^error: rustup was not found: install it .*\n$/),
  ]);
});

// What the commands say: help, errors that name the option, JSON for scripts, and what is wrong with the machine.
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Failure } from "../../scripts/lib/log.mjs";
import { logs } from "../../scripts/lib/paths.mjs";
import { inWords, nodeTrouble, troubleIn } from "../../scripts/lib/trouble.mjs";
import { PASSWORD } from "../support/process/client.ts";
import { script } from "../support/process/script.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
let env: Record<string, string>;
beforeAll(async () => {
  server = await start();
  await server.client.admin();
  env = { SALLYPORT_ADMIN: "root", SALLYPORT_ADMIN_PASSWORD: PASSWORD };
});
afterAll(() => server[Symbol.asyncDispose]());

const at = (name: string, ...args: string[]) =>
  script(name, [...args, "--url", server.client.base.origin], { env });

it.each([
  ["start", ["--port", "--fresh", "--json"], []],
  [
    "user",
    ["--role", "--password-stdin", "--url", "--json"],
    ["add NAME", "list", "roles NAME ROLE…", "remove NAME"],
  ],
  [
    "key",
    ["--scope", "--expires-in-days", "--alg", "--env", "--url", "--json"],
    ["add NAME", "list", "rotate ID", "revoke ID", "signing"],
  ],
  ["deploy", ["--dry-run", "--env", "--secrets-file", "--domain"], []],
  ["cf-typegen", ["--check"], []],
  ["test", ["--native", "--worker"], []],
  ["soak", ["--minutes"], []],
])("%s --help says all that it takes", async (name, options, commands) => {
  const { code, out, err } = await script(name, ["--help"]);
  expect([code, err]).toEqual([0, ""]);
  for (const told of [...options, ...commands, "--help"])
    expect(out).toMatch(new RegExp(`^ +(-h, )?${told}`, "m"));
});

it.each([
  ["start", ["--prot", "1"], "Unknown option '--prot'"],
  ["start", ["--port", "99999"], '--port takes a port (1 to 65535), not "99999"'],
  ["start", ["--port"], "Option '--port <value>' argument missing"],
  ["start", ["fresh"], "Unexpected argument 'fresh'"],
  ["user", [], "A command is missing"],
  ["user", ["toString"], 'There is no command "toString"'],
  ["user", ["add"], '"add" needs NAME'],
  ["user", ["roles", "x"], '"roles" needs ROLE…'],
  ["user", ["list", "x"], '"x" is one word too many for "list"'],
  ["user", ["list", "--role", "x"], '"list" takes no --role'],
  ["key", ["add", "x"], "A key needs --scope"],
  [
    "key",
    ["add", "x", "--scope", "portal", "--expires-in-days", "soon"],
    '--expires-in-days takes a number of days, not "soon"',
  ],
  ["key", ["signing", "--alg", "RS256"], '--alg takes HS256, EdDSA, ES256, not "RS256"'],
  ["key", ["signing", "--env", "x"], '--env "x" is not in wrangler.toml, or has no variables'],
  ["key", ["signing", "--url", "http://127.0.0.1"], '"signing" takes no --url'],
])("%s %j: one line that names what is wrong", async (name, args, message) => {
  const { code, out, err } = await script(name, args);
  expect([code, out]).toEqual([2, ""]);
  expect(err).toBe(
    `error: ${message}; \`npm ${name === "start" ? "" : "run "}${name} -- --help\` shows what there is.\n`,
  );
});

it("an option that npm has kept to itself is not lost silently", async () => {
  const env = { npm_lifecycle_event: "start", npm_config_fresh: "true" };
  const { code, err } = await script("start", [], { env });
  expect([code, err]).toEqual([2, expect.stringContaining("npm took --fresh for its own: put -- before it")]);
});

it("a refusal of the server names the option", async () => {
  expect(await at("key", "add", "x", "--scope", "nonsense")).toEqual({
    code: 1,
    out: "",
    err: "error: --scope: Value not allowed (validation_error)\n",
  });
  const { err } = await at("user", "add", "x y");
  expect(err).toMatch(/^error: NAME: .* \(validation_error\)\n$/);
  expect((await script("user", ["list", "--url", "nowhere"])).err).toBe(
    'error: --url "nowhere" is not a URL.\n',
  );
});

it("--json gives the result as JSON, and nothing else", async () => {
  const json = async (name: string, ...args: string[]) => {
    const { code, out, err } = await at(name, ...args, "--json");
    expect([code, err], args.join(" ")).toEqual([0, ""]);
    return JSON.parse(out);
  };
  const made = await json("user", "add", "carol", "--role", "user", "--role", "auditor");
  expect(made).toMatchObject({ username: "carol", roles: ["auditor", "user"], password: expect.any(String) });
  expect((await server.client.tryLogin("carol", made.password)).status).toBe(200);
  expect(await json("user", "disable", "carol")).toMatchObject({ username: "carol", is_active: false });
  expect(await json("user", "list")).toContainEqual(expect.objectContaining({ username: "carol" }));
  expect(await json("user", "remove", "carol")).toEqual({ username: "carol", removed: true });

  const key = await json("key", "add", "nightly", "--scope", "portal", "--expires-in-days", "9");
  expect(key).toMatchObject({ name: "nightly", key: expect.stringMatching(/^sp_/) });
  expect(await json("key", "revoke", key.id)).toEqual({ id: key.id, status: "revoked" });
  expect(await json("key", "list")).toMatchObject([{ id: key.id, status: "revoked" }]);
});

it("this Node will do, older ones are told what to install", () => {
  for (const good of ["20.18.0", "20.20.2", "22.0.0", "24.1.0"]) expect(nodeTrouble(good)).toBeUndefined();
  for (const old of ["18.20.4", "20.17.9", "21.7.3"])
    expect(nodeTrouble(old)).toMatch(/is too old: install Node/);
});

it("a full disk is told in one line, whoever has met it", () => {
  const full = /^The disk is full: free some space where \/.+ is, then try again\.$/;
  const error = Object.assign(new Error("ENOSPC: no space left on device, write"), {
    code: "ENOSPC",
    syscall: "write",
  });
  expect(inWords(error)).toMatch(full);
  expect(inWords(new Failure("cargo build failed"), 1000)).toMatch(full);
  expect(inWords(new Failure("cargo build failed"), Infinity)).toBe("cargo build failed");
  expect(inWords(new Failure("--port takes a port", 2), 1000)).toBe("--port takes a port");
  expect(troubleIn("error: failed to write x.rmeta: No space left on device (os error 28)")).toMatch(full);
  expect(troubleIn("error: linker `cc` not found")).toMatch(/^Rust needs a C compiler/);
  expect(troubleIn("error[E0308]: mismatched types")).toBeUndefined();
});

it.skipIf(!existsSync("/dev/full"))("and so is one that is full while a command writes", async () => {
  const file = join(logs, "cf-typegen.log");
  mkdirSync(logs, { recursive: true });
  rmSync(file, { force: true });
  symlinkSync("/dev/full", file);
  try {
    const { code, err } = await script("cf-typegen", ["--check"]);
    expect([code, err]).toEqual([1, expect.stringMatching(/^error: The disk is full: .*\n$/)]);
  } finally {
    rmSync(file);
  }
});

// The documents: their links lead somewhere, and their commands run as they stand there and print what the page says.
//
// A block of commands that cannot be run here (it needs an account, another machine, or minutes) is marked: ```sh not-run
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { upstreamSettings } from "../../scripts/lib/upstreams.mjs";
import { type Block, commands, type Page, pages, shown } from "../support/process/documents.ts";
import { PASSWORD } from "../support/process/client.ts";
import { secret, secrets, start } from "../support/process/server.ts";
import { LENIENT } from "../upstreams/index.ts";
import { listen } from "../upstreams/listen.ts";

const all = await pages();

/** `npm run user` and `npm run key` go to the test's server; no other command of npm is run here. */
const PRELUDE = `set -euo pipefail
npm() {
  [ "$1" = run ] || { echo "npm $1: mark the block not-run" >&2; return 1; }
  shift
  while [ "$1" = -s ]; do shift; done
  case "$1" in user | key) local script=$1 ;; *) echo "npm run $1: mark the block not-run" >&2; return 1 ;; esac
  shift
  [ "\${1-}" != -- ] || shift
  node "$PROJECT/scripts/$script.mjs" "$@" --url "$SERVER" < /dev/null 2> /dev/null
}
`;

/** What `npm start` is: a deployment with its fakes, two users and a key, and a folder that has them in .dev/credentials.json. */
async function deployment() {
  const fakes = await listen({ accounts: "any", switches: LENIENT });
  const own = {
    ENVIRONMENT: "development",
    AUDIT_TRAIL: "on",
    UPSTOX_NOTIFIER_SECRET: secret(),
    ...secrets(),
  };
  const toFakes = (upstreamSettings as (url: string, own: object) => Record<string, string>)(fakes.url, own);
  const server = await start({ bindings: { ...toFakes, ...own } });
  const { client } = server;
  const base = client.base.origin;

  const admin = { username: "root", password: PASSWORD, roles: ["admin"] };
  const testuser = { username: "testuser", password: PASSWORD, roles: ["user"] };
  const token = await client.admin();
  await client.call("POST", "/admin/users", token, testuser);
  const scopes = ["tokens:read", "tokens:write", "portal"];
  const made = await client.call("POST", "/admin/service-keys", token, { name: "local", scopes });
  await expect
    .poll(async () => (await client.call("GET", "/health")).json.accounts)
    .toEqual({ total: 3, healthy: 3, failed: 0 });

  const folder = mkdtempSync(join(tmpdir(), "sallyport-documents-"));
  const portal = { username: "demo", password: "demo-pass", captcha_api_key: "ck-local" };
  const users = [admin, testuser];
  const credentials = { base_url: base, users, service_key: made.json.key, upstreams_url: fakes.url, portal };
  mkdirSync(join(folder, ".dev"));
  writeFileSync(join(folder, ".dev", "credentials.json"), JSON.stringify(credentials));

  const [SALLYPORT_ADMIN, SALLYPORT_ADMIN_PASSWORD] = [admin.username, admin.password];
  const env = { SALLYPORT_ADMIN, SALLYPORT_ADMIN_PASSWORD, PROJECT: inRoot("."), SERVER: base };
  const here = (text: string) =>
    text.replaceAll("http://127.0.0.1:8787", base).replaceAll("http://127.0.0.1:8788", fakes.url);
  const end = async () => {
    await server[Symbol.asyncDispose]();
    await fakes.close();
    rmSync(folder, { recursive: true });
  };
  return { folder, env, here, [Symbol.asyncDispose]: end };
}

/** One shell for a page: what a block sets, the next one has. Gives what each block has printed. */
async function run(
  page: Page,
  { folder, env, here }: Awaited<ReturnType<typeof deployment>>,
): Promise<string[]> {
  const mark = secret();
  const script = commands(page).map(({ block }) => `${here(block.text)}\nprintf '\\n%s\\n' ${mark}\n`);
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const child = spawn("bash", ["-c", PRELUDE + script.join("")], {
    cwd: folder,
    env: { ...process.env, ...env, PATH: path, SALLYPORT_ON_PINNED_NODE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const printed = out.replaceAll("\r", "").split(`\n${mark}\n`);
  const block = commands(page)[printed.length - 1]?.block;
  expect(code, `${page.name}, line ${block?.begin}: ${block?.text}\n${printed.at(-1)}${errors}`).toBe(0);
  return printed;
}

it.for(all.filter((page) => commands(page).length > 0))("$name: its commands run", async (page) => {
  await using server = await deployment();
  const printed = await run(page, server);
  commands(page).forEach(({ block, prints }, at) => {
    if (prints !== undefined)
      expect(pretty(printed[at] ?? ""), `${page.name}, line ${block.begin}`).toMatch(shown(pretty(prints)));
  });
});

/** Answers end without a line break, so that two are on one line; headers of an answer come as they like. */
const pretty = (text: string): string =>
  text
    .trim()
    .replaceAll(/\}(?=\{|HTTP)/g, "}\n")
    .replaceAll(/^(?!HTTP|WWW|x-req|x-auth)[A-Za-z-]+: .*\n/gm, "");

it("every block of commands is run, or says that it is not", () => {
  const wrong = ({ lang, mark }: Block) =>
    ["bash", "shell", "console", "zsh"].includes(lang) || (lang === "sh" && !["", "not-run"].includes(mark));
  const found = all.flatMap(({ name, blocks }) =>
    blocks.filter(wrong).map(({ begin }) => `${name}, line ${begin}`),
  );
  expect(found, "a block of commands is `sh` or `sh not-run`").toEqual([]);
});

it("every link within the project leads to a file, and to a heading there", () => {
  const broken = all.flatMap(({ name, links }) =>
    links.filter((link) => !/^[a-z]+:/.test(link) && !leads(name, link)).map((link) => `${name}: ${link}`),
  );
  expect(broken).toEqual([]);
});

function leads(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const to = file === "" ? from : join(dirname(from), decodeURIComponent(file));
  if (to.startsWith("..") || !existsSync(inRoot(to))) return false;
  return anchor === undefined || (all.find(({ name }) => name === to)?.anchors.has(anchor) ?? false);
}

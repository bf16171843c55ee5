// A real proxy, by its recipe, between a client and the application.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { programOf } from "../../../../scripts/lib/proxies.mjs";
import type { Page } from "../documents.ts";
import { send } from "./client.ts";
import { freePort } from "./ports.ts";
import { type Name, RECIPES, writeRecipe } from "./recipes.ts";

export interface Proxy extends AsyncDisposable {
  name: Name;
  port: number;
}

export interface Around {
  page: Page;
  edge: { port: number };
  app: { port: number };
  trusted: string;
}

const START_MILLISECONDS = 30_000;
const END_MILLISECONDS = 5000;

interface Changed {
  /** What the test changes in the recipe. */
  change?: (text: string) => string;
  /** What it answers to somebody without a token, once it is ready. */
  refuses?: number;
}

/** Starts one. */
export async function startProxy(
  name: Name,
  { page, edge, app, trusted }: Around,
  { change = (text) => text, refuses = 401 }: Changed = {},
): Promise<Proxy> {
  const program = programOf(name);
  if (!program) throw new Error(`There is no ${name}.`);
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${name.toLowerCase()}-`));
  // Started by root, some go on as another user.
  chmodSync(folder, 0o777);
  const [listen, hop] = [await freePort(), await freePort()];
  const unpacked = program.folder;
  const places = { folder, listen, hop, edge: edge.port, app: app.port, trusted, unpacked };
  writeRecipe(name, page, places, change);
  const { args, env } = RECIPES[name].prepare(places);
  const child = spawn(program.path, args, {
    cwd: folder,
    env: { ...process.env, ...program.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const orphan = () => child.kill("SIGTERM");
  process.once("exit", orphan);
  child.once("exit", () => process.off("exit", orphan));
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const proxy = { name, port: listen, [Symbol.asyncDispose]: () => end(child, folder) };
  try {
    await ready(child, listen, refuses);
  } catch (error) {
    const log = join(folder, "error.log");
    if (existsSync(log)) said += readFileSync(log, "utf8");
    await proxy[Symbol.asyncDispose]();
    throw new Error(`${name} did not start: ${String(error)}\n${said}`);
  }
  return proxy;
}

async function ready(child: ChildProcess, port: number, refuses: number): Promise<void> {
  const failed = once(child, "error").then(([error]) => {
    throw error as Error;
  });
  const asked = (async () => {
    for (const until = Date.now() + START_MILLISECONDS; Date.now() < until; await setTimeout(50)) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      if ((await send(port)).status === refuses) return;
    }
    throw new Error(`it does not answer ${refuses}`);
  })();
  await Promise.race([failed, asked]);
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(END_MILLISECONDS, undefined, { ref: false }).then(() => child.kill("SIGKILL"));
    await Promise.race([gone, late.then(() => gone)]);
  }
  rmSync(folder, { recursive: true, force: true });
}

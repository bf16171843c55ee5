// The peers as servers, like Sallyport's in lib/sallyport.mjs.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { call } from "../../scripts/lib/api.mjs";
import { Failure } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { randomSecret } from "../../scripts/lib/private-file.mjs";
import { childEnv, outputOf } from "../../scripts/lib/run.mjs";
import { own } from "./children.mjs";
import { plainBundle, python, redisServer } from "./install.mjs";
import { inTurn, request } from "./load.mjs";
import { cpuSeconds, treeOf } from "./processes.mjs";
import { rotating } from "./sallyport.mjs";
import { prepare, startWorkerd } from "./workerd.mjs";

/** Of the runtime that the peers ask for. */
export const DATE = "2026-04-01";
const READY_WITHIN_MS = 20_000;

/** F1 and F3s. */
export async function startFloors(folder, { sessions }) {
  prepare(folder, {
    modules: [inRoot("bench", "peers", "floors.js")],
    date: DATE,
    objects: { SESSION: "Session" },
  });
  const server = await startWorkerd(folder);
  const token = `Bearer ${randomSecret().repeat(6)}`; // Nobody reads it; it is as long as a real one.
  const paths = Array.from({ length: sessions }, (_, n) => `/session-${n}`);
  const get = (path) => request("GET", path, { headers: { authorization: token } });
  return { server, constant: inTurn([request("GET", "/constant")]), object: inTurn(paths.map(get)) };
}

/** P2. */
export async function startPlain(folder, { sessions }) {
  prepare(folder, {
    modules: [plainBundle],
    date: DATE,
    objects: { SESSION: "Session" },
    vars: { SECRET: randomSecret() },
  });
  return withSessions(await startWorkerd(folder), sessions);
}

/** P1: one worker of uvicorn, and Redis, whose processor time counts as well. */
export async function startFastapi(folder, { sessions }) {
  mkdirSync(folder, { recursive: true });
  const [port, redisPort] = [await freePort(), await freePort()];
  const redis = program(folder, await redisServer(), [
    ...["--bind", "127.0.0.1", "--port", String(redisPort), "--dir", folder],
    ...["--save", "", "--appendonly", "no"],
  ]);
  const uvicorn = program(
    folder,
    python,
    [
      ...["-m", "uvicorn", "app:app", "--app-dir", inRoot("bench", "peers", "fastapi"), "--workers", "1"],
      ...["--host", "127.0.0.1", "--port", String(port), "--loop", "uvloop", "--http", "httptools"],
      ...["--no-access-log", "--log-level", "warning"],
    ],
    { SECRET: randomSecret(), REDIS_PORT: String(redisPort), PYTHONDONTWRITEBYTECODE: "1" },
  );
  const children = [redis, uvicorn];
  const server = {
    port,
    base: `http://127.0.0.1:${port}`,
    cpu: () => cpuSeconds(children.flatMap(({ pid }) => treeOf(pid))),
    stop: () => Promise.all(children.map(({ stop }) => stop())),
  };
  await answering(server.base);
  return withSessions(server, sessions);
}

/** What the parts of P1 are, for the conditions. */
export async function fastapiVersions() {
  const versions =
    "import platform, fastapi, uvicorn; print(platform.python_version(), fastapi.__version__, uvicorn.__version__)";
  const [own, framework, server] = (await outputOf(python, ["-c", versions])).split(" ");
  const redis = /v=(\S+)/.exec(await outputOf(await redisServer(), ["--version"]))?.[1];
  return `Python ${own}, FastAPI ${framework}, uvicorn ${server}, Redis ${redis}`;
}

/** A peer with sessions: `validate` by path, and one `refresh`. */
async function withSessions(server, sessions) {
  const pairs = [];
  for (let n = 0; n < sessions; n += 1)
    pairs.push(await call(server.base, "POST", "/session", { body: { username: `bench${n}` } }));
  const shown = ({ access_token }) => ({ headers: { authorization: `Bearer ${access_token}` } });
  return {
    server,
    validate: (path) => inTurn(pairs.map((pair) => request("GET", path, shown(pair)))),
    refresh: rotating(
      pairs.map(({ refresh_token }) => refresh_token),
      "/auth/refresh",
    ),
  };
}

function program(folder, command, args, env) {
  const output = openSync(join(folder, "output.log"), "a");
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", output, output], env: childEnv(env) });
  closeSync(output);
  const { ended, kill } = own(child);
  return {
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(kill, 3_000);
      await ended;
      clearTimeout(late);
    },
  };
}

async function answering(base) {
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await sleep(100))
    if (await fetch(base).catch(() => null)) return;
  throw new Failure(`${base} gave no answer within ${READY_WITHIN_MS / 1000} s.`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject).listen({ port: 0, host: "127.0.0.1" }, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

// `wrangler dev` as a child: started, waited for, and ended with everything that it started.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { localSettingsFile } from "./dev-vars.mjs";
import { Failure } from "./log.mjs";
import { npmTool, root } from "./paths.mjs";
import { childEnv, readLines } from "./run.mjs";
import { troubleIn } from "./trouble.mjs";
import { wranglerEnv } from "./wrangler.mjs";

const READY_WITHIN_MS = 90_000;
const STOPS_WITHIN_MS = 5_000;

/** Fails when somebody else listens there, with a message that says so. */
export async function requireFreePort(port, instead) {
  const probe = createServer();
  await new Promise((resolve, reject) => {
    probe.once("error", reject).listen({ port, host: "127.0.0.1", exclusive: true }, resolve);
  }).catch((error) => {
    throw new Failure(
      error.code === "EADDRINUSE"
        ? `Port ${port} is in use, maybe by another \`npm start\`: end that one, or choose another port: ${instead}`
        : `Port ${port} can't be used (${error.message}): choose another: ${instead}`,
    );
  });
  await new Promise((resolve) => probe.close(resolve));
}

/**
 * `onLine` gets what it and the Worker print, line by line; what comes first is part of the message if it never is ready. `assets` is
 * the folder that is served in place of assets/.
 */
export function startDevServer(port, onLine, assets) {
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--persist-to", ".wrangler/state"];
  args.push("--show-interactive-dev-session=false", "--inspector-ip", "127.0.0.1", "--inspector-port", "0");
  // The top level of wrangler.toml, which is this machine's.
  args.push("--env-file", localSettingsFile, "--env=", "--assets", assets);
  const child = spawn(npmTool("wrangler"), args, {
    cwd: root,
    // Its own process group, so that workerd and the rest can be ended with it. It is ours, so nobody else is hit.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // The one file that is named, and no other.
    env: childEnv({ ...wranglerEnv, CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "true" }),
  });
  const early = [];
  let isReady = false;
  for (const output of [child.stdout, child.stderr])
    readLines(output, (line) => {
      if (!isReady) early.push(line);
      onLine(line);
    });
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", async (code, signal) => {
      // Its last lines come after it; what it has started may hold the outputs open for good.
      await Promise.race([once(child, "close"), sleep(1000)]);
      resolve(`ended (${signal ?? `exit code ${code}`})`);
    });
  });
  const signalGroup = (signal) => {
    try {
      process.kill(-child.pid, signal);
      return true;
    } catch {
      return false; // Nobody left.
    }
  };

  const notStarted = (message) => {
    const output = early.join("\n");
    return new Failure(troubleIn(output) ?? `${output}\n\n${message}; its output is above.`);
  };

  return {
    ended,
    /** Resolves when GET /health answers 200. */
    async ready(base) {
      const failure = ended.then((how) => {
        throw notStarted(`wrangler dev ${how} before it was ready`);
      });
      await Promise.race([
        failure,
        healthy(base).catch(({ message }) => Promise.reject(notStarted(message))),
      ]);
      isReady = true;
    },
    async stop() {
      if (child.pid === undefined || !signalGroup("SIGTERM")) return;
      const until = Date.now() + STOPS_WITHIN_MS;
      while (Date.now() < until && signalGroup(0)) await sleep(50);
      signalGroup("SIGKILL");
    },
    /** For the last moment, when nothing can be waited for. */
    kill: () => child.pid !== undefined && signalGroup("SIGKILL"),
  };
}

async function healthy(base) {
  const until = Date.now() + READY_WITHIN_MS;
  let last = "no answer";
  while (Date.now() < until) {
    const answer = await fetch(new URL("/health", base), { signal: AbortSignal.timeout(5_000) }).catch(
      () => null,
    );
    if (answer?.status === 200) return;
    if (answer) last = `${answer.status} ${(await answer.text()).slice(0, 300)}`;
    await sleep(200);
  }
  throw new Failure(`GET /health did not answer 200 within ${READY_WITHIN_MS / 1000} s (last: ${last})`);
}

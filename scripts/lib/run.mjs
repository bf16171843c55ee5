// Starting other programs.
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { delimiter } from "node:path";
import { Failure } from "./log.mjs";
import { npmBin, root } from "./paths.mjs";

/** The environment of every child: npm's programs first on the PATH, and nothing sent to anyone. */
export function childEnv(extra = {}) {
  const path = (process.env.PATH ?? "").split(delimiter).filter((part) => part !== npmBin);
  return {
    ...process.env,
    PATH: [npmBin, ...path].join(delimiter),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    // Local workerd would ask the internet for a sample of `Request.cf`; nothing here uses it.
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // Settings come from wrangler.toml and .dev.vars, not from whatever .env lies around.
    CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV: "false",
    ...extra,
  };
}

/**
 * Resolves with the exit code. `readers` take what the program writes to a descriptor (1 and 2 are its outputs, which are
 * shown when nothing reads them), line by line. `low` gives it the processor where nothing else wants it.
 */
export function exitCodeOf(command, args, { env, readers = {}, low = false, ...options } = {}) {
  const stdio = ["ignore", "inherit", "inherit"];
  for (const descriptor of Object.keys(readers)) stdio[descriptor] = "pipe";
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio, env: childEnv(env), ...options });
    if (low && child.pid) yieldToOthers(child.pid);
    child.once("error", (error) =>
      reject(
        new Failure(
          error.code === "ENOENT"
            ? `${command} was not found. Is it installed and on the PATH?`
            : `${command} could not be started: ${error.message}`,
          127,
        ),
      ),
    );
    for (const [descriptor, onLine] of Object.entries(readers)) readLines(child.stdio[descriptor], onLine);
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

function yieldToOthers(pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended, or the system does not allow it; nothing depends on it.
  }
}

/** By line feeds only: other line breaks may stand in a line of JSON. */
export function readLines(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    lines.forEach((line) => onLine(line));
  });
  stream.on("end", () => rest && onLine(rest));
}

/** Runs a program, its output shown; fails when it does. */
export async function run(command, args, options = {}) {
  const code = await exitCodeOf(command, args, options);
  if (code !== 0) throw new Failure(`${command} ${args.join(" ")} failed (exit code ${code}).`, code);
}

/** What a program prints, or null when it fails or is not there. */
export async function outputOf(command, args) {
  const lines = [];
  const readers = { 1: (line) => lines.push(line), 2: () => {} };
  const code = await exitCodeOf(command, args, { readers }).catch(() => 127);
  return code === 0 ? lines.join("\n").trim() : null;
}

// Starting other programs.
import { spawn } from "node:child_process";
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

function start(command, args, { env, onLine, ...options }) {
  const stdio = onLine ? ["ignore", "pipe", "inherit"] : ["ignore", "inherit", "inherit"];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio, env: childEnv(env), ...options });
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
    if (onLine) readLines(child.stdout, onLine);
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
  });
}

function readLines(stream, onLine) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    lines.forEach(onLine);
  });
  stream.on("end", () => rest && onLine(rest));
}

/** Runs a program, its output shown. Resolves with its exit code. */
export const exitCodeOf = (command, args, options = {}) => start(command, args, options);

/** Runs a program, its output shown; fails when it does. */
export async function run(command, args, options = {}) {
  const code = await start(command, args, options);
  if (code !== 0) throw new Failure(`${command} ${args.join(" ")} failed (exit code ${code}).`, code);
}

/** What a program prints, or null when it fails or is not there. */
export async function outputOf(command, args) {
  const lines = [];
  const options = { onLine: (line) => lines.push(line), stdio: ["ignore", "pipe", "ignore"] };
  const code = await start(command, args, options).catch(() => 127);
  return code === 0 ? lines.join("\n").trim() : null;
}

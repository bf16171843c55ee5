// Programs whose output is kept in .tools/logs instead of shown.
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Failure } from "./log.mjs";
import { logs, root } from "./paths.mjs";
import { exitCodeOf } from "./run.mjs";
import { troubleIn } from "./trouble.mjs";

/**
 * Runs a program. Resolves with its exit code and the file with its output. `onLine` sees its standard output line by
 * line; `echo` shows all of it as well.
 */
export async function captured(name, command, args, { onLine, echo = false, readers, ...options } = {}) {
  mkdirSync(logs, { recursive: true });
  const file = join(logs, `${name}.log`);
  const log = createWriteStream(file);
  let unwritten;
  log.on("error", (error) => (unwritten ??= error));
  const keep = (line) => {
    log.write(`${line}\n`);
    if (echo) process.stderr.write(`${line}\n`);
  };
  const standard = (line) => {
    keep(line);
    onLine?.(line);
  };
  try {
    const code = await exitCodeOf(command, args, {
      ...options,
      readers: { 1: standard, 2: keep, ...readers },
    });
    return { code, file };
  } finally {
    await new Promise((resolve) => log.end(resolve));
    if (unwritten) throw unwritten;
  }
}

/** What is said of a program that failed: what is wrong with the machine, else the end of its output. */
export function programFailure(file, message, exitCode) {
  const output = readFileSync(file, "utf8");
  return new Failure(troubleIn(output) ?? `${lastLines(file)}\n\n${message}`, exitCode);
}

/** As `captured`, and fails when the program does, with the end of its output. */
export async function runQuietly(name, command, args, options) {
  const { code, file } = await captured(name, command, args, options);
  if (code !== 0)
    throw programFailure(file, `${command} ${args.join(" ")} failed (exit code ${code}).`, code);
}

/** The end of a log, and where all of it is. */
export function lastLines(file, count = 60) {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const left = lines.length - count;
  return left <= 0
    ? lines.join("\n")
    : [`(${left} lines more: ${relative(root, file)})`, ...lines.slice(-count)].join("\n");
}

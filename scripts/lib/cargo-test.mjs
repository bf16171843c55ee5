// The native tests. cargo compiles them; they are run from here, so that those of two crates run beside each other, each
// is counted, and what fails is told with the command that runs it alone.
import { appendFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { captured } from "./captured.mjs";
import { logs } from "./paths.mjs";
import { exitCodeOf } from "./run.mjs";

const COMPILE = [
  "test",
  "--workspace",
  // The Worker itself has nothing to test natively, and the platform's crates take a minute to compile.
  "--exclude",
  "sallyport",
  "--locked",
  "--no-run",
  "--message-format",
  "json-render-diagnostics",
];

/** Random cases are the same ones each time, so that what a change breaks is that change's. npm run soak tries others. */
const RANDOM = { PROPTEST_RNG_SEED: process.env.PROPTEST_RNG_SEED ?? "1" };

/** Compiles and runs them, `args` are the test programs' own (a filter, for example). `report` is a Report. */
export async function cargoTest(args, report, { echo = false, low = false, env } = {}) {
  const programs = [];
  report.doing = "compiling";
  const { code, file } = await compile(programs, { low });
  report.doing = "";
  report.end(code, file);
  if (code !== 0) return;
  const log = join(logs, "native.log");
  writeFileSync(log, "");
  const next = programs.values();
  const runSome = async () => {
    for (const program of next) {
      const { code, lines, took } = await runOne(program, args, { echo, low, env });
      appendFileSync(log, `${lines.join("\n")}\n`);
      read(program, code, lines, took, report);
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, runSome));
  report.end(report.failures.length > 0 ? 101 : 0, log);
}

/** Every line on standard output is a message in JSON; what people read of the compiler is on standard error. */
async function compile(programs, { low }) {
  const onLine = (line) => {
    const { reason, executable, profile, target, manifest_path, package_id } = JSON.parse(line);
    if (reason !== "compiler-artifact" || !executable || !profile.test) return;
    const folder = dirname(manifest_path);
    programs.push({ executable, folder, crate: crateOf(package_id, folder), target });
  };
  return captured("native-compile", "cargo", COMPILE, { readers: { 1: onLine }, low });
}

/** …#name@1.2.3, or …/name#1.2.3. */
function crateOf(id, folder) {
  const [name, version] = id.slice(id.lastIndexOf("#") + 1).split("@");
  return version ? name : basename(folder);
}

async function runOne({ executable, folder, crate }, args, { echo, low, env }) {
  const lines = [`== ${executable}`];
  const keep = (line) => {
    lines.push(line);
    if (echo) process.stderr.write(`${line}\n`);
  };
  const since = Date.now();
  const code = await exitCodeOf(executable, args, {
    cwd: folder,
    env: { ...RANDOM, CARGO_MANIFEST_DIR: folder, CARGO_PKG_NAME: crate, ...env },
    readers: { 1: keep, 2: keep },
    low,
  });
  return { code, lines, took: Date.now() - since };
}

function read({ crate, target }, code, lines, took, report) {
  const result = lines.map((line) => /^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/.exec(line));
  const [passed, failed, skipped] = (result.find(Boolean) ?? [0, 0, 0, 0]).slice(1).map(Number);
  const [kind] = target.kind;
  report.add({ file: `${crate} ${target.name}`, passed, failed, skipped, duration: took, starting: 0 });
  const which = kind === "test" || kind === "bin" ? `--${kind} ${target.name}` : "--lib";
  const alone = (name) =>
    `PROPTEST_RNG_SEED=${RANDOM.PROPTEST_RNG_SEED} cargo test -p ${crate} ${which}${name ? ` -- --exact ${name}` : ""}`;
  const names = lines
    .map((line) => /^test (\S+)(?: - should panic)? \.\.\. FAILED/.exec(line)?.[1])
    .filter(Boolean);
  for (const name of names)
    report.fail({ title: `${crate}: ${name}`, errors: [said(lines, name)], alone: alone(name) });
  if (code !== 0 && names.length === 0)
    report.fail({
      title: `${crate}: ${target.name} ended with ${code}`,
      errors: [lines.slice(-10).join("\n")],
      alone: alone(),
    });
}

/** What a failed test has printed, its panic included. */
function said(lines, name) {
  const from = lines.indexOf(`---- ${name} stdout ----`) + 1;
  if (from === 0) return "";
  const length = lines.slice(from).findIndex((line) => /^---- .* stdout ----$|^failures:$/.test(line));
  return lines
    .slice(from, from + length)
    .filter((line) => !line.startsWith("note: run with"))
    .join("\n")
    .trim();
}

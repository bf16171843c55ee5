// The results as tables in Markdown.
import { ratios, summary } from "./stats.mjs";

/** A missing figure: of a peer that was left out. */
const NONE = "–";

const NAMES = {
  sallyport: "Sallyport, `/api/v1/protected`",
  verify: "Sallyport, `/auth/verify`",
  log: "Sallyport, with a line in the log for each request",
  f1: "F1: a constant",
  f3s: "F3s: the floor, a validation without its checks",
  p2n: "P2n: plain JavaScript, fewer duties",
  p2s: "P2s: plain JavaScript, our duties",
  p2: "P2: plain JavaScript",
  p1: "P1: FastAPI and Redis",
};

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? "---" : "--:"))), ...rows.map(line)].join("\n");
}

const fixed = (value, digits) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const spread = ({ median, error }, digits) => `${fixed(median, digits)} ± ${fixed(error, digits)}`;
export const ratioText = (found) => (found ? `${fixed(found.median, 2)} ± ${fixed(found.error, 2)}` : NONE);
const rangeText = (found) => (found ? `${fixed(found.min, 2)}–${fixed(found.max, 2)}` : NONE);

/** What each subject takes, and Sallyport in proportion to it. `results` are those of one number of connections. */
export function loadTable(results, missing = {}, own = {}) {
  const names = { ...NAMES, ...own };
  const of = (rounds, key) => summary(rounds.map((round) => round[key]));
  const rows = Object.entries(results).map(([name, rounds]) => [
    names[name],
    spread(of(rounds, "cpu_us"), 0),
    fixed(of(rounds, "rps").median, 0),
    fixed(of(rounds, "p50_ms").median, 2),
    fixed(of(rounds, "p99_ms").median, 2),
    name === "sallyport" ? NONE : ratioText(ratios(results.sallyport, rounds, "cpu_us")),
    name === "sallyport" ? NONE : rangeText(ratios(results.sallyport, rounds, "cpu_us")),
  ]);
  const left = Object.entries(missing).map(([name, why]) => [
    NAMES[name],
    `not installed: ${why}`,
    ...Array(5).fill(NONE),
  ]);
  const head = ["", "CPU µs a request", "requests/s", "p50 ms", "p99 ms", "Sallyport's CPU over it", "range"];
  return table(head, [...rows, ...left]);
}

/** The hash of a login: what a login with twice the passes takes more. */
function loginOverHash(results) {
  const hashes = results.sallyport.flatMap(({ round, cpu_us }) => {
    const doubled = results.doubled.find((other) => other.round === round);
    return doubled ? [{ round, cpu_us: doubled.cpu_us - cpu_us }] : [];
  });
  return { hashes, ratio: ratios(results.sallyport, hashes, "cpu_us") };
}

export function loginTable(results) {
  const { hashes, ratio } = loginOverHash(results);
  const ms = (rounds) => spread(summary(rounds.map(({ cpu_us }) => cpu_us / 1000)), 1);
  return table(
    ["", "CPU ms"],
    [
      ["a login", ms(results.sallyport)],
      ["a login with twice the passes", ms(results.doubled)],
      ["so one hash", ms(hashes)],
      ["a login over its hash", ratioText(ratio)],
    ],
  );
}

export function coldTable(times) {
  const ms = (list) => summary(list.map((round) => round.ms));
  const row = (name, list) => [name, spread(ms(list), 1), fixed(ms(list).min, 1), fixed(ms(list).max, 1)];
  return table(
    ["", "ms, median", "least", "most"],
    [row("Sallyport", times.sallyport), row("F1: a constant", times.f1)],
  );
}

/** The goals, each with what was reached, of the measures that were made. */
export function goalsTable(results) {
  const cpu = (measured, peer) =>
    measured?.[peer] ? ratios(measured.sallyport, measured[peer], "cpu_us") : null;
  const first = (measured) => Object.values(measured)[0];
  const held = Object.keys(results.validate ?? {});
  const each = (peer, of = (measured) => cpu(measured, peer)) =>
    held.map((number) => ratioText(of(results.validate[number]))).join(" / ");
  const more = (measured) => (measured.p1 ? ratios(measured.sallyport, measured.p1, "rps") : null);
  const line = (measured) => ratios(measured.log, measured.sallyport, "cpu_us");
  const rows = {
    validate: () => [
      [`validate, \`strict\`, ${held.join(" / ")} connections`, "F3s", "≤ 1.10", each("f3s")],
      ["", "P2n", "≤ 0.90", each("p2n")],
      ["", "P2s", "≤ 0.70", each("p2s")],
      ["", "P1", "≤ 0.33", each("p1")],
      ["", "P1, requests a second", "≥ 3", each("p1", more)],
      ["a line in the log for each request", "none", "≤ 1.05", each("log", line)],
    ],
    refresh: () => [["refresh", "P2", "≤ 1.05", ratioText(cpu(first(results.refresh), "p2"))]],
    login: () => [["login", "its hash", "≤ 1.10", ratioText(loginOverHash(first(results.login)).ratio)]],
    cold: () => [
      ["cold start", "F1", "≤ 2.20", ratioText(ratios(results.cold.sallyport, results.cold.f1, "ms"))],
    ],
    size: () => [["wasm, gzipped", NONE, "≤ 880 KiB", `${fixed(results.size.gzipped / 1024, 0)} KiB`]],
  };
  const measured = Object.keys(rows).filter((name) => results[name]);
  return table(
    ["", "against", "goal", "reached"],
    measured.flatMap((name) => rows[name]()),
  );
}

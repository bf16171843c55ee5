// docs/performance.md: its text is written by hand, and what stands between `<!-- bench:… -->` marks from the last full run.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Failure, say } from "../../scripts/lib/log.mjs";
import { runQuietly } from "../../scripts/lib/captured.mjs";
import { inRoot, npmTool } from "../../scripts/lib/paths.mjs";
import { charts, growthTable } from "./charts.mjs";
import { median } from "./stats.mjs";
import { coldTable, goalsTable, loadTable, loginTable, table } from "./tables.mjs";

const document = inRoot("docs", "performance.md");
const kept = inRoot("bench", "results", "last.json");

/** Four significant digits: what is behind them is noise. */
const rounded = (_, value) =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;

export function keep(results) {
  mkdirSync(inRoot("bench", "results"), { recursive: true });
  writeFileSync(kept, `${JSON.stringify(results, rounded, 1)}\n`);
}

/** The generated parts of the document by their name. */
function parts(results) {
  const { validate = {}, refresh = {}, login = {}, missing } = results;
  const of = (measured, title, write) =>
    Object.entries(measured).map(([held, found]) => `${title}, ${held} connections:\n\n${write(found)}`);
  return {
    conditions: conditionsTable(results.conditions, othersOf(results)),
    goals: goalsTable(results),
    validate: of(validate, "Validation", (found) => loadTable(found, missing)).join("\n\n"),
    refresh: of(refresh, "Refresh", (found) => loadTable(found, missing, { sallyport: "Sallyport" })).join(
      "\n\n",
    ),
    login: of(login, "Login", loginTable).join("\n\n"),
    cold: results.cold ? coldTable(results.cold) : "",
    growth: results.growth ? growthTable(results.growth) : "",
  };
}

/** How many cores other programs kept busy while loads ran: the median of all rounds. */
function othersOf({ validate = {}, refresh = {}, login = {} }) {
  const loads = [validate, refresh, login].flatMap((measured) => Object.values(measured));
  const others = loads.flatMap((subjects) => Object.values(subjects).flat()).map((round) => round.others);
  return others.length === 0 ? null : median(others);
}

function conditionsTable(found, others) {
  return table(
    ["", ""],
    [
      ["date, commit", `${found.date}, ${found.commit}`],
      ["machine", `${found.cpu}, ${found.cores} cores, ${found.memory_gib} GiB, Linux ${found.kernel}`],
      ["runtime", `workerd ${found.workerd}; the load from Node ${found.node}`],
      ["P1", found.p1 ?? "not installed"],
      [
        "rounds",
        `${found.rounds} of ${found.seconds} s (logins: ${found.logins} a round), ${found.sessions} sessions`,
      ],
      ...(others === null
        ? []
        : [["other programs", `kept ${others.toFixed(2)} cores busy meanwhile (median)`]]),
    ],
  );
}

export function show(results) {
  for (const [name, text] of Object.entries(parts(results)))
    if (text && (name === "conditions" || results[name] || name === "goals")) console.log(`\n${text}`);
}

/** Writes the document and the curves. */
export async function writeReport() {
  if (!existsSync(kept)) throw new Failure("There are no results yet: `npm run bench` makes them.");
  const results = JSON.parse(readFileSync(kept, "utf8"));
  let text = readFileSync(document, "utf8");
  for (const [name, part] of Object.entries(parts(results))) {
    const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
    if (!text.includes(begin) || !text.includes(end))
      throw new Failure(`docs/performance.md has no ${begin}.`);
    const [before, rest] = text.split(begin);
    text = `${before}${begin}\n\n${part}\n\n${end}${rest.split(end)[1]}`;
  }
  writeFileSync(document, text);
  const folder = inRoot("docs", "performance");
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(charts(results.growth)))
    writeFileSync(`${folder}/${name}.svg`, svg);
  await runQuietly("bench-format", npmTool("prettier"), ["--write", document, kept]);
  say("   docs/performance.md and its curves are up to date.");
}

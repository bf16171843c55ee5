// npm run bench: Sallyport against its peers, into docs/performance.md. `npm run bench -- --help` says more.
import { parseArgs } from "node:util";
import { Failure, say } from "../scripts/lib/log.mjs";
import { main } from "../scripts/lib/main.mjs";
import { COMPARED, compare } from "./lib/compare.mjs";
import { requireProc } from "./lib/processes.mjs";

const HELP = `npm run bench [-- options]

  --dist A,B             compares two bundles of Sallyport, and nothing else: folders like dist/
  --only validate,login  these measures only: ${COMPARED.join(", ")}
  --rounds 10            rounds, interleaved
  --seconds 1            length of a round
  --connections 16,64    connections at once
  --sessions 200         live sessions
  --logins 30            logins in a round
  --quick                few and short rounds`;

const OPTIONS = {
  dist: { type: "string" },
  only: { type: "string" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  connections: { type: "string" },
  sessions: { type: "string" },
  logins: { type: "string" },
  quick: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
};

function parsed(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw new Failure(`${error.message}\n\n${HELP}`, 2);
  }
}

function positive(text, name) {
  const value = Number(text);
  if (!(value > 0)) throw new Failure(`--${name} takes numbers above 0, not ${text}.`, 2);
  return value;
}

await main(
  async (args) => {
    const given = parsed(args);
    if (given.help) return console.log(HELP);
    requireProc();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
    const number = (name, usual, quick) => positive(given[name] ?? (given.quick ? quick : usual), name);
    const only = given.only?.split(",") ?? COMPARED;
    const unknown = only.find((name) => !COMPARED.includes(name));
    if (unknown !== undefined) throw new Failure(`There is no measure "${unknown}".\n\n${HELP}`, 2);
    const dists = given.dist?.split(",") ?? [];
    if (dists.length !== 2) throw new Failure(`--dist takes two folders.\n\n${HELP}`, 2);
    await compare({
      dists,
      only,
      connections: (given.connections ?? "16").split(",").map((text) => positive(text, "connections")),
      rounds: number("rounds", 10, 3),
      seconds: number("seconds", 1, 0.5),
      sessions: number("sessions", 200, 50),
      logins: number("logins", 30, 10),
    });
    say();
  },
  { needs: "npm" },
);

// What the command line asks for.
import { parseArgs } from "node:util";
import { Failure } from "../../scripts/lib/log.mjs";
import { COMPARED } from "./compare.mjs";
import { MEASURES, PEERS } from "./suite.mjs";

export const HELP = `npm run bench                    measures dist/, made anew, against its peers, and writes docs/performance.md
npm run bench -- --dist DIR      the same for another bundle, as it is
npm run bench -- --dist A,B      compares two bundles, and nothing else: folders like dist/
npm run bench -- --workers       compares the Workers of examples/ with one that lets everybody in, and nothing else
npm run bench -- --report        writes docs/performance.md from the results of the last full run

  --only validate,login   some measures only, shown and not written: ${MEASURES.join(", ")}
                          (with two bundles: ${COMPARED.join(", ")})
  --peers p1,p2n          some peers only, shown and not written: ${PEERS.join(", ")}
  --rounds 15             interleaved rounds (two bundles: 10)
  --seconds 0.8           length of a round (two bundles: 1)
  --connections 16,64     connections at once (two bundles: 16)
  --sessions 200          live sessions
  --logins 30             logins in a round
  --long                  growth up to 100,000 sessions
  --quick                 few and short rounds, shown and not written`;

const text = { type: "string" };
const flag = { type: "boolean", default: false };
const OPTIONS = {
  dist: text,
  only: text,
  peers: text,
  rounds: text,
  seconds: text,
  connections: text,
  sessions: text,
  logins: text,
  long: flag,
  quick: flag,
  report: flag,
  workers: flag,
  help: { ...flag, short: "h" },
};

const wrong = (message) => new Failure(`${message}\n\n${HELP}`, 2);

export function optionsOf(args) {
  let given;
  try {
    given = parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    throw wrong(error.message);
  }
  const dists = given.dist?.split(",") ?? [];
  if (dists.length > 2) throw wrong("--dist takes one folder, or two.");
  const pair = dists.length === 2;
  const number = (name, usual, quick, value = given[name] ?? (given.quick ? quick : usual)) => {
    if (Number(value) > 0) return Number(value);
    throw wrong(`--${name} takes numbers above 0, not ${value}.`);
  };
  const list = (name, all) => {
    const names = given[name]?.toLowerCase().split(",") ?? all;
    const unknown = names.find((one) => !all.includes(one));
    if (unknown === undefined) return names;
    throw wrong(`--${name}: there is no "${unknown}".`);
  };
  const held = given.connections ?? (pair || given.quick ? "16" : "16,64");
  return {
    help: given.help,
    report: given.report,
    workers: given.workers,
    long: given.long,
    quick: given.quick,
    dists,
    only: list("only", pair ? COMPARED : MEASURES),
    peers: list("peers", PEERS),
    connections: held.split(",").map((value) => number("connections", 0, 0, value)),
    rounds: number("rounds", pair ? 10 : 15, pair ? 3 : 2),
    seconds: number("seconds", pair ? 1 : 0.8, pair ? 0.5 : 0.8),
    sessions: number("sessions", 200, 50),
    logins: number("logins", 30, 10),
    /** Only a run of everything is kept. */
    kept: !pair && !given.quick && !given.only && !given.peers,
  };
}

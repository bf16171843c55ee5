// Rounds: every subject is loaded once in each, in turn, so that all of them meet the same weather of the machine.
import { load } from "./load.mjs";
import { cpuSeconds, machineSeconds } from "./processes.mjs";
import { say } from "../../scripts/lib/log.mjs";

/** The first thousands of requests find code that is not compiled yet, or not well. */
const WARM_UP_SECONDS = 3;

/**
 * Loads subjects (`{ name, server, source }`) and returns each one's rounds by its name. `source` is what `load` takes, or
 * a function that makes one for each round; `count` bounds the requests of a round.
 */
export async function rounds(subjects, { rounds, seconds, connections, count, title }) {
  const results = Object.fromEntries(subjects.map(({ name }) => [name, []]));
  for (const subject of subjects) {
    const short = count === undefined ? undefined : Math.ceil(count / 4);
    await once(subject, { connections, seconds: WARM_UP_SECONDS, count: short });
  }
  for (let round = 0; round < rounds; round += 1) {
    // There and back, so that nobody always follows the same one.
    const order = round % 2 ? subjects.toReversed() : subjects;
    for (const subject of order) {
      const measured = await once(subject, { connections, seconds, count });
      results[subject.name].push({ round, ...measured });
    }
    const line = subjects.map(({ name }) => `${name} ${results[name].at(-1).cpu_us.toFixed(0)}`).join(", ");
    say(`   ${title}, ${connections} connections, round ${round + 1} of ${rounds}: CPU µs ${line}`);
  }
  return results;
}

async function once({ server, source }, { connections, seconds, count }) {
  const now = () => ({
    server: server.cpu(),
    own: cpuSeconds([process.pid]),
    machine: machineSeconds(),
    at: performance.now(),
  });
  const requests = typeof source === "function" ? await source(count) : source;
  const before = now();
  const answered = await load({ port: server.port, connections, seconds, count, source: requests });
  const after = now();
  const used = after.server - before.server;
  const others = after.machine - before.machine - used - (after.own - before.own);
  return {
    ...answered,
    cpu_us: (used / answered.requests) * 1e6,
    /** Cores that others kept busy meanwhile. */
    others: others / ((after.at - before.at) / 1000),
  };
}

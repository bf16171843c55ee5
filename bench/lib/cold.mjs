// Cold starts: how long a bare workerd takes from its start to its first answer.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { say } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { inTurn, load, request } from "./load.mjs";
import { DATE } from "./peers.mjs";
import { sallyportWorker, secrets } from "./sallyport.mjs";
import { prepare, startWorkerd } from "./workerd.mjs";

/** A bundle. Its first request is of little work, as the token is none; the wasm has to be there all the same. */
export const coldSallyport = (dist) => ({
  worker: sallyportWorker(dist, { ...secrets(), REQUEST_LOG: "off" }),
  first: request("GET", "/auth/verify", { headers: { authorization: "Bearer a.b.c" } }),
  status: "401",
});

/** F1: the runtime, and next to nothing in it. */
export const coldConstant = () => ({
  worker: { modules: [inRoot("bench", "peers", "floors.js")], date: DATE },
  first: request("GET", "/constant"),
  status: "200",
});

/** The milliseconds of each start, by subject and round. A first round is not counted: it reads files for the first time. */
export async function coldStarts(subjects, { state, rounds }) {
  const times = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1)
    for (const [name, { worker, first, status }] of Object.entries(subjects)) {
      const folder = join(state, `cold-${name}`);
      prepare(folder, worker);
      const began = performance.now();
      const server = await startWorkerd(folder);
      const source = inTurn([first]);
      await load({ port: server.port, connections: 1, seconds: 1, count: 1, source, status });
      if (round >= 0) times[name].push({ round, ms: performance.now() - began });
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  const last = Object.entries(times).map(([name, list]) => `${name} ${list.at(-1).ms.toFixed(0)} ms`);
  say(`   cold starts, ${rounds} rounds; the last one ${last.join(", ")}`);
  return times;
}

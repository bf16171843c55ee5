// What the Worker itself says of the settings of a deployment: dist/ is started here with them, and asked once.
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./log.mjs";
import { startDist } from "./miniflare.mjs";
import { randomSecret } from "./private-file.mjs";

/** In place of required secrets that only the deployed Worker has. */
const STAND_INS = {
  TOKEN_SIGNING_KEYS: () => `k1:${randomSecret()}`,
  SEALING_KEYS: () => `s1:${randomSecret()}`,
};

/** The credentials are real ones: nothing may be sent to anybody. */
export const NO_WAY_OUT = { outboundService: () => new Response(null, { status: 503 }) };

/**
 * `faults` are those of settings that are given. `unseen` are those of others: the Worker may have them as secrets from
 * before, which nobody can read.
 */
export async function tried(given) {
  const standIns = Object.fromEntries(Object.entries(STAND_INS).map(([name, make]) => [name, make()]));
  const lines = [];
  const server = await startDist({
    bindings: { ...standIns, ...given },
    worker: NO_WAY_OUT,
    instance: { handleStructuredLogs: ({ message }) => lines.push(message) },
  });
  try {
    const { status } = await server.dispatchFetch("http://127.0.0.1/");
    if (status !== 503) return { faults: [], unseen: [] };
    const all = await faultsIn(lines);
    const isGiven = (fault) => settingsAtFault(fault).some((name) => Object.hasOwn(given, name));
    return { faults: all.filter(isGiven), unseen: all.filter((fault) => !isGiven(fault)) };
  } finally {
    await server.dispose();
  }
}

/** It begins with the one or several that are at fault, and may name others later. */
const settingsAtFault = (fault) =>
  /^[A-Z\d_]+(?:(?:, | and )[A-Z\d_]+)*/.exec(fault)?.[0].split(/, | and /) ?? [];

/** The runtime hands its lines over when it comes to it; they are all there when no further one comes. */
async function faultsIn(lines) {
  const found = () => [...new Set(lines.flatMap(faultIn))];
  for (let tries = 0, before = 0; tries < 50; tries++) {
    await sleep(200);
    const faults = found();
    if (faults.length > 0 && faults.length === before) return faults;
    before = faults.length;
  }
  throw new Failure(`With these settings the Worker answers 503, and does not say why:\n${lines.join("\n")}`);
}

function faultIn(line) {
  try {
    const { event, what, detail } = JSON.parse(line);
    return event === "fault" && what === "configuration" ? [detail] : [];
  } catch {
    return [];
  }
}

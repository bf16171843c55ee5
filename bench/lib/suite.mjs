// All measures but growth: Sallyport beside its peers, in one run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { say, step } from "../../scripts/lib/log.mjs";
import { coldConstant, coldSallyport, coldStarts } from "./cold.mjs";
import { installFastapi, installPlain } from "./install.mjs";
import { startFastapi, startFloors, startPlain } from "./peers.mjs";
import { rounds } from "./rounds.mjs";
import { bundleFiles, startSallyport } from "./sallyport.mjs";

export const MEASURES = ["validate", "refresh", "login", "cold", "size", "growth"];
export const PEERS = ["f1", "f3s", "p2n", "p2s", "p1"];

/** How many more rounds of cold starts than of load: they differ more. */
const COLD_ROUNDS = 2;
/** Passes of Argon2: the default is 2. A hash takes as long for each of them; with more memory it would not, for the caches. */
const TWICE_THE_PASSES = "4";

const PROTECTED = "/api/v1/protected";

/**
 * What each measure loads, by the name that the results have it under. A peer that is not wanted or could not be installed
 * is not among the servers, and not among the subjects.
 */
function subjectsOf(measure, servers) {
  const { sallyport, logged, doubled, floors, plain, fastapi } = servers;
  const subject = (name, of, source) => (of ? [{ name, server: of.server, source: source(of) }] : []);
  return {
    validate: () => [
      ...subject("sallyport", sallyport, (of) => of.validate(PROTECTED)),
      ...subject("verify", sallyport, (of) => of.validate("/auth/verify")),
      ...subject("log", logged, (of) => of.validate(PROTECTED)),
      ...subject("f3s", servers.f3s && floors, (of) => of.object),
      ...subject("p2n", servers.p2n && plain, (of) => of.validate("/p2n")),
      ...subject("p2s", servers.p2s && plain, (of) => of.validate("/p2s")),
      ...subject("p1", fastapi, (of) => of.validate("/p1")),
      ...subject("f1", servers.f1 && floors, (of) => of.constant),
    ],
    refresh: () => [
      ...subject("sallyport", sallyport, (of) => of.refresh()),
      ...subject("p2", plain, (of) => of.refresh),
      ...subject("p1", fastapi, (of) => of.refresh),
    ],
    login: () => [
      ...subject("sallyport", sallyport, (of) => (count) => of.logins(count)),
      ...subject("doubled", doubled, (of) => (count) => of.logins(count)),
    ],
  }[measure]();
}

async function start(state, { dist, only, peers, sessions }) {
  const missing = {};
  const wanted = Object.fromEntries(peers.map((name) => [name, true]));
  const validated = only.includes("validate");
  const seeded = validated || only.includes("refresh");
  const own = async (name, settings, seed) => {
    const server = await startSallyport(join(state, name), dist, { settings });
    if (seed) await server.seed(sessions);
    return server;
  };
  const plain = seeded && (wanted.p2n || wanted.p2s);
  if (plain) await installPlain();
  const reason = seeded && wanted.p1 ? await installFastapi() : null;
  if (reason !== null) {
    missing.p1 = reason;
    say(`   P1 is left out: ${reason}`);
  }
  const servers = await step(`Servers with ${sessions} sessions each`, async () => ({
    ...wanted,
    sallyport: await own("sallyport", {}, seeded),
    logged: validated && (await own("logged", { REQUEST_LOG: "on" }, true)),
    doubled: only.includes("login") && (await own("doubled", { ARGON2_ITERATIONS: TWICE_THE_PASSES })),
    floors:
      validated && (wanted.f1 || wanted.f3s) && (await startFloors(join(state, "floors"), { sessions })),
    plain: plain && (await startPlain(join(state, "plain"), { sessions })),
    fastapi: seeded && wanted.p1 && !missing.p1 && (await startFastapi(join(state, "fastapi"), { sessions })),
  }));
  return { servers, missing };
}

/** Measures what `only` names, of what is here. */
export async function suite(state, options) {
  const { dist, only, connections, logins } = options;
  const results = {};
  const loaded = only.filter((measure) => ["validate", "refresh", "login"].includes(measure));
  if (loaded.length > 0) {
    const { servers, missing } = await start(state, options);
    results.missing = missing;
    for (const measure of loaded) {
      // What takes a write or a hash is not another one at 64 connections.
      const held = measure === "validate" ? connections : connections.slice(0, 1);
      const bound = measure === "login" ? { count: logins, seconds: 60 } : {};
      results[measure] = {};
      for (const number of held)
        results[measure][number] = await rounds(subjectsOf(measure, servers), {
          ...options,
          ...bound,
          connections: number,
          title: measure,
        });
    }
    const running = Object.values(servers).flatMap((of) => (of?.server ? [of.server.stop()] : []));
    await Promise.all(running);
  }
  if (only.includes("cold")) {
    const subjects = { sallyport: coldSallyport(dist), f1: coldConstant() };
    results.cold = await coldStarts(subjects, { state, rounds: options.rounds * COLD_ROUNDS });
  }
  if (only.includes("size")) results.size = wasmSize(dist);
  return results;
}

/** As `npm run build` counts it. */
export function wasmSize(dist) {
  const wasm = bundleFiles(dist).slice(1);
  const sizes = wasm
    .map((file) => readFileSync(file))
    .map((bytes) => [bytes.length, gzipSync(bytes, { level: 9 }).length]);
  const sum = (n) => sizes.reduce((total, size) => total + size[n], 0);
  return { bytes: sum(0), gzipped: sum(1) };
}

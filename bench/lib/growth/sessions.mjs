// What a request costs against the number of stored sessions.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createUser, login } from "../../../scripts/lib/api.mjs";
import { say } from "../../../scripts/lib/log.mjs";
import { randomPassword } from "../../../scripts/lib/private-file.mjs";
import { installPlain } from "../install.mjs";
import { inTurn, load, request } from "../load.mjs";
import { startPlain } from "../peers.mjs";
import { startSallyport } from "../sallyport.mjs";

const CONNECTIONS = 16;
/** Begun before any is counted: the first requests find code that is not compiled yet. */
const WARM_UP = 50;
/** So many are busy, however many there are. */
const BUSY = 100;
/** So many are asked once, after they have slept. */
const WOKEN = 500;
/** An object that nobody asks leaves memory after some 10 s, and only then closes its files. */
const ASLEEP_MS = 14_000;
/** Of a core, and for how long: less than that is nothing. */
const QUIET = 0.03;
const QUIET_FOR_MS = 3_000;
const SETTLES_WITHIN_MS = 120_000;
/** Of all files that a process may have open; the rest is for what is open besides. */
const SHARE_OF_FILES = 1 / 2;

/** Post-login sessions of a channel that believes its callers: as sessions they are like any other, and need no hash. */
const SETTINGS = {
  CHANNELS: '{"retail":{"business_unit":"RETAIL"}}',
  LOGIN_MAX_FAILURES_PER_ADDRESS: "10000",
};

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

/** How the two begin a session, and what shows its token to them. */
const SALLYPORT = {
  begin: (n) =>
    request("POST", "/api/v1/postlogin/init-session", {
      body: { data: { cif: `C${n}`, tokenKey: "any", payload: { channelId: "retail" } } },
    }),
  token: (body) => JSON.parse(body).token,
  validate: (token) => request("GET", "/auth/verify", bearer(token)),
};
const PLAIN = {
  begin: (n) => request("POST", "/session", { body: { username: `bench${n}` } }),
  token: (body) => JSON.parse(body).access_token,
  validate: (token) => request("GET", "/p2s", bearer(token)),
};

/** CPU µs a request under a load. */
async function cost(server, options) {
  const before = server.cpu();
  const { requests } = await load({ port: server.port, connections: CONNECTIONS, seconds: 600, ...options });
  return ((server.cpu() - before) / requests) * 1e6;
}

/** Waits until there is room for more open files: every object that is in memory holds three. */
async function roomForFiles({ pid }) {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1]);
  while (readdirSync(`/proc/${pid}/fd`).length > limit * SHARE_OF_FILES) await sleep(500);
}

/** Waits until objects sleep and nothing follows any more: alarms come for a while after a burst. */
async function settled(server) {
  await sleep(ASLEEP_MS);
  for (const until = Date.now() + SETTLES_WITHIN_MS; Date.now() < until;) {
    const before = server.cpu();
    await sleep(QUIET_FOR_MS);
    if (server.cpu() - before < (QUIET_FOR_MS / 1000) * QUIET) return;
  }
}

/** Begins sessions until there are `wanted`. Gives the CPU µs of one, with all that follows it by itself. */
async function begin(server, how, tokens, wanted) {
  const before = server.cpu();
  const from = tokens.length;
  while (tokens.length < wanted) {
    await roomForFiles(server);
    const count = Math.min(500, wanted - tokens.length);
    let n = tokens.length;
    const source = { next: () => how.begin(n++), answered: (body) => tokens.push(how.token(body)) };
    await cost(server, { source, count });
  }
  await settled(server);
  return ((server.cpu() - before) / (tokens.length - from)) * 1e6;
}

async function measured(server, how, sizes, seconds, list) {
  const tokens = [];
  const points = [];
  await begin(server, how, tokens, WARM_UP);
  for (const stored of sizes) {
    const beginning = await begin(server, how, tokens, stored);
    // Some of all that there are, each once: their objects have to be read into memory.
    const woken = Array.from(
      { length: Math.min(WOKEN, stored) },
      (_, n) => tokens[Math.floor((n * stored) / Math.min(WOKEN, stored))],
    );
    const wake = await cost(server, { source: inTurn(woken.map(how.validate)), count: woken.length });
    const busy = inTurn(tokens.slice(0, BUSY).map(how.validate));
    await load({ port: server.port, connections: CONNECTIONS, seconds: 1, source: busy });
    const validate = await cost(server, { source: busy, seconds });
    const listed = list && (await cost(server, { source: list, seconds, connections: 4 }));
    points.push({ stored, begin: beginning, wake, validate, list: listed });
    say(
      `   ${stored} sessions: begin ${beginning.toFixed(0)}, wake ${wake.toFixed(0)}, validate ${validate.toFixed(0)} µs`,
    );
  }
  return points;
}

/** The same for Sallyport and for the peer in plain JavaScript: what both have in common is the local runtime's. */
export async function againstSessions(state, { dist, sizes, seconds }) {
  const { server, vars } = await startSallyport(join(state, "grown"), dist, { settings: SETTINGS });
  say("   Sallyport, against stored sessions");
  const admin = { username: "root", password: randomPassword(), roles: ["admin", "user"] };
  await createUser(server.base, { bootstrapKey: vars.BOOTSTRAP_KEY }, admin);
  const list = inTurn([request("GET", "/admin/sessions/active", bearer(await login(server.base, admin)))]);
  const sallyport = await measured(server, SALLYPORT, sizes, seconds, list);
  await server.stop();
  await installPlain();
  const peer = await startPlain(join(state, "grown-plain"), { sessions: 0 });
  say("   P2s, against stored sessions");
  const plain = await measured(peer.server, PLAIN, sizes, seconds);
  await peer.server.stop();
  return { sallyport, plain };
}

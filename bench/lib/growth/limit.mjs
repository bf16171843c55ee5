// What a user's own sessions cost: a login at the limit, and their list.
import { join } from "node:path";
import { call, createUser } from "../../../scripts/lib/api.mjs";
import { say } from "../../../scripts/lib/log.mjs";
import { randomPassword } from "../../../scripts/lib/private-file.mjs";
import { inTurn, load, request } from "../load.mjs";
import { startSallyport } from "../sallyport.mjs";

const LOGINS = 20;

async function cost(server, options) {
  const before = server.cpu();
  const { requests } = await load({ port: server.port, seconds: 60, ...options });
  return ((server.cpu() - before) / requests) * 1e6;
}

async function onePoint(state, dist, limit, seconds) {
  const settings = { MAX_CONCURRENT_SESSIONS_PER_USER: String(limit) };
  const { server, vars } = await startSallyport(join(state, `limit-${limit}`), dist, { settings });
  const user = { username: "root", password: randomPassword() };
  await createUser(server.base, { bootstrapKey: vars.BOOTSTRAP_KEY }, { ...user, roles: ["admin", "user"] });
  const source = inTurn([request("POST", "/auth/login", { body: user })]);
  // One after the other: two at once would each wait for the other's place.
  await load({ port: server.port, connections: 1, seconds: 600, count: limit + 1, source });
  const atLimit = await cost(server, { connections: 1, count: LOGINS, source });
  const { access_token } = await call(server.base, "POST", "/auth/login", { body: user });
  const headers = { authorization: `Bearer ${access_token}` };
  const lists = { connections: 4, seconds, source: inTurn([request("GET", "/auth/sessions", { headers })]) };
  await load({ port: server.port, ...lists, seconds: 0.5 });
  const list = await cost(server, lists);
  await server.stop();
  say(
    `   a limit of ${limit}: a login at it ${(atLimit / 1000).toFixed(1)} ms, the list ${list.toFixed(0)} µs`,
  );
  return { limit, login_ms: atLimit / 1000, list_us: list };
}

export async function againstLimit(state, { dist, sizes, seconds }) {
  const points = [];
  for (const limit of sizes) points.push(await onePoint(state, dist, limit, seconds));
  return points;
}

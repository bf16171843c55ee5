// Sallyport as it would be deployed: a bundle on a bare workerd, with the bindings of wrangler.toml.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { unstable_readConfig as readConfig } from "wrangler";
import { call, createUser, login } from "../../scripts/lib/api.mjs";
import { Failure } from "../../scripts/lib/log.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { randomPassword, randomSecret } from "../../scripts/lib/private-file.mjs";
import { inTurn, request } from "./load.mjs";
import { prepare, startWorkerd } from "./workerd.mjs";

/** So many sessions a user may have; the limit is not to be met. */
const SESSIONS_OF_A_USER = 100;

const SETTINGS = {
  MAX_CONCURRENT_SESSIONS_PER_USER: String(SESSIONS_OF_A_USER),
  ACCESS_TOKEN_EXPIRE_MINUTES: "1440",
  // Lines are measured by themselves.
  REQUEST_LOG: "off",
};

/** The files of a bundle, its entry first. */
export function bundleFiles(dist) {
  if (!existsSync(join(dist, "entry.js")))
    throw new Failure(
      `${dist} has no bundle (entry.js and the wasm). \`node scripts/bundle.mjs\` makes dist/.`,
    );
  const wasm = readdirSync(dist).filter((name) => name.endsWith(".wasm"));
  return ["entry.js", ...wasm].map((name) => join(dist, name));
}

/** What workerd is told about a bundle. A bundle of before may lack a class that wrangler.toml names. */
export function sallyportWorker(dist, vars, { main } = {}) {
  const config = readConfig({ config: inRoot("wrangler.toml") }, { hideWarnings: true });
  const modules = bundleFiles(dist);
  const exported =
    /export\s*\{([^}]*)\}\s*;?\s*(\/\/.*)?\s*$/.exec(readFileSync(modules[0], "utf8"))?.[1] ?? "";
  const names = new Set(exported.split(",").map((name) => name.trim().split(" as ").at(-1)));
  const bound = config.durable_objects.bindings.filter((binding) => names.has(binding.class_name));
  return {
    modules: main ? [main, ...modules] : modules,
    date: config.compatibility_date,
    objects: Object.fromEntries(bound.map((binding) => [binding.name, binding.class_name])),
    kv: config.kv_namespaces.map(({ binding }) => binding),
    rateLimits: config.ratelimits.map(({ name }) => name),
    vars: { ...config.vars, ...vars },
  };
}

export const secrets = () => ({
  TOKEN_SIGNING_KEYS: `k1:${randomSecret()}`,
  SEALING_KEYS: `s1:${randomSecret()}`,
  BOOTSTRAP_KEY: randomSecret(),
});

/** Starts a bundle. `settings` are those of docs/settings.md, `beside` further Workers. */
export async function startSallyport(folder, dist, { settings = {}, main, beside = [] } = {}) {
  const vars = { ...secrets(), ...SETTINGS, ...settings };
  prepare(folder, { ...sallyportWorker(dist, vars, { main }), beside });
  const sockets = ["http", ...beside.map(({ name }) => name)];
  return new Sallyport(await startWorkerd(folder, { sockets }), vars);
}

class Sallyport {
  #password = randomPassword();
  #users = 0;
  #admin;
  /** The pairs of tokens of all sessions that `seed` has begun. */
  #pairs = [];
  /** Who can still log in, and how often. */
  #left = [];
  #rotating;

  constructor(server, vars) {
    Object.assign(this, { server, vars });
  }

  async #newUser() {
    if (!this.#admin) {
      const admin = { username: "root", password: this.#password, roles: ["admin", "user"] };
      await createUser(this.server.base, { bootstrapKey: this.vars.BOOTSTRAP_KEY }, admin);
      this.#admin = await login(this.server.base, admin);
    }
    const user = { username: `bench${this.#users++}`, password: this.#password };
    await createUser(this.server.base, { token: this.#admin }, { ...user, roles: ["user"] });
    return user;
  }

  /** Logs in until there are so many sessions. */
  async seed(sessions) {
    let user;
    while (this.#pairs.length < sessions) {
      if (this.#pairs.length % SESSIONS_OF_A_USER === 0) user = await this.#newUser();
      this.#pairs.push(await call(this.server.base, "POST", "/auth/login", { body: user }));
    }
  }

  /** An access token is shown to `path`, that of each session in turn. */
  validate(path) {
    return inTurn(
      this.#pairs.map(({ access_token }) =>
        request("GET", path, { headers: { authorization: `Bearer ${access_token}` } }),
      ),
    );
  }

  /** Each session's refresh token for a new pair, in turn; the next time it is the token of that pair. */
  refresh() {
    this.#rotating ??= rotating(
      this.#pairs.map(({ refresh_token }) => refresh_token),
      "/auth/refresh",
    );
    return this.#rotating;
  }

  /** So many logins by users who have room for another session. */
  async logins(count) {
    while (this.#left.length < count) {
      const user = await this.#newUser();
      this.#left.push(...Array.from({ length: SESSIONS_OF_A_USER }, () => user));
    }
    return inTurn(this.#left.splice(0, count).map((body) => request("POST", "/auth/login", { body })));
  }
}

/** Refresh tokens that are changed for new ones. Those that are under way are not among them. */
export function rotating(tokens, path) {
  const pool = [...tokens];
  return {
    next: () => request("POST", path, { body: { refresh_token: pool.shift() } }),
    answered: (body) => pool.push(JSON.parse(body).refresh_token),
  };
}

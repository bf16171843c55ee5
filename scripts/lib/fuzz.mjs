// What `npm run fuzz` does: a deployment of its own in memory, its fakes, users and a key, and then schemathesis.
import { createKey, createUser, login } from "./api.mjs";
import { buildWasm } from "./build-wasm.mjs";
import { Failure, heading, step } from "./log.mjs";
import { startDist } from "./miniflare.mjs";
import { readOptions, wrongUse } from "./options.mjs";
import { randomPassword, randomSecret } from "./private-file.mjs";
import { schemathesis, setUpSchemathesis } from "./schemathesis.mjs";
import { startUpstreams, upstreamSettings } from "./upstreams.mjs";
import { bundle } from "./wrangler.mjs";

const FUZZ = {
  name: "npm run fuzz",
  about:
    "Makes requests out of /openapi.json (schemathesis, which python3 brings from PyPI), first as an admin and then as a user, each\n" +
    "with a service key, and fails on an answer that is not described or that is a fault. It starts a Sallyport of its own, with\n" +
    "fake upstreams, and only asks that.",
  options: {
    minutes: { type: "string", value: "N", about: "how long, altogether (5)" },
    seed: { type: "string", value: "N", about: "the one that an earlier run has printed" },
    examples: { type: "string", value: "N", about: "requests for each operation and phase, at most (50)" },
  },
};

/** A day: what expires meanwhile would only be refused. */
const SETTINGS = {
  ACCESS_TOKEN_EXPIRE_MINUTES: "1440",
  SESSION_INACTIVITY_TIMEOUT_MINUTES: "1440",
  RECENT_LOGIN_MINUTES: "1440",
  MAX_CONCURRENT_SESSIONS_PER_USER: "100",
  LOGIN_MAX_FAILURES_PER_ADDRESS: "10000",
  REQUEST_LOG: "off",
  MOCK_ROUTES: "on",
  ENVIRONMENT: "development",
};
const SCOPES = [
  "tokens:read",
  "tokens:write",
  "portal",
  "portal:state",
  "introspect",
  "sessions:exchange",
  "metrics",
  "audit",
];

export async function fuzz(args) {
  const options = readOptions(FUZZ, args);
  if (options === null) return;
  const minutes = positive("minutes", options.minutes ?? "5");
  const examples = positive("examples", options.examples ?? "50");
  await setUpSchemathesis();
  await buildWasm();
  await bundle();

  const upstreams = await startUpstreams(0, () => {});
  process.on("exit", upstreams.kill);
  const bootstrapKey = randomSecret();
  const own = {
    TOKEN_SIGNING_KEYS: `k1:${randomSecret()}`,
    SEALING_KEYS: `s1:${randomSecret()}`,
    BOOTSTRAP_KEY: bootstrapKey,
    UPSTOX_NOTIFIER_SECRET: randomSecret(),
    ...SETTINGS,
  };
  const server = await startDist({
    bindings: { ...upstreamSettings(upstreams.url, own), ...own },
    instance: { handleStructuredLogs: () => {} },
  });
  try {
    const base = new URL(await server.ready).origin;
    const access = await step("Users", () => makeUsers(base, bootstrapKey));
    const bounds = ["--max-time", String(Math.ceil(minutes * 30)), "--max-examples", String(examples)];
    if (options.seed) bounds.push("--seed", positive("seed", options.seed));
    const codes = [];
    for (const who of ["admin", "user"]) {
      heading(`As ${who === "admin" ? "an admin" : "a user"}`);
      codes.push(await pass(base, who, access, bounds));
    }
    return codes.find((code) => code !== 0) ?? 0;
  } finally {
    await server.dispose();
    upstreams.kill();
  }
}

/** Names that no description has as an example, in the form in which answers have them. */
async function makeUsers(base, bootstrapKey) {
  const user = (roles) => ({
    username: `fuzz-${randomSecret().slice(0, 8)}`.toLowerCase(),
    password: randomPassword(),
    roles,
  });
  const [admin, someone, leaver] = [user(["admin", "user"]), user(["user"]), user(["user"])];
  await createUser(base, { bootstrapKey }, admin);
  const token = await login(base, admin);
  for (const one of [someone, leaver]) await createUser(base, { token }, one);
  return { admin, user: someone, leaver };
}

/** With a service key of its own: what an admin has found in a list, an admin may have revoked. */
async function pass(base, who, access, bounds) {
  const token = await login(base, access.admin);
  const { key } = await createKey(base, { token }, { name: "fuzz", scopes: SCOPES });
  const named = ({ username, password }) => JSON.stringify({ username, password });
  const env = {
    FUZZ_BASE: base,
    FUZZ_WHO: named(access[who]),
    FUZZ_LEAVER: named(access.leaver),
    FUZZ_OURS: [access.admin, access.user, access.leaver].map(({ username }) => username).join(","),
    FUZZ_SERVICE_KEY: key,
  };
  // The description's own servers are elsewhere.
  return schemathesis(who, [`${base}/openapi.json`, "--url", base, "--no-color", ...bounds], env);
}

function positive(name, given) {
  if (/^\d+(\.\d+)?$/.test(given) && Number(given) > 0) return given;
  throw wrongUse(FUZZ, `--${name} takes a number above 0, not "${given}"`);
}

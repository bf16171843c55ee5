import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { devVarNames } from "./scripts/lib/dev-vars.mjs";
import { MANY_ACCOUNTS } from "./tests/support/process/soak.ts";
import { keeperSettings, manySettings, portalSettings } from "./tests/support/settings.ts";

const secret = () => randomBytes(32).toString("base64url");

// The channels of the earlier system. By default a deployment leaves out those without a verifier.
const [sme, retail] = [{ business_unit: "SME", verifier: "sme" }, { business_unit: "RETAIL" }];

// No test reads a secret from the project: they are made up for each run.
const bindings = {
  TOKEN_SIGNING_KEYS: `k1:${secret()}`,
  SEALING_KEYS: `s1:${secret()}`,
  BOOTSTRAP_KEY: secret(),
  // As in a deployment, whatever .dev.vars says.
  ENVIRONMENT: "production",
  CHANNELS: JSON.stringify({ sme, retail, 1: sme, 2: retail }),
  SME_VERIFY_BASE_URL: "https://upstreams.test/sme",
  SME_VERIFY_TOKEN_KEY: "sme-local",
  SME_VERIFY_TIMEOUT_SECONDS: "2",
  // The tests of a project come from one address.
  LOGIN_MAX_FAILURES_PER_ADDRESS: "10000",
};

const ofTheKeeper = { ...keeperSettings, UPSTOX_NOTIFIER_SECRET: secret() };

// The plugin reads .dev.vars, and what stands there besides these reaches the tests in the Worker.
const strays = devVarNames().filter((name) => !(name in bindings));
if (strays.length > 0) console.warn(`The tests in the Worker see ${strays.join(", ")} from your .dev.vars.`);

// What is awaited comes in milliseconds; a busy machine may take longer.
const expectations = { poll: { timeout: 10_000 } };

/** Inside workerd, beside the Worker: objects can be reached, evicted, and told another time. */
const inside = (name: string, settings: Record<string, string> = {}, more: object = {}) => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { ...bindings, ...settings }, ...more },
    }),
  ],
  test: {
    name,
    expect: expectations,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The files of a project share an instance of the runtime and what is stored: a start costs as much as fifty tests.
    isolate: false,
    include: [`tests/${name}/**/*.test.ts`],
  },
});

export default defineConfig({
  test: {
    // For the run as a whole: vitest ignores it in a project. What the Worker itself logs comes past it, from the runtime;
    // `npm test` keeps that in .tools/logs.
    silent: "passed-only",
    // By default it would be one on two cores.
    maxWorkers: availableParallelism(),
    projects: [
      inside("start", ofTheKeeper),
      inside(
        "worker",
        { ALLOWED_ORIGINS: "https://app.example.com" },
        { analyticsEngineDatasets: { METRICS: { dataset: "sallyport" } } },
      ),
      inside("edge", { SESSION_CHECK: "edge" }),
      inside("local", { SESSION_CHECK: "local" }),
      inside("many", manySettings(MANY_ACCOUNTS)),
      inside("portal", portalSettings),
      inside("keeper", ofTheKeeper),
      inside("located", {
        ...ofTheKeeper,
        ...portalSettings,
        JURISDICTION: "eu",
        LOCATION_HINT: "weur",
        UPSTREAM_LOCATION_HINT: "apac",
      }),
      // The client by itself, on plain Node: its clock, storage and `fetch` are the tests'.
      { test: { name: "client", include: ["tests/client/**/*.test.ts"] } },
      // What the pages of the console decide by themselves, on plain Node.
      { test: { name: "console", include: ["tests/console/**/*.test.ts"] } },
      {
        // On plain Node, from outside: the bundle in dist/ in Miniflare or a whole `wrangler dev`, with real time.
        test: {
          name: "process",
          // Node's SQLite, which looks into data folders, is still called experimental.
          execArgv: ["--disable-warning=ExperimentalWarning"],
          expect: expectations,
          include: ["tests/process/**/*.test.ts", "tests/upstreams/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // As "process", with pages in Chromium, one browser a file. `npm test` tells both by the beginning of the name.
        test: {
          name: "process-browser",
          // They share what takes seconds to read: Miniflare and the driver.
          isolate: false,
          expect: expectations,
          include: ["tests/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

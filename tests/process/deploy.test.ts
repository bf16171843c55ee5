// What is deployed: the environments of wrangler.toml, and what `npm run deploy` refuses, of them and of secrets.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import util from "node:util";
import { expect, it } from "vitest";
import { faultsOf } from "../../scripts/lib/deployable.mjs";
import { distOptions } from "../../scripts/lib/miniflare.mjs";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { NO_WAY_OUT, tried } from "../../scripts/lib/trial.mjs";
import { environments, wranglerConfig } from "../../scripts/lib/wrangler.mjs";
import { script } from "../support/process/script.ts";
import { secret, secrets, start } from "../support/process/server.ts";

const text = (name: string) => readFileSync(inRoot(name), "utf8");
const example = util.parseEnv(text(".dev.vars.example")) as Record<string, string>;
const settings: { name: string; about: string }[] = JSON.parse(text("docs/settings.json"));
const required = settings.filter(({ about }) => about.startsWith("Secret, required")).map(({ name }) => name);

/** Without the number under which the platform counts. */
const limits = ({ ratelimits }: { ratelimits: { name: string; simple: object; namespace_id: string }[] }) =>
  ratelimits.map(({ name, simple }) => ({ name, simple }));

it("each environment has the bindings of the top level and needs no id: it can be deployed as it is", async () => {
  expect(await environments()).toEqual(["production", "staging"]);
  const top = await wranglerConfig();
  for (const env of await environments()) {
    const config = await wranglerConfig(env);
    // A deployment may have written an id there.
    const namespaces: { binding: string; id?: string }[] = config.kv_namespaces;
    expect(namespaces.map(({ binding, id }) => [binding, id ?? "none"])).toEqual([
      ["KV", expect.not.stringMatching(/^0*$/)],
    ]);
    expect(config.secrets?.required, env).toEqual(required);
    expect(config.vars, env).toMatchObject({ ENVIRONMENT: "production" });
    expect(config.durable_objects, env).toEqual(top.durable_objects);
    expect(limits(config), env).toEqual(limits(top));
    for (const same of ["main", "compatibility_date", "migrations", "triggers", "assets"] as const)
      expect(config[same], `${env}, ${same}`).toEqual(top[same]);
    // A query may have a key of the captcha service; a path may have the notifier's secret.
    expect(config.observability, env).toMatchObject({
      enabled: true,
      redact_query_string: true,
      logs: { enabled: true, invocation_logs: false },
      traces: { enabled: true },
    });
    expect([config.preview_urls, config.dev.ip]).toEqual([false, "127.0.0.1"]);
  }
});

it("production and staging are two Workers that share neither an address nor the count of logins", async () => {
  const [production, staging] = [await wranglerConfig("production"), await wranglerConfig("staging")];
  // The name is the one that it had before there were environments: the objects of a deployment of then are its own.
  expect([production.name, staging.name]).toEqual(["sallyport", "sallyport-staging"]);
  expect([production.workers_dev, staging.workers_dev]).toEqual([false, true]);
  // Those of the top level would be inherited.
  expect(staging.routes).toEqual([]);
  const id = ({ ratelimits: [limit] }: { ratelimits: { namespace_id: string }[] }) => limit?.namespace_id;
  expect([id(production), id(staging)]).toEqual(["1001", "1002"]);
});

it("the local KV keeps its name, under which data of before lies", async () => {
  const top = await wranglerConfig();
  expect(top.kv_namespaces).toEqual([{ binding: "KV", preview_id: "0".repeat(32) }]);
  // wrangler would let no other setting through to the local server.
  expect(top.secrets).toBeUndefined();
  expect(JSON.stringify(distOptions())).toContain(`"id":"${"0".repeat(32)}"`);
});

it("a deployment has no settings of development, no secrets in the open, and leaves none of its variables out", () => {
  const vars = {
    ENVIRONMENT: "development",
    MOCK_ROUTES: "on",
    SERVICE_AUTH: "off",
    SEALING_KEYS: "s1:x",
    UPSTOX_APPS: { a: { client_id: "x" } },
    TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID: "x",
    FACTURIFY_BASE_URL: "http://127.0.0.1:8788/facturify",
    EMODAL_BASE_URL: "http://[::1]:8788/emodal",
    SESSION_CHECK: "edge",
  };
  const given = {
    ALERT_WEBHOOK_SECRET: "reused",
    OAUTH2_ACCOUNTS: '{"a":{"token_url":"http://localhost/t"}}',
  };
  const local = { ALERT_WEBHOOK_SECRET: "reused", SEALING_KEYS: "s1:y" };
  const top = {
    vars: { SESSION_CHECK: "strict", UPSTOX_ACCOUNT_IDS: "a,b" },
    services: [{ binding: "TOKEN_SERVICE", service: "tokens" }],
  };
  const openly = (name: string) =>
    `${name} is a secret, and wrangler.toml shows it: take it out, make a new one, and \`npx wrangler secret put ${name} --env staging\``;
  const elsewhere = "leads to this machine: set the address that it has for everybody";
  expect(faultsOf({ env: "staging", config: { vars }, top, secrets: given, local })).toEqual([
    "UPSTOX_ACCOUNT_IDS stands in vars, which staging does not take over: move it to env.staging.vars",
    "TOKEN_SERVICE stands in services, which staging does not take over: move it to env.staging.services",
    'ENVIRONMENT is "development", which is for your own machine: leave it out',
    'MOCK_ROUTES is "on", which is for your own machine: leave it out, and set SME_VERIFY_BASE_URL to the service itself',
    'SERVICE_AUTH is "off", which is for your own machine: leave it out, and make a key for each service: `npm run key -- add NAME`',
    `FACTURIFY_BASE_URL ${elsewhere}`,
    `EMODAL_BASE_URL ${elsewhere}`,
    `OAUTH2_ACCOUNTS ${elsewhere}`,
    openly("SEALING_KEYS"),
    openly("UPSTOX_APPS"),
    openly("TOKEN_REFRESH_SERVICE_ACCESS_CLIENT_ID"),
    "ALERT_WEBHOOK_SECRET is that of .dev.vars: make one of its own",
  ]);
  const good = { ENVIRONMENT: "production", SESSION_CHECK: "edge", UPSTOX_ACCOUNT_IDS: "a,b" };
  const config = { vars: good, services: top.services };
  expect(faultsOf({ env: "production", config, top, secrets: secrets(), local })).toEqual([]);
});

it("the Worker itself says which given settings it would refuse; what only a deployed one can have is told apart", async () => {
  expect(await tried({ ...secrets(), SESSION_CHECK: "edge" })).toEqual({ faults: [], unseen: [] });
  // Without the required ones: the deployed Worker has them.
  expect(await tried({ ENVIRONMENT: "production" })).toEqual({ faults: [], unseen: [] });

  const one = secret();
  const refused = await tried({
    TOKEN_SIGNING_KEYS: `k1:${one}`,
    SEALING_KEYS: `s1:${one}`,
    BOOTSTRAP_KEY: "short",
    MAX_CONCURRENT_SESSIONS_PER_USER: "0",
    ALERT_WEBHOOK_URL: "https://hooks.example.com/sallyport",
  });
  expect(refused.unseen).toEqual(["ALERT_WEBHOOK_SECRET is required with ALERT_WEBHOOK_URL"]);
  for (const begin of [
    "BOOTSTRAP_KEY ",
    "MAX_CONCURRENT_SESSIONS_PER_USER ",
    "TOKEN_SIGNING_KEYS, SEALING_KEYS,",
  ])
    expect(refused.faults).toContainEqual(expect.stringMatching(new RegExp(`^${begin}`)));
  expect(JSON.stringify(refused)).not.toContain(one);
  // One secret for two purposes, whatever the required ones are.
  const shared = await tried({ BOOTSTRAP_KEY: one, UPSTOX_NOTIFIER_SECRET: one });
  expect(shared).toEqual({ faults: [expect.stringContaining("share a secret")], unseen: [] });
});

it("nothing of a trial reaches an upstream, though it has its credentials and tries", async () => {
  let calls = 0;
  const upstream = createServer((_, answer) => {
    calls += 1;
    answer.end("{}");
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => upstream.once("listening", listening));
  const { port } = upstream.address() as AddressInfo;
  const bindings = {
    FACTURIFY_BASE_URL: `http://127.0.0.1:${port}`,
    FACTURIFY_API_KEY: "key",
    FACTURIFY_API_SECRET: "secret",
  };
  {
    await using server = await start({ bindings, worker: NO_WAY_OUT });
    await server.client.call("GET", "/");
    const tries = () => server.lines.some((line) => line.includes('"action":"renew_token"'));
    await expect.poll(tries).toBe(true);
  }
  expect(calls).toBe(0);
  upstream.close();
});

it("the sample asks for what a first deployment needs, and is refused as it stands", async () => {
  const asked = [...required, "BOOTSTRAP_KEY"];
  expect(Object.keys(example).sort()).toEqual([...asked].sort());
  const { faults, unseen } = await tried(example);
  expect(new Set(faults.map((fault: string) => fault.split(" ")[0]))).toEqual(new Set(asked));
  expect(unseen).toEqual([]);
  // What the deploy button says of each.
  const { bindings } = JSON.parse(text("package.json")).cloudflare;
  expect(Object.keys(bindings)).toEqual([...asked, "ENVIRONMENT", "KV"]);
});

it("docs/deploying.md says of each secret how it is rotated, and when the old one may go", () => {
  const rows = (text("docs/deploying.md").split("## Rotating secrets")[1] ?? "").split("\n## ")[0] ?? "";
  const told = [...rows.matchAll(/^\| ([^|]+) \|/gm)].flatMap(
    ([, cell]) => cell?.match(/[A-Z\d_]{4,}/g) ?? [],
  );
  const known = settings.filter(({ about }) => about.startsWith("Secret")).map(({ name }) => name);
  expect(told.sort()).toEqual(known.sort());
});

it("npm run deploy refuses before it builds, and names the option", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-deploy-"));
  const withSecrets = async (lines: string) => {
    const file = join(folder, "secrets");
    writeFileSync(file, lines);
    return script("deploy", ["--dry-run", "--secrets-file", file]);
  };
  expect(await withSecrets(`SERVICE_AUTH=off\nBOOTSTRAP_KEY=${secret()}\n`)).toEqual({
    code: 1,
    out: "",
    err: `error: Not fit to be deployed:
  - SERVICE_AUTH is "off", which is for your own machine: leave it out, and make a key for each service: \`npm run key -- add NAME\`.
`,
  });
  const hidden = secret();
  const broken = await withSecrets(`{"BOOTSTRAP_KEY": "${hidden}`);
  expect(broken).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining("--secrets-file is not JSON"),
  });
  expect(broken.err).not.toContain(hidden);
  const missing = await script("deploy", ["--dry-run", "--secrets-file", join(folder, "none")]);
  expect([missing.code, missing.err]).toEqual([2, expect.stringMatching(/^error: --secrets-file: ENOENT/)]);
  expect(await script("deploy", ["--env", "nowhere"])).toEqual({
    code: 2,
    out: "",
    err: 'error: --env "nowhere" is not in wrangler.toml, which has production and staging.\n',
  });
  rmSync(folder, { recursive: true });
});

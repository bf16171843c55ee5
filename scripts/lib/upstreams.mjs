// The fake upstreams of tests/upstreams as a child, and the settings that lead to them.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Failure, say } from "./log.mjs";
import { inRoot, root } from "./paths.mjs";
import { childEnv } from "./run.mjs";

const READY_WITHIN_MS = 15_000;
const ACCOUNTS = ["agnidata001", "agnidata002", "agnidata003"];

/** Settings by upstream. Whoever sets one of a group means another upstream, so the fakes leave that group alone. */
const groups = (url) => [
  {
    FACTURIFY_BASE_URL: `${url}/facturify`,
    FACTURIFY_API_KEY: "fk-local",
    FACTURIFY_API_SECRET: "fs-local",
  },
  {
    UPSTOX_BASE_URL: `${url}/upstox`,
    UPSTOX_ACCOUNT_IDS: ACCOUNTS.join(","),
    INTERNAL_API_ACCOUNT_ID: ACCOUNTS[0],
    TOKEN_REFRESH_SERVICE_URL: `${url}/tokens`,
    UPSTOX_APPS: JSON.stringify(Object.fromEntries(ACCOUNTS.map((id) => [id, app(id)]))),
  },
  {
    OAUTH2_ACCOUNTS: JSON.stringify({
      crm: {
        token_url: `${url}/oauth2/token`,
        grant: "refresh_token",
        client_id: "crm",
        client_secret: "crm-secret",
        refresh_token: "rt-crm-0",
      },
    }),
  },
  {
    ALERT_WEBHOOK_URL: `${url}/alerts`,
    ALERT_WEBHOOK_SECRET: "whsec-local-0123456789abcdefghijklmnop",
  },
];

const app = (id) => ({
  client_id: `client-${id}`,
  client_secret: `app-secret-${id}`,
  redirect_uri: "https://app.example.com/callback",
});

/** The settings for the fakes at `url`, but for the groups that `own` settings have anything of. */
export function upstreamSettings(url, own) {
  const free = groups(url).filter((group) => !Object.keys(group).some((name) => name in own));
  return Object.assign({}, ...free);
}

/** Starts them on a port of this machine; resolves once they listen. */
export async function startUpstreams(port) {
  const child = spawn(process.execPath, [inRoot("tests", "upstreams", "main.ts"), "--port", String(port)], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: childEnv({ NODE_NO_WARNINGS: "1" }),
  });
  const lines = createInterface({ input: child.stdout });
  let timer;
  const url = await new Promise((resolve, reject) => {
    const fail = (how) => reject(new Failure(`The fake upstreams ${how}.`));
    timer = setTimeout(() => fail(`were not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => fail(`ended (${signal ?? `exit code ${code}`})`));
    lines.on("line", (line) => {
      const ready = /^ready (\S+)$/.exec(line)?.[1];
      if (ready) resolve(ready);
      else if (line.trim()) say(`   ${line}`);
    });
  }).finally(() => clearTimeout(timer));
  return { url, kill: () => child.kill("SIGTERM") };
}

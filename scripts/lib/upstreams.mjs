// The fake upstreams of tests/upstreams as a child, and the settings that lead to them.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Failure } from "./log.mjs";
import { inRoot, root } from "./paths.mjs";
import { childEnv, readLines } from "./run.mjs";

const READY_WITHIN_MS = 15_000;
/** Any account, whatever a script brings of its own, and each call as a line of JSON. */
const HOW = ["--accounts", "any", "--lenient", "--json"];
const ACCOUNTS = ["agnidata001", "agnidata002", "agnidata003"];

/** The fake receiver's, whose bytes are the key. */
const ALERT_SECRET = "whsec-local-0123456789abcdefghijklmnop";

/** Settings by upstream. Where one of `elsewhere` is set, another upstream is meant, and the group is left alone. */
const groups = (url, ids) => [
  {
    elsewhere: ["FACTURIFY_BASE_URL", "FACTURIFY_API_KEY", "FACTURIFY_API_SECRET"],
    settings: {
      FACTURIFY_BASE_URL: `${url}/facturify`,
      FACTURIFY_API_KEY: "fk-local",
      FACTURIFY_API_SECRET: "fs-local",
    },
  },
  {
    elsewhere: ["UPSTOX_BASE_URL", "TOKEN_REFRESH_SERVICE_URL", "UPSTOX_APPS"],
    settings: {
      UPSTOX_BASE_URL: `${url}/upstox`,
      UPSTOX_ACCOUNT_IDS: ids.join(","),
      TOKEN_REFRESH_SERVICE_URL: `${url}/tokens`,
      UPSTOX_APPS: JSON.stringify(Object.fromEntries(ids.map((id) => [id, app(id)]))),
    },
  },
  {
    elsewhere: ["OAUTH2_ACCOUNTS"],
    settings: {
      // Not by refresh token: the fakes forget at each start which ones they have given.
      OAUTH2_ACCOUNTS: JSON.stringify({
        crm: {
          token_url: `${url}/oauth2/token`,
          grant: "client_credentials",
          client_id: "crm",
          client_secret: "crm-secret",
        },
      }),
    },
  },
  {
    elsewhere: ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"],
    settings: {
      ALERT_WEBHOOK_URL: `${url}/alerts`,
      ALERT_WEBHOOK_SECRET: ALERT_SECRET,
    },
  },
  {
    elsewhere: ["SME_VERIFY_BASE_URL", "SME_VERIFY_TOKEN_KEY"],
    settings: {
      SME_VERIFY_BASE_URL: `${url}/sme`,
      SME_VERIFY_TOKEN_KEY: "sme-local",
    },
  },
  {
    // Its identity pages are at the same host, so that no other has to be allowed.
    elsewhere: ["EMODAL_BASE_URL"],
    settings: { EMODAL_BASE_URL: `${url}/portal` },
  },
  {
    elsewhere: ["CAPTCHA_BASE_URL"],
    settings: { CAPTCHA_BASE_URL: `${url}/captcha` },
  },
];

const app = (id) => ({
  client_id: `client-${id}`,
  client_secret: `app-secret-${id}`,
  redirect_uri: "https://app.example.com/callback",
});

/** The settings for the fakes at `url`, but for the groups whose upstream the `own` settings name themselves. */
export function upstreamSettings(url, own) {
  const ids = own.UPSTOX_ACCOUNT_IDS?.split(",")
    .map((id) => id.trim())
    .filter(Boolean);
  const free = groups(url, ids ?? ACCOUNTS).filter(({ elsewhere }) => !elsewhere.some((name) => name in own));
  return Object.assign({}, ...free.map(({ settings }) => settings));
}

/** Whether a browser is to be started here: nobody has named another one. */
export const needsBrowser = (own) =>
  !["PORTAL_BROWSER_URL", "PORTAL_BROWSER_BINDING"].some((name) => name in own);

const documentOf = (name) =>
  JSON.parse(readFileSync(inRoot("crates", "portal", "portals", `${name}.json`), "utf8"));

/** The fake portals beside E-Modal's pages, by E-Modal's documents at other addresses; and the browser that one of them needs. */
export function portalSettings(url, browserUrl, own) {
  const api = documentOf("emodal-api");
  const oidc = { ...api, base_url: `${url}/oidc/portal`, login: { ...api.login, issuer: `${url}/oidc/sso` } };
  const spa = { ...documentOf("emodal-browser"), base_url: `${url}/spa` };
  const portals = browserUrl ? { spa, oidc } : { oidc };
  return {
    ...(browserUrl ? { PORTAL_BROWSER_URL: browserUrl } : {}),
    ...("PORTALS" in own ? {} : { PORTALS: JSON.stringify(portals) }),
  };
}

/** Events (docs/events.md) to the receiver of alerts, which has one key for both; unless they are sent elsewhere. */
export function eventSettings(url, own) {
  if (["EVENT_WEBHOOK_URL", "EVENT_WEBHOOK_SECRET"].some((name) => name in own)) return {};
  const key = Buffer.from(ALERT_SECRET).toString("base64");
  return { EVENT_WEBHOOK_URL: `${url}/alerts`, EVENT_WEBHOOK_SECRET: `whsec_${key}` };
}

/** Starts them on a port of this machine; resolves once they listen. `onCall` gets a line of JSON for each call to one. */
export async function startUpstreams(port, onCall) {
  const child = spawn(
    process.execPath,
    [inRoot("tests", "upstreams", "main.ts"), "--port", String(port), ...HOW],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: childEnv({ NODE_NO_WARNINGS: "1" }),
    },
  );
  let timer;
  const url = await new Promise((resolve, reject) => {
    const fail = (how) => reject(new Failure(`The fake upstreams ${how}.`));
    timer = setTimeout(() => fail(`were not ready within ${READY_WITHIN_MS / 1000} s`), READY_WITHIN_MS);
    child.once("error", (error) => fail(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => fail(`ended (${signal ?? `exit code ${code}`})`));
    readLines(child.stdout, (line) => {
      if (line.startsWith("ready ")) resolve(line.slice("ready ".length));
      else onCall(line);
    });
  }).finally(() => clearTimeout(timer));
  return { url, kill: () => child.kill("SIGTERM") };
}

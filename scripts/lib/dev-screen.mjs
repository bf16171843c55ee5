// The first screen of `npm start`: what runs where, and what to try for each job. And .dev/try.sh, which makes that short.
import { readCredentials } from "./credentials.mjs";
import { bold } from "./log.mjs";
import { table } from "./options.mjs";
import { inRoot } from "./paths.mjs";
import { writePrivate } from "./private-file.mjs";

const MOCK = "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session";

const browserLine = ({ at, portals }) => {
  const chromium = at
    ? `${at}   Chromium, for portals that need one`
    : "none: Chromium is not installed, and portals that need it answer 503 (docs/portal.md)";
  const named = portals.map((name) => `"portal": "${name}"`).join(" or ");
  return named ? `${chromium}; try ${named} in get_session` : chromium;
};

/** What the lines to try take from .dev/try.sh. */
function shellVariables({ base_url, users, service_key, upstreams_url, portal }) {
  const { username, password } = users.find((user) => user.username === "testuser");
  const customer = { cif: "1234567890", tokenKey: "any", payload: { channelId: "sme" } };
  return {
    base: base_url,
    fakes: upstreams_url,
    json: "content-type: application/json",
    key: `x-api-key: ${service_key}`,
    login: JSON.stringify({ username, password }),
    customer: JSON.stringify({ data: customer }),
    portal: JSON.stringify(portal),
  };
}

/** For any shell of the family: a quotation mark in a value ends the quotation, stands by itself, and begins another. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

export function writeTryFile() {
  const lines = Object.entries(shellVariables(readCredentials())).map(
    ([name, value]) => `${name}=${quoted(value)}\n`,
  );
  writePrivate(
    inRoot(".dev", "try.sh"),
    `# Made by \`npm start\`, for \`. .dev/try.sh\`.\n${lines.join("")}`,
  );
}

/**
 * `shown` are users whose password has just been made; `mock` says whether the mock of the SME service is served; `browser` is where
 * the one of portals is, and whether the fake portal that needs one is set up.
 */
export function screen({ base, upstreamsUrl, shown, mock, browser }) {
  const passwords = shown.map(({ username, password }) => `${username} ${password}`).join("   ");
  const where = [
    ["Sallyport", `${base}   logs in users, keeps sessions and tokens; workerd, by wrangler dev`],
    // Every browser keeps the cookies of this name without https.
    [
      "demo",
      `${base.replace("127.0.0.1", "localhost")}/demo   a page with the client: log in, watch the session`,
    ],
    [
      "console",
      `${base.replace("127.0.0.1", "localhost")}/console   what it holds and what fails: as admin, or with the key`,
    ],
    ["fake upstreams", `${upstreamsUrl}   Facturify, Upstox, OAuth 2.0, SME, a portal, captchas, alerts`],
    ...(mock
      ? [
          [
            "mock of SME",
            `POST …${MOCK.slice(MOCK.lastIndexOf("/"))} of Sallyport itself (docs/post-login.md)`,
          ],
        ]
      : []),
    ["browser", browserLine(browser)],
    ["users, key", ".dev/credentials.json   admin and testuser, a service key"],
    ["passwords", passwords ? `${passwords}   (shown this once)` : "in that file"],
    ["settings, data", ".dev.vars, .wrangler/state   kept; `npm start -- --fresh` begins anew"],
  ];
  const jobs = [
    ["user sessions", 'curl -sS $base/auth/login -H "$json" -d "$login"'],
    ["post-login", 'curl -sS $base/api/v1/postlogin/init-session -H "$json" -d "$customer"'],
    ["upstream tokens", 'curl -sS $base/accounts/agnidata001/token -H "$key"'],
    ["portal sessions", 'curl -sS $base/get_session -H "$key" -H "$json" -d "$portal"   (10 s, a captcha)'],
    ["operating", "curl -sS $base/health; npm run user -- list; npm run key -- list"],
  ];
  return [
    bold(`Sallyport is ready at ${base}`),
    table(where, "   "),
    "",
    `${bold("Try it")} in a second terminal, in this folder, after ${bold(". .dev/try.sh")} (sh, bash, zsh):`,
    table(jobs, "   "),
    "",
    "Below, a line for each request, and indented the calls to upstreams. Ctrl-C ends it; --help says more.",
  ].join("\n");
}

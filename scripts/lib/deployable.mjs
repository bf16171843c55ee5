// What keeps a configuration from being deployed, and how each is mended.
import { secretNames } from "./dev-vars.mjs";

/** Settings that only development has, the values of them that a deployment may have, and what to do about another. */
const DEVELOPMENT = {
  ENVIRONMENT: { value: "production", mend: "leave it out" },
  MOCK_ROUTES: { value: "off", mend: "leave it out, and set SME_VERIFY_BASE_URL to the service itself" },
  SERVICE_AUTH: {
    value: "on",
    mend: "leave it out, and make a key for each service: `npm run key -- add NAME`",
  },
};
/** What is named like a secret and is no setting is one whose name is mistyped. */
const LIKE_A_SECRET = /_(KEYS?|SECRET|APPS|ACCOUNTS)$/;
const THIS_MACHINE = /\b(localhost|127(\.\d+){3}|0\.0\.0\.0)\b|\[::1?\]/;

/** What a deployer may add to wrangler.toml and an environment does not take over from the top level: how to list the names. */
const NOT_TAKEN_OVER = {
  vars: (vars) => Object.keys(vars),
  services: (services) => services.map(({ binding }) => binding),
  vpc_services: (services) => services.map(({ binding }) => binding),
};

/**
 * One text for each; none if it may be deployed. `config` is the environment, `top` the top level of wrangler.toml.
 * `secrets` is what is uploaded with it, `local` what .dev.vars has.
 */
export function faultsOf({ env, config, top = {}, secrets = {}, local = {} }) {
  const { vars = {} } = config;
  const unread = Object.entries(NOT_TAKEN_OVER).flatMap(([key, names]) => {
    const there = config[key] ? names(config[key]) : [];
    return (top[key] ? names(top[key]) : [])
      .filter((name) => !there.includes(name))
      .map(
        (name) => `${name} stands in ${key}, which ${env} does not take over: move it to env.${env}.${key}`,
      );
  });
  const secret = new Set(secretNames());
  // Anybody who may see the configuration reads them.
  const open = Object.keys(vars)
    .filter((name) => secret.has(name) || LIKE_A_SECRET.test(name))
    .map(
      (name) =>
        `${name} is a secret, and wrangler.toml shows it: take it out, make a new one, and \`npx wrangler secret put ${name} --env ${env}\``,
    );
  const reused = Object.keys(secrets)
    .filter((name) => Object.hasOwn(local, name) && local[name] === secrets[name])
    .map((name) => `${name} is that of .dev.vars: make one of its own`);
  const values = Object.entries({ ...vars, ...secrets }).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (Object.hasOwn(DEVELOPMENT, name)) {
      const { value, mend } = DEVELOPMENT[name];
      return text === value ? [] : [`${name} is "${text}", which is for your own machine: ${mend}`];
    }
    // A secret's own text may have anything in it.
    return THIS_MACHINE.test(text) && !/_KEYS?$|_SECRET$/.test(name)
      ? [`${name} leads to this machine: set the address that it has for everybody`]
      : [];
  });
  return [...unread, ...values, ...open, ...reused];
}

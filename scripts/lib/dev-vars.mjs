// .dev.vars: the secrets and settings of local development, made on the first run.
import { readFileSync } from "node:fs";
import util from "node:util";
import { Failure } from "./log.mjs";
import { inRoot } from "./paths.mjs";
import { randomSecret, readPrivate, writePrivate } from "./private-file.mjs";

export const devVarsFile = inRoot(".dev.vars");

const MADE_WHEN_MISSING = {
  // Each key has a name, so that a second one can be added before the first is removed.
  TOKEN_SIGNING_KEYS: () => `k1:${randomSecret()}`,
  SEALING_KEYS: () => `s1:${randomSecret()}`,
  BOOTSTRAP_KEY: randomSecret,
  UPSTOX_NOTIFIER_SECRET: randomSecret,
  // Lets SERVICE_AUTH be off; a deployment does not have it.
  ENVIRONMENT: () => "development",
};

/** Adds what is missing and changes nothing else. */
export function ensureDevVars() {
  const text =
    readPrivate(devVarsFile) ?? "# Local development only. Made by `npm start`; never committed.\n";
  const present = util.parseEnv(text);
  const added = Object.entries(MADE_WHEN_MISSING)
    .filter(([name]) => !(name in present))
    .map(([name, make]) => `${name}=${make()}\n`);
  // Written even when complete, for the file's mode.
  writePrivate(devVarsFile, (text === "" || text.endsWith("\n") ? text : `${text}\n`) + added.join(""));
}

/** What the local server is started with: made anew at each start, mode 600. */
export const localSettingsFile = inRoot(".dev", "settings.env");

/** All settings: docs/settings.json, which a native program makes and a native test holds to the code. */
const known = () => JSON.parse(readFileSync(inRoot("docs", "settings.json"), "utf8"));

/** The names of those that are secrets. */
export const secretNames = () =>
  known()
    .filter(({ about }) => about.startsWith("Secret"))
    .map(({ name }) => name);

/** The settings of .dev.vars, and those that stand in the environment, which win. */
export function localSettings() {
  const given = known().map(({ name }) => [name, process.env[name]]);
  const fromEnvironment = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return { ...devVars(), ...fromEnvironment };
}

export function writeLocalSettings(settings) {
  // Any of the three marks will do, as long as the value does not have it.
  const quoted = (name, value) => {
    const mark = ["'", '"', "`"].find((mark) => !value.includes(mark));
    if (!mark || value.includes("\n"))
      throw new Failure(`${name} has all three kinds of quotes, or a line break.`);
    return `${mark}${value}${mark}`;
  };
  const line = ([name, value]) => `${name}=${quoted(name, value)}\n`;
  writePrivate(localSettingsFile, Object.entries(settings).map(line).join(""));
}

/** Read as wrangler reads it. */
export const devVars = () => util.parseEnv(readPrivate(devVarsFile) ?? "");

/** One value, or undefined. */
export const devVar = (name) => devVars()[name];

/** The names of all values. */
export const devVarNames = () => Object.keys(devVars());

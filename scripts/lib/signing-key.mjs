// Keys that sign tokens, and when which step of a rotation may be done.
import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { randomSecret } from "./private-file.mjs";

export const ALGORITHMS = ["HS256", "EdDSA", "ES256"];

/** How long a copy of the JWKS may be in use: ours may be kept for five minutes, and some libraries keep theirs for longer. */
const PUBLISHED_SECONDS = 3600;

/** `entry` is what stands in TOKEN_SIGNING_KEYS, `kid` what tokens name it by, `jwk` what is published of it. */
export function newSigningKey(alg, now = new Date()) {
  if (alg === "HS256") {
    const kid = `k${now.toISOString().slice(0, 10)}-${randomBytes(3).toString("hex")}`;
    return { alg, kid, entry: `${kid}:${randomSecret()}` };
  }
  const pair =
    alg === "EdDSA" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { d, ...required } = pair.privateKey.export({ format: "jwk" });
  const kid = thumbprint(required);
  return { alg, kid, entry: `${alg}:${d}`, jwk: { ...required, alg, use: "sig", kid } };
}

/** RFC 7638: the required members by their names. */
function thumbprint(required) {
  const sorted = Object.fromEntries(Object.entries(required).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("base64url");
}

/** The variables of an environment in wrangler.toml. What stands in the environment of the command wins. Null: there is none of the name. */
export async function variablesOf(env) {
  const { parse } = await import("smol-toml");
  const { vars } = parse(readFileSync(inRoot("wrangler.toml"), "utf8")).env?.[env] ?? {};
  return vars && { ...vars, ...process.env };
}

/** The life of the longest token, in seconds, by the settings. */
export function longestLife(vars) {
  const known = JSON.parse(readFileSync(inRoot("docs", "settings.json"), "utf8"));
  const set = (name) => vars[name] || known.find((setting) => setting.name === name).default;
  const life = (name, unit, seconds) => Number(set(`${name}_SECONDS`) || set(`${name}_${unit}`) * seconds);
  const refresh = life("REFRESH_TOKEN_EXPIRE", "DAYS", 86_400);
  const access = life("ACCESS_TOKEN_EXPIRE", "MINUTES", 60);
  return Math.min(Math.max(refresh, access), life("SESSION_ABSOLUTE_LIFETIME", "DAYS", 86_400));
}

/** When the new key may sign, and when the old one counts for nothing, if each step is done as soon as it may be. */
export function timesOf(now, lifeSeconds) {
  const after = (seconds) => new Date(now.getTime() + seconds * 1000);
  // Up to the minute after.
  const full = (time) => `${new Date(Math.ceil(time / 60_000) * 60_000).toISOString().slice(0, 16)}Z`;
  return {
    signs_from: full(after(PUBLISHED_SECONDS)),
    old_counts_zero_from: full(after(PUBLISHED_SECONDS + lifeSeconds)),
  };
}

const UNITS = [
  [86_400, "day"],
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** 604800 is "7 days". */
export function inUnits(seconds) {
  const [size, name] = UNITS.find(([size]) => seconds % size === 0) ?? UNITS[3];
  return `${seconds / size} ${name}${seconds === size ? "" : "s"}`;
}

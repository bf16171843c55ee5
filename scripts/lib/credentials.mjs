// .dev/credentials.json: who can log in at the local server, for people and scripts that try it.
import { inRoot } from "./paths.mjs";
import { readPrivate, writePrivate } from "./private-file.mjs";
import { Failure } from "./log.mjs";

export const credentialsFile = inRoot(".dev", "credentials.json");

/** The file's content, or null where there is none. */
export function readCredentials() {
  const text = readPrivate(credentialsFile);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(".dev/credentials.json is not JSON any more. Start over with `npm start -- --fresh`.");
  }
}

/** Something to try the portal with. By `npm start` its fakes take any other, too; these ones also when they are strict. */
const PORTAL = { username: "demo", password: "demo-pass", captcha_api_key: "ck-local" };

/** The shape is fixed: scripts rely on it. */
export function writeCredentials({ base_url, users, service_key = null, upstreams_url = null }) {
  const content = { base_url, users, service_key, upstreams_url, portal: PORTAL };
  writePrivate(credentialsFile, `${JSON.stringify(content, null, 2)}\n`);
}

/** The first user in the file that may administer, or undefined. */
export const localAdmin = () => readCredentials()?.users.find((user) => user.roles.includes("admin"));

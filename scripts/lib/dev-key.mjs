// The service key of local development.
import { createKey, listKeys } from "./api.mjs";
import { readCredentials, writeCredentials } from "./credentials.mjs";

const WANTED = { name: "local", scopes: ["tokens:read", "tokens:write", "portal", "audit"] };

/** Makes sure that .dev/credentials.json has a service key that is good: the one that it has, else a new one. */
export async function ensureDevKey(base, token) {
  const { service_key: known } = readCredentials();
  if (known && (await listKeys(base, { token })).some((key) => isGood(key, known))) return;
  const { key } = await createKey(base, { token }, WANTED);
  writeCredentials({ ...readCredentials(), service_key: key });
}

/** Whether a key of the list is this one, as far as the list can tell, and does what is wanted of it. */
const isGood = ({ id, last4, status, scopes }, known) =>
  known.startsWith(`sp_${id}_`) &&
  known.endsWith(last4) &&
  status === "active" &&
  WANTED.scopes.every((scope) => scopes.includes(scope));

// Where a command goes, and who asks there.
import { login, logout } from "./api.mjs";
import { localAdmin, readCredentials } from "./credentials.mjs";
import { devVar } from "./dev-vars.mjs";
import { Failure } from "./log.mjs";

/** The options of every command that asks a server. */
export const TARGET_OPTIONS = {
  url: { type: "string", value: "URL", about: "the server (else: the one that `npm start` has begun)" },
  json: { type: "boolean", about: "for scripts: the result as JSON on standard output" },
};

/**
 * Where to, and how to ask there: `as(work)` calls `work` with what proves who asks. The bootstrap key proves it only
 * where `bootstrap` says that the routes take it. `named` says what the command line calls the fields of a body.
 */
export function targetOf(url, { bootstrap = false, named = {} } = {}) {
  if (url !== undefined && !URL.canParse(url)) throw new Failure(`--url "${url}" is not a URL.`, 2);
  const local = readCredentials()?.base_url ?? "http://127.0.0.1:8787";
  const base = url ?? local;
  const isLocal = ["127.0.0.1", "localhost"].includes(new URL(base).hostname);
  if (!isLocal && new URL(base).protocol !== "https:")
    throw new Failure(`--url ${base} is not this machine: passwords go there by https only.`, 2);
  const { SALLYPORT_BOOTSTRAP_KEY, SALLYPORT_ADMIN, SALLYPORT_ADMIN_PASSWORD } = process.env;
  let admin = null;
  let bootstrapKey = bootstrap ? SALLYPORT_BOOTSTRAP_KEY : undefined;
  if (!bootstrapKey && SALLYPORT_ADMIN && SALLYPORT_ADMIN_PASSWORD)
    admin = { username: SALLYPORT_ADMIN, password: SALLYPORT_ADMIN_PASSWORD };
  // The local secrets are for the local server only: they are not sent anywhere else.
  else if (!bootstrapKey && isLocal) {
    admin = localAdmin();
    if (!admin && bootstrap) bootstrapKey = devVar("BOOTSTRAP_KEY");
  }
  if (!admin && !bootstrapKey)
    throw new Failure(
      `Set SALLYPORT_ADMIN and SALLYPORT_ADMIN_PASSWORD${bootstrap ? ", or SALLYPORT_BOOTSTRAP_KEY" : ""}.`,
      2,
    );
  const as = async (work) => {
    if (bootstrapKey) return work({ bootstrapKey }).catch(inOptions(named));
    const token = await login(base, admin);
    try {
      return await work({ token }).catch(inOptions(named));
    } finally {
      await logout(base, token);
    }
  };
  return { base, as };
}

/** A refusal that names a field of the body names what the command line has for it. */
const inOptions = (named) => (error) => {
  const fields = error.errors?.filter(({ field }) => fieldIn(named, field)) ?? [];
  if (fields.length === 0) throw error;
  const of = ({ field, message }) => `${fieldIn(named, field)}: ${message}`;
  throw new Failure(`${fields.map(of).join("; ")} (${error.code})`);
};

/** Of a list, an element is named: `scopes.0`. */
const fieldIn = (named, field) => named[field.split(/[.[]/)[0]];

// Where a command goes, and who asks there.
import { login, logout } from "./api.mjs";
import { localAdmin, readCredentials } from "./credentials.mjs";
import { devVar } from "./dev-vars.mjs";
import { Failure } from "./log.mjs";

/**
 * Where to, and how to ask there: `as(work)` calls `work` with what proves who asks. The bootstrap key proves it only
 * where `bootstrap` says that the routes take it.
 */
export function targetOf(url, { bootstrap = false } = {}) {
  if (url !== undefined && !URL.canParse(url)) throw new Failure(`--url "${url}" is not a URL.`, 2);
  const local = readCredentials()?.base_url ?? "http://127.0.0.1:8787";
  const base = url ?? local;
  const isLocal = ["127.0.0.1", "localhost"].includes(new URL(base).hostname);
  if (!isLocal && new URL(base).protocol !== "https:")
    throw new Failure(`${base} is not this machine: passwords go there by https only.`, 2);
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
    if (bootstrapKey) return work({ bootstrapKey });
    const token = await login(base, admin);
    try {
      return await work({ token });
    } finally {
      await logout(base, token);
    }
  };
  return { base, as };
}

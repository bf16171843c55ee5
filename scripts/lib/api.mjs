// The parts of Sallyport's HTTP interface that the scripts use.
import { Failure } from "./log.mjs";

const TIMEOUT_MS = 30_000;

/** A refusal by the server. `code` is the stable one from the answer's body. */
export class Refused extends Failure {
  constructor(status, code, detail, errors = []) {
    const fields = errors.map(({ field, message }) => `; ${field}: ${message}`).join("");
    super(`The server answered ${status}: ${detail}${fields}${code ? ` (${code})` : ""}`);
    Object.assign(this, { status, code, errors });
  }
}

/** One call. Returns the answer's JSON, or null where it has none. */
export async function call(base, method, path, { token, bootstrapKey, body } = {}) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (bootstrapKey) headers["x-bootstrap-key"] = bootstrapKey;
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(new URL(path, base), {
      method,
      headers,
      body: body && JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error.cause?.code ?? error.cause?.message ?? error.message;
    throw new Failure(`No answer from ${base} (${cause}). Is it running? Locally, \`npm start\` starts it.`);
  }
  const text = await response.text();
  const json = parse(text);
  if (!response.ok)
    throw new Refused(response.status, json?.code, json?.detail ?? "no reason given", json?.errors);
  return json;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function login(base, { username, password }) {
  return (await call(base, "POST", "/auth/login", { body: { username, password } })).access_token;
}

/** The session is only ours; that it could not be closed changes nothing. */
export const logout = (base, token) =>
  call(base, "POST", "/auth/logout", { token, body: {} }).catch(() => {});

export const createUser = (base, as, { username, password, roles }) =>
  call(base, "POST", "/admin/users", { ...as, body: { username, password, roles } });

export const changeUser = (base, as, username, change) =>
  call(base, "PATCH", `/admin/users/${encodeURIComponent(username)}`, { ...as, body: change });

export const removeUser = (base, as, username) =>
  call(base, "DELETE", `/admin/users/${encodeURIComponent(username)}`, as);

/** All users, page by page. */
export async function* listUsers(base, as) {
  let cursor = null;
  do {
    const query = new URLSearchParams({ limit: "100", ...(cursor ? { cursor } : {}) });
    const page = await call(base, "GET", `/admin/users?${query}`, as);
    yield* page.users;
    cursor = page.next_cursor;
  } while (cursor);
}

export const createKey = (base, as, wanted) =>
  call(base, "POST", "/admin/service-keys", { ...as, body: wanted });

export const listKeys = async (base, as) => (await call(base, "GET", "/admin/service-keys", as)).service_keys;

export const rotateKey = (base, as, id, body) =>
  call(base, "POST", `/admin/service-keys/${encodeURIComponent(id)}/rotate`, { ...as, body });

export const revokeKey = (base, as, id) =>
  call(base, "DELETE", `/admin/service-keys/${encodeURIComponent(id)}`, as);

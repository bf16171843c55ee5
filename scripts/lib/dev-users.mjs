// The two users of local development.
import { Refused, createUser, listUsers, login, logout } from "./api.mjs";
import { readCredentials, writeCredentials } from "./credentials.mjs";
import { ensureDevKey } from "./dev-key.mjs";
import { devVar } from "./dev-vars.mjs";
import { Failure } from "./log.mjs";
import { randomPassword } from "./private-file.mjs";

const USERS = [
  { username: "admin", roles: ["admin", "user"] },
  { username: "testuser", roles: ["user"] },
];

const DO_NOT_MATCH =
  "The local data already has an admin, and not with the password in .dev/credentials.json.\n" +
  "If you know the password, put it there. Else start over with `npm start -- --fresh`, which deletes the local data.";

/**
 * Makes sure that both exist and that .dev/credentials.json has their passwords, and a service key; says whether it made
 * passwords, and the names of all users by their ids. The file is written first and the users after it: whatever interrupts
 * this, the next run finishes it.
 */
export async function ensureDevAccess(base, upstreams_url) {
  const before = readCredentials();
  const known = before?.users ?? [];
  const users = USERS.map((user) => ({
    username: user.username,
    password: known.find((other) => other.username === user.username)?.password ?? randomPassword(),
    roles: user.roles,
  }));
  const others = known.filter((user) => !USERS.some((ours) => ours.username === user.username));
  writeCredentials({ ...before, base_url: base, upstreams_url, users: [...users, ...others] });

  const [admin, ...rest] = users;
  const token = await adminToken(base, admin, before !== null);
  try {
    for (const user of rest) await createUser(base, { token }, user).catch(unless("user_exists"));
    await ensureDevKey(base, token);
    const names = new Map();
    for await (const { id, username } of listUsers(base, { token })) names.set(id, username);
    return { users, made: before === null, names };
  } finally {
    await logout(base, token);
  }
}

async function adminToken(base, admin, mayExist) {
  if (mayExist) {
    const token = await login(base, admin).catch(unless("invalid_credentials"));
    if (token) return token;
  }
  try {
    await createUser(base, { bootstrapKey: devVar("BOOTSTRAP_KEY") }, admin);
  } catch (error) {
    if (error instanceof Refused && [401, 403, 409].includes(error.status)) throw new Failure(DO_NOT_MATCH);
    throw error;
  }
  return login(base, admin);
}

const unless = (code) => (error) => {
  if (error instanceof Refused && error.code === code) return null;
  throw error;
};

// JURISDICTION, LOCATION_HINT and UPSTREAM_LOCATION_HINT: every id is made, and every object is reached, as they say. The runtime of
// this machine has no jurisdictions, so what it has in their place here notes what it is asked, and passes it on.
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { api } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import { getSession, portal, someone as portalUser } from "../support/worker/portal.ts";
import { cron, MINUTELY } from "../support/worker/runtime.ts";
import { logIn, makeUser, refresh } from "../support/worker/users.ts";

type Namespace = typeof env.SESSION;
type Options = { locationHint?: string } | undefined;
const METHODS = ["newUniqueId", "idFromName", "idFromString", "get"] as const;

/** What was asked of a namespace itself, past its jurisdiction. */
const past: string[] = [];
/** Each object that was reached: its class, its jurisdiction, and the hint. */
const reached: { of: string; jurisdiction: string | undefined; hint: string | undefined }[] = [];
const ids = new Map<string, number>();
/** A session's id of before the jurisdiction was set. */
const before = env.SESSION.newUniqueId().toString();

const prototype = Object.getPrototypeOf(env.SESSION) as Record<string, (...args: unknown[]) => unknown>;
const real = Object.fromEntries(METHODS.map((name) => [name, prototype[name]]));
const on = (namespace: unknown, name: string, ...args: unknown[]) => real[name]?.apply(namespace, args);
const nameOf = (namespace: unknown) =>
  Object.entries(env).find(([, value]) => value === namespace)?.[0] ?? "another";

for (const name of METHODS)
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    past.push(`${nameOf(this)}.${name}`);
    return on(this, name, ...args);
  };
prototype.jurisdiction = function (this: unknown, jurisdiction: unknown) {
  const named = (id: unknown) => {
    ids.set(nameOf(this), (ids.get(nameOf(this)) ?? 0) + 1);
    return Object.defineProperty(id as object, "jurisdiction", { value: jurisdiction });
  };
  return {
    newUniqueId: () => named(on(this, "newUniqueId")),
    idFromName: (name: string) => named(on(this, "idFromName", name)),
    idFromString: (text: string) =>
      text === before ? on(this, "idFromString", text) : named(on(this, "idFromString", text)),
    get: (id: { jurisdiction?: string }, options: Options) => {
      reached.push({ of: nameOf(this), jurisdiction: id.jurisdiction, hint: options?.locationHint });
      return on(this, "get", id, options);
    },
  } as unknown as Namespace;
};

portal();
beforeEach(() => {
  past.length = 0;
  reached.length = 0;
  ids.clear();
});

it("has every object of a deployment in its jurisdiction, and made where the hints say", async () => {
  const user = await makeUser();
  const tokens = await logIn(user.username);
  const token = (await refresh(tokens.refresh_token)).json.access_token;
  const { key } = await makeKey({ scopes: ["tokens:read", "introspect"] });
  for (const [method, path, status, more] of [
    ["GET", "/auth/verify", 200, { token }],
    ["GET", "/auth/sessions", 200, { token }],
    ["GET", "/api/v1/facturify/auth/token", 200, { token: key }],
    ["GET", "/health", 200, {}],
    ["POST", "/auth/logout-all", 200, { token }],
    ["GET", "/auth/verify", 401, { token }],
  ] as const)
    expect([path, (await api(method, path, more)).status]).toEqual([path, status]);
  expect((await getSession(portalUser())).status).toBe(200);
  await cron(MINUTELY);

  expect(past).toEqual([]);
  const found = new Map(reached.map(({ of, ...where }) => [of, where]));
  const [users, upstreams] = ["weur", "apac"].map((hint) => ({ jurisdiction: "eu", hint }));
  expect(Object.fromEntries(found)).toEqual({
    SESSION: users,
    USER: users,
    DIRECTORY: users,
    UPSTREAM: upstreams,
    ROSTER: upstreams,
    PORTAL: upstreams,
    PORTAL_REGISTRY: upstreams,
  });
  expect(new Set(reached.map(({ of, ...where }) => JSON.stringify([of, where]))).size).toBe(found.size);
  expect([...ids.keys()].sort()).toEqual([...found.keys()].sort());
});

it("knows nobody by an id of before it had a jurisdiction", async () => {
  const user = await makeUser(undefined, ["admin"]);
  const token = (await logIn(user.username)).access_token;
  const answer = await api("DELETE", `/admin/sessions/${before}`, { token });
  expect([answer.status, answer.json.code]).toEqual([404, "session_not_found"]);
  expect(past).toEqual([]);
});

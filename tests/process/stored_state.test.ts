// What an earlier release has stored means the same to this one: tests/fixtures has the data folder of a deployment, and
// what its clients hold. The time is that of its last moment, whenever this runs.
//
// To make another one, after a release that stores more: WRITE_STATE=tests/fixtures/state-v2 npx vitest run --project
// process tests/process/stored_state.test.ts -t stores; then python3 tests/fixtures/shrink.py tests/fixtures/state-v2, and
// npm run fmt.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inRoot } from "../../scripts/lib/paths.mjs";
import { createUpstreams } from "../upstreams/index.ts";
import { type Client, PASSWORD } from "../support/process/client.ts";
import { inventory } from "../support/process/inventory.ts";
import { type Server, start } from "../support/process/server.ts";
import { BINDINGS, DRIVER, EXTERNAL_TOKEN, fill, type Held, INIT, show } from "../support/process/state.ts";

const { WRITE_STATE } = process.env;
const STATE = inRoot("tests", "fixtures", "state-v1");

/** Runs the bundle as if its clock were `behind` by so many milliseconds. Alarms are the platform's, in real time. */
const earlier = (behind: number) => `
  import * as entry from "./entry.js";
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      super(...(given.length > 0 ? given : [Real.now() - ${behind}]));
    }
    static now() {
      return Real.now() - ${behind};
    }
  };
  const behind = (Class) =>
    class extends Class {
      constructor(ctx, env) {
        const storage = Object.getPrototypeOf(ctx.storage);
        if (!storage.behind) {
          const { setAlarm } = storage;
          storage.setAlarm = function (at) {
            return setAlarm.call(this, Number(at) + ${behind});
          };
          storage.behind = true;
        }
        super(ctx, env);
      }
    };
  export default entry.default;
  export const Session = behind(entry.Session);
  export const User = behind(entry.User);
  export const Directory = behind(entry.Directory);
  export const Upstream = behind(entry.Upstream);
  export const Roster = behind(entry.Roster);
  export const Portal = behind(entry.Portal);
  export const PortalRegistry = behind(entry.PortalRegistry);
  export const AuditTrail = behind(entry.AuditTrail);
`;

/** What clients hold, and the cookies of the portal session. */
type State = Held & { cookies: string };
const state = (): State => JSON.parse(readFileSync(join(STATE, "held.json"), "utf8"));

const folders: string[] = [];
const temporary = (): string => {
  folders.push(mkdtempSync(join(tmpdir(), "sallyport-state-")));
  return folders.at(-1) ?? "";
};
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** What was asked of third parties. */
let called: { url: URL; headers: string; cookie: string | null }[] = [];
afterEach(() => void (called = []));

/** This release on a copy of what was stored. The bank vouches for everybody; all other third parties are down. */
async function onStored(held: State, more: Record<string, string> = {}): Promise<Server> {
  const persist = temporary();
  cpSync(join(STATE, "data"), persist, { recursive: true });
  const bank = createUpstreams();
  const outboundService = async (request: Request) => {
    const url = new URL(request.url);
    called.push({
      url,
      headers: JSON.stringify([...request.headers]),
      cookie: request.headers.get("cookie"),
    });
    return url.pathname.startsWith("/sme/") ? bank.handle(request) : new Response("down", { status: 503 });
  };
  const main = earlier(Date.now() - held.written_at);
  return start({ bindings: { ...BINDINGS, ...more }, persist, main, worker: { outboundService } });
}

describe("what an earlier release has stored", () => {
  let [held, server, client]: [State, Server, Client] = [] as never;
  beforeAll(async () => {
    held = state();
    server = await onStored(held);
    client = server.client;
  });
  afterAll(() => server.mf.dispose());
  const refusal = async (token: string) => {
    const { status, json } = await client.protected(token);
    return [status, json.code, json.reason];
  };

  it("is shown as it was, and nobody else is asked for it", async () => {
    // Members may have been added since.
    expect(await show(client, held.admin, held.fresh, held.key)).toMatchObject(held.shown);
    expect(called).toEqual([]);
    expect(server.lines.filter((line) => line.includes('"event":"fault"'))).toEqual([]);
  });

  it("sessions: live, rotated, ended", async () => {
    const { fresh, rotated, logged_out, ended_by_admin } = held;
    for (const { access_token } of [fresh, ...rotated])
      expect((await client.protected(access_token)).status).toBe(200);
    expect(await refusal(logged_out.access_token)).toEqual([401, "access_token_blacklisted", "logout"]);
    expect(await refusal(ended_by_admin.access_token)).toEqual([401, "access_token_blacklisted", "admin"]);
    expect((await client.refresh(logged_out.refresh_token)).status).toBe(401);
    // Within the grace the same two come again: they lie sealed.
    const [{ access_token, refresh_token }, again] = [
      rotated[1],
      await client.refresh(rotated[0].refresh_token),
    ];
    expect(again.json).toMatchObject({ access_token, refresh_token });
    const third = (await client.refresh(refresh_token)).json;
    expect((await client.protected(third.access_token)).status).toBe(200);
    expect((await client.refresh(rotated[0].refresh_token)).json.code).toBe("refresh_token_reused");
    expect((await client.refresh(fresh.refresh_token)).status).toBe(200);
  });

  it("users and service keys: who is let in, and which number comes next", async () => {
    expect((await client.tryLogin("Asha")).status).toBe(200);
    expect((await client.tryLogin("asha", "not the password")).status).toBe(401);
    const gone = await client.tryLogin("gone");
    expect([gone.status, gone.json.code]).toEqual([403, "user_inactive"]);
    const user = { username: "new", password: PASSWORD, roles: ["user"] };
    const made = await client.call("POST", "/admin/users", held.admin.access_token, user);
    expect([made.status, made.json.id], made.text).toEqual([201, 4]);
    const statuses = [held.key, held.revoked_key].map((key) => client.call("GET", "/sessions", key));
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([200, 401]);
  });

  it("a post-login session: the external token", async () => {
    const data = { refreshToken: held.post_login.refreshToken };
    const renewed = await client.call("POST", INIT.replace("init-session", "renew-token"), undefined, {
      data,
    });
    expect(renewed.status, renewed.text).toBe(200);
    expect((await client.protected(renewed.json.token)).status).toBe(200);
    expect(called.map(({ headers }) => headers.includes(EXTERNAL_TOKEN))).toEqual([true]);
  });

  it("portal sessions: found by credentials, with their cookies and appointments; how they ended", async () => {
    const { live, closed, appointment } = held.portal;
    const post = (path: string, body: unknown) => client.call("POST", path, held.key, body);
    const same = await post("/get_session", DRIVER);
    expect([same.status, same.json.session_id, same.json.is_new], same.text).toEqual([200, live, false]);
    const ended = await post("/get_containers", { session_id: closed, infinite_scrolling: false });
    expect([ended.json.code, ended.json.reason], ended.text).toEqual(["portal_session_ended", "closed"]);
    expect(called).toEqual([]);
    const goOn = (id: string) =>
      post("/check_appointments", {
        session_id: live,
        appointment_session_id: id,
        container_id: "MSCU1000000",
      });
    expect((await goOn(`${appointment}x`)).json.code).toBe("appointment_session_not_found");
    expect((await goOn(appointment)).json.code).toBe("portal_error");
    expect(called[0]?.cookie).toBe(held.cookies);
  });
});

it("KV says of ended sessions what it said", async () => {
  const held = state();
  await using server = await onStored(held, { SESSION_CHECK: "edge" });
  const reasonOf = async ({ access_token }: { access_token: string }) =>
    (await server.client.protected(access_token)).json.reason;
  expect(await reasonOf(held.logged_out)).toBe("logout");
  expect(await reasonOf(held.ended_by_admin)).toBe("admin");
  expect(await reasonOf(held.fresh)).toBeUndefined();
});

/** What has been added since that release. */
const ADDED = [
  "kv session:{sid}, metadata: ended boolean",
  "kv session:{sid}: blacklisted[] string",
  "kv session:{sid}: ended string",
  "kv session:{sid}: ended_at number",
  "kv session:{sid}: written_at number",
  "sallyport-Directory CREATE TABLE admin_resets (secret TEXT PRIMARY KEY, user_id INTEGER NOT NULL)",
  "sallyport-Directory CREATE TABLE admin_versions (user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL)",
  "sallyport-Directory CREATE TABLE hash_costs (memory_kib INTEGER NOT NULL, iterations INTEGER NOT NULL, seen_at INTEGER NOT NULL, PRIMARY KEY (memory_kib, iterations))",
  "sallyport-Directory CREATE TABLE service_key_origins (id TEXT PRIMARY KEY, origin TEXT NOT NULL)",
  "sallyport-Directory CREATE TABLE service_key_uses (id TEXT PRIMARY KEY, at INTEGER NOT NULL)",
  "sallyport-Portal row login: session.saved.captchas number",
  "sallyport-Portal row login: session.saved.logins number",
  "sallyport-Portal row login: session.saved.paid boolean",
  "sallyport-Portal row login: username string",
  "sallyport-PortalRegistry CREATE TABLE browser_time (portal TEXT NOT NULL, work TEXT NOT NULL, milliseconds INTEGER NOT NULL, PRIMARY KEY (portal, work)) WITHOUT ROWID",
  "sallyport-PortalRegistry CREATE TABLE browsers (place TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
  "sallyport-PortalRegistry CREATE TABLE live (name TEXT PRIMARY KEY, alias TEXT, kid TEXT, session_id TEXT NOT NULL UNIQUE, username TEXT, created_at INTEGER NOT NULL, last_used INTEGER NOT NULL, keep_alive INTEGER NOT NULL, more TEXT)",
  "sallyport-PortalRegistry CREATE TABLE openers (opener TEXT NOT NULL, session_id TEXT NOT NULL, PRIMARY KEY (opener, session_id)) WITHOUT ROWID",
  "sallyport-PortalRegistry CREATE TABLE refused (username TEXT NOT NULL, name TEXT NOT NULL, code TEXT NOT NULL, until INTEGER NOT NULL, times INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (username, name))",
  "sallyport-Roster CREATE TABLE renewals (name TEXT PRIMARY KEY, until INTEGER NOT NULL, begun INTEGER NOT NULL)",
  "sallyport-Session row session: account_version number",
  "sallyport-Session row session: grant.authenticated_at number",
  "sallyport-Session row session: refreshes[] string",
  "sallyport-Session row session: tokens_expire_at number",
  "sallyport-Upstream row account: check_at number",
  "sallyport-Upstream row account: identity string",
  "sallyport-Upstream row account: owner string",
  "sallyport-Upstream row account: published.at number",
  "sallyport-Upstream row account: published.looks number",
  "sallyport-User 38f067a222c980c08e079a0bbc899d606692892cc0c1cb63bdf1189d8ed2961c",
  "sallyport-User alarm of address/JJ76sX15whxmWvoJ",
  "sallyport-User row user: attempts.count number",
  "sallyport-User row user: attempts.since number",
  "sallyport-User row user: profile.account_version number",
  "sallyport-User row user: profile.noted boolean",
];

/** What the release before stored and this one does not, or in another form. */
const NO_MORE = ["kv access_token_blacklist:", "sallyport-PortalRegistry CREATE TABLE live "];

it("this release stores the same things under the same names", async () => {
  const upstreams = createUpstreams();
  let cookies = "";
  const outboundService = async (request: Request) => {
    // The first session is the one that lives on.
    if (request.url.includes("/portal/containers")) cookies ||= request.headers.get("cookie") ?? "";
    return upstreams.handle(request);
  };
  const folder = WRITE_STATE ? inRoot(WRITE_STATE) : temporary();
  mkdirSync(folder, { recursive: true });
  const persist = join(folder, "data");
  const server = await start({ bindings: BINDINGS, persist, worker: { outboundService } });
  const held = await fill(server.client, upstreams).finally(() => server.mf.dispose());
  if (WRITE_STATE) {
    writeFileSync(join(folder, "held.json"), `${JSON.stringify({ ...held, cookies }, null, 2)}\n`);
  } else {
    const before = inventory(join(STATE, "data")).filter(
      (line) => !NO_MORE.some((gone) => line.startsWith(gone)),
    );
    expect(inventory(persist)).toEqual([...before, ...ADDED].sort());
  }
});

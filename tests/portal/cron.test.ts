// What the Cron Trigger makes good, what `/health` counts and what that costs, and what is left in storage.
// Natively: crates/sim/tests/portal/upkeep.rs.
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { api, refused } from "../support/worker/api.ts";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  alarmAt,
  closeSession,
  cron,
  getSession,
  get,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  registry,
  runDue,
  seen,
  sessionOf,
  someone,
  stub,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const HOUR = 60 * MINUTE;

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

/** An instance asks at most once a second, also across tests, whose clocks begin anew. */
let asked = 0;
async function health() {
  advance(SECOND);
  while (Date.now() >= asked && Date.now() - asked < SECOND) advance(SECOND);
  asked = Date.now();
  return (await api("GET", "/health")).json;
}

const counted = (active_sessions: number | null, persistent_sessions: number | null) => ({
  active_sessions,
  persistent_sessions,
});

const loseAlarm = (name: string) =>
  runInDurableObject(stub(name), (_instance, { storage }) => storage.deleteAlarm());

const rows = (name: string): Promise<string[]> =>
  runInDurableObject(stub(name), (_instance, { storage }) =>
    [...storage.kv.list()].map(([key]) => key).sort(),
  );

const sql = (query: string, ...values: unknown[]) =>
  runInDurableObject(registry(), (_instance, { storage }) => storage.sql.exec(query, ...values).toArray());

const away = () =>
  vi.spyOn(env.PORTAL_REGISTRY, "get").mockImplementation(() => {
    throw new Error("the registry is away");
  });

describe("the cron", () => {
  it.each(["while the object lives", "while it sleeps"])("sets a lost alarm again (%s)", async (when) => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    const due = await alarmAt(name);
    await loseAlarm(name);
    if (when === "while it sleeps") await abortAllDurableObjects();
    expect(await alarmAt(name)).toBeNull();
    await cron();
    expect(await alarmAt(name)).toBe(due);
    await pass(name, HOUR);
    expect((await containers(id)).status).toBe(200);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(upstreams.portal.live_sessions).toBe(1);
  });

  it("calls no portal, and changes nothing where nothing is wrong", async () => {
    const ids = [await sessionOf(someone()), await sessionOf(someone(), { keep_alive: false })];
    const name = await nameOf(ids[0] ?? "");
    const [before, due] = [await listed(), await alarmAt(name)];
    upstreams.clearCalls();
    for (let n = 0; n < 5; n++) await cron();
    expect(await listed()).toEqual(before);
    expect(await alarmAt(name)).toBe(due);
    expect(upstreams.calls).toEqual([]);
  });

  it("takes a row away whose session is not there any more", async () => {
    const [user, other] = [someone(), someone()];
    const id = await sessionOf(user);
    const kept = await sessionOf(other);
    const name = await nameOf(id);
    const [row] = await sql("SELECT * FROM live WHERE name = ?", name);
    await closeSession(id);
    // As if the report of its end had been lost.
    await sql("DELETE FROM ended");
    await sql(
      "INSERT INTO live (name, session_id, username, created_at, last_used, keep_alive) VALUES (?, ?, ?, ?, ?, ?)",
      ...["name", "session_id", "username", "created_at", "last_used", "keep_alive"].map((k) => row?.[k]),
    );
    expect(await listed()).toHaveLength(2);
    await cron();
    expect((await listed()).map(({ session_id }) => session_id)).toEqual([kept]);
    expect((await containers(id)).json).toMatchObject({ code: "portal_session_ended", reason: "closed" });
    expect(await health()).toMatchObject(counted(1, 1));
  });
});

describe("/health", () => {
  it("counts the sessions, and those that are kept alive", async () => {
    expect(await health()).toMatchObject(counted(0, 0));
    const [first, second] = [someone(), someone()];
    const id = await sessionOf(first);
    await sessionOf(second, { keep_alive: false });
    expect(await health()).toMatchObject({ status: "healthy", ...counted(2, 1) });
    await getSession(second);
    expect(await health()).toMatchObject(counted(2, 2));
    await closeSession(id);
    expect(await health()).toMatchObject(counted(1, 1));
    expect((await getSession(someone({ password: "wrong" }))).status).toBe(401);
    expect(await health()).toMatchObject(counted(1, 1));
  });

  it("asks the registry once a second at most, and no session", async () => {
    for (let n = 0; n < 3; n++) await sessionOf(someone());
    await health();
    const spies = [vi.spyOn(env.PORTAL_REGISTRY, "get"), vi.spyOn(env.PORTAL, "get")];
    const calls = () => spies.map((spy) => spy.mock.calls.length);
    for (let n = 0; n < 20; n++) expect((await api("GET", "/health")).status).toBe(200);
    expect(calls()).toEqual([0, 0]);
    advance(SECOND);
    for (let n = 0; n < 20; n++) await api("GET", "/health");
    expect(calls()).toEqual([1, 0]);
  });
});

describe("without the registry", () => {
  it("nobody is logged out, and who asks is told to come back", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    advance(HOUR / 12);
    const spy = away();
    expect(await health()).toMatchObject({ status: "degraded", ...counted(null, null) });
    for (const answer of [await get("/sessions"), await containers(id), await closeSession(id)]) {
      refused(answer, 503, "service_unavailable");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    // There is no login whose id nobody could use, or for a session that may be there under another name.
    const other = someone();
    for (let n = 0; n < 2; n++) {
      const answer = await getSession(other);
      refused(answer, 503, "portal_interrupted");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect(seen(other)).toEqual({ logins: 0, captchas: 0 });
    // Of an order that was not even begun nobody says that it may have been carried out.
    const order = await post("/make_appointment", { ...other, trucking_company: "x", terminal: "y" });
    refused(order, 503, "portal_interrupted");
    await runDue(name);
    spy.mockRestore();
    expect((await getSession(user)).json).toMatchObject({ session_id: id, is_new: false });
    expect((await containers(id)).status).toBe(200);
    expect((await getSession(other)).json).toMatchObject({ success: true, username: other.username });
    expect(seen(other)).toEqual(ONE_LOGIN);
    expect(await listed()).toHaveLength(2);
    expect(await health()).toMatchObject({ status: "healthy", ...counted(2, 2) });
    expect(upstreams.count({ upstream: "portal", operation: "logout" })).toBe(0);
  });

  it("the end of a session is told when it is back", async () => {
    const id = await sessionOf(someone(), { keep_alive: false });
    const name = await nameOf(id);
    const spy = away();
    await pass(name, 31 * MINUTE);
    spy.mockRestore();
    expect(await listed()).toHaveLength(1);
    await pass(name, MINUTE);
    expect(await listed()).toEqual([]);
    expect((await containers(id)).json).toMatchObject({ reason: "idle" });
  });
});

describe("what is left in storage", () => {
  it("a refused login: nothing, a day after its cool-down", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    upstreams.set({ portal: { users: {} } });
    upstreams.revoke("portal", user.username);
    expect((await containers(id)).json.code).toBe("portal_credentials_refused");
    expect(await rows(name)).toEqual(["login", "name", "page", "page_since"]);
    // Its end is told for a day, and for a day after it another refusal would be one more.
    await pass(name, 24 * HOUR + 14 * MINUTE);
    expect(await rows(name)).toEqual(["login", "name"]);
    await pass(name, 2 * MINUTE);
    expect(await rows(name)).toEqual([]);
    expect(await alarmAt(name)).toBeNull();
  });

  it("a closed session: no credentials and no cookies at once, nothing at all after a day", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    expect(await rows(name)).toEqual(["credentials", "jar", "login", "name"]);
    await closeSession(id);
    expect(await rows(name)).toEqual(["login", "name"]);
    await pass(name, 25 * HOUR);
    expect(await rows(name)).toEqual([]);
    expect((await getSession(user)).json).toMatchObject({ is_new: true, previous_ended: null });
  });
});

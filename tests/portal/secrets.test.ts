// Nothing that somebody logs in with, and no cookie, is anywhere in the clear: not at rest, not in the log, not in answers.
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it, vi } from "vitest";
import type { Answer } from "../support/worker/api.ts";
import { advance, MINUTE } from "../support/worker/time.ts";
import {
  closeSession,
  cron,
  evict,
  getSession,
  listed,
  nameOf,
  pass,
  portal,
  post,
  registry,
  runDue,
  service,
  sessionOf,
  someone,
  stub,
  upstreams,
  type User,
} from "../support/worker/portal.ts";

portal();

const SALT = "7f3e9a";
const PIN = "8642";
/** One that is not. Longer than a number that is somewhere by chance. */
const NO_PIN = `no-pin-${SALT}`;
const APPOINTMENT = {
  trucking_company: "Long Beach Haulage",
  terminal: "TraPac",
  move_type: "PICK FULL",
  container_id: "MSCU1000001",
  truck_plate: "QX77SECRET",
  pin_code: PIN,
};

/** Credentials that are found wherever they are, and are nothing else by chance. */
let nth = 0;
function conspicuous(): User {
  const username = `conspicuous-${SALT}-${++nth}@example.com`;
  return someone({ username, captcha_api_key: `ck-conspicuous-${SALT}-${nth}` });
}

/** What was logged, and all cookies and codes that the portal and the captcha service gave out. */
let logged: string[];
let given: Set<string>;

beforeEach(() => {
  logged = [];
  given = new Set();
  for (const level of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, level).mockImplementation((...line) => void logged.push(line.map(String).join(" ")));
  vi.mocked(fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    for (const part of (request.headers.get("cookie") ?? "").split("; "))
      note(part.slice(part.indexOf("=") + 1));
    const body = await request.clone().text();
    for (const value of new URLSearchParams(body).values()) note(value);
    const response = await upstreams.handle(request);
    for (const cookie of response.headers.getSetCookie())
      note(cookie.split(";")[0]?.replace(/^[^=]*=/, "") ?? "");
    return response;
  });
});

/** Long ones that are random; names of things are no secrets. */
function note(value: string): void {
  if (/^[\w.-]{30,}$/.test(value) && /\d/.test(value) && !value.startsWith("6Lfake")) given.add(value);
}

interface Kept {
  where: string;
  text: string;
}

/** A value as it is kept, also as the characters of its bytes. */
const shown = (value: unknown): string => {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer)
    return new TextDecoder("latin1").decode(value instanceof ArrayBuffer ? new Uint8Array(value) : value);
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** All that an object keeps: what is under names, and what is in tables. */
const kept = (name: string, of = stub(name)): Promise<Kept[]> =>
  runInDurableObject(of, (_instance, { storage }) => {
    const all = [...storage.kv.list()].map(([key, value]) => ({
      where: `${name} ${key}`,
      text: `${key} ${shown(value)}`,
    }));
    const tables = [...storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'")]
      .map((row) => String(row.name))
      .filter((table) => !table.startsWith("_cf_") && !table.startsWith("sqlite_"));
    for (const table of tables)
      for (const row of storage.sql.exec(`SELECT * FROM "${table}"`))
        all.push({ where: `${name} ${table}`, text: Object.values(row).map(shown).join(" ") });
    return all;
  });

/** As it is, in an address, and what base64 makes of it, wherever in the encoded bytes it stands. */
const encodings = (secret: string): string[] => {
  const base64 = [0, 1, 2].map((shift) => btoa("\0".repeat(shift) + secret).slice(shift === 0 ? 0 : 4, -4));
  const url = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  // A short piece is somewhere by chance.
  return [secret, encodeURIComponent(secret), ...[...base64, ...url].filter((text) => text.length >= 8)];
};

/** Of a secret no text may have any. */
function without(secrets: string[], all: Kept[]): void {
  for (const secret of secrets.flatMap(encodings))
    for (const { where, text } of all)
      expect(text.includes(secret), `${secret} in ${where}: ${text}`).toBe(false);
}

const lines = (): Kept[] => logged.map((text) => ({ where: "the log", text }));

it("the search finds what is there", () => {
  for (const hidden of ["xx s3cret-pass xx", `xx${btoa("a s3cret-pass b")}`, `${btoa("yy s3cret-pass zz")}`])
    expect(() => without(["s3cret-pass"], [{ where: "here", text: hidden }])).toThrow("in here");
});

it("after all kinds of use", async () => {
  const user = conspicuous();
  const secret = [user.password, user.captcha_api_key, user.username, APPOINTMENT.truck_plate];
  const names = new Set<string>();
  const answers: { what: string; answer: Answer; names_user?: boolean }[] = [];
  const told = (what: string, answer: Answer, names_user = false) => {
    answers.push({ what, answer, names_user });
    return answer;
  };
  const check = async (what: string) => {
    const found = (await Promise.all([...names].map((name) => kept(name)))).flat();
    found.push(...(await kept("registry", registry())));
    expect(found.length, what).toBeGreaterThan(0);
    without([...secret, ...given], found);
    // Four figures are somewhere by chance: as a value of their own they are not.
    without([`"${PIN}"`, `=${PIN}`, `:${PIN}`], found);
    without([...secret, ...given], lines());
    without([`"${PIN}"`, `=${PIN}`], lines());
    return found;
  };
  const session_id: string = told("get", await getSession(user), true).json.session_id;
  const name = await nameOf(session_id);
  names.add(name);
  // Among them the cookie that is the session.
  expect([...given].filter(upstreams.alive)).not.toEqual([]);
  const begun = await check("got");
  expect(begun.map(({ where }) => where.split(" ")[1])).toEqual(
    expect.arrayContaining(["credentials", "jar", "login"]),
  );
  told("get again", await getSession(user), true);
  told("wrong password", await getSession({ ...user, password: `${user.password}-wrong` }));
  secret.push(`${user.password}-wrong`);
  told(
    "wrong key",
    await getSession({ ...user, username: `${user.username}2`, captcha_api_key: "nobalance-9c1" }),
  );
  secret.push("nobalance-9c1", `${user.username}2`);
  told("wrong type", await post("/get_session", { ...user, password: [user.password] }));
  told(
    "too long",
    await post("/get_session", { ...user, captcha_api_key: user.captcha_api_key.repeat(100) }),
  );
  const no_json = { raw: `${JSON.stringify(user)}}`, headers: { "content-type": "application/json" } };
  told("no JSON", await service("POST", "/get_session", no_json));
  told("run", await post("/get_containers", { session_id, debug: true }));
  told(
    "run with credentials",
    await post("/get_containers", { ...user, infinite_scrolling: false, debug: true }),
  );
  told("unknown container", await post("/get_container_timeline", { session_id, container_id: "NONE" }));
  await check("run");

  const checked = told(
    "check",
    await post("/check_appointments", { session_id, ...APPOINTMENT, debug: true }),
  );
  expect(checked.json.count, checked.text).toBe(6);
  const { appointment_session_id } = checked.json;
  expect((await check("wizard")).map(({ where }) => where)).toContain(`${name} wizards`);
  told("wrong pin", await post("/check_appointments", { session_id, ...APPOINTMENT, pin_code: NO_PIN }));
  secret.push(NO_PIN);
  const time = { appointment_session_id, appointment_time: checked.json.available_times[0] };
  told("made", await post("/make_appointment", { session_id, ...time }));
  upstreams.fail("portal", { fault: "fail_after" }, { operation: "appointment_book" });
  const unknown = { session_id, ...APPOINTMENT, appointment_time: time.appointment_time };
  expect(told("unknown", await post("/make_appointment", unknown)).status).toBe(502);
  await check("made");

  upstreams.revoke("portal", user.username);
  told("logged out", await post("/get_containers", { session_id }));
  await check("logged out");
  for (const fault of ["reset", "html_200", "half_json"] as const) {
    upstreams.fail("portal", { fault });
    told(fault, await post("/get_containers", { session_id }));
    advance(MINUTE);
  }
  await evict(name);
  await pass(name, 11 * MINUTE);
  await cron();
  told("hours later", await post("/get_containers", { session_id }));
  await check("hours later");
  const sessions = await listed();
  expect(sessions.find((session) => session.session_id === session_id)).toMatchObject({
    username: user.username,
  });

  // The portal is not told at once: cookies are kept for that.
  upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "logout" });
  told("close", await closeSession(session_id));
  const after = await check("closed");
  expect(after.map(({ where }) => where)).toContain(`${name} farewell`);
  told("closed", await post("/get_containers", { session_id }));
  await pass(name, 20 * MINUTE);
  await runDue(name);
  const left = await check("forgotten");
  for (const row of ["credentials", "jar", "farewell", "wizards"])
    expect(left.map(({ where }) => where)).not.toContain(`${name} ${row}`);

  expect(Object.fromEntries(answers.map(({ what, answer }) => [what, answer.status]))).toEqual({
    ...{ get: 200, "get again": 200, "wrong password": 401, "wrong key": 402, "wrong type": 422 },
    ...{ "too long": 422, "no JSON": 400, run: 200, "run with credentials": 200, "unknown container": 404 },
    ...{ check: 200, "wrong pin": 400, made: 200, unknown: 502, "logged out": 200, reset: 502 },
    ...{ html_200: 502, half_json: 502, "hours later": 200, close: 200, closed: 404 },
  });
  expect(logged.length).toBeGreaterThan(20);
  expect(given.size).toBeGreaterThan(15);
  for (const { what, answer, names_user } of answers) {
    const text = names_user ? answer.text.replace(`"username":"${user.username}"`, "") : answer.text;
    const headers = [...answer.headers].map((pair) => pair.join(": ")).join("\n");
    without(
      [...secret, ...given, `"${PIN}"`, `=${PIN}`],
      [{ where: `the answer to "${what}"`, text: `${text}\n${headers}` }],
    );
  }
});

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

type Rows = [key: string, value: string][];

const SEALED = ["credentials", "jar"];

const sealed = (name: string): Promise<Rows> =>
  runInDurableObject(stub(name), (_instance, { storage }) =>
    SEALED.map((key) => [key, storage.kv.get<string>(key) ?? ""]),
  );

/** Writes rows, and has the object read them anew. */
async function put(name: string, rows: Rows): Promise<void> {
  await runInDurableObject(stub(name), (_instance, { storage }) => {
    for (const [key, value] of rows) storage.kv.put(key, value);
  });
  await evict(name);
}

async function begun() {
  const user = someone();
  const session_id = await sessionOf(user);
  return { user, session_id, name: await nameOf(session_id) };
}

/** Expects the session to be over, and a new one to be had. */
async function ends({ user, session_id }: { user: User; session_id: string }): Promise<void> {
  const answer = await containers(session_id);
  expect(answer.status, answer.text).toBe(503);
  expect(answer.json).toMatchObject({ success: false, code: "credential_unreadable", session_id });
  const after = await containers(session_id);
  expect([after.status, after.json.code, after.json.reason]).toEqual([
    404,
    "portal_session_ended",
    "unreadable",
  ]);
  expect((await listed()).map((session) => session.session_id)).not.toContain(session_id);
  const again = await getSession(user);
  expect(again.status, again.text).toBe(200);
  expect(again.json).toMatchObject({ is_new: true, previous_ended: "unreadable" });
  expect((await containers(again.json.session_id)).status).toBe(200);
}

it("rows of two logins that were swapped open neither", async () => {
  const [one, two, other] = [await begun(), await begun(), await begun()];
  const [ones, twos] = [await sealed(one.name), await sealed(two.name)];
  expect(ones.every(([, value]) => value !== "")).toBe(true);
  await put(one.name, twos);
  await put(two.name, ones);
  await ends(one);
  expect((await containers(other.session_id)).status).toBe(200);
  await ends(two);
  // Nobody was logged in as somebody else, and the others are none the wiser.
  expect((await listed()).find((session) => session.session_id === other.session_id)).toBeDefined();
});

it.each(["first", "middle", "last"])("a bit is wrong, %s in the rows", async (where) => {
  const [one, other] = [await begun(), await begun()];
  const wrong = (await sealed(one.name)).map(([key, value]): Rows[number] => [key, flipped(value, where)]);
  await put(one.name, wrong);
  await ends(one);
  expect((await containers(other.session_id)).status).toBe(200);
});

/** A sealed text with one character changed behind the name of its key. */
function flipped(text: string, where: string): string {
  const begin = text.lastIndexOf(".") + 1;
  const at = where === "first" ? begin : where === "middle" ? (begin + text.length) >> 1 : text.length - 2;
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

it("only the cookies cannot be opened: one login more, and nobody notices", async () => {
  const { user, session_id, name } = await begun();
  const [, jar] = await sealed(name);
  await put(name, [["jar", flipped(jar?.[1] ?? "", "middle")]]);
  expect((await containers(session_id)).status).toBe(200);
  expect(upstreams.count({ upstream: "portal", operation: "login", account: user.username })).toBe(2);
});

it("only the credentials cannot be opened: the session goes on until the portal ends it", async () => {
  const one = await begun();
  const [credentials] = await sealed(one.name);
  await put(one.name, [["credentials", flipped(credentials?.[1] ?? "", "middle")]]);
  expect((await containers(one.session_id)).status).toBe(200);
  upstreams.revoke("portal", one.user.username);
  await ends(one);
});

it("a row of one kind in the place of another does not open", async () => {
  const one = await begun();
  const [credentials, jar] = await sealed(one.name);
  await put(one.name, [
    ["credentials", jar?.[1] ?? ""],
    ["jar", credentials?.[1] ?? ""],
  ]);
  await ends(one);
});

it("a username that cannot be opened is null in the list", async () => {
  const [one, two] = [await begun(), await begun()];
  await runInDurableObject(registry(), (_instance, { storage }) => {
    storage.sql.exec("UPDATE live SET username = ? WHERE name = ?", "s1.AAAA", one.name);
  });
  const usernames = (await listed()).map(({ session_id, username }) => [session_id, username]);
  expect(new Map(usernames as [string, string | null][])).toEqual(
    new Map([
      [one.session_id, null],
      [two.session_id, two.user.username],
    ]),
  );
  expect((await containers(one.session_id)).status).toBe(200);
});

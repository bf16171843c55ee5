// Texts that are right as JSON and mean something to some other system: none means anything here.
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anotherAdmin,
  logIn,
  makeUser,
  PASSWORD,
  someone,
  type Tokens,
  type User,
} from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";

const strings: [string, string][] = [
  ["an empty text", ""],
  ["a space", " "],
  ["undefined", "undefined"],
  ["null", "null"],
  ["NaN", "NaN"],
  ["minus zero", "-0"],
  ["a huge number", "9".repeat(400)],
  ["SQL", "' OR 1=1--"],
  ["SQL that deletes", "x'); DROP TABLE users;--"],
  ["SQL's wild cards", "%_%"],
  ["a quote", '"'],
  ["a backslash", "\\"],
  ["a path upwards", "../../etc/passwd"],
  ["a path upwards, encoded", "..%2f..%2fetc%2fpasswd"],
  ["a Windows path", "C:\\con\\aux"],
  ["a dot", "."],
  ["two dots", ".."],
  ["a star", "*"],
  ["a key of KV's", "session:x"],
  ["an object's name", "user/root"],
  ["a script", "<script>alert(1)</script>"],
  ["an image that fails", '"><img src=x onerror=alert(1)>'],
  ["a template", "{{7*7}}${7*7}<%= 7*7 %>#{7*7}"],
  ["a lookup", "${jndi:ldap://192.0.2.1/a}"],
  ["a format", "%s%n%x%p"],
  ["a shell's command", "$(id);`id`|id&&id"],
  ["LDAP", "*)(uid=*))(|(uid=*"],
  ["a header", "x\r\nset-cookie: a=b"],
  ["a log line", 'x\n{"level":"info","event":"audit"}'],
  ["NUL", "root\0"],
  ["a bell and an escape", "\u0007\u001b[31m"],
  ["DEL", "\u007f"],
  ["C1 controls", "\u0085\u009b"],
  ["zero width", "ro\u200bot"],
  ["a zero width joiner", "ro\u200dot"],
  ["a byte order mark", "\ufeffroot"],
  ["a soft hyphen", "ro\u00adot"],
  ["right to left", "\u202etoor"],
  ["isolates", "\u2066root\u2069"],
  ["Arabic", "\u0645\u062b\u0627\u0644"],
  ["mixed directions", "a\u05d0b"],
  ["emoji", "\ud83d\ude00"],
  ["an emoji of many parts", "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67"],
  ["flags", "\ud83c\uddfa\ud83c\uddf8"],
  ["many marks on a letter", `a${"\u0300".repeat(100)}`],
  ["a mark on nothing", "\u0301"],
  ["a letter outside the first plane", "\ud835\udc1a\ud835\udc1d"],
  ["private use", "\ue000"],
  ["not a character", "\uffff"],
  ["the last character", "\udbff\udfff"],
  ["tags", "\u{e0001}\u{e0061}"],
  ["a line separator", "a\u2028b"],
  ["Turkish dots", "\u0130\u0131"],
  ["a sharp s", "stra\u00dfe"],
  ["a ligature", "\ufb01"],
  ["Hangul filler", "\u3164"],
  ["a name of JavaScript's", "__proto__"],
  ["another", "constructor"],
  ["a token", "a.b.c"],
  ["400 letters", "a".repeat(400)],
  ["5,000 letters", "a".repeat(5_000)],
];

let tokens: Tokens;
let adminToken: string;
/** Logs in for each text, and so loses the sessions before. */
let own: User;

beforeAll(async () => {
  tokens = (await someone()).tokens;
  own = await makeUser();
  adminToken = (await anotherAdmin()).token;
});

afterAll(async () => {
  await logIn("root");
  const list = await api("GET", "/admin/users?limit=500", { token: adminToken });
  expect(list.status, list.text).toBe(200);
});

it.each(strings)("I04 %s as a name and a password logs nobody in", async (_what, text) => {
  // Each from its own client, so that failures do not add up.
  const headers = { "cf-connecting-ip": `2001:db8:0:${(client++).toString(16)}::1` };
  const answer = await api("POST", "/auth/login", { body: { username: text, password: text }, headers });
  expect([401, 422], answer.text).toContain(answer.status);
  expect(answer.headers.get("set-cookie")).toBeNull();
});
let client = 1;

it.each(strings)("I04 %s as a token or a language is refused or ignored", async (_what, text) => {
  const answer = await api("POST", "/auth/refresh", { body: { refresh_token: text } });
  expect([401, 422], answer.text).toContain(answer.status);
  const language = await api("POST", "/auth/refresh", { body: { refresh_token: "x", language: text } });
  expect([401, 422]).toContain(language.status);
  const logout = await api("POST", "/auth/logout", {
    token: tokens.access_token,
    body: { access_token: text || "x" },
  });
  refused(logout, 422, "validation_error");
});

it.each(strings)("I04 %s as a device's name comes back as it is, or is too long", async (_what, text) => {
  const body = { username: own.username, password: PASSWORD, device_name: text };
  const login = await api("POST", "/auth/login", { body });
  if (new TextEncoder().encode(text).length > 200) return refused(login, 422, "validation_error");
  const list = await api("GET", "/auth/sessions", { token: login.json.access_token });
  const current = list.json.sessions.find((session: { current: boolean }) => session.current);
  expect(current.device_name).toBe(text);
});

it.each(strings)(
  "I04 %s as a new user's name is refused, or is that user's name from then on",
  async (what, text) => {
    const body = { username: text, password: PASSWORD };
    const made = await api("POST", "/admin/users", { token: adminToken, body });
    if (made.status === 422) return expect(made.json.errors[0].field).toBe("username");
    expect(made.status, made.text).toBe(201);
    expect(made.headers.get("set-cookie")).toBeNull();
    const path = `/admin/users/${encodeURIComponent(made.json.username)}`;
    // The URL itself gives these another meaning.
    expect([".", ".."]).not.toContain(text);
    expect((await api("GET", path, { token: adminToken })).json, what).toEqual(made.json);
    const login = await api("POST", "/auth/login", { body });
    expect(login.status, login.text).toBe(200);
    const verify = await api("GET", "/auth/verify", { token: login.json.access_token });
    expect(decodeURIComponent(verify.headers.get("x-auth-username") ?? "")).toBe(made.json.username);
    expect((await api("GET", "/auth/profile", { token: login.json.access_token })).json).toEqual(made.json);
    expect((await api("DELETE", path, { token: adminToken })).status).toBe(204);
  },
);

it.each(strings)("I04 %s in the user's own document comes back as it is", async (_what, text) => {
  const document = { [text]: text, list: [text] };
  const put = await api("POST", "/api/v1/data", { token: tokens.access_token, body: document });
  expect([put.status, put.json]).toEqual([200, { data: document }]);
  expect((await api("GET", "/api/v1/data", { token: tokens.access_token })).json).toEqual({ data: document });
});

it.each(strings)("I13 %s as a role is refused, or travels in the header unharmed", async (_what, text) => {
  const username = `role-${client++}`;
  const made = await api("POST", "/admin/users", {
    token: adminToken,
    body: { username, password: PASSWORD, roles: [text] },
  });
  if (made.status === 422) return expect(made.json.errors[0].field).toBe("roles");
  expect(text).toMatch(/^[\w.:-]{1,64}$/);
  const { access_token: token } = await logIn(username);
  expect((await api("GET", "/auth/verify", { token })).headers.get("x-auth-roles")).toBe(text);
});

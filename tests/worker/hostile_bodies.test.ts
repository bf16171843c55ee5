// Bodies and queries that no decent client sends: each gets a clear refusal, and none disturbs the service.
import { afterAll, beforeAll, expect, it } from "vitest";
import { admin, logIn, makeUser, PASSWORD, someone } from "./support/users.ts";
import { type Answer, api, refused } from "./support/api.ts";

const JSON_TYPE = { "content-type": "application/json" };
let token: string;
let adminToken: string;
let username: string;

beforeAll(async () => {
  adminToken = await admin();
  const { user, tokens } = await someone();
  username = user.username;
  token = tokens.access_token;
});

// After all that, whoever is honest gets in.
afterAll(async () => {
  expect((await api("GET", "/health")).status).toBe(200);
  await logIn(username);
});

/** A login is sent without a token, as it would end that token's session. */
const tokenFor = (path: string) =>
  path === "/admin/users" ? adminToken : /login|refresh/.test(path) ? undefined : token;
const raw = (path: string, raw: BodyInit, headers: HeadersInit = JSON_TYPE) =>
  api("POST", path, { raw, headers, token: tokenFor(path) });

/** Every route that reads a body. */
const routes = [
  "/auth/login",
  "/auth/refresh",
  "/auth/logout",
  "/auth/logout-all",
  "/api/v1/auth/login",
  "/admin/users",
  "/api/v1/data",
];

it.each([
  "text/plain",
  "text/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "application/json; charset=iso-8859-1",
  "application/jsonp",
  "application/problem+json",
  "application/json, text/plain",
  "json",
])("I01 a body of type %s is 415", async (type) => {
  for (const path of routes) {
    refused(await raw(path, "{}", { "content-type": type }), 415, "unsupported_media_type");
  }
});

it("I01 a body without a type is 415", async () => {
  for (const path of routes) {
    refused(await raw(path, new TextEncoder().encode("{}"), {}), 415, "unsupported_media_type");
  }
});

it.each(["application/json;charset=UTF-8", 'Application/JSON ; charset="utf-8"', "application/json; profile=x"])(
  "I01 a body of type %s is read",
  async (type) => {
    const body = JSON.stringify({ username, password: PASSWORD });
    expect((await raw("/auth/login", body, { "content-type": type })).status).toBe(200);
  },
);

const LIMIT = 16 * 1024;
const sized = (bytes: number) => JSON.stringify({ x: "x".repeat(bytes - 8) });

/** A body that does not say how long it is, and would never end. */
function endless(): { stream: ReadableStream; sent: () => number } {
  let sent = 0;
  const chunk = new TextEncoder().encode(" ".repeat(4096));
  const pull = (to: ReadableStreamDefaultController) => {
    sent += chunk.length;
    to.enqueue(chunk);
  };
  return { stream: new ReadableStream({ pull }), sent: () => sent };
}

it("I02 a body over the limit is 413, and one of just the limit is read", async () => {
  for (const path of routes) {
    for (const bytes of [LIMIT + 1, 1_000_000]) {
      refused(await raw(path, sized(bytes)), 413, "body_too_large");
    }
    expect((await raw("/api/v1/data", sized(LIMIT))).status).toBe(200);
  }
});

it("I02 10 MB are 413", async () => refused(await raw("/auth/login", sized(10_000_000)), 413, "body_too_large"));

it("I02 an endless body without a length is 413, and is not read on", async () => {
  for (const path of routes) {
    const { stream, sent } = endless();
    refused(await raw(path, stream), 413, "body_too_large");
    expect(sent()).toBeLessThan(LIMIT * 4);
  }
});

it("I02 a length over the limit is 413 before anything is read", async () => {
  const headers = { ...JSON_TYPE, "content-length": "104857600" };
  refused(await raw("/auth/login", "{}", headers), 413, "body_too_large");
});

const bytes = (...values: number[]) => new Uint8Array(values);
const deep = (open: string, levels: number) => open.repeat(levels);

const malformed: [string, string, string | Uint8Array][] = [
  ["I03", "an open object", "{"],
  ["I03", "an object cut off in a name", '{"username'],
  ["I03", "an object cut off in a value", '{"username":"a'],
  ["I03", "an object cut off after a colon", '{"username":'],
  ["I03", "a comma at the end", '{"username":"a",}'],
  ["I03", "a comma at the beginning", '{,"username":"a"}'],
  ["I03", "no comma", '{"username":"a" "password":"b"}'],
  ["I03", "single quotes", "{'username':'a'}"],
  ["I03", "names without quotes", '{username:"a"}'],
  ["I03", "a comment", '{"username":"a"/* x */}'],
  ["I03", "two values", "{}{}"],
  ["I03", "something behind", "{}x"],
  ["I03", "a closing bracket too many", '{"a":[]]}'],
  ["I03", "brackets crossed", '{"a":[}]'],
  ["I03", "a byte order mark", "\u{feff}{}"],
  ["I03", "UTF-16", bytes(0xff, 0xfe, 0x7b, 0, 0x7d, 0)],
  ["I03", "UTF-16 without a mark", bytes(0, 0x7b, 0, 0x7d)],
  ["I03", "NUL", bytes(0)],
  ["I03", "NUL behind", bytes(0x7b, 0x7d, 0)],
  ["I03", "NUL in a text", '{"username":"a\0b"}'],
  ["I03", "a line break in a text", '{"username":"a\nb"}'],
  ["I03", "a tab in a text", '{"username":"a\tb"}'],
  ["I03", "bytes that are not UTF-8", bytes(0x22, 0xff, 0x22)],
  ["I03", "an overlong slash", bytes(0x22, 0xc0, 0xaf, 0x22)],
  ["I03", "a surrogate in UTF-8", bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ["I03", "a character cut off", bytes(0x22, 0xe2, 0x82, 0x22)],
  ["I03", "an unknown escape", '{"username":"\\x41"}'],
  ["I03", "an escape cut off", '{"username":"\\u00"}'],
  ["I03", "a backslash at the end", '{"username":"a\\'],
  ["I03", "only white space", " \n\t"],
  ["I03", "a form", "username=a&password=b"],
  ["I03", "XML with an entity", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
  ["I03", "words of JavaScript", "undefined"],
  ["I03", "True", '{"a":True}'],
  ["I05", "a name twice", '{"username":"a","username":"b"}'],
  ["I05", "a name twice, once escaped", '{"password":"a","p\\u0061ssword":"b"}'],
  ["I05", "an unknown name twice", '{"x":1,"x":2}'],
  ["I05", "a name twice further down", '{"x":{"y":1,"y":2}}'],
  ["I06", "16,000 lists", deep("[", 16_000)],
  ["I06", "2,000 objects", deep('{"a":', 2_000)],
  ["I06", "500 lists, closed", deep("[", 500) + deep("]", 500)],
  ["I06", "500 lists in a field that is not ours", `{"x":${deep("[", 500) + deep("]", 500)}}`],
  ["I07", "1e400", '{"username":1e400}'],
  ["I07", "-1e400", '{"x":-1e400}'],
  ["I07", "NaN", '{"x":NaN}'],
  ["I07", "Infinity", '{"x":-Infinity}'],
  ["I07", "hexadecimal", '{"x":0x10}'],
  ["I07", "a zero in front", '{"x":01}'],
  ["I07", "a plus in front", '{"x":+1}'],
  ["I07", "a bare point", '{"x":1.}'],
  ["I07", "a minus alone", '{"x":-}'],
  ["I09", "a lone high surrogate", '{"username":"\\ud800"}'],
  ["I09", "a lone low surrogate", '{"username":"\\udc00"}'],
  ["I09", "surrogates the wrong way round", '{"username":"\\udc00\\ud800"}'],
  ["I09", "a lone surrogate in a name", '{"\\ud800":1}'],
];

it.each(malformed)("%s a body with %s is 400 on every route", async (_id, _what, body) => {
  for (const path of routes) refused(await raw(path, body), 400, "malformed_json");
});

it("I06 100,000 levels are refused at once, for their size", async () => {
  refused(await raw("/auth/login", deep("[", 100_000)), 413, "body_too_large");
});

const named = (answer: Answer) => {
  refused(answer, 422, "validation_error");
  return answer.json.errors.map((error: { field: string }) => error.field);
};

it.each(["[]", '"x"', "1", "true", "null", "-0", "9007199254740993", '["username","password"]'])(
  "I03 a body that is %s and no object is 422",
  async (body) => {
    for (const path of routes.filter((path) => path !== "/api/v1/data")) {
      expect(named(await raw(path, body))).toEqual(["body"]);
    }
  },
);

it("I03 an empty body lacks its fields", async () => {
  expect(named(await raw("/auth/login", ""))).toEqual(["username", "password"]);
  expect(named(await api("POST", "/auth/refresh"))).toEqual(["refresh_token"]);
  refused(await raw("/api/v1/data", ""), 400, "malformed_json");
});

const wrong = [0, -0, 1, 9007199254740993, 1.5, true, false, [], ["a"], {}, { $ne: "" }, { length: 1 }];

it.each([
  ["/auth/login", "username", "text"],
  ["/auth/login", "password", "text"],
  ["/auth/login", "device_name", "text"],
  ["/auth/login", "language", "text"],
  ["/auth/refresh", "refresh_token", "text"],
  ["/auth/refresh", "language", "text"],
  ["/auth/logout", "access_token", "text"],
  ["/auth/logout-all", "keep_current", "bool"],
  ["/admin/users", "username", "text"],
  ["/admin/users", "password", "text"],
  ["/admin/users", "roles", "list"],
  ["/admin/users", "language", "text"],
])("I07 %s names a %s of the wrong type", async (path, field, type) => {
  const right = { username, password: PASSWORD, refresh_token: "x" };
  for (const value of wrong) {
    if (type === "bool" && typeof value === "boolean") continue;
    if (type === "list" && Array.isArray(value)) continue;
    const answer = await raw(path, JSON.stringify({ ...right, [field]: value }));
    expect([value, named(answer)]).toEqual([value, [field]]);
  }
});

it("I07 a number that is nearly a text or a truth is neither", async () => {
  for (const value of ["1", "0", "yes", "true"]) {
    expect(named(await raw("/auth/logout-all", JSON.stringify({ keep_current: value })))).toEqual(["keep_current"]);
  }
});

it("I08 fields that are not ours are ignored, whatever is in them", async () => {
  const more = { id: 1, roles: ["admin"], is_admin: true, __proto__: { x: 1 }, constructor: {}, $where: "1", "": null };
  const login = await raw("/auth/login", JSON.stringify({ username, password: PASSWORD, ...more }));
  expect(login.status).toBe(200);
  const verify = await api("GET", "/auth/verify", { token: login.json.access_token });
  expect(verify.headers.get("x-auth-roles")).toBe("user");
  const name = (await makeUser()).username;
  const patch = await api("PATCH", `/admin/users/${name}`, { token: adminToken, body: { id: 1, username: "root" } });
  expect([patch.status, patch.json.username]).toEqual([200, name]);
});

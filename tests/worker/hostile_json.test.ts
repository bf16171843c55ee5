// Bodies that are not JSON, or JSON of which nobody can say what it means: 400 on every route.
import { afterAll, beforeAll, expect, it } from "vitest";
import { logIn } from "../support/worker/users.ts";
import { ROUTES, type Send, sender } from "../support/worker/bodies.ts";
import { api, refused } from "../support/worker/api.ts";

let send: Send;
let username: string;

beforeAll(async () => {
  const made = await sender();
  send = made.send;
  username = made.user.username;
});

// After all that, whoever is honest gets in.
afterAll(async () => {
  expect((await api("GET", "/health")).status).toBe(200);
  await logIn(username);
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
  for (const path of ROUTES) refused(await send(path, body), 400, "malformed_json");
});

it("I06 100,000 levels are refused at once, for their size", async () => {
  refused(await send("/auth/login", deep("[", 100_000)), 413, "body_too_large");
});

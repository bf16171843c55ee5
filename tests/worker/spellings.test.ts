// Names and passwords as people and programs write them.
import { beforeAll, expect, it } from "vitest";
import { anotherAdmin, PASSWORD, tryLogIn } from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";

let token: string;
beforeAll(async () => {
  token = (await anotherAdmin()).token;
});

const create = (username: string, password = PASSWORD) =>
  api("POST", "/admin/users", { token, body: { username, password } });

it.each([
  ["small and capital letters", "Ada.Byron", "ada.byron", ["ADA.BYRON", "aDa.bYron"]],
  ["full-width letters", "\uff42ob", "bob", ["BOB", "\uff22\uff2f\uff22"]],
  ["composed letters", "ren\u00e9", "ren\u00e9", ["rene\u0301", "RENE\u0301", "REN\u00c9"]],
  ["two marks in any order", "q\u0323\u0307", "q\u0323\u0307", ["q\u0307\u0323", "Q\u0307\u0323"]],
  ["half-width kana", "\uff76\uff9e\uff77", "\u30ac\u30ad", ["\u30ab\u3099\u30ad"]],
  [
    "Greek capitals",
    "\u039d\u0399\u039a\u039f\u03a3-1",
    "\u03bd\u03b9\u03ba\u03bf\u03c2-1",
    ["\u03bd\u03b9\u03ba\u03bf\u03c2-1"],
  ],
  ["a dotted capital", "\u0130zmir", "i\u0307zmir", ["I\u0307ZMIR"]],
  ["Hangul", "\ud55c\uae00", "\ud55c\uae00", []],
  ["Hebrew", "\u05d3\u05d5\u05d3", "\u05d3\u05d5\u05d3", []],
])("U08 %s: one name, one user", async (_what, written, canonical, spellings) => {
  const made = await create(written);
  expect([made.status, made.json.username]).toEqual([201, canonical]);
  for (const spelling of [written, canonical, ...spellings]) {
    refused(await create(spelling), 409, "user_exists");
    const login = await tryLogIn(spelling, PASSWORD);
    expect([spelling, login.status]).toEqual([spelling, 200]);
    const path = `/admin/users/${encodeURIComponent(spelling)}`;
    expect((await api("GET", path, { token })).json).toEqual(made.json);
  }
  // One user, one limit: all the spellings count against it.
  const { sessions } = (await api("GET", `/admin/sessions/active?user_id=${made.json.id}`, { token })).json;
  expect(sessions).toHaveLength(Math.min(5, spellings.length + 2));
});

it.each([
  ["Cyrillic", "\u0430lice"],
  ["Greek", "\u03b1lice"],
  ["another accent", "\u00e1lice"],
  ["a digit", "a1ice"],
  ["no dot on the i", "al\u0131ce"],
])("U08 a name that only looks like another, with %s, is another user", async (_what, lookalike) => {
  expect([201, 409]).toContain((await create("alice", "the password of alice")).status);
  refused(await tryLogIn(lookalike, "the password of alice"), 401, "invalid_credentials");
  const made = await create(lookalike);
  expect([made.status, made.json.username]).toEqual([201, lookalike]);
});

it.each([
  ["a space behind", "alice "],
  ["a space before", " alice"],
  ["a space inside", "al ice"],
  ["an ideographic space", "al\u3000ice"],
  ["a no-break space", "al\u00a0ice"],
  ["a line break", "alice\n"],
  ["NUL", "alice\0"],
  ["zero width", "al\u200bice"],
  ["a joiner", "al\u200dice"],
  ["a byte order mark", "\ufeffalice"],
  ["a soft hyphen", "al\u00adice"],
  ["right-to-left override", "\u202ealice"],
  ["mixed directions", "alice\u05d0"],
  ["an emoji", "alice\u2764"],
  ["a ligature", "\ufb01ona"],
  ["mathematical letters", "\ud835\udc1alice"],
  // RFC 8264 §9.9: refused, not composed.
  ["conjoining Hangul", "\u1112\u1161\u11ab"],
  ["only dots", "..."],
  ["only marks", "-_-"],
  ["129 letters", "a".repeat(129)],
])("U08 a name with %s is nobody's, when made and at login", async (_what, username) => {
  for (const answer of [await create(username), await tryLogIn(username, PASSWORD)]) {
    refused(answer, 422, "validation_error");
    expect(answer.json.errors).toEqual([{ field: "username", message: "Value not allowed" }]);
  }
  const path = `/admin/users/${encodeURIComponent(username)}`;
  expect((await api("GET", path, { token })).status).toBe(404);
});

it("U08 a name of 128 letters is the longest", async () => {
  expect((await create("a".repeat(128))).status).toBe(201);
  expect((await tryLogIn("A".repeat(128), PASSWORD)).status).toBe(200);
});

const long = "A".repeat(72);
let count = 0;

it.each([
  ["U06", "64 characters", "p".repeat(64), ["p".repeat(63), "p".repeat(65)]],
  ["U06", "more bytes than bcrypt reads", `${long}x`, [`${long}y`, long]],
  ["U06", "1,000 characters", `${"x".repeat(999)}y`, [`${"x".repeat(999)}z`, "x".repeat(1000)]],
  ["U06", "1,024 bytes", "\u00e9".repeat(512), ["\u00e9".repeat(511)]],
  ["U07", "NUL inside", "pass\0word", ["pass", "pass\0wore", "password"]],
  ["U07", "emoji", "\ud83d\udd10\ud83d\udd11 keys keys", ["\ud83d\udd10 keys keys"]],
  ["U07", "a space before and behind", " a password ", ["a password", " a password", "a password "]],
  ["U07", "only spaces", "          ", ["         ", "           "]],
  ["U07", "capitals", "Pass Word", ["pass word", "PASS WORD"]],
  ["U07", "an accent, composed", "caf\u00e9 caf\u00e9", ["cafe\u0301 cafe\u0301", "cafe cafe"]],
  ["U07", "line breaks", "pass\r\nword", ["pass\nword"]],
  ["U07", "eight characters that are many bytes", "\u4e00".repeat(8), ["\u4e00".repeat(7)]],
])("%s a password of %s is compared exactly", async (_id, _what, password, others) => {
  const name = `secret-${++count}`;
  expect((await create(name, password)).status).toBe(201);
  for (const other of others) refused(await tryLogIn(name, other), 401, "invalid_credentials");
  expect((await tryLogIn(name, password)).status).toBe(200);
});

it.each([
  ["no characters", "", "Required"],
  ["seven characters", "1234567", "Too short"],
  ["seven characters that are many bytes", "\u4e00".repeat(7), "Too short"],
  ["1,025 bytes", "x".repeat(1_025), "Too long"],
])("U06 a password of %s cannot be set", async (_what, password, message) => {
  const answer = await create(`secret-${++count}`, password);
  refused(answer, 422, "validation_error");
  expect(answer.json.errors).toEqual([{ field: "password", message }]);
});

it.each([
  ["admin", "admin"],
  ["admin", "password"],
  ["admin", "changeme"],
  ["administrator", "administrator"],
  ["root", "root"],
  ["root", "toor"],
  ["test", "test"],
  ["user", "user"],
  ["guest", "guest"],
  ["demo", "demo"],
  ["sallyport", "sallyport"],
])("U09 %s / %s logs nobody in", async (username, password) => {
  const headers = { "cf-connecting-ip": `198.51.100.${++count}` };
  refused(
    await api("POST", "/auth/login", { body: { username, password }, headers }),
    401,
    "invalid_credentials",
  );
});

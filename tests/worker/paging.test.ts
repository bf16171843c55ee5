// Queries of the admin routes: limits, cursors and ids that are made up, and a listing that is complete.
import { beforeAll, expect, it } from "vitest";
import { anotherAdmin, makeUser } from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";

let adminToken: string;

beforeAll(async () => {
  adminToken = (await anotherAdmin()).token;
});

const wrongQueries: [string, string, string][] = [
  ...["0", "-1", "501", "1.5", "abc", "", "1e2", "18446744073709551616", "9".repeat(400)].flatMap(
    (value): [string, string, string][] => [
      ["/admin/users", "limit", value],
      ["/admin/sessions/active", "limit", value],
    ],
  ),
  ...["-1", "abc", "", "1.5", "4294967296", "1 OR 1=1", "\0"].map((v): [string, string, string] => [
    "/admin/users",
    "cursor",
    v,
  ]),
  ...["-1", "abc", "", "1.5", "1 OR 1=1", "18446744073709551616"].map((v): [string, string, string] => [
    "/admin/sessions/active",
    "user_id",
    v,
  ]),
];

it.each(wrongQueries)("I18 %s with %s %j is 422 and names it", async (path, name, value) => {
  const answer = await api("GET", `${path}?${name}=${encodeURIComponent(value)}`, { token: adminToken });
  refused(answer, 422, "validation_error");
  expect(answer.json.errors).toEqual(
    [{ field: name, message: "Value not allowed" }].map((e) => ({ ...e, message: expect.any(String) })),
  );
});

it.each([
  "0",
  "999999",
  "9007199254740991",
  "9007199254740993",
  "9223372036854775808",
  "18446744073709551615",
])("I18 the sessions of user %s, who is nobody, are 404", async (id) =>
  refused(
    await api("GET", `/admin/sessions/active?user_id=${id}`, { token: adminToken }),
    404,
    "user_not_found",
  ),
);

it.each([
  "x",
  "x.y",
  ".",
  "1",
  "-1.x",
  "9007199254740993.",
  "18446744073709551615.",
  "9".repeat(400),
  "1.\0",
])("I18 a sweep from the made-up cursor %j is 422 or goes on from there", async (cursor) => {
  const path = `/admin/sessions/cleanup?cursor=${encodeURIComponent(cursor)}`;
  expect([200, 422]).toContain((await api("POST", path, { token: adminToken })).status);
});

it("I18 the list of users goes on from its cursor, and every user is on one page", async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await makeUser()).id);
  const seen: number[] = [];
  let cursor = "";
  do {
    const page = await api("GET", `/admin/users?limit=2${cursor}`, { token: adminToken });
    expect(page.json.users.length).toBeLessThanOrEqual(2);
    seen.push(...page.json.users.map((user: { id: number }) => user.id));
    cursor = page.json.next_cursor ? `&cursor=${page.json.next_cursor}` : "";
  } while (cursor !== "" && seen.length < 100);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining(made));
});

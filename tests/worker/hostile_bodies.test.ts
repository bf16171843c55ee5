// Bodies that no decent client sends: each gets a clear refusal, and none disturbs the service.
import { afterAll, beforeAll, expect, it } from "vitest";
import { logIn, makeUser, PASSWORD } from "../support/worker/users.ts";
import { JSON_TYPE, ROUTES, type Send, sender } from "../support/worker/bodies.ts";
import { type Answer, api, refused } from "../support/worker/api.ts";

let send: Send;
let username: string;
let adminToken: string;

beforeAll(async () => {
  const made = await sender();
  ({ send, adminToken } = made);
  username = made.user.username;
});

// After all that, whoever is honest gets in.
afterAll(async () => {
  expect((await api("GET", "/health")).status).toBe(200);
  await logIn(username);
});

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
  for (const path of ROUTES) {
    refused(await send(path, "{}", { "content-type": type }), 415, "unsupported_media_type");
  }
});

it("I01 a body without a type is 415", async () => {
  for (const path of ROUTES) {
    refused(await send(path, new TextEncoder().encode("{}"), {}), 415, "unsupported_media_type");
  }
});

it.each([
  "application/json;charset=UTF-8",
  'Application/JSON ; charset="utf-8"',
  "application/json; profile=x",
])("I01 a body of type %s is read", async (type) => {
  const body = JSON.stringify({ username, password: PASSWORD });
  expect((await send("/auth/login", body, { "content-type": type })).status).toBe(200);
});

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
  for (const path of ROUTES) {
    for (const bytes of [LIMIT + 1, 1_000_000]) {
      refused(await send(path, sized(bytes)), 413, "body_too_large");
    }
    expect((await send("/api/v1/data", sized(LIMIT))).status).toBe(200);
  }
});

it("I02 10 MB are 413", async () =>
  refused(await send("/auth/login", sized(10_000_000)), 413, "body_too_large"));

it("I02 an endless body without a length is 413, and is not read on", async () => {
  for (const path of ROUTES) {
    const { stream, sent } = endless();
    refused(await send(path, stream), 413, "body_too_large");
    expect(sent()).toBeLessThan(LIMIT * 4);
  }
});

it("I02 a length over the limit is 413 before anything is read", async () => {
  const headers = { ...JSON_TYPE, "content-length": "104857600" };
  refused(await send("/auth/login", "{}", headers), 413, "body_too_large");
});

const named = (answer: Answer) => {
  refused(answer, 422, "validation_error");
  return answer.json.errors.map((error: { field: string }) => error.field);
};

it.each(["[]", '"x"', "1", "true", "null", "-0", "9007199254740993", '["username","password"]'])(
  "I03 a body that is %s and no object is 422",
  async (body) => {
    for (const path of ROUTES.filter((path) => path !== "/api/v1/data")) {
      expect(named(await send(path, body))).toEqual(["body"]);
    }
  },
);

it("I03 an empty body lacks its fields", async () => {
  expect(named(await send("/auth/login", ""))).toEqual(["username", "password"]);
  expect(named(await api("POST", "/auth/refresh"))).toEqual(["refresh_token"]);
  refused(await send("/api/v1/data", ""), 400, "malformed_json");
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
    const answer = await send(path, JSON.stringify({ ...right, [field]: value }));
    expect([value, named(answer)]).toEqual([value, [field]]);
  }
});

it("I07 a number that is nearly a text or a truth is neither", async () => {
  for (const value of ["1", "0", "yes", "true"]) {
    expect(named(await send("/auth/logout-all", JSON.stringify({ keep_current: value })))).toEqual([
      "keep_current",
    ]);
  }
});

it("I08 fields that are not ours are ignored, whatever is in them", async () => {
  const more = {
    id: 1,
    roles: ["admin"],
    is_admin: true,
    __proto__: { x: 1 },
    constructor: {},
    $where: "1",
    "": null,
  };
  const login = await send("/auth/login", JSON.stringify({ username, password: PASSWORD, ...more }));
  expect(login.status).toBe(200);
  const verify = await api("GET", "/auth/verify", { token: login.json.access_token });
  expect(verify.headers.get("x-auth-roles")).toBe("user");
  const name = (await makeUser()).username;
  const patch = await api("PATCH", `/admin/users/${name}`, {
    token: adminToken,
    body: { id: 1, username: "root" },
  });
  expect([patch.status, patch.json.username]).toEqual([200, name]);
});

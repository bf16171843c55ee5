// The routes of portal sessions as callers meet them: methods, keys, bodies, fields, ids, languages.
// Over 400 lines: a case for each route and each refusal, in tables that are read beside each other.
import { describe, expect, it } from "vitest";
import { type Answer, api, type Call } from "../support/worker/api.ts";
import { makeKey } from "../support/worker/keys.ts";
import {
  closeSession,
  get,
  getSession,
  listed,
  ONE_LOGIN,
  portal,
  post,
  seen,
  service,
  serviceKey,
  sessionOf,
  someone,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const UNKNOWN = `session_1893477600_${"0".repeat(32)}`;

const OPERATIONS = ["/get_containers", "/get_container_timeline", "/check_appointments", "/make_appointment"];
const POSTS = ["/get_session", ...OPERATIONS];

/** What each route wants besides a session. */
const OWN: Record<string, Record<string, unknown>> = {
  "/get_containers": { infinite_scrolling: false },
  "/get_container_timeline": { container_id: "MSCU1000000" },
};

const ROUTES: [method: string, path: string, allow: string][] = [
  ...POSTS.map((path): [string, string, string] => ["POST", path, "POST, OPTIONS"]),
  ["GET", "/sessions", "GET, HEAD, OPTIONS"],
  ["DELETE", `/sessions/${UNKNOWN}`, "DELETE, OPTIONS"],
];

/** A failure as callers of these routes know it. */
function failed(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.json?.code], answer.text).toEqual([status, code]);
  const { success, error, detail } = answer.json;
  expect(success).toBe(false);
  expect(error).toMatch(/\S/);
  expect(detail).toBe(error);
}

/** The fields that are named. */
const fields = ({ json }: Answer): string[] => json.errors.map(({ field }: { field: string }) => field);

/** Nothing was asked of the portal or the captcha service. */
const quiet = () => expect(upstreams.calls.map(({ operation }) => operation)).toEqual([]);

describe.each(ROUTES)("%s %s", (method, path, allow) => {
  const call = (more: Call = {}) => {
    const body = method === "POST" ? { body: { session_id: UNKNOWN } } : {};
    return api(method, path, { ...body, ...more });
  };

  it("has no other methods", async () => {
    for (const other of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
      if (allow.split(", ").includes(other)) continue;
      const answer = await service(other, path);
      expect(answer.status, other).toBe(405);
      expect(answer.headers.get("allow")).toBe(allow);
      if (other !== "HEAD") failed(answer, 405, "method_not_allowed");
    }
    quiet();
  });

  it("says which it has, to anybody", async () => {
    const answer = await api("OPTIONS", path);
    expect([answer.status, answer.headers.get("allow"), answer.text]).toEqual([204, allow, ""]);
  });

  it("wants a key", async () => {
    const none = await call();
    failed(none, 401, "not_authenticated");
    expect(none.headers.get("www-authenticate")).toBe('Bearer realm="sallyport"');
    for (const token of ["x", `${serviceKey}A`, serviceKey.slice(0, -1), serviceKey.toUpperCase()]) {
      failed(await call({ token }), 401, "service_key_invalid");
    }
    quiet();
  });

  it("wants a key for portals", async () => {
    const { key } = await makeKey({ scopes: ["tokens:read", "tokens:write", "introspect"] });
    const answer = await call({ token: key });
    failed(answer, 403, "forbidden");
    expect(answer.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
  });

  it("takes the key in each header", async () => {
    for (const headers of [
      { authorization: `Bearer ${serviceKey}` },
      { apikey: serviceKey },
      { "x-api-key": serviceKey },
    ]) {
      const { status } = await call({ headers });
      expect(status, Object.keys(headers)[0]).not.toBeOneOf([401, 403]);
    }
  });

  it("keeps the request's id", async () => {
    const headers = { "x-request-id": "req-4711" };
    for (const answer of [await call({ headers }), await call({ headers, token: serviceKey })]) {
      expect(answer.headers.get("x-request-id")).toBe("req-4711");
    }
  });
});

describe.each(POSTS)("the body of POST %s", (path) => {
  const raw = (body: BodyInit, type = "application/json") =>
    service("POST", path, { raw: body, headers: type === "" ? {} : { "content-type": type } });

  it("is JSON", async () => {
    for (const body of ["{", "{'a':1}", '{"username":"a","username":"b"}', "{}x", "nul", '{"a":"\\ud800"}']) {
      failed(await raw(body), 400, "malformed_json");
    }
    failed(await raw(new Uint8Array([0x22, 0xff, 0x22])), 400, "malformed_json");
  });

  it("is called JSON", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
    ])
      failed(await raw('{"username":"a"}', type), 415, "unsupported_media_type");
  });

  it("is an object", async () => {
    for (const body of ["[]", "1", '"x"', "null", "true"]) {
      const answer = await raw(body);
      failed(answer, 422, "validation_error");
      expect(fields(answer)).toEqual(["body"]);
    }
  });

  it("is not too large", async () => {
    // That of a session may have a state in it.
    const size = path === "/get_session" ? 256 * 1024 : 17_000;
    const body = { ...someone(), padding: "x".repeat(size) };
    failed(await post(path, body), 413, "body_too_large");
    quiet();
  });

  it("has credentials", async () => {
    const own = path === "/get_container_timeline" ? ["container_id"] : [];
    const { username, password, captcha_api_key } = someone();
    for (const [body, missing] of [
      [undefined, ["username", "password", "captcha_api_key"]],
      [{}, ["username", "password", "captcha_api_key"]],
      [{ username: null, password: "", captcha_api_key: null }, ["username", "password", "captcha_api_key"]],
      [{ username, captcha_api_key }, ["password"]],
      [{ password, captcha_api_key }, ["username"]],
      [{ username, password, captcha_api_key: "" }, ["captcha_api_key"]],
    ] as const) {
      const answer = await post(path, body);
      failed(answer, 400, "missing_fields");
      expect(fields(answer)).toEqual([...missing, ...own]);
      for (const { message } of answer.json.errors) expect(message).toBe("Required");
    }
    quiet();
  });

  it("has credentials that are texts of a sensible length", async () => {
    const own = OWN[path] ?? {};
    for (const [wrong, named] of [
      [{ username: 7 }, ["username"]],
      [{ username: ["a"], password: {}, captcha_api_key: true }, ["username", "password", "captcha_api_key"]],
      [{ username: "x".repeat(321) }, ["username"]],
      [{ password: "x".repeat(1025) }, ["password"]],
      [{ captcha_api_key: "x".repeat(257) }, ["captcha_api_key"]],
      // One is missing, another is wrong: it is not only that some are missing.
      [{ username: null, password: 7 }, ["username", "password"]],
      [{ keep_alive: "yes" }, ["keep_alive"]],
      [{ keep_alive: 1 }, ["keep_alive"]],
    ] as const) {
      const answer = await post(path, { ...someone(), ...own, ...wrong });
      failed(answer, 422, "validation_error");
      expect(fields(answer)).toEqual([...named]);
    }
    quiet();
  });
});

it.each([
  ["/get_containers", { infinite_scrolling: "yes", debug: 1 }, ["infinite_scrolling", "debug"]],
  ["/get_containers", { target_count: 0 }, ["target_count"]],
  ["/get_containers", { target_count: "7" }, ["target_count"]],
  ["/get_containers", { target_count: 1.5, target_container_id: 7 }, ["target_count", "target_container_id"]],
  ["/get_container_timeline", { container_id: 7 }, ["container_id"]],
  ["/get_container_timeline", { container_id: "x".repeat(41) }, ["container_id"]],
  ["/get_container_timeline", { container_id: "MSCU\u0000" }, ["container_id"]],
  ["/check_appointments", { own_chassis: "true" }, ["own_chassis"]],
  [
    "/check_appointments",
    { appointment_session_id: 7, terminal: [] },
    ["appointment_session_id", "terminal"],
  ],
  ["/make_appointment", { pin_code: 1234, truck_plate: {} }, ["truck_plate", "pin_code"]],
  ["/make_appointment", { session_id: 7 }, ["session_id"]],
  ["/make_appointment", { session_id: "x".repeat(129) }, ["session_id"]],
])("POST %s names its own wrong fields: %o", async (path, wrong, named) => {
  const answer = await post(path, { ...someone(), ...wrong });
  failed(answer, 422, "validation_error");
  expect(fields(answer)).toEqual(named);
  quiet();
});

it("fields that nobody knows are left alone", async () => {
  const user = someone();
  const session_id = await sessionOf(user, { extra: { deep: [1] }, session_id: 7, container_id: 7 });
  const answer = await post("/get_containers", {
    session_id,
    infinite_scrolling: false,
    pin_code: 7,
    x: null,
  });
  expect(answer.status, answer.text).toBe(200);
  expect(seen(user)).toEqual(ONE_LOGIN);
});

describe("ids", () => {
  const containers = (more: Record<string, unknown>) =>
    post("/get_containers", { infinite_scrolling: false, ...more });

  it("an unknown one is not found, whatever it looks like", async () => {
    for (const session_id of [
      UNKNOWN,
      "x",
      " ",
      "../../login",
      "session_1_\u0000",
      "' OR 1=1 --",
      "__proto__",
      "%2e%2e%2f",
      "세션 🗝",
      "x".repeat(128),
    ]) {
      for (const path of OPERATIONS) {
        const answer = await post(path, { ...OWN[path], session_id });
        failed(answer, 404, "session_not_found");
      }
    }
    quiet();
  });

  it("an empty one or null is none", async () => {
    for (const session_id of ["", null]) {
      const answer = await containers({ session_id });
      failed(answer, 400, "missing_fields");
      expect(fields(answer)).toEqual(["username", "password", "captcha_api_key"]);
    }
    const user = someone();
    const answer = await containers({ session_id: "", ...user });
    expect(answer.json).toMatchObject({ success: true, is_new_session: true });
  });

  it("credentials that are empty beside an id are none", async () => {
    const user = someone();
    const session_id = await sessionOf(user);
    const empty = { username: "", password: "", captcha_api_key: null };
    expect((await containers({ session_id, ...empty })).json).toMatchObject({ success: true, session_id });
    const some = { ...user, password: "" };
    expect((await containers({ session_id, ...some })).json).toMatchObject({ success: true, session_id });
    failed(await containers({ session_id: UNKNOWN, ...empty }), 404, "session_not_found");
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("an unknown one and credentials: their session", async () => {
    const user = someone();
    const first = await containers({ session_id: UNKNOWN, ...user });
    expect(first.json).toMatchObject({ success: true, is_new_session: true });
    const again = await containers({ session_id: UNKNOWN, ...user });
    expect(again.json).toMatchObject({ session_id: first.json.session_id, is_new_session: false });
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("some of the credentials beside an id that is unknown are none", async () => {
    const { username, captcha_api_key } = someone();
    failed(await containers({ session_id: UNKNOWN, username, captcha_api_key }), 404, "session_not_found");
    quiet();
  });

  it("a closed one says so; with credentials there is another", async () => {
    const user = someone();
    const closed = await sessionOf(user);
    await closeSession(closed);
    const gone = await containers({ session_id: closed });
    failed(gone, 404, "portal_session_ended");
    expect(gone.json).toMatchObject({ reason: "closed", error: "The session was closed" });
    const twice = await closeSession(closed);
    failed(twice, 404, "portal_session_ended");
    expect(twice.json.reason).toBe("closed");
    const other = await containers({ session_id: closed, ...user });
    expect(other.json).toMatchObject({ success: true, is_new_session: true });
    expect(other.json.session_id).not.toBe(closed);
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
  });

  it("a live one comes before credentials of somebody else", async () => {
    const [owner, other] = [someone(), someone()];
    const session_id = await sessionOf(owner);
    const answer = await containers({ session_id, ...other });
    expect(answer.json).toMatchObject({ success: true, session_id, is_new_session: false });
    expect(seen(other)).toEqual({ logins: 0, captchas: 0 });
  });

  it("in a path, too, may be anything", async () => {
    const session_id = await sessionOf(someone());
    for (const id of [
      UNKNOWN,
      "x",
      "%2e%2e%2fsessions",
      "%00",
      "%ff%fe",
      "a%20b",
      "__proto__",
      "'%20OR%201=1--",
      "%F0%9F%97%9D",
      `${session_id}%20`,
      session_id.toUpperCase(),
      "x".repeat(4000),
    ]) {
      failed(await closeSession(id), 404, "session_not_found");
    }
    for (const path of ["/sessions/", `/sessions/${session_id}/`, `/sessions/${session_id}/x`]) {
      expect((await service("DELETE", path)).status, path).toBe(404);
    }
    expect(await listed()).toMatchObject([{ session_id }]);
  });
});

describe("credentials may be any text", () => {
  it.each([
    ["spaces", " a b ", "  "],
    ["quotes and markup", `"><script>alert('x')</script>&amp;`, `'; DROP TABLE sessions; --`],
    ["form syntax", "a&Password=b#c+%20%00", "p&RememberLogin=true;=\u0000"],
    ["lines", "a\r\nSet-Cookie: x=1", "p\r\n\r\nGET / HTTP/1.1"],
    ["other alphabets", "Nguyễn 🚢 경비", "пароль\u202e\u0301"],
    ["names of objects", "__proto__", "constructor"],
    ["long ones", "u".repeat(320), "p".repeat(1024)],
    ["templates", "${7*7}{{7*7}}%s%n", "{username}\\0"],
  ])("%s", async (_what, username, password) => {
    const right = someone({ username, password, captcha_api_key: "ck-any" });
    upstreams.set({ portal: { users: Object.fromEntries([[username, password]]) } });
    const answer = await getSession(right);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toMatchObject({ is_new: true, username });
    expect(await listed()).toMatchObject([{ username }]);
    expect((await getSession(right)).json).toMatchObject({ is_new: false, username });
    const wrong = await getSession({ ...right, password: password.slice(1) + "!" });
    failed(wrong, 401, "portal_credentials_refused");
    if (password.length > 3) expect(wrong.text).not.toContain(password.slice(1));
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 1 });
  });

  it("where one ends and the next begins matters", async () => {
    upstreams.set({ portal: { users: { ab: "c", a: "bc" } } });
    const one = await sessionOf(someone({ username: "ab", password: "c" }));
    const other = await sessionOf(someone({ username: "a", password: "bc" }));
    expect(one).not.toBe(other);
  });
});

describe("languages", () => {
  const TEXTS = {
    en: ["Authentication failed", "The session was closed", "Required"],
    es: ["Error de autenticación", "La sesión se cerró", "Obligatorio"],
    vi: ["Xác thực không thành công", "Phiên đã được đóng", "Bắt buộc"],
  };

  it.each(Object.entries(TEXTS))("%s", async (language, [refused, closed, required]) => {
    const user = someone();
    const session_id = await sessionOf(user);
    await closeSession(session_id);
    const wrong = { ...user, password: "wrong" };
    const header = { "accept-language": `${language}-XX, fr;q=0.5` };
    // The body's word counts more than the header's.
    const other = { "accept-language": language === "es" ? "vi" : "es" };
    const ways = [
      { headers: header, more: {} },
      { headers: other, more: { language } },
    ];
    for (const { headers, more } of ways) {
      const call = (path: string, body: object) =>
        service("POST", path, { body: { ...body, ...more }, headers });
      expect((await call("/get_session", wrong)).json).toMatchObject({ error: refused, detail: refused });
      expect((await call("/get_containers", { session_id })).json).toMatchObject({ error: closed });
      const missing = await call("/get_session", {});
      expect(missing.json.errors.map(({ message }: { message: string }) => message)).toEqual(
        Array.from({ length: 3 }, () => required),
      );
    }
    const path = `/sessions/${session_id}`;
    expect((await service("DELETE", path, { headers: header })).json).toMatchObject({ error: closed });
  });

  it("one that is not spoken is English", async () => {
    const headers = { "accept-language": "fr" };
    const answer = await service("POST", "/get_session", { body: { language: "tlh" }, headers });
    failed(answer, 400, "missing_fields");
    expect(answer.json.errors[0].message).toBe("Required");
  });
});

it("the list can be asked for without its body", async () => {
  await sessionOf(someone());
  const head = await service("HEAD", "/sessions");
  expect([head.status, head.text]).toEqual([200, ""]);
  expect((await get("/sessions?x=1")).json.sessions).toHaveLength(1);
});

// What holds for every answer: the request's id, the language, and headers of any size.
import { beforeAll, expect, it } from "vitest";
import { makeUser, PASSWORD, someone, type User } from "../support/worker/users.ts";
import { api, refused } from "../support/worker/api.ts";

let token: string;
let user: User;

beforeAll(async () => {
  token = (await someone()).tokens.access_token;
  user = await makeUser();
});

it.each(["a", "req-1", "0af7651916cd43dd8448eb211c80319c", "a_b.c:d=e+f/g", "x".repeat(128)])(
  "the request id %s comes back",
  async (id) => {
    for (const path of ["/health", "/auth/profile", "/auth/sessions", "/nowhere"]) {
      const { headers } = await api("GET", path, { token, headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toBe(id);
    }
  },
);

it.each([
  "",
  "a b",
  "a,b",
  'a"b',
  "<a>",
  "{}",
  "a;b",
  "\u00e9",
  "%0d%0a",
  "x".repeat(129),
  "x".repeat(10_000),
])("the request id %j is replaced by a new one", async (id) => {
  const ids = new Set<string | null>();
  for (const path of ["/health", "/auth/profile", "/auth/sessions", "/nowhere"]) {
    ids.add((await api("GET", path, { token, headers: { "x-request-id": id } })).headers.get("x-request-id"));
  }
  expect(ids.size).toBe(4);
  for (const fresh of ids) expect(fresh).toMatch(/^[0-9a-f]{32}$/);
});

it("two request ids are none", async () => {
  const headers: [string, string][] = [
    ["x-request-id", "a"],
    ["x-request-id", "b"],
  ];
  expect((await api("GET", "/health", { headers })).headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
});

const texts = {
  en: { 401: "Not authenticated", 404: "Not found", 422: "Some fields are wrong", required: "Required" },
  es: {
    401: "No autenticado",
    404: "No encontrado",
    422: "Algunos campos son incorrectos",
    required: "Obligatorio",
  },
  vi: { 401: "Chưa xác thực", 404: "Không tìm thấy", 422: "Một số trường không đúng", required: "Bắt buộc" },
};

it.each([
  ["en", "en"],
  ["es", "es-MX, en;q=0.5"],
  ["vi", "fr, vi;q=0.9, en;q=0.8"],
  ["en", "fr"],
  ["en", "*"],
  ["en", ""],
  ["en", "es;q=0"],
  ["en", "es;q=nonsense"],
  ["en", `${"fr,".repeat(10_000)}es`],
  ["es", "ES"],
] as const)("answers are in %s for Accept-Language %s", async (language, header) => {
  const headers = { "accept-language": header };
  for (const path of ["/auth/profile", "/auth/sessions"]) {
    expect((await api("GET", path, { headers })).json.detail).toBe(texts[language][401]);
  }
  expect((await api("GET", "/nowhere", { headers })).json.detail).toBe(texts[language][404]);
  const login = await api("POST", "/auth/login", { headers, body: { username: "a" } });
  expect(login.json).toEqual({
    detail: texts[language][422],
    code: "validation_error",
    errors: [{ field: "password", message: texts[language].required }],
  });
});

it.each([
  ["en", "en"],
  ["es", "es"],
  ["vi", "vi"],
  ["vi", "vi-VN"],
  ["es", "es_419"],
] as const)(
  "answers are in %s for the language %s of the body, whatever the header says",
  async (expected, language) => {
    const headers = { "accept-language": expected === "en" ? "es" : "en" };
    const wrong = await api("POST", "/auth/login", { headers, body: { username: "a", language } });
    expect(wrong.json).toMatchObject({
      detail: texts[expected][422],
      errors: [{ message: texts[expected].required }],
    });
    const credentials = {
      en: "Invalid username or password",
      es: "Usuario o contraseña incorrectos",
      vi: "Tên người dùng hoặc mật khẩu không đúng",
    };
    const body = { username: "nobody-at-all", password: PASSWORD, language };
    // A client of its own for each, as failures add up.
    const login = await api("POST", "/auth/login", {
      headers: {
        ...headers,
        "cf-connecting-ip": `2001:db8:0:${language.length}${language.charCodeAt(0)}::1`,
      },
      body,
    });
    expect(login.json).toEqual({ detail: credentials[expected], code: "invalid_credentials" });
  },
);

it.each(["fr", "xx", "", "english", "e s", "🇪🇸", "../es", null])(
  "the unknown language %j is ignored",
  async (language) => {
    const headers = { "accept-language": "es" };
    const answer = await api("POST", "/auth/refresh", { headers, body: { refresh_token: "x", language } });
    refused(answer, 401, "token_invalid");
    expect(answer.json.detail).toBe("El token no es válido");
    const login = { username: user.username, password: PASSWORD, language };
    expect((await api("POST", "/auth/login", { body: login })).status).toBe(200);
  },
);

it("a refusal never has more in it than is promised", async () => {
  for (const answer of [
    await api("GET", "/auth/profile"),
    await api("GET", "/nowhere"),
    await api("GET", "/auth/login"),
    await api("POST", "/auth/refresh", { body: { refresh_token: "x" } }),
  ]) {
    expect(Object.keys(answer.json).sort()).toEqual(["code", "detail"]);
    expect([...answer.headers.keys()].filter((name) => /server|powered|version/.test(name))).toEqual([]);
  }
});

it("I20 headers of 128 kB do no harm", async () => {
  const long = "x".repeat(128 * 1024);
  for (const name of [
    "user-agent",
    "x-anything",
    "accept-language",
    "x-request-id",
    "cookie",
    "cf-connecting-ip",
  ]) {
    expect([name, (await api("GET", "/auth/profile", { token, headers: { [name]: long } })).status]).toEqual([
      name,
      200,
    ]);
  }
  refused(await api("GET", "/auth/profile", { token: long }), 401, "token_invalid");
  const many: [string, string][] = Array.from({ length: 1_000 }, (_, i) => [`x-${i}`, "x".repeat(100)]);
  expect(
    (await api("GET", "/auth/sessions", { headers: [...many, ["authorization", `Bearer ${token}`]] })).status,
  ).toBe(200);
  const login = { username: user.username, password: PASSWORD };
  const { json } = await api("POST", "/auth/login", { body: login, headers: { "user-agent": long } });
  const { sessions } = (await api("GET", "/auth/sessions", { token: json.access_token })).json;
  expect(sessions.find((s: { current: boolean }) => s.current).user_agent).toBe("x".repeat(200));
});

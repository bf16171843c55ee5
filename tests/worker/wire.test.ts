// Requests that no decent client sends, where the runtime has a part in it: streams, headers, the limit of attempts. What
// else is sent so is tested natively: crates/sim/tests/http.
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Answer, api, refused, refusedToken } from "../support/worker/api.ts";
import { JSON_TYPE, ROUTES, type Send, sender } from "../support/worker/bodies.ts";
import { address, byStatus, login, LOGIN_MAX_FAILURES, stopClock, times } from "../support/worker/guesses.ts";
import { forge } from "../support/worker/tokens.ts";
import { freshName, logIn, makeUser, PASSWORD, someone, type Tokens } from "../support/worker/users.ts";

let send: Send;
let username: string;
let tokens: Tokens;
const outbound = vi.spyOn(globalThis, "fetch");

beforeAll(async () => {
  const made = await sender();
  send = made.send;
  username = made.user.username;
  tokens = (await someone()).tokens;
});

// After all that, whoever is honest gets in, and nobody was called.
afterAll(async () => {
  vi.useRealTimers();
  await logIn(username);
  expect((await api("GET", "/auth/profile", { token: tokens.access_token })).status).toBe(200);
  expect(outbound).not.toHaveBeenCalled();
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

it("I01 I03 each route reads a body of its type only, and of one meaning", async () => {
  for (const path of ROUTES) {
    refused(await send(path, "{}", { "content-type": "text/plain" }), 415, "unsupported_media_type");
    refused(await send(path, new TextEncoder().encode("{}"), {}), 415, "unsupported_media_type");
    refused(await send(path, "{"), 400, "malformed_json");
    refused(await send(path, new Uint8Array([0x22, 0xff, 0x22])), 400, "malformed_json");
    // The document is any JSON; all else is an object.
    if (path !== "/api/v1/data") refused(await send(path, "[]"), 422, "validation_error");
  }
});

it("I02 a body over the limit is 413, also an endless one, which is not read on", async () => {
  for (const path of ROUTES) {
    refused(await send(path, sized(LIMIT + 1)), 413, "body_too_large");
    const { stream, sent } = endless();
    refused(await send(path, stream), 413, "body_too_large");
    expect(sent()).toBeLessThan(LIMIT * 4);
  }
  expect((await send("/api/v1/data", sized(LIMIT))).status).toBe(200);
  refused(await send("/auth/login", sized(10_000_000)), 413, "body_too_large");
  const headers = { ...JSON_TYPE, "content-length": "104857600" };
  refused(await send("/auth/login", "{}", headers), 413, "body_too_large");
});

it("I04 text of any script and control characters come back as they are", async () => {
  const text = "a\u0000b \u202e\ud83d\udc69\u200d\ud83d\udcbb \u00e9 '; DROP TABLE users; -- ${7*7} \\u0000";
  const made = await api("POST", "/api/v1/data", { token: tokens.access_token, body: { text } });
  expect([made.status, made.json]).toEqual([200, { data: { text } }]);
  const device = "\u30ac\ud83d\udd11";
  const { access_token: token } = await logIn(username, { device_name: device });
  const { sessions } = (await api("GET", "/auth/sessions", { token })).json;
  expect(sessions.find((s: { current: boolean }) => s.current).device_name).toBe(device);
});

it("J01 J11 J40 J60 a token that was changed, is not signed, has expired or is something else is refused", async () => {
  const [header, payload, signature] = tokens.access_token.split(".") as [string, string, string];
  const past = Math.floor(Date.now() / 1000) - 1;
  await refusedToken(`${header}.${payload}.${signature.replace(/^./, (c) => (c === "A" ? "B" : "A"))}`);
  await refusedToken(`${header}.${payload}.`);
  await refusedToken(await forge(tokens.access_token, { alg: "none" }, {}));
  await refusedToken(await forge(tokens.access_token, {}, { exp: past }), 401, "token_expired");
  await refusedToken(tokens.refresh_token);
  await refusedToken(`${tokens.access_token}=`);
  await refusedToken(tokens.access_token.replace(".", ". "), 400, "invalid_request");
  await refusedToken("x".repeat(128 * 1024));
});

it("J77 two Authorization headers are a malformed request, whichever is first", async () => {
  const good = ["authorization", `Bearer ${tokens.access_token}`];
  for (const other of ["Bearer x.y.z", "Basic dTpw", `Bearer ${tokens.access_token}`]) {
    const bad = ["authorization", other];
    refused(await api("GET", "/auth/sessions", { headers: [good, bad] }), 400, "invalid_request");
    const swapped = await api("GET", "/auth/sessions", { headers: [bad, good] });
    expect([400, 401], swapped.text).toContain(swapped.status);
  }
});

it("I20 headers of 128 kB do no harm", async () => {
  const long = "x".repeat(128 * 1024);
  const token = tokens.access_token;
  for (const name of ["user-agent", "accept-language", "x-request-id", "cookie", "cf-connecting-ip"]) {
    const answer = await api("GET", "/auth/profile", { token, headers: { [name]: long } });
    expect([name, answer.status]).toEqual([name, 200]);
  }
  const many: [string, string][] = Array.from({ length: 1_000 }, (_, i) => [`x-${i}`, "x".repeat(100)]);
  const headers: [string, string][] = [...many, ["authorization", `Bearer ${token}`]];
  expect((await api("GET", "/auth/sessions", { headers })).status).toBe(200);
});

it("B01 B02 a challenge says what is wrong with the token, in the language that is asked for", async () => {
  const get = (headers: Record<string, string>) => api("GET", "/auth/sessions", { headers });
  const none = await get({ "accept-language": "es-MX,es;q=0.9" });
  refused(none, 401, "not_authenticated");
  expect(none.headers.get("www-authenticate")).toBe('Bearer realm="sallyport"');
  expect(none.json.detail).not.toBe((await get({})).json.detail);
  const bad = await get({ authorization: "Bearer x.y.z" });
  expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
});

it("U03 U08 one name is one user however it is written, and fails as one", async () => {
  stopClock();
  const made = await makeUser(`${freshName("Ren")}\u00e9`);
  const from = address();
  const [composed, decomposed] = [made.username.normalize("NFC"), made.username.normalize("NFD")];
  expect(composed).not.toBe(decomposed);
  expect((await login(decomposed.toUpperCase(), PASSWORD, from)).status).toBe(200);
  const answers = await times(LOGIN_MAX_FAILURES + 2, (i) =>
    login(i % 2 ? composed : decomposed, "wrong password", from),
  );
  const counts = [...byStatus(answers)].map(([status, some]) => [status, some.length]);
  expect(counts.sort()).toEqual([
    [401, LOGIN_MAX_FAILURES],
    [429, 2],
  ]);
  refused(await login(composed, PASSWORD, from), 429, "too_many_attempts");
  expect((await login(composed, PASSWORD, address())).status).toBe(200);
});

it("one address makes so many attempts a minute, at whomever", async () => {
  stopClock();
  const from = address();
  const blocked = freshName("nobody");
  await times(LOGIN_MAX_FAILURES, () => login(blocked, "wrong password", from));
  // 600 a minute; twice as many in case a minute ends meanwhile. Who finds too many under way waits for a moment.
  let limited: Answer | undefined;
  for (let i = 0; i < 4 && !limited; i++) {
    const answers = await times(300, () => login(blocked, "wrong password", from));
    limited = answers.find(({ headers }) => headers.get("retry-after") === "60");
    if (!limited) continue;
    const right = await login(username, PASSWORD, from);
    if (right.status === 200) limited = undefined;
    else refused(right, 429, "too_many_attempts");
  }
  expect(limited?.status).toBe(429);
  expect((await login(username, PASSWORD, address())).status).toBe(200);
});

it("D06 the directory keeps no service key", async () => {
  const { makeKey } = await import("../support/worker/keys.ts");
  const { runInDurableObject } = await import("cloudflare:test");
  const { key, id } = await makeKey();
  const stub = env.DIRECTORY.get(env.DIRECTORY.idFromName("directory"));
  const rows = await runInDurableObject(stub, (_, state) =>
    JSON.stringify(state.storage.sql.exec("SELECT * FROM service_keys WHERE id = ?", id).toArray()),
  );
  expect(rows).toContain(id);
  expect(rows).not.toContain(key.slice(16));
});

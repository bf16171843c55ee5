// What is logged: one JSON line a request, audit lines, and never a secret.
import { afterAll, beforeAll, expect, it } from "vitest";
import { PASSWORD } from "../support/process/client.ts";
import { type Server, start } from "../support/process/server.ts";

let server: Server;
beforeAll(async () => {
  server = await start();
});
afterAll(() => server[Symbol.asyncDispose]());

type Line = Record<string, unknown>;
const parsed = (): Line[] =>
  server.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

/** The lines of one request, once the runtime has handed them over. */
async function linesOf(id: string): Promise<Line[]> {
  const mine = () => parsed().filter((line) => line.request_id === id);
  await expect.poll(() => mine().some((line) => line.event === "request")).toBe(true);
  return mine();
}

it("a request writes one line, with its route and not its path", async () => {
  const { client } = server;
  const admin = await client.admin();
  await client.call("GET", "/admin/users/secret-name?token=hunter2", admin, undefined, {
    "x-request-id": "one-line",
  });
  const lines = await linesOf("one-line");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    event: "request",
    level: "info",
    method: "GET",
    route: "GET /admin/users/{username}",
    status: 404,
    reason: "user_not_found",
    duration_ms: expect.any(Number),
  });
  expect(JSON.stringify(lines)).not.toMatch(/secret-name|hunter2/);
});

it("the fast path writes the same line", async () => {
  const { client } = server;
  const { access_token } = await client.someone();
  await client.call("GET", "/auth/verify", access_token, undefined, { "x-request-id": "short-way" });
  expect(await linesOf("short-way")).toMatchObject([{ route: "/auth/verify", status: 200 }]);
});

it("what happens to sessions and users is on record, with who and how", async () => {
  const { client } = server;
  const username = await client.user();
  const say = (id: string) => ({ "x-request-id": id });
  const login = { username, password: PASSWORD };
  const tokens = (await client.call("POST", "/auth/login", undefined, login, say("a-login"))).json;
  await client.call("POST", "/auth/login", undefined, { ...login, password: "wrong" }, say("a-guess"));
  const body = { refresh_token: tokens.refresh_token };
  const next = (await client.call("POST", "/auth/refresh", undefined, body, say("a-refresh"))).json;
  await client.refresh(next.refresh_token);
  await client.call("POST", "/auth/refresh", undefined, body, say("a-reuse"));
  const again = await client.login(username);
  await client.call("POST", "/auth/logout", again.access_token, {}, say("a-logout"));
  const admin = await client.admin();
  const change = { is_active: false };
  await client.call("PATCH", `/admin/users/${username}`, admin, change, say("a-change"));

  const audit = async (id: string) => (await linesOf(id)).filter((line) => line.event === "audit");
  const session_id = expect.stringMatching(/^[0-9a-f]{64}$/);
  const user_id = expect.any(Number);
  expect(await audit("a-login")).toMatchObject([{ action: "login", outcome: "ok", user_id, session_id }]);
  expect(await audit("a-guess")).toMatchObject([
    { action: "login", outcome: "invalid_credentials", user_id },
  ]);
  expect(await audit("a-refresh")).toMatchObject([{ action: "refresh", outcome: "ok", user_id, session_id }]);
  expect(await audit("a-reuse")).toMatchObject([
    { action: "reuse", outcome: "refresh_token_reused", session_id },
  ]);
  expect(await audit("a-logout")).toMatchObject([{ action: "logout", outcome: "ok", user_id, session_id }]);
  expect(await audit("a-change")).toMatchObject([
    { action: "update_user", outcome: "ok", actor: 1, user_id, changed: change },
  ]);

  const log = server.lines.join("\n");
  for (const token of [tokens, next, again]) {
    expect(log).not.toContain(token.access_token.split(".")[2]);
    expect(log).not.toContain(token.refresh_token.split(".")[2]);
  }
  expect(log).not.toContain(PASSWORD);
});

it("nothing that a caller sends forges a line", async () => {
  const { client } = server;
  const forged = 'x\n{"event":"audit","action":"forged"}\u2028{"event":"audit","action":"forged"}';
  await client.call(
    "POST",
    "/auth/login",
    undefined,
    { username: forged, password: forged },
    { "x-request-id": "forger" },
  );
  await client.call("POST", "/auth/login", undefined, {
    username: "somebody",
    password: forged,
    device_name: forged,
  });
  await linesOf("forger");
  expect(parsed().filter((line) => line.action === "forged")).toEqual([]);
  expect(server.lines.join("\n")).not.toContain("forged");
});

it("request lines can be switched off; audit lines stay", async () => {
  await using quiet = await start({ bindings: { REQUEST_LOG: "off" } });
  await quiet.client.someone();
  await expect.poll(() => quiet.lines.filter((line) => line.includes('"login"')).length).toBeGreaterThan(1);
  expect(quiet.lines.filter((line) => line.includes('"event":"request"'))).toEqual([]);
});

/**
 * Runs the Worker in an environment that asks it something while it reads the settings, once: what holds them then is held
 * already, and that is a panic. (Nothing that a request can hold makes one.)
 */
const REENTERED = `
  import worker from "./entry.js";
  export * from "./entry.js";
  let entered = false;
  export default {
    async fetch(request, env, ctx) {
      let thrown;
      const settings = new Proxy(env, {
        get(target, name) {
          if (name === "TOKEN_SIGNING_KEYS" && !entered) {
            entered = true;
            thrown = worker.fetch(new Request(request.url, request), target, ctx).then(
              (answer) => "answered " + answer.status,
              (error) => "threw " + error.name,
            );
          }
          return target[name];
        },
      });
      const answer = await worker.fetch(request, settings, ctx);
      return new Response(answer.body, { status: answer.status, headers: { came: (await thrown) ?? "" } });
    },
  };
`;

it("a panic fails the call that it is in, and is one line that says where it was and nothing else", async () => {
  await using panicking = await start({ main: REENTERED });
  const { client, lines } = panicking;
  const first = await client.call("GET", "/auth/verify", "hunter2");
  expect([first.status, first.headers.get("came")]).toEqual([401, expect.stringMatching(/^threw /)]);
  expect((await client.call("GET", "/auth/verify", "hunter2")).status).toBe(401);
  const { access_token } = await client.someone();
  expect((await client.call("GET", "/auth/verify", access_token)).status).toBe(200);
  const panics = lines.filter((line) => /panic/i.test(line));
  expect(panics).toHaveLength(1);
  expect(JSON.parse(panics[0] ?? "")).toEqual({
    level: "error",
    event: "fault",
    at: expect.any(String),
    request_id: null,
    what: "panic",
    detail: expect.stringMatching(/^src\/platform\/mod\.rs:\d+:\d+$/),
  });
  expect(lines.join("\n")).not.toMatch(/hunter2|already borrowed|RefCell/);
});

/**
 * Throws in the middle of a call what wasm can't catch, as running out of memory does: the wasm instance is lost. The first to be
 * called then is a session's object, which holds something that was in the lost one.
 */
const LOST = `
  const { Instance } = WebAssembly;
  let broken = false;
  WebAssembly.Instance = function (module, imports) {
    for (const functions of Object.values(imports))
      for (const name of Object.keys(functions).filter((name) => name.startsWith("__wbg_now"))) {
        const now = functions[name];
        functions[name] = () => {
          if (broken) throw new Error("lost");
          return now();
        };
      }
    return new Instance(module, imports);
  };
  const entry = await import("./entry.js");
  export const { Session, User, Directory, Upstream, Roster, Portal, PortalRegistry, AuditTrail } = entry;
  const instances = globalThis.__worker_init_state;
  export default {
    async fetch(request, env, ctx) {
      const session = request.headers.get("lose-it-with");
      if (session === null) return entry.default.fetch(request, env, ctx);
      const before = instances.instanceId;
      broken = true;
      const answer = await entry.default.fetch(request, env, ctx).catch((error) => error.message);
      broken = false;
      const object = env.SESSION.get(env.SESSION.idFromString(session));
      const said = await object.command("{}").catch((error) => error.message);
      return Response.json({ answer, said, lost: instances.instanceId - before });
    },
  };
`;

it("a lost instance takes one call with it: objects go on in the next", async () => {
  await using losing = await start({ main: LOST });
  const { client } = losing;
  const { access_token } = await client.someone();
  const verified = async () => (await client.call("GET", "/auth/verify", access_token)).status;
  expect(await verified()).toBe(200);
  const { sid } = JSON.parse(Buffer.from(String(access_token.split(".")[1]), "base64url").toString());
  // An answer of the program above, and not of Sallyport's.
  const headers = { authorization: `Bearer ${access_token}`, "lose-it-with": sid };
  const lost = await fetch(new URL("/auth/verify", client.base), { headers });
  expect(await lost.json()).toEqual({ answer: "lost", said: "an object, not enum Envelope", lost: 1 });
  expect(await verified()).toBe(200);
  expect((await client.call("POST", "/auth/logout", access_token, {})).status).toBe(200);
  expect(await verified()).toBe(401);
});

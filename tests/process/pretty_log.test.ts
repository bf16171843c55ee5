// What `npm start` makes of the log.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PrettyLog } from "../../scripts/lib/pretty-log.mjs";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const at = new Date(2026, 10, 30, 12, 3, 41).toISOString();
const json = (event: string, fields: object) => JSON.stringify({ event, at, level: "info", ...fields });
const request = (request_id: string, route: string, status = 200, more: object = {}) =>
  json("request", { request_id, method: "POST", route, status, duration_ms: 96, ...more });
const audit = (request_id: string | undefined, action: string, more: object = {}) =>
  json("audit", { request_id, action, outcome: "ok", ...more });
const call = (upstream: string, operation: string, more: object = {}) =>
  json("upstream_call", { upstream, operation, status: 200, ...more });

/** What is shown of these lines; colours stand before a line as `<red,bold>`. */
function shown(...lines: string[]) {
  const out: string[] = [];
  const log = new PrettyLog({
    write: (line: string) => out.push(line),
    paint: (style: string | string[], line: string) => `<${style}>${line}`,
    names: new Map([
      [1, "admin"],
      [2, "testuser"],
    ]),
  });
  for (const line of lines) log.line(line);
  return { log, out };
}

it("a request is one line that says who it was, and why it was refused", () => {
  const who = { actor: 2, user_id: 2, session_id: "ab" };
  const { out } = shown(
    audit("a", "login", who),
    request("a", "POST /auth/login"),
    audit("b", "login", { user_id: 2, level: "warn", outcome: "invalid_credentials" }),
    request("b", "POST /auth/login", 401, { reason: "invalid_credentials" }),
    audit("c", "create_user", { actor: 1, user_id: 7 }),
    request("c", "POST /admin/users", 201),
    request("d", "/auth/verify", 200, { method: "GET" }),
    request("e", "none", 404, { method: "GET", reason: "not_found" }),
    request("f", "GET /health", 503, { level: "error" }),
  );
  expect(out).toEqual([
    "12:03:41  POST /auth/login  200  96 ms  testuser",
    "<yellow>12:03:41  POST /auth/login  401  96 ms  testuser  invalid_credentials",
    "12:03:41  POST /admin/users  201  96 ms  admin for user 7",
    "12:03:41  GET /auth/verify  200  96 ms",
    "<yellow>12:03:41  GET (no such route)  404  96 ms  not_found",
    "<red,bold>12:03:41  GET /health  503  96 ms",
  ]);
});

it("what came of a request and the calls that it took stand under it, also those that name no request", () => {
  const { out } = shown(
    call("sme", "validate", { account: "123", request_id: "a", gave: "valid" }),
    audit("a", "evict", { user_id: 2 }),
    audit("a", "init_session", { customer: "1j161pXe99" }),
    request("a", "POST /api/v1/postlogin/init-session"),
    call("facturify", "auth", { account: "main", status: 503, fault: "status" }),
    call("facturify", "auth", { account: "main", gave: "240 s" }),
    audit("b", "obtain_token", { service: "key:local", account: "facturify/default", calls: 2 }),
    request("b", "POST /api/v1/facturify/auth/token"),
    call("captcha", "captcha_in", { account: "ck-local" }),
    call("portal", "signin", { account: "demo", status: 302 }),
    audit("c", "portal_login", { service: "key:local" }),
    audit("c", "get_portal_session", { service: "key:local" }),
    request("c", "POST /get_session"),
  );
  expect(out).toEqual([
    "12:03:41  POST /api/v1/postlogin/init-session  200  96 ms  customer 1j161pXe",
    "<dim>          → evict  ok  testuser",
    "<dim>          → sme validate  123  200  valid",
    "12:03:41  POST /api/v1/facturify/auth/token  200  96 ms  key:local facturify/default",
    "<yellow>          → facturify auth  main  503  fault: status",
    "<dim>          → facturify auth  main  200  240 s",
    "12:03:41  POST /get_session  200  96 ms  key:local",
    "<dim>          → portal_login  ok  key:local",
    "<dim>          → captcha captcha_in  ck-local  200",
    "<dim>          → portal signin  demo  302",
  ]);
});

it("the work of alarms stands for itself, each account with its own calls", () => {
  const renewed = (account: string) =>
    audit(`of ${account}`, "renew_token", { service: "alarm", account, calls: 2 });
  const { out } = shown(
    call("tokens", "token", { account: "a1" }),
    call("upstox", "profile", { account: "a2" }),
    call("upstox", "profile", { account: "a1", status: 0 }),
    renewed("upstox/a2"),
    renewed("upstox/a1"),
    audit(undefined, "expire", { user_id: 2, reason: "inactivity" }),
  );
  expect(out).toEqual([
    "12:03:41  renew_token  ok  alarm upstox/a2",
    "<dim>          → upstox profile  a2  200",
    "12:03:41  renew_token  ok  alarm upstox/a1",
    "<dim>          → tokens token  a1  200",
    "<yellow>          → upstox profile  a1  no answer",
    "12:03:41  expire  ok  testuser  inactivity",
  ]);
});

it("what takes long is shown while it is under way, and what comes after its line stands by itself or under it", () => {
  const { log, out } = shown(
    call("portal", "login_page"),
    call("sme", "validate", { request_id: "a" }),
    audit("b", "login", { user_id: 2, actor: 2 }),
  );
  expect(out).toEqual([]);
  vi.advanceTimersByTime(3000);
  log.line(call("portal", "signin"));
  log.line(call("sme", "validate", { request_id: "a", status: 401 }));
  log.line(audit("c", "portal_login", { service: "key:local" }));
  log.line(request("c", "POST /get_session"));
  log.line(call("portal", "logout"));
  log.end();
  expect(out).toEqual([
    "12:03:41  portal  under way",
    "<dim>          → portal login_page  200",
    "12:03:41  a request  under way",
    "<dim>          → sme validate  200",
    "12:03:41  login  ok  testuser",
    "12:03:41  portal signin  200",
    "<yellow>12:03:41  sme validate  401",
    "12:03:41  POST /get_session  200  96 ms  key:local",
    "12:03:41  portal  under way",
    "<dim>          → portal logout  200",
  ]);
});

it("alerts and faults stand out, at once; every other line is shown as it is", () => {
  const reloaded = "[wrangler:info] Updated and ready on http://127.0.0.1:8787";
  const { out } = shown(
    json("alert", { level: "warn", alert: "failing", account: "upstox/a1", code: "upstream_error" }),
    json("alert", { alert: "recovered", account: "upstox/a1", code: null }),
    json("fault", { level: "error", request_id: "a", what: "panic", detail: "src/x.rs:1:2" }),
    json("fault", { level: "error", what: "object", detail: "x\u001b[2J\n\u2028y" }),
    reloaded,
    '{"event":1}',
    '{"no":"entry"}',
    json("of another release", {}),
    "{ half",
  );
  expect(out).toEqual([
    "<yellow>12:03:41  ALERT  failing  upstox/a1  upstream_error",
    "<green>12:03:41  ALERT  recovered  upstox/a1",
    "<red,bold>12:03:41  FAULT  panic  src/x.rs:1:2",
    "<red,bold>12:03:41  FAULT  object  x\\u001b[2J\\u000a\\u2028y",
    reloaded,
    '{"event":1}',
    '{"no":"entry"}',
    json("of another release", {}),
    "{ half",
  ]);
});

// The fakes together: faults, holds, control from outside, the calls that are kept, the program.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { startUpstreams } from "../../scripts/lib/upstreams.mjs";
import { Browser, isLoggedIn, poll, task } from "../support/process/browser.ts";
import { LENIENT } from "./index.ts";
import { listen } from "./listen.ts";
import {
  AUTH,
  BASE,
  KEYS,
  REFRESH,
  auth,
  call,
  exchange,
  fresh,
  grant,
  posted,
  profile,
  read,
  refresh,
  rotated,
  upstreams,
} from "../support/process/fake_calls.ts";

beforeEach(() => fresh());

describe("faults", () => {
  test("statuses, shapes and redirects, each for its calls", async () => {
    upstreams.fail("facturify", { fault: "status", status: 503, retry_after: 7, body: "html" }, { times: 2 });
    upstreams.fail("upstox", { fault: "status", status: 429 }, { operation: "profile" });
    upstreams.fail("tokens", [{ fault: "html_200" }, { fault: "none" }, { fault: "wrong_json" }], {
      account: "agnidata002",
    });
    const first = await auth();
    expect([first.status, first.headers.get("retry-after"), first.text[0]]).toEqual([503, "7", "<"]);
    expect([(await auth()).status, (await auth()).status]).toEqual([503, 200]);
    expect((await profile()).json.errors[0].errorCode).toBe("UDAPI10005");
    expect((await read("agnidata001")).json.success).toBe(true);
    expect((await read("agnidata002")).headers.get("content-type")).toContain("html");
    expect((await read("agnidata002")).json.success).toBe(true);
    expect((await read("agnidata002")).json).toEqual({ unexpected: ["shape", 1, null] });
    const lift = upstreams.fail("oauth2", { fault: "redirect" }, { times: "forever" });
    expect((await grant({})).headers.get("location")).toBe("http://127.0.0.1:1/");
    lift();
    expect([(await grant({})).status, upstreams.faults]).toEqual([400, []]);
  });

  test("the work is done, and the answer lost", async () => {
    upstreams.fail("oauth2", { fault: "fail_after" });
    expect((await rotated("rt-crm-0")).status).toBe(502);
    expect((await rotated("rt-crm-0")).json.error).toBe("invalid_grant");
    const token = (await auth()).json.jwt.token;
    upstreams.fail("facturify", [{ fault: "fail_after", how: "reset" }, { fault: "half_json" }]);
    await expect(call("GET", REFRESH, { token })).rejects.toThrow(TypeError);
    expect(upstreams.alive(token)).toBe(false);
    const half = await auth();
    expect([half.status, half.json, half.text.startsWith('{"message"')]).toEqual([200, undefined, true]);
    upstreams.fail("facturify", { fault: "reset" });
    await expect(auth()).rejects.toThrow(TypeError);
  });

  test("calls are held, hang and are released; who goes away does no work", async () => {
    const hold = upstreams.hold("facturify", "auth");
    const held = [auth(), auth()];
    await hold.arrived;
    await expect.poll(() => hold.waiting).toBe(2);
    expect(upstreams.atOnce({ operation: "auth" }).now).toBe(2);
    hold.release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect(upstreams.atOnce({ upstream: "facturify" })).toEqual({ now: 0, peak: 2 });

    upstreams.fail("tokens", { fault: "hang" });
    const hanging = refresh("agnidata001");
    await expect.poll(() => upstreams.atOnce({ upstream: "tokens" }).now).toBe(1);
    upstreams.release();
    expect((await hanging).status).toBe(200);
    const kept = upstreams.keptToken("agnidata001");

    upstreams.fail("tokens", { fault: "hang" });
    const url = `${BASE}/tokens/accounts/agnidata001/refresh`;
    const left = upstreams.handle(new Request(url, { method: "POST", signal: AbortSignal.timeout(20) }));
    await expect(left).rejects.toThrow(/timeout/);
    expect(upstreams.keptToken("agnidata001")).toBe(kept);
    expect(upstreams.count({ status: 0 })).toBe(1);
  });
});

describe("control and calls", () => {
  const control = (json: unknown) => call("POST", "/_control", { json });

  test("does from outside what the API does", async () => {
    const fault = { upstream: "facturify", fault: { fault: "status", status: 500 } };
    const { json } = await control({
      ...{ clock: "2031-01-01T00:00:00Z", switches: { facturify: { short_seconds: 5 } }, fail: fault },
      ...{ issue_code: { account: "agnidata001" }, issue_token: { account: "agnidata001" } },
    });
    expect(json).toMatchObject({ now: "2031-01-01T00:00:00.000Z", clock: "stands", faults: [{ left: 1 }] });
    expect((await exchange({ code: json.code })).status).toBe(200);
    expect((await control({ alive: { token: json.access_token } })).json.alive).toBe(true);
    expect((await auth()).status).toBe(500);
    expect((await auth()).json.jwt.expires_in).toBe(5);
    const forced = {
      account: "agnidata001",
      url: "http://127.0.0.1/n",
      force: true,
      payload: { user_id: "X" },
    };
    expect((await control({ approve: forced })).json).toMatchObject({ approved: true, status: 200 });
    expect(posted[0]?.body.user_id).toBe("X");
    expect((await control({ revoke: { upstream: "upstox" } })).json.revoked).toBe(3);
    expect((await control({ reset: true })).json).toMatchObject({ clock: "real", calls: 0, faults: [] });
  });

  test.each([
    [{}],
    [{ nonsense: 1 }],
    [{ switches: { facturify: { refresh_method: "PUT" } } }],
    [{ switches: { nobody: {} } }],
    [{ switches: { __proto__: {}, constructor: {} } }],
    [{ clock: "yesterday" }],
    [{ fail: { upstream: "facturify", fault: { fault: "status", status: 99 } } }],
    [{ fail: { upstream: "elsewhere", fault: { fault: "reset" } } }],
    [{ approve: { account: "agnidata001" } }],
  ])("refuses %j", async (body) => {
    const answer = await control(body);
    expect([answer.status, typeof answer.json.error]).toEqual([422, "string"]);
  });

  test("calls are kept within bounds, without secrets, and counted beyond them", async () => {
    fresh({ keep: 3 });
    const token = (await auth()).json.jwt.token;
    await call("GET", REFRESH, { token, headers: { "x-request-id": "req-1" } });
    for (let n = 0; n < 3; n += 1) await read("agnidata001");
    expect([upstreams.calls.length, upstreams.count(), upstreams.count({ upstream: "tokens" })]).toEqual([
      3, 5, 3,
    ]);
    expect((await call("GET", "/_calls?since=4")).json.calls).toEqual([
      {
        ...{ n: 5, at: "2030-01-01T12:00:00.000Z", upstream: "tokens", operation: "token" },
        ...{ account: "agnidata001", status: 200, gave: "36000 s" },
      },
    ]);
    expect(upstreams.calls[0]).toMatchObject({ n: 3 });
    expect((await call("GET", "/_control")).text).not.toMatch(/eyJ|fs-local|-secret/);
    expect((await call("GET", "/_calls?operation=refresh")).json.calls).toEqual([]);
    expect((await call("DELETE", "/_calls")).json.calls).toEqual([]);
    expect(upstreams.count()).toBe(0);
  });

  test("lenient fakes are lenient after a reset, too", async () => {
    fresh({ switches: LENIENT });
    upstreams.set({ portal: { users: "any" }, captcha: { keys: "own" } });
    upstreams.reset();
    expect(upstreams.switches.portal).toMatchObject({ users: "any_password", known_containers: "any" });
    expect(upstreams.switches.captcha).toMatchObject({ keys: "any", ready_after: 1 });
  });

  test("unknown paths, large bodies, strange requests", async () => {
    expect((await call("GET", "/nothing")).status).toBe(404);
    expect((await call("GET", "/facturify/nothing")).status).toBe(404);
    expect((await call("GET", "/")).text).toContain("/_control");
    expect((await call("POST", AUTH, { json: "x".repeat(70_000) })).status).toBe(413);
    expect((await call("POST", "/_control", { form: { reset: "1" } })).status).toBe(415);
    const vendor = new Request("https://api-sandbox.facturify.com/api/v1/auth", { method: "POST" });
    expect((await upstreams.handle(vendor)).status).toBe(422);
  });
});

describe("on a port", () => {
  test("answers, breaks connections, refuses what is too large and other names", async () => {
    const { url, upstreams: there, close } = await listen();
    const post = (body: string) => fetch(url + AUTH, { method: "POST", body });
    expect((await post(JSON.stringify(KEYS))).status).toBe(200);
    there.fail("facturify", { fault: "reset" });
    await expect(post("{}")).rejects.toThrow(TypeError);
    expect((await post("x".repeat(70_000))).status).toBe(413);
    there.fail("facturify", { fault: "hang" });
    await expect(fetch(url + AUTH, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    await expect.poll(() => there.atOnce().now).toBe(0);
    await close();
    await expect(post("{}")).rejects.toThrow(TypeError);
  });

  test("the program prints where it is and what it was asked, and ends when told", async () => {
    const program = fileURLToPath(new URL("main.ts", import.meta.url));
    const child = spawn(process.execPath, [program, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    try {
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
      const ready = /^ready (http:\/\/127\.0\.0\.1:\d+)$/m;
      await expect.poll(() => text, { timeout: 10_000 }).toMatch(ready);
      await fetch(`${ready.exec(text)?.[1]}${AUTH}`, { method: "POST", body: JSON.stringify(KEYS) });
      await expect.poll(() => text).toMatch(/ facturify +auth +main +200 +240 s$/m);
      // What a caller sends is of one line, and tells a terminal nothing.
      const body = new URLSearchParams({ key: "nokey\nready\u001b[31m" });
      await fetch(`${ready.exec(text)?.[1]}/captcha/in.php`, { method: "POST", body });
      await expect.poll(() => text).toContain("nokey\\u000aready\\u001b[31m");
    } finally {
      child.kill("SIGTERM");
    }
    expect(await ended).toEqual([0, null]);
  });

  test("those of `npm start` take the credentials, the captcha key and the containers of a script as they are", async () => {
    const told: string[] = [];
    const { url, kill } = await startUpstreams(0, (line: string) => told.push(line));
    try {
      const send = (request: Request) => fetch(request, { redirect: "manual" });
      const browser = new Browser(url, send);
      const page = await browser.get("/portal/login");
      const key = "0123456789abcdef0123456789abcdef";
      const { request: id } = await task({ key, pageurl: page.url }, url, send);
      await poll({ key, id }, url, send);
      const { request: solution } = await poll({ key, id }, url, send);
      const credentials = { Username: "dispatch@example.com", Password: "S3cret!" };
      const sent = await browser.submit(page, { ...credentials, "g-recaptcha-response": solution });
      expect(isLoggedIn(await browser.follow(sent))).toBe(true);
      expect((await browser.get("/portal/containers/TCLU1234567")).status).toBe(200);
      expect((await fetch(`${url}/tokens/accounts/any-account/token`)).status).toBe(200);
    } finally {
      kill();
      vi.restoreAllMocks();
    }
  });
});

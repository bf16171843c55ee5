// Post-login sessions from outside, with the fake bank behind the Worker: what is logged, what lies on the disk, the mock.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createUpstreams } from "../upstreams/index.ts";
import { secrets, start } from "../support/process/server.ts";

const upstreams = createUpstreams();
const worker = { outboundService: (request: Request) => upstreams.handle(request) };
const bank = { SME_VERIFY_BASE_URL: "https://upstreams.test/sme", SME_VERIFY_TOKEN_KEY: "sme-local" };

const INIT = "/api/v1/postlogin/init-session";
const RENEW = "/api/v1/postlogin/renew-token";
const MOCK = "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session";
const body = (cif: string, tokenKey: string, channelId = "sme") => ({
  data: {
    cif,
    basicCustomerInfo: { customer_name: "Nguyen-Secret" },
    tokenKey,
    payload: { channelId },
  },
});

let persist: string;
beforeAll(async () => {
  persist = await mkdtemp(join(tmpdir(), "sallyport-post-login-"));
});
afterAll(() => rm(persist, { recursive: true, force: true }));

async function onDisk(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

it("nothing of the external token or of the customer is logged or lies open on the disk", async () => {
  const KEY = "external-token-0123456789";
  const CIF = "9876501234";
  const seen: string[] = [];
  {
    await using server = await start({ bindings: bank, worker, persist });
    const { client } = server;
    const post = (path: string, sent: unknown) => client.call("POST", path, undefined, sent);
    const first = (await post(INIT, body(CIF, KEY))).json;
    const next = (await post(RENEW, { data: { refreshToken: first.refreshToken } })).json;
    expect(next.message).toBe("SME token renewed successfully");
    await client.protected(next.token);
    upstreams.fail("sme", { fault: "status", status: 500 });
    expect((await post(RENEW, { data: { refreshToken: next.refreshToken } })).status).toBe(502);
    expect((await post(INIT, body(CIF, `expired-${KEY}`))).status).toBe(401);
    expect((await post(INIT, body(CIF, `${KEY}\n`))).status).toBe(422);
    await expect
      .poll(() => server.lines.filter((line) => line.includes('"event":"request"')).length)
      .toBeGreaterThan(5);
    const log = server.lines.join("\n");
    const audits = server.lines
      .filter((line) => line.includes('"event":"audit"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(audits.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["init_session", "ok"],
      ["renew_session", "ok"],
      ["renew_session", "upstream_error"],
      ["init_session", "external_token_expired"],
    ]);
    expect(new Set(audits.map(({ customer }) => customer)).size).toBe(1);
    seen.push(KEY, "Nguyen-Secret", "sme-local");
    for (const pair of [first, next]) seen.push(pair.token.split(".")[2], pair.refreshToken.split(".")[2]);
    for (const secret of [...seen, CIF]) expect(log).not.toContain(secret);
  }
  const disk = await onDisk(persist);
  expect(disk).toContain(`VPB-SME-${CIF}`);
  for (const secret of seen) expect(disk).not.toContain(secret);
});

it("a session outlives the process, and so does its external token", async () => {
  const all = { ...secrets(), ...bank };
  const folder = join(persist, "again");
  let refreshToken: string;
  {
    await using server = await start({ bindings: all, worker, persist: folder });
    refreshToken = (await server.client.call("POST", INIT, undefined, body("1", "t"))).json.refreshToken;
  }
  const asked = upstreams.count({ upstream: "sme", account: "1" });
  await using server = await start({ bindings: all, worker, persist: folder });
  const answer = await server.client.call("POST", RENEW, undefined, { data: { refreshToken } });
  expect(answer.status, answer.text).toBe(200);
  expect(upstreams.count({ upstream: "sme", account: "1" })).toBe(asked + 1);
});

it("a verifier that is not set up: 503, and the log says what is missing; begun unasked, a session begins", async () => {
  await using asking = await start();
  const answer = await asking.client.call("POST", INIT, undefined, body("1", "t"));
  expect([answer.status, answer.json.code]).toEqual([503, "configuration_error"]);
  await expect.poll(() => asking.lines.join("\n")).toContain("SME_VERIFY_BASE_URL");

  await using unasked = await start({ bindings: { SME_VERIFY_AT_INIT: "off" } });
  const begun = await unasked.client.call("POST", INIT, undefined, body("1", "expired"));
  expect(begun.status).toBe(200);
  const { refreshToken } = begun.json;
  const renewal = await unasked.client.call("POST", RENEW, undefined, { data: { refreshToken } });
  expect([renewal.status, renewal.json.code]).toEqual([503, "configuration_error"]);
  expect((await unasked.client.protected(begun.json.token)).status).toBe(200);
});

it("a deployment believes nobody unasked, unless CHANNELS says so; on a machine of one's own the channels are there", async () => {
  const retail = JSON.stringify({ retail: { business_unit: "RETAIL" } });
  const begun = async (bindings: Record<string, string>) => {
    await using server = await start({ bindings: { ...bank, ...bindings }, worker });
    const channels = ["sme", "1", "retail", "2"];
    const answers = channels.map((id) => server.client.call("POST", INIT, undefined, body("1", "t", id)));
    return (await Promise.all(answers)).map(({ status, json }) => json.code ?? status);
  };
  const unknown = "channel_not_found";
  expect(await begun({})).toEqual([200, 200, unknown, unknown]);
  expect(await begun({ ENVIRONMENT: "production" })).toEqual([200, 200, unknown, unknown]);
  expect(await begun({ CHANNELS: retail })).toEqual([unknown, unknown, 200, unknown]);
  expect(await begun({ ENVIRONMENT: "development" })).toEqual([200, 200, 200, 200]);
});

it("a channel that is not there is refused as any id that nobody knows", async () => {
  await using server = await start({ bindings: bank, worker });
  const asked = upstreams.count({ upstream: "sme" });
  const refusal = async (id: string) => {
    const answer = await server.client.call("POST", INIT, undefined, body("1", "t", id));
    return [answer.status, answer.json.code, answer.json.detail];
  };
  for (const id of ["retail", "2", "x7"])
    expect(await refusal(id)).toEqual([404, "channel_not_found", `Cannot find channel with id ${id}`]);
  expect(upstreams.count({ upstream: "sme" })).toBe(asked);
});

it("a channel is verified where it says, else where all are; with neither it is not set up", async () => {
  const channels = {
    own: { business_unit: "OWN", verifier: "sme", verify_base_url: "https://own.test/bank/" },
    usual: { business_unit: "SME", verifier: "sme" },
  };
  const called: string[] = [];
  const outboundService = async (request: Request) => {
    const { host, pathname } = new URL(request.url);
    called.push(`${host}${pathname}`);
    // The fake knows itself by its path.
    const { method, headers } = request;
    const init = { method, headers: [...headers], body: await request.text() };
    return upstreams.handle(new Request(`https://upstreams.test/sme${pathname.slice(5)}`, init));
  };
  const path = "/corporate/relationship-management/marketing/v1/customer/validate-session";
  const { SME_VERIFY_TOKEN_KEY } = bank;
  const usual = "https://usual.test/also";
  for (const [more, end] of [
    [{ SME_VERIFY_BASE_URL: usual }, { status: 200, code: undefined, call: [`usual.test/also${path}`] }],
    [{}, { status: 503, code: "configuration_error", call: [] }],
  ] as const) {
    const bindings = { CHANNELS: JSON.stringify(channels), SME_VERIFY_TOKEN_KEY, ...more };
    await using server = await start({ bindings, worker: { outboundService } });
    const post = (path: string, sent: unknown) => server.client.call("POST", path, undefined, sent);
    called.length = 0;
    const begun = await post(INIT, body("1", "t", "own"));
    expect(begun.status, begun.text).toBe(200);
    const { refreshToken } = begun.json;
    expect((await post(RENEW, { data: { refreshToken } })).status).toBe(200);
    expect(called.splice(0)).toEqual([`own.test/bank${path}`, `own.test/bank${path}`]);
    const other = await post(INIT, body("1", "t", "usual"));
    expect([other.status, other.json.code]).toEqual([end.status, end.code]);
    expect(called).toEqual(end.call);
  }
});

it("where the limit is to be kept by refusing, it is", async () => {
  const bindings = { ...bank, SESSION_LIMIT_POLICY: "reject", MAX_CONCURRENT_SESSIONS_PER_USER: "1" };
  await using server = await start({ bindings, worker });
  const begin = () => server.client.call("POST", INIT, undefined, body("1", "t"));
  expect((await begin()).status).toBe(200);
  expect((await begin()).json.code).toBe("session_limit_exceeded");
});

it("the mock, where it is switched on", async () => {
  await using server = await start({ bindings: { MOCK_ROUTES: "on", ENVIRONMENT: "development" } });
  const ask = (token: string, method = "POST") =>
    server.client.call(method, MOCK, undefined, method === "POST" ? {} : undefined, {
      "x-session-token": token,
      "x-user-id": "123",
    });
  expect((await ask("t")).json).toEqual({
    status: "success",
    data: { isExpire: false, userId: "123", sessionToken: "t", validatedAt: expect.any(String) },
    message: "Session validation completed",
  });
  expect((await ask("expired-1")).json.data.isExpire).toBe(true);
  expect((await ask("invalid-1")).status).toBe(401);
  expect((await ask("t", "GET")).status).toBe(405);
});

it("the mock outside development is a fault of the settings", async () => {
  await using server = await start({ bindings: { MOCK_ROUTES: "on" } });
  expect((await server.client.call("GET", "/health")).json.code).toBe("configuration_error");
});

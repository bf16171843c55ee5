// Failures of upstreams as the runtime hands them over: connections that break, answers that do not end, headers. What
// follows from them, for each kind of account, is tested natively: crates/sim/tests/keeper.
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { refused } from "../support/worker/api.ts";
import { SECOND } from "../support/worker/time.ts";
import type { Fault, Upstream } from "../upstreams/index.ts";
import {
  BATCH,
  cron,
  eventually,
  FACTURIFY,
  FIRST,
  get,
  keeper,
  later,
  mended,
  MINUTELY,
  order,
  read,
  runDue,
  status,
  stored,
  untilAlarm,
  upstreams,
} from "../support/worker/keeper.ts";

keeper();

const TOKEN = "/api/v1/facturify/auth/token";
const many = <T>(n: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, make));

const FAULTS: [what: string, fault: Fault, status: number, code: string, upstream: number | null][] = [
  ["429", { fault: "status", status: 429 }, 502, "upstream_rate_limited", 429],
  ["503 and HTML", { fault: "status", status: 503, body: "html" }, 502, "upstream_error", 503],
  ["half of its JSON", { fault: "half_json" }, 502, "upstream_unintelligible", 200],
  ["a redirect", { fault: "redirect", to: "https://elsewhere.test/" }, 502, "upstream_redirected", 302],
  ["a broken connection", { fault: "reset" }, 502, "upstream_unreachable", null],
  ["a lost answer", { fault: "fail_after", how: "reset" }, 502, "upstream_unreachable", null],
  ["an answer that comes too late", { fault: "hang" }, 504, "upstream_timeout", null],
];

const one = ([account, upstream]: [string, Upstream], fault: (typeof FAULTS)[number]) =>
  it(`${account}: ${fault[0]}`, async () => {
    const [, its, is, code, status_of_upstream] = fault;
    upstreams.fail(upstream, its);
    const answer = await read(account);
    refused(answer, is, code);
    expect(answer.headers.get("retry-after")).toMatch(/^[12]$/);
    expect(answer.text).not.toMatch(/elsewhere|html|http/i);
    refused(await read(account), is, code);
    expect(upstreams.count()).toBe(1);
    expect((await status(account)).last_error).toMatchObject({ code, status: status_of_upstream });
    await untilAlarm(account);
    expect(await runDue(account)).toBe(1);
    await mended(account);
    expect(await status(account)).toMatchObject({ has_token: true, status: "valid", last_error: null });
  });

for (const fault of FAULTS) one([FACTURIFY, "facturify"], fault);
for (const account of [
  [BATCH, "oauth2"],
  [FIRST, "tokens"],
] as [string, Upstream][])
  one(account, FAULTS[1]!);

it("a redirect is not followed: nobody else is shown the credentials", async () => {
  upstreams.fail("facturify", { fault: "redirect", to: "https://upstreams.test/oauth2/token" });
  refused(await read(FACTURIFY), 502, "upstream_redirected");
  expect(upstreams.calls).toMatchObject([{ upstream: "facturify", status: 302 }]);
});

it.each([
  ["seconds", 120, 120],
  ["a date", "Tue, 01 Jan 2030 06:02:00 GMT", 120],
  ["an absurd time", 999_999_999, 86_400],
] as const)("Retry-After as %s is honoured", async (_how, retry_after, seconds) => {
  const fault = { fault: "status", status: 429, retry_after } as const;
  upstreams.fail("facturify", fault, { times: "forever" });
  const answer = await read(FACTURIFY);
  refused(answer, 502, "upstream_rate_limited");
  expect(answer.headers.get("retry-after")).toBe(String(seconds));
  expect((await stored(FACTURIFY)).trouble.retry_at).toBe(Date.now() + seconds * SECOND);
});

it("a Retry-After that is none changes nothing", async () => {
  for (const retry_after of ["-5", "soon", "", "1e9", "0"]) {
    upstreams.fail("facturify", { fault: "status", status: 503, retry_after });
    refused(await order(FACTURIFY), 502, "upstream_error");
    const { retry_at, failures } = (await stored(FACTURIFY)).trouble;
    expect(retry_at - Date.now(), retry_after).toBeLessThanOrEqual((failures < 4 ? 8 : 600) * SECOND);
  }
});

it("a body that is too long is not read to its end", async () => {
  const json = { access_token: "x".repeat(100_000), expires_in: 3600 };
  upstreams.fail("oauth2", { fault: "wrong_json", json });
  refused(await read(BATCH), 502, "upstream_unintelligible");
});

it("a refusal of the key and secret is final, and an order tries again", async () => {
  upstreams.fail("facturify", { fault: "status", status: 401 }, { times: "forever" });
  for (let n = 0; n < 2; n++) {
    const answer = await get(TOKEN);
    refused(answer, 401, "upstream_credentials_refused");
    expect(answer.headers.get("retry-after")).toBeNull();
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="sallyport"');
  }
  refused(await read(FACTURIFY), 502, "upstream_credentials_refused");
  expect(upstreams.count({ upstream: "facturify" })).toBe(1);
  expect(await status(FACTURIFY)).toMatchObject({ status: "needs_attention", next_renewal_at: null });
  upstreams.heal();
  expect((await order(FACTURIFY)).status).toBe(200);
});

it("orders between two steps of the back-off are no calls", async () => {
  upstreams.fail("oauth2", { fault: "status", status: 503 }, { times: "forever" });
  for (let n = 0; n < 15; n++) refused(await order(BATCH), 502, "upstream_error");
  expect(upstreams.count({ upstream: "oauth2" })).toBe(1);
});

it("100 requests at the expiry, the cron and the alarm are one task", async () => {
  const before = await read(FIRST);
  await later(before.json.expires_in * SECOND);
  upstreams.clearCalls();
  const [answers] = await Promise.all([many(100, () => read(FIRST)), cron(MINUTELY), runDue(FIRST)]);
  const tokens = new Set(answers.map((answer) => `${answer.status} ${answer.json.access_token}`));
  expect(tokens.size).toBe(1);
  expect([...tokens][0]).toMatch(/^200 /);
  expect(upstreams.count({ upstream: "tokens", operation: "refresh", account: "agnidata001" })).toBe(1);
  expect(upstreams.atOnce().peak).toBe(1);
});

it("whoever comes while it is under way waits for the same, and no longer", async () => {
  const hold = upstreams.hold("facturify", "auth");
  const first = get(TOKEN);
  await hold.arrived;
  const asked = vi.spyOn(env.UPSTREAM, "get");
  const others = many(20, () => get(TOKEN));
  const ordered = order(FACTURIFY);
  await eventually(
    () => asked.mock.calls.length,
    (n) => n >= 21,
  );
  // They have come by then.
  for (let n = 0; n < 5; n++) await status(FACTURIFY);
  hold.release();
  const answers = (await Promise.all([first, others, ordered])).flat();
  expect(answers.map((answer) => answer.status)).toEqual(Array(22).fill(200));
  expect(upstreams.count()).toBe(1);
});

it("a token that is good is served at once while its renewal hangs", async () => {
  const before = (await get(TOKEN)).json.token;
  await untilAlarm(FACTURIFY);
  const hold = upstreams.hold("facturify", "refresh");
  const alarm = runDue(FACTURIFY);
  await hold.arrived;
  for (const answer of await many(20, () => get(TOKEN)))
    expect(answer.json).toEqual({ token: before, ttl: 235 });
  hold.release();
  expect(await alarm).toBe(1);
  expect((await get(TOKEN)).json.ttl).toBe(43_200);
});

// Failures that pass: what each is called, what callers are told, and when it is tried again.
import { describe, expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { SECOND } from "../support/worker/time.ts";
import type { Fault, Upstream } from "../upstreams/index.ts";
import {
  mended,
  BATCH,
  FACTURIFY,
  FIRST,
  history,
  HOUR,
  keeper,
  later,
  order,
} from "../support/worker/keeper.ts";
import { read, runDue, status, stored, untilAlarm, upstreams } from "../support/worker/keeper.ts";

keeper();

const FAULTS: [what: string, fault: Fault, status: number, code: string, upstream: number | null][] = [
  ["429", { fault: "status", status: 429 }, 502, "upstream_rate_limited", 429],
  ["500", { fault: "status", status: 500 }, 502, "upstream_error", 500],
  ["503 and HTML", { fault: "status", status: 503, body: "html" }, 502, "upstream_error", 503],
  ["504 and nothing", { fault: "status", status: 504, body: "empty" }, 502, "upstream_error", 504],
  ["200 and HTML", { fault: "html_200" }, 502, "upstream_unintelligible", 200],
  ["half of its JSON", { fault: "half_json" }, 502, "upstream_unintelligible", 200],
  ["JSON of another shape", { fault: "wrong_json" }, 502, "upstream_unintelligible", 200],
  ["JSON that is a list", { fault: "wrong_json", json: [1] }, 502, "upstream_unintelligible", 200],
  [
    "a status that means nothing",
    { fault: "status", status: 418, json: {} },
    502,
    "upstream_unintelligible",
    418,
  ],
  ["a redirect", { fault: "redirect", to: "https://elsewhere.test/" }, 502, "upstream_redirected", 302],
  ["a broken connection", { fault: "reset" }, 502, "upstream_unreachable", null],
  ["a lost answer", { fault: "fail_after", how: "reset" }, 502, "upstream_unreachable", null],
  ["an answer that comes too late", { fault: "hang" }, 504, "upstream_timeout", null],
];

const PROVIDERS: [account: string, upstream: Upstream][] = [
  [FACTURIFY, "facturify"],
  [BATCH, "oauth2"],
  [FIRST, "tokens"],
];

describe.each(PROVIDERS)("%s", (account, upstream) => {
  // Of the token service a JSON without a token means that it has none: it is asked for one.
  const faults = FAULTS.filter(([what]) => upstream !== "tokens" || !/shape|answer that comes/.test(what));
  it.each(faults)("%s", async (_what, fault, is, code, its) => {
    upstreams.fail(upstream, fault);
    const answer = await read(account);
    refused(answer, is, code);
    const wait = Number(answer.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(2);
    expect(answer.text).not.toMatch(/elsewhere|html|http/i);
    // The next who comes is told the same without a call.
    refused(await read(account), is, code);
    expect(upstreams.count()).toBe(1);
    expect(await status(account)).toMatchObject({
      has_token: false,
      status: "missing",
      last_error: { code, status: its, failures: 1 },
    });
    expect((await history(account))[0]).toMatchObject({ outcome: code, calls: 1, status: its });
    const failed = Date.now();
    expect((await untilAlarm(account)) - failed).toBeLessThanOrEqual(2 * SECOND);
    expect(await runDue(account)).toBe(1);
    expect((await read(account)).status).toBe(200);
    await mended(account);
    expect(await status(account)).toMatchObject({ has_token: true, status: "valid", last_error: null });
  });
});

it("a redirect is not followed: nobody else is shown the credentials", async () => {
  upstreams.fail("facturify", { fault: "redirect", to: "https://upstreams.test/oauth2/token" });
  refused(await read(FACTURIFY), 502, "upstream_redirected");
  expect(upstreams.calls).toMatchObject([{ upstream: "facturify", status: 302 }]);
});

it.each([
  ["seconds", 120, 120],
  ["a date", "Tue, 01 Jan 2030 06:02:00 GMT", 120],
  ["a long time", 7200, 7200],
  ["an absurd time", 999_999_999, 86_400],
] as const)("Retry-After as %s is honoured", async (_how, retry_after, seconds) => {
  const fault = { fault: "status", status: 429, retry_after } as const;
  upstreams.fail("facturify", fault, { times: "forever" });
  const answer = await read(FACTURIFY);
  refused(answer, 502, "upstream_rate_limited");
  expect(answer.headers.get("retry-after")).toBe(String(seconds));
  expect((await stored(FACTURIFY)).trouble.retry_at).toBe(Date.now() + seconds * SECOND);
  await later(seconds * SECOND - 1);
  expect(await runDue(FACTURIFY)).toBe(0);
  refused(await read(FACTURIFY), 502, "upstream_rate_limited");
  expect(upstreams.count()).toBe(1);
  await later(1);
  upstreams.heal();
  expect(await runDue(FACTURIFY)).toBeGreaterThan(0);
  expect((await read(FACTURIFY)).status).toBe(200);
});

it.each(["-5", "soon", "", "1e9", "0"])(
  "a Retry-After that is none (%s) changes nothing",
  async (retry_after) => {
    upstreams.fail("facturify", { fault: "status", status: 503, retry_after });
    refused(await read(FACTURIFY), 502, "upstream_error");
    expect((await stored(FACTURIFY)).trouble.retry_at - Date.now()).toBeLessThanOrEqual(2 * SECOND);
  },
);

it("the waits grow: 2, 4, 8 seconds at most, then minutes", async () => {
  upstreams.fail("facturify", { fault: "status", status: 503 }, { times: "forever" });
  await read(FACTURIFY);
  const waits: number[] = [];
  for (let n = 0; n < 6; n++) {
    const { trouble } = await stored(FACTURIFY);
    expect(trouble.failures).toBe(n + 1);
    waits.push(trouble.retry_at - Date.now());
    await untilAlarm(FACTURIFY);
    await runDue(FACTURIFY);
  }
  const most = [2, 4, 8, 300, 600, 1200];
  waits.forEach((wait, n) => expect(wait, `wait ${n + 1}`).toBeLessThanOrEqual((most[n] ?? 0) * SECOND));
  waits.slice(3).forEach((wait, n) => expect(wait).toBeGreaterThanOrEqual(((most[n + 3] ?? 0) / 2) * SECOND));
});

it("orders do not exceed the hour's calls either: 429", async () => {
  upstreams.fail("oauth2", { fault: "status", status: 503 }, { times: "forever" });
  for (let n = 0; n < 15; n++) refused(await order(BATCH), 502, "upstream_error");
  const answer = await order(BATCH);
  refused(answer, 429, "upstream_calls_spent");
  expect(answer.headers.get("retry-after")).toBe("3600");
  expect(upstreams.count({ upstream: "oauth2" })).toBe(15);
  upstreams.heal();
  await later(HOUR);
  expect((await order(BATCH)).status).toBe(200);
});

it("a body that is too long is not read to its end", async () => {
  const json = { access_token: "x".repeat(100_000), expires_in: 3600 };
  upstreams.fail("oauth2", { fault: "wrong_json", json });
  refused(await read(BATCH), 502, "upstream_unintelligible");
});

it.each([
  { expires_in: 0 },
  { expires_in: -1 },
  { expires_in: "3600" },
  { access_token: "a b" },
  { access_token: 7 },
])("a token that cannot be used (%o) is none", async (wrong) => {
  const json = { access_token: "abc", expires_in: 3600, ...wrong };
  upstreams.fail("oauth2", { fault: "wrong_json", json });
  refused(await read(BATCH), 502, "upstream_unintelligible");
  const jwt = { token: "abc", expires_in: 240, ...wrong };
  if ("access_token" in wrong) Object.assign(jwt, { token: wrong.access_token });
  upstreams.fail("facturify", { fault: "wrong_json", json: { jwt } });
  refused(await read(FACTURIFY), 502, "upstream_unintelligible");
});

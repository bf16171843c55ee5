// Upstox tokens through the day, and the routes that show them, with and without an account's id.
// Natively: crates/keeper/src/upstox_tests.rs.
import { expect, it, vi } from "vitest";
import { refused } from "../support/worker/api.ts";
import { SECOND } from "../support/worker/time.ts";
import { cron, DAILY, FIRST, get, keeper, later, post, runDue } from "../support/worker/keeper.ts";
import { told, UPSTOX, upstreams } from "../support/worker/keeper.ts";

keeper();

const ist = (text: string) => Date.parse(`2030-01-0${text}+05:30`);
const at = (text: string) => vi.setSystemTime(ist(text));
const status = async (id = "agnidata001") => (await get(`/accounts/${id}/token/status`)).json;
const calls = (account = "agnidata001") =>
  upstreams.calls
    .filter((call) => call.account === account)
    .map(({ upstream, operation, status }) => `${upstream} ${operation} ${status}`);

const GOT = ["tokens token 200", "upstox profile 200"];

it("reads the token service, asks Upstox, and answers as the token service does", async () => {
  const answer = await get("/accounts/agnidata001/token");
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json).toEqual({
    success: true,
    account_id: "agnidata001",
    access_token: upstreams.keptToken("agnidata001"),
    expires_at: "2030-01-02T03:30:00+05:30",
    source: "startup",
    updated_by: "token-service",
  });
  expect(calls()).toEqual(GOT);
});

it.each([
  ["1T20:00:00", "2030-01-02T03:30:00+05:30", 27_000],
  ["2T02:30:00", "2030-01-02T03:30:00+05:30", 3600],
  ["2T03:29:00", "2030-01-02T03:30:00+05:30", 60],
  ["2T03:29:59", "2030-01-02T03:30:00+05:30", 1],
  ["2T03:30:00", "2030-01-03T03:30:00+05:30", 86_400],
  ["2T03:31:00", "2030-01-03T03:30:00+05:30", 86_340],
  ["2T08:00:00", "2030-01-03T03:30:00+05:30", 70_200],
])("got at %s IST it ends at %s", async (time, expires_at, ttl) => {
  at(time);
  expect((await get("/accounts/agnidata001/token")).json.expires_at).toBe(expires_at);
  expect(await status()).toMatchObject({ has_token: true, status: "valid", expires_at, ttl });
});

it("is expired from 03:30 on, and status says so at 03:31 until there is another", async () => {
  at("1T20:00:00");
  await get("/accounts/agnidata001/token");
  await told(FIRST);
  const expires_at = "2030-01-02T03:30:00+05:30";
  for (const [time, has_token, ttl, word] of [
    ["2T02:30:00", true, 3600, "valid"],
    ["2T03:29:59", true, 1, "valid"],
    ["2T03:30:00", false, 0, "expired"],
    ["2T03:31:00", false, 0, "expired"],
  ] as const) {
    at(time);
    expect(await status()).toMatchObject({ has_token, ttl, status: word, expires_at });
  }
  expect(calls()).toEqual(GOT);
  // Who needs one in the night gets one: the service's old one is seen to be old without a call.
  const answer = await get("/accounts/agnidata001/token");
  expect(answer.json.expires_at).toBe("2030-01-03T03:30:00+05:30");
  expect(calls().slice(2)).toEqual(["tokens token 200", "tokens refresh 200", "upstox profile 200"]);
});

it("shows everything but the token", async () => {
  expect(await status()).toEqual({
    account_id: "agnidata001",
    user_id: null,
    has_token: false,
    status: "missing",
    expires_at: null,
    ttl: 0,
    source: null,
    last_check: null,
    last_error: null,
    next_renewal_at: null,
    approval_until: null,
  });
  const token = (await get("/accounts/agnidata001/token")).json.access_token;
  const shown = await status();
  expect(shown).toEqual({
    account_id: "agnidata001",
    user_id: upstreams.app("agnidata001").user_id,
    has_token: true,
    status: "valid",
    expires_at: "2030-01-02T03:30:00+05:30",
    ttl: 57_600,
    source: "startup",
    last_check: { at: "2030-01-01T11:30:00+05:30", outcome: "ok" },
    last_error: null,
    next_renewal_at: expect.stringMatching(/^2030-01-02T08:0[23]:\d\d\+05:30$/),
    approval_until: null,
  });
  expect(JSON.stringify(shown)).not.toContain(token);
});

it("the routes without an id are those of the default account", async () => {
  await get("/accounts/agnidata001/token");
  expect((await get("/token/status")).json).toEqual(await status());
  const validated = (await get("/token/validate")).json;
  expect(validated).toEqual((await get("/accounts/agnidata001/token/validate")).json);
  const access_token = await upstreams.issueToken("agnidata001");
  expect((await post("/token/update", { access_token })).json.account_id).toBe("agnidata001");
  expect((await get("/accounts/agnidata001/token")).json.access_token).toBe(access_token);
});

it("lists the accounts page by page, in the order of the settings", async () => {
  await get("/accounts/agnidata002/token");
  const all = await get("/accounts");
  expect(all.json).toEqual({
    accounts: [await status("agnidata001"), await status("agnidata002"), await status("agnidata003")],
    total: 3,
    next_cursor: null,
  });
  expect(all.json.accounts.map((a: any) => a.has_token)).toEqual([false, true, false]);
  const two = (await get("/accounts?limit=2")).json;
  expect([two.accounts.length, two.next_cursor]).toEqual([2, "agnidata002"]);
  const rest = (await get(`/accounts?limit=2&cursor=${two.next_cursor}`)).json;
  expect([rest.accounts.length, rest.accounts[0].account_id, rest.next_cursor]).toEqual([
    1,
    "agnidata003",
    null,
  ]);
  for (const query of ["limit=0", "limit=46", "limit=x", "cursor=nobody"])
    refused(await get(`/accounts?${query}`), 422, "validation_error");
});

it("POST …/refresh has the service make a new one, in the same shape", async () => {
  const before = (await get("/accounts/agnidata001/token")).json.access_token;
  const answer = await post("/accounts/agnidata001/refresh");
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    success: true,
    account_id: "agnidata001",
    access_token: upstreams.keptToken("agnidata001"),
    expires_at: "2030-01-02T03:30:00+05:30",
    source: "refresh",
    updated_by: "token-service",
  });
  expect(answer.json.access_token).not.toBe(before);
  // Its answer has the token already.
  expect(calls().slice(2)).toEqual(["tokens refresh 200", "upstox profile 200"]);
});

it.each(["given", "ist", "missing", "wrong", "garbage"] as const)(
  "believes no longer life, whatever the service says (%s)",
  async (expires_at) => {
    for (const token_format of ["jwt", "jwt_without_exp", "opaque"] as const) {
      upstreams.set({ tokens: { expires_at }, upstox: { token_format } });
      upstreams.revoke("tokens");
      const answer = await post("/accounts/agnidata001/refresh");
      expect([token_format, answer.json.expires_at]).toEqual([token_format, "2030-01-02T03:30:00+05:30"]);
    }
  },
);

it("at 08:00 IST the daily trigger renews every account once, whatever time it has left", async () => {
  at("2T02:30:00");
  for (const id of ["agnidata001", "agnidata002", "agnidata003"]) await get(`/accounts/${id}/token`);
  for (const account of UPSTOX) await told(account);
  upstreams.clearCalls();
  at("2T08:00:00");
  await cron(DAILY);
  await later(SECOND);
  for (const account of UPSTOX) expect(await runDue(account)).toBe(1);
  expect(upstreams.count({ upstream: "tokens", operation: "refresh" })).toBe(3);
  expect(upstreams.count()).toBe(6);
  for (const id of ["agnidata001", "agnidata002", "agnidata003"])
    expect(await status(id)).toMatchObject({ source: "cron", ttl: 70_200 - 1 });
});

// KV's copies of tokens: under the old names, sealed, as long as the token lives; and how little depends on them.
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { MINUTE, SECOND } from "../support/worker/time.ts";
import {
  alarmAt,
  FACTURIFY,
  FIRST,
  get,
  keeper,
  later,
  order,
  post,
  read,
} from "../support/worker/keeper.ts";
import { CRM, runDue, SECOND_ACCOUNT, stored, stub, told, upstreams } from "../support/worker/keeper.ts";
import { advance } from "../support/worker/time.ts";

keeper();

const names = async () =>
  (await env.KV.list()).keys
    .map(({ name }) => name)
    .filter((name) => name.includes("token"))
    .sort();
const TOKEN = "upstox_access_token:agnidata001";

function kvDown(): void {
  for (const method of ["get", "put", "delete", "list"] as const)
    vi.spyOn(env.KV, method).mockRejectedValue(new Error(`KV ${method.toUpperCase()} failed: 503`));
}

it("keeps the tokens and what is known of them under the old names, of the default account also without an id", async () => {
  await read(SECOND_ACCOUNT);
  await told(SECOND_ACCOUNT);
  expect(await names()).toEqual(["token_info:agnidata002", "upstox_access_token:agnidata002"]);
  await read(FIRST);
  await told(FIRST);
  await order(FACTURIFY);
  await read(CRM);
  await told(CRM);
  expect(await names()).toEqual([
    "facturify_access_token:default",
    "oauth2_access_token:crm",
    "token_info",
    "token_info:agnidata001",
    "token_info:agnidata002",
    "upstox_access_token",
    TOKEN,
    "upstox_access_token:agnidata002",
  ]);
  const info = {
    account_id: "agnidata001",
    expires_at: "2030-01-02T03:30:00+05:30",
    updated_at: "2030-01-01T11:30:00+05:30",
    source: "startup",
    updated_by: "token-service",
    user_id: upstreams.app("agnidata001").user_id,
  };
  expect(await env.KV.get("token_info:agnidata001", "json")).toEqual(info);
  expect(await env.KV.get("token_info", "json")).toEqual(info);
});

it("each value is sealed for its own key and opens under no other", async () => {
  await read(FIRST);
  await read(SECOND_ACCOUNT);
  await told(FIRST);
  await told(SECOND_ACCOUNT);
  const [own, plain, other] = [
    await env.KV.get(TOKEN),
    await env.KV.get("upstox_access_token"),
    await env.KV.get("upstox_access_token:agnidata002"),
  ];
  const token = (await read(FIRST)).json.access_token;
  for (const sealed of [own, plain, other]) expect(sealed).toMatch(/^s1\.[\w-]{100,}$/);
  expect(new Set([own, plain, other]).size).toBe(3);
  expect(atob((own ?? "").slice(3).replaceAll("-", "+").replaceAll("_", "/"))).not.toContain(
    token.slice(0, 20),
  );
  for (const foreign of [plain, other, "s1.AAAA", "garbage", token, `s0${own?.slice(2)}`]) {
    await env.KV.put(TOKEN, foreign ?? "");
    expect((await read(FIRST)).json.access_token).toBe(token);
    // Seen to be broken, it is written anew, before the answer.
    expect(await env.KV.get(TOKEN)).not.toBe(foreign);
  }
});

it("lives as long as the token, a day at most and a minute at least", async () => {
  const ttl = async (name: string) => {
    const key = (await env.KV.list({ prefix: name })).keys.find((k) => k.name === name);
    return (key?.expiration ?? 0) * SECOND;
  };
  vi.useRealTimers(); // KV counts from its own clock.
  const left = async (name: string) => Math.round(((await ttl(name)) - Date.now()) / SECOND);
  for (const [seconds, expected] of [
    [100_000, 86_400],
    [7200, 7200],
    [10, 60],
  ] as const) {
    upstreams.set({ oauth2: { expires_in: seconds } });
    await order(CRM);
    const is = await left("oauth2_access_token:crm");
    expect(is).toBeGreaterThan(expected - 5);
    expect(is).toBeLessThanOrEqual(expected + 1);
  }
});

it("a copy is served without the object, until shortly before the renewal", async () => {
  upstreams.set({ facturify: { short_seconds: 43_200 } });
  const { token } = (await get("/api/v1/facturify/auth/token")).json;
  await told(FACTURIFY);
  const due = (await stored(FACTURIFY)).due.at;
  const asked = vi.spyOn(env.UPSTREAM, "get");
  expect((await read(FACTURIFY)).json.access_token).toBe(token);
  advance(due - 120 * SECOND - 1 - Date.now());
  expect((await read(FACTURIFY)).json.access_token).toBe(token);
  expect((await read(FACTURIFY, "?min_ttl=100")).json.access_token).toBe(token);
  expect(asked).not.toHaveBeenCalled();
  advance(1);
  expect((await read(FACTURIFY)).json.access_token).toBe(token);
  expect(asked).toHaveBeenCalledTimes(1);
});

it("a copy that does not last for min_ttl is not served", async () => {
  upstreams.set({ facturify: { short_seconds: 43_200 } });
  await get("/api/v1/facturify/auth/token");
  // A tenth of its life: no reader has it renewed sooner.
  await later(73 * MINUTE);
  expect((await get("/api/v1/facturify/auth/token?min_ttl=43200")).json.ttl).toBe(43_200);
  expect(upstreams.count({ operation: "refresh" })).toBe(1);
});

it("whoever ordered a token, or gave one, finds it in KV with the answer", async () => {
  for (let n = 0; n < 3; n++) {
    const access_token = await upstreams.issueToken("agnidata001");
    await post("/token/update", { access_token });
    expect((await read(FIRST)).json.access_token).toBe(access_token);
    const ordered = (await order(FIRST)).json.access_token;
    expect((await read(FIRST)).json.access_token).toBe(ordered);
  }
});

it("a token that Upstox refused is gone from KV", async () => {
  await read(FIRST);
  await told(FIRST);
  upstreams.revoke("upstox", "agnidata001");
  expect((await get("/token/validate")).json.valid).toBe(false);
  expect(await names()).toEqual([]);
});

it("with KV down everything works, and is told later", async () => {
  kvDown();
  const token = (await read(FIRST)).json.access_token;
  expect(upstreams.alive(token)).toBe(true);
  expect((await read(FIRST)).json.access_token).toBe(token);
  expect((await order(FIRST)).status).toBe(200);
  const access_token = await upstreams.issueToken("agnidata001");
  expect((await post("/token/update", { access_token })).status).toBe(200);
  expect((await get("/token/status")).json).toMatchObject({ has_token: true, status: "valid" });
  expect((await read(FIRST)).json.access_token).toBe(access_token);
  vi.restoreAllMocks();
  vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("nobody is called"));
  expect(await env.KV.get(TOKEN)).toBeNull();
  const again = (await alarmAt(FIRST)) ?? 0;
  expect(again - Date.now()).toBeLessThanOrEqual(30 * SECOND);
  advance(again - Date.now());
  expect(await runDue(FIRST)).toBe(1);
  expect(await env.KV.get(TOKEN)).toMatch(/^s1\./);
  await told(FIRST);
});

it("an old copy in KV, as another place may see it, is never served beyond its time", async () => {
  upstreams.set({ oauth2: { expires_in: 600 } });
  await read(CRM);
  await told(CRM);
  const old = (await env.KV.get("oauth2_access_token:crm")) ?? "";
  await later((await stored(CRM)).due.at - Date.now());
  await runDue(CRM);
  const token = (await read(CRM)).json.access_token;
  await env.KV.put("oauth2_access_token:crm", old);
  expect((await read(CRM)).json.access_token).toBe(token);
});

it("nothing but the sealed record is secret in the object", async () => {
  const token = (await read(FIRST)).json.access_token;
  await told(FIRST);
  const all = await runInDurableObject(stub(FIRST), (_i, { storage }) =>
    JSON.stringify([...storage.kv.list()]),
  );
  expect(all).toContain("agnidata001");
  for (const secret of [token, "app-secret-agnidata001"]) expect(all).not.toContain(secret);
});

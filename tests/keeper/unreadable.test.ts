// Stored tokens that cannot be opened: a clear error for that account alone, and nothing is overwritten.
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { advance, SECOND } from "../support/worker/time.ts";
import {
  ACCOUNTS,
  cron,
  CRM,
  DAILY,
  FACTURIFY,
  FIRST,
  HOUR,
  keeper,
  later,
} from "../support/worker/keeper.ts";
import {
  MINUTELY,
  order,
  read,
  runDue,
  SECOND_ACCOUNT,
  status,
  stub,
  told,
  upstreams,
} from "../support/worker/keeper.ts";

keeper();

const sealed = (account: string): Promise<string> =>
  runInDurableObject(stub(account), (_instance, { storage }) => storage.kv.get<string>("tokens") ?? "");

/** Another record in the object's storage, and an instance that knows nothing of the one before. */
async function put(account: string, record: string): Promise<void> {
  await runInDurableObject(stub(account), (_instance, { storage }) => storage.kv.put("tokens", record));
  await abortAllDurableObjects();
}

/** KV has copies of its own; without them the objects are asked. */
async function withoutCopies(): Promise<void> {
  for (const { name } of (await env.KV.list()).keys) if (/token/.test(name)) await env.KV.delete(name);
}

const KINDS: [how: string, broken: (record: string) => string][] = [
  ["a byte in the middle flipped", (r) => flip(r, Math.floor(r.length / 2))],
  ["sealed under a key that is gone", (r) => r.replace(/^s1\./, "s0.")],
];
const flip = (text: string, at: number) =>
  text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);

describe.each(KINDS)("%s", (_how, broken) => {
  it("is an error of that account, which no cron or alarm repairs by itself; the others work", async () => {
    for (const account of ACCOUNTS) await read(account);
    await later(0);
    await withoutCopies();
    const good = await sealed(FIRST);
    const token = (await read(FIRST)).json.access_token;
    await withoutCopies();
    await put(FIRST, broken(good));
    const calls = upstreams.count({ account: "agnidata001" });
    const answer = await read(FIRST);
    refused(answer, 503, "credential_unreadable");
    expect(answer.json.detail).not.toMatch(/s0|s1|key|nonce|tag/i);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    for (const account of ACCOUNTS.filter((a) => a !== FIRST)) expect((await read(account)).status).toBe(200);
    expect(await status(FIRST)).toMatchObject({
      status: "needs_attention",
      last_error: { code: "credential_unreadable", failures: 1 },
    });
    for (const wait of [0, HOUR]) {
      advance(wait);
      await Promise.all([cron(MINUTELY), cron(DAILY)]);
      advance(30 * SECOND);
      await runDue(FIRST);
    }
    expect(await sealed(FIRST)).toBe(broken(good));
    expect(upstreams.count({ account: "agnidata001" })).toBe(calls);
    // It comes back by itself with the record.
    await put(FIRST, good);
    expect((await read(FIRST)).json.access_token).toBe(token);
    expect(await status(FIRST)).toMatchObject({ status: "valid", last_error: null });
  });
});

it("two accounts' records swapped open at neither place", async () => {
  await read(FIRST);
  await read(SECOND_ACCOUNT);
  await later(0);
  const [one, two] = [await sealed(FIRST), await sealed(SECOND_ACCOUNT)];
  await put(FIRST, two);
  await put(SECOND_ACCOUNT, one);
  await withoutCopies();
  for (const account of [FIRST, SECOND_ACCOUNT]) refused(await read(account), 503, "credential_unreadable");
  expect((await read(FACTURIFY)).status).toBe(200);
});

it("an order gets a new token and puts it in the place of what cannot be read", async () => {
  await read(FIRST);
  await told(FIRST);
  await put(FIRST, "s1.AAAA");
  await withoutCopies();
  refused(await read(FIRST), 503, "credential_unreadable");
  const { access_token } = (await order(FIRST)).json;
  expect((await read(FIRST)).json.access_token).toBe(access_token);
  expect(await status(FIRST)).toMatchObject({ status: "valid", last_error: null });
  expect(upstreams.alive(access_token)).toBe(true);
});

it("the same token is sealed differently each time", async () => {
  const json = { access_token: "always-the-same", expires_in: 3600 };
  upstreams.fail("oauth2", { fault: "wrong_json", json }, { times: 2 });
  const copy = async () => (await order(CRM)) && (await env.KV.get("oauth2_access_token:crm"));
  const [first, second] = [await copy(), await copy()];
  expect(first).toMatch(/^s1\./);
  expect(second?.length).toBe(first?.length);
  expect(second?.slice(0, 19)).not.toBe(first?.slice(0, 19));
  expect(second?.slice(19)).not.toBe(first?.slice(19));
});

it("a state that is no JSON is 503 for that account alone", async () => {
  await read(FIRST);
  await told(FIRST);
  await runInDurableObject(stub(FIRST), (_instance, { storage }) => storage.kv.put("account", "{"));
  await withoutCopies();
  refused(await read(FIRST), 503, "service_unavailable");
  await cron(MINUTELY);
  expect((await read(SECOND_ACCOUNT)).status).toBe(200);
});

// The object is gone in the middle of a task: what it meant to do is on record, and is taken up again.
import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { refused } from "../support/worker/api.ts";
import { advance, SECOND } from "../support/worker/time.ts";
import {
  mended,
  BATCH,
  cron,
  FACTURIFY,
  FIRST,
  history,
  keeper,
  MINUTELY,
} from "../support/worker/keeper.ts";
import {
  alarmAt,
  order,
  post,
  read,
  runDue,
  status,
  stored,
  stub,
  told,
  upstreams,
} from "../support/worker/keeper.ts";
import type { Operation, Upstream } from "../upstreams/index.ts";

keeper();

const FIRST_CALL: [account: string, upstream: Upstream, operation: Operation][] = [
  [FACTURIFY, "facturify", "auth"],
  [BATCH, "oauth2", "client_credentials"],
];

/** A caller's request, cut off while the upstream holds the call. */
async function cutOff(account: string, upstream: Upstream, operation: Operation): Promise<void> {
  const hold = upstreams.hold(upstream, operation);
  const caller = read(account);
  await hold.arrived;
  expect(await stored(account)).toMatchObject({ flight: { operation: "renew", who: "key:a service" } });
  await abortAllDurableObjects();
  refused(await caller, 503, "service_unavailable");
  hold.release();
}

describe.each(FIRST_CALL)("%s", (account, upstream, operation) => {
  it("the next who asks finds it, and gets a token", async () => {
    await cutOff(account, upstream, operation);
    expect((await stored(account)).flight).not.toBeNull();
    expect((await read(account)).status).toBe(200);
    expect(await history(account)).toMatchObject([
      { operation: "renew", outcome: "ok" },
      { operation: "renew", outcome: "upstream_outcome_unknown", who: "key:a service", calls: 1 },
    ]);
    await mended(account);
    expect(await status(account)).toMatchObject({ status: "valid", last_error: null });
  });

  it("if nobody asks, the alarm takes it up once the task must be over", async () => {
    await cutOff(account, upstream, operation);
    const { flight } = await stored(account);
    // Half a minute would be the longest call, and the task may have several.
    expect(flight.deadline - Date.now()).toBeLessThanOrEqual(60 * SECOND);
    expect(await alarmAt(account)).toBeLessThanOrEqual(flight.deadline);
    advance(flight.deadline - Date.now());
    expect(await runDue(account)).toBeGreaterThan(0);
    expect(await status(account)).toMatchObject({ has_token: true, status: "valid" });
  });

  it("so does the cron of the next minute", async () => {
    await cutOff(account, upstream, operation);
    await cron(MINUTELY);
    advance(SECOND);
    expect(await runDue(account)).toBeGreaterThan(0);
    expect(await status(account)).toMatchObject({ has_token: true, status: "valid" });
  });
});

it("a graceful eviction waits for the task", async () => {
  const hold = upstreams.hold("facturify", "auth");
  const caller = read(FACTURIFY);
  await hold.arrived;
  const evicted = evictDurableObject(stub(FACTURIFY));
  hold.release();
  await evicted;
  expect((await caller).status).toBe(200);
  expect((await read(FACTURIFY)).json.access_token).toBe((await caller).json.access_token);
  expect((await history(FACTURIFY)).map(({ outcome }) => outcome)).toEqual(["ok"]);
});

it("a good token is served all the same", async () => {
  const before = (await read(FACTURIFY)).json.access_token;
  await told(FACTURIFY);
  const hold = upstreams.hold("facturify", "refresh");
  const ordered = order(FACTURIFY);
  await hold.arrived;
  await abortAllDurableObjects();
  refused(await ordered, 503, "service_unavailable");
  expect((await read(FACTURIFY)).json.access_token).toBe(before);
  hold.release();
});

it("an exchange is not taken up again: its code was for once", async () => {
  const hold = upstreams.hold("upstox", "token");
  const caller = post("/accounts/agnidata001/token/exchange", { code: upstreams.issueCode("agnidata001") });
  await hold.arrived;
  await abortAllDurableObjects();
  refused(await caller, 503, "service_unavailable");
  hold.release();
  const { flight } = await stored(FIRST);
  advance(flight.deadline - Date.now());
  await runDue(FIRST);
  expect(upstreams.count({ upstream: "upstox", operation: "token", status: 200 })).toBe(0);
  expect(await history(FIRST)).toContainEqual(
    expect.objectContaining({ operation: "exchange", outcome: "upstream_outcome_unknown" }),
  );
  expect(await status(FIRST)).toMatchObject({ last_error: null });
});

it("interrupted again and again, it stays within the hour's calls", async () => {
  for (let n = 0; n < 30; n++) {
    const hold = upstreams.hold("facturify", "auth");
    const caller = read(FACTURIFY);
    const came = await Promise.race([hold.arrived.then(() => true), caller.then(() => false)]);
    if (came) await abortAllDurableObjects();
    hold.release();
    await caller;
    advance(60 * SECOND);
  }
  const attempts = (await history(FACTURIFY)).filter(({ outcome }) => outcome !== "ok").length;
  expect(attempts).toBeGreaterThan(3);
  expect(attempts).toBeLessThanOrEqual(15);
});

// The first request after a deploy, whichever it is: every account gets its token, before anybody asks for one.
import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  ACCOUNTS,
  alarmAt,
  eventually,
  roster,
  runDue,
  START,
  stored,
  told,
} from "../support/worker/keeper.ts";
import { upstreams } from "../support/worker/keeper.ts";

it("is looked after once, and not again by an instance that starts within the minute", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
    upstreams.handle(new Request(input, init)),
  );
  const health = () => exports.default.fetch(new Request("https://sallyport.test/health"));
  expect(await (await health()).json()).toMatchObject({ accounts: { total: 3, healthy: 0, failed: 0 } });
  for (const account of ACCOUNTS)
    await eventually(
      () => alarmAt(account),
      (at) => at !== null,
    );
  expect(upstreams.calls).toEqual([]); // The request itself called nobody.
  advance(SECOND);
  await Promise.all(ACCOUNTS.map(runDue));
  for (const account of ACCOUNTS)
    expect((await stored(account)).held, account).toMatchObject({ source: "startup" });
  expect(upstreams.count()).toBe(9);
  for (const account of ACCOUNTS) await told(account);
  expect(await env.KV.get("upstox_access_token")).toMatch(/^s1\./);
  expect(await (await health()).json()).toMatchObject({ accounts: { total: 3, healthy: 3, failed: 0 } });

  const start = async () =>
    JSON.parse(await roster().command(JSON.stringify({ start: { now: Date.now() } })));
  expect(await start()).toEqual({ start: false });
  advance(MINUTE);
  expect(await Promise.all([start(), start(), start()])).toEqual([
    { start: true },
    { start: false },
    { start: false },
  ]);
  vi.useRealTimers();
});

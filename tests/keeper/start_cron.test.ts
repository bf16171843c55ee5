// The first cron after a deploy, before any request: five at once get every account its token, and one each.
import { expect, it, vi } from "vitest";
import { advance, SECOND } from "../support/worker/time.ts";
import { ACCOUNTS, cron, MINUTELY, runDue, START, stored, upstreams } from "../support/worker/keeper.ts";

it("gets every account its token", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) =>
    upstreams.handle(new Request(input, init)),
  );
  await Promise.all(Array.from({ length: 5 }, () => cron(MINUTELY)));
  advance(SECOND);
  await Promise.all(ACCOUNTS.map(runDue));
  for (const account of ACCOUNTS)
    expect((await stored(account)).held, account).toMatchObject({ source: "startup" });
  expect(
    upstreams.counters().map(({ count, ...of }) => [of.upstream, of.operation, of.account, count]),
  ).toEqual(
    expect.arrayContaining([
      ["facturify", "auth", "main", 1],
      ["oauth2", "refresh", "crm", 1],
      ["oauth2", "client_credentials", "batch", 1],
      ...["agnidata001", "agnidata002", "agnidata003"].flatMap((id) => [
        ["tokens", "token", id, 1],
        ["upstox", "profile", id, 1],
      ]),
    ]),
  );
  expect(upstreams.count()).toBe(9);
  vi.useRealTimers();
});

// What tests of all kinds of objects need of the runtime.
import { exports } from "cloudflare:workers";
import { expect } from "vitest";

export const MINUTELY = "* * * * *";
export const DAILY = "30 2 * * *";

/** A Cron Trigger, scheduled at a full hour: all that it looks after is looked at. */
export const cron = (expression: string): Promise<{ outcome: string }> =>
  (exports.default as unknown as Scheduled).scheduled({ cron: expression, scheduledTime: new Date(0) });

interface Scheduled {
  scheduled(trigger: { cron: string; scheduledTime: Date }): Promise<{ outcome: string }>;
}

const pause = () => new Promise((done) => setTimeout(done, 5));

/** Waits until it holds, while the clock stands: `expect.poll` would move it. */
export async function eventually<T>(value: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const now = await value();
    if (holds(now)) return now;
    if (performance.now() > end) expect.fail(`waited in vain, at last ${JSON.stringify(now)}`);
    await pause();
  }
}

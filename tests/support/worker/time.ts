// A clock that stands still until it is moved; the wasm and its objects follow it. Alarms and KV's expiry do not.
import { afterEach, beforeEach, vi } from "vitest";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const DAY = 24 * 60 * MINUTE;

/** To be called at the top of a file: every test begins at the same moment, which only `advance` moves. */
export function standingClock(start = Date.parse("2030-01-01T00:00:00.000Z")): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(start);
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export const advance = (ms: number): void => {
  vi.setSystemTime(Date.now() + ms);
};

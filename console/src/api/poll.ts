// When to ask again. Pure; `usePoll` does it.

export interface Outcome {
  /** How often in a row it has failed, this time included; 0 after an answer. */
  failures: number;
  status?: number;
  retryAfterSeconds?: number | null;
}

const MAX_DELAY_MS = 5 * 60_000;

/** How long to wait after an outcome: the interval, and after failures twice as long each time, never less than is asked for. */
export function delayAfter(outcome: Outcome, intervalMs: number, random: () => number): number {
  if (outcome.failures === 0) return intervalMs;
  const backedOff = Math.min(intervalMs * 2 ** outcome.failures, MAX_DELAY_MS);
  const asked = (outcome.retryAfterSeconds ?? 0) * 1000;
  // Upwards only, so that many pages that were refused at once do not come back at once, nor too early.
  return Math.round(Math.max(backedOff, asked) * (1 + 0.1 * random()));
}

/** What will not change by asking again: somebody has to do something first. */
export const isFinal = (status: number): boolean => status === 401 || status === 403 || status === 404;

// Waiting that works in workerd, too: each waits by timers of its own request, never for a promise of another.

const STEP_MS = 5;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Waits until `done` or `ms` have passed, and tells whether it was `done`. Rejects as soon as `signal` is aborted, as
 * `fetch` does.
 */
export async function until(done: () => boolean, ms: number, signal?: AbortSignal): Promise<boolean> {
  let over = false;
  const timer = setTimeout(() => (over = true), ms);
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (done()) return true;
      if (over) return false;
      await pause(Math.min(STEP_MS, ms));
    }
  } finally {
    clearTimeout(timer);
  }
}

// One clock for all that counts down: it ticks each second, as the server's clock does, and not in a hidden tab.
import { useEffect, useState } from "preact/hooks";

const watchers = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let skewMs = 0;

export const serverNow = (): number => Date.now() + skewMs;

/** `timestamp` is of an answer that was asked for at `askedAt` and has just arrived. Small differences are the network's. */
export function learnTime(timestamp: string, askedAt: number): void {
  const now = Date.now();
  const server = Date.parse(timestamp);
  if (Number.isNaN(server)) return;
  const difference = server - (askedAt + now) / 2;
  if (Math.abs(difference - skewMs) > Math.max(2000, now - askedAt)) skewMs = difference;
}

const tick = (): void => {
  if (document.hidden) return;
  const now = serverNow();
  for (const watcher of watchers) watcher(now);
};

export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    watchers.add(setNow);
    timer ??= setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
    return () => {
      watchers.delete(setNow);
      document.removeEventListener("visibilitychange", tick);
      if (watchers.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return now;
}

// Asks again and again, passively: not in a hidden tab, later after refusals, at once when a person has changed something.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { PAUSED, type Refusal, refusalOf } from "../api/call.ts";
import { delayAfter, isFinal } from "../api/poll.ts";
import { useConsole } from "./context.ts";

export interface Polled<T> {
  data: T | null;
  /** When `data` came. */
  at: number | null;
  refusal: Refusal | null;
  /** When it is asked again; null while it is being asked, and where that would change nothing. */
  nextAt: number | null;
  again(): void;
}

/** Those that wait for somebody to be there again. */
const paused = new Set<() => void>();

/** Somebody is. */
export function wakePaused(): void {
  for (const wake of [...paused]) wake();
}

type State<T> = Omit<Polled<T>, "again">;
const EMPTY = { data: null, at: null, refusal: null, nextAt: null };

/** `key` names what is asked for: with another one everything begins anew. */
export function usePoll<T>(
  key: string,
  ask: (signal: AbortSignal) => Promise<T>,
  intervalMs: number,
): Polled<T> {
  const {
    lost,
    conn: { kind },
  } = useConsole();
  const [state, setState] = useState<State<T> & { key: string }>({ ...EMPTY, key });
  const latest = useRef(ask);
  latest.current = ask;
  const wake = useRef(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let asking: AbortController | null = null;
    let failures = 0;
    let due = true;
    setState({ ...EMPTY, key });

    const plan = (delay: number | null) => {
      clearTimeout(timer);
      due = false;
      if (delay === null) return null;
      timer = setTimeout(() => {
        due = true;
        void run();
      }, delay);
      return Date.now() + delay;
    };
    const run = async () => {
      if (!due || asking || document.hidden) return;
      const mine = (asking = new AbortController());
      paused.delete(now);
      try {
        const data = await latest.current(mine.signal);
        if (mine.signal.aborted) return;
        failures = 0;
        setState({
          key,
          data,
          at: Date.now(),
          refusal: null,
          nextAt: plan(delayAfter({ failures }, intervalMs, Math.random)),
        });
      } catch (error) {
        if (mine.signal.aborted) return;
        const refusal = refusalOf(error);
        failures += 1;
        const { status, retryAfterSeconds } = refusal;
        const nextAt = plan(
          isFinal(status)
            ? null
            : delayAfter({ failures, status, retryAfterSeconds }, intervalMs, Math.random),
        );
        setState((before) => ({ ...before, key, refusal, nextAt }));
        // An admin's session is the client's to end; another 401 is about this one question.
        if (status === 401 && kind === "key") lost(refusal);
        if (refusal.code === PAUSED) paused.add(now);
      } finally {
        if (asking === mine) asking = null;
      }
    };
    const now = () => {
      clearTimeout(timer);
      // One that is under way may have been answered before the change.
      asking?.abort();
      asking = null;
      due = true;
      void run();
    };
    const seen = () => void run();
    wake.current = now;
    document.addEventListener("visibilitychange", seen);
    void run();
    return () => {
      clearTimeout(timer);
      asking?.abort();
      paused.delete(now);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, intervalMs]);

  const again = useCallback(() => wake.current(), []);
  const { key: of, ...current } = state;
  return { ...(of === key ? current : EMPTY), again };
}

// What was called: the last calls, counters of all, and how many came at once.
import type { Call, CallFilter, Operation, Upstream } from "./types.ts";

interface AtOnce {
  now: number;
  peak: number;
}

type Who = Pick<Call, "upstream" | "operation" | "account">;

const FIELDS = ["upstream", "operation", "account", "status"] as const;

export const matches = (call: CallFilter, filter: CallFilter): boolean =>
  FIELDS.every((field) => filter[field] === undefined || filter[field] === call[field]);

const keyOf = ({ upstream, operation, account, status }: CallFilter): string =>
  JSON.stringify([upstream, operation, account, status]);

export class Journal {
  /** Oldest first. */
  readonly calls: Call[] = [];
  #counters = new Map<string, { of: CallFilter; count: number }>();
  #atOnce = new Map<string, { of: CallFilter; at: AtOnce }>();
  #n = 0;
  #keep: number;

  constructor(keep: number) {
    this.#keep = keep;
  }

  add(call: Omit<Call, "n">): Call {
    const numbered: Call = { n: ++this.#n, ...call };
    this.calls.push(numbered);
    if (this.calls.length > this.#keep) this.calls.shift();
    const { upstream, operation, account, status } = numbered;
    const of: CallFilter = { upstream, operation, status, ...(account === undefined ? {} : { account }) };
    const counter = this.#counters.get(keyOf(of)) ?? { of, count: 0 };
    counter.count += 1;
    this.#counters.set(keyOf(of), counter);
    return numbered;
  }

  count(filter: CallFilter = {}): number {
    return this.counters(filter).reduce((sum, { count }) => sum + count, 0);
  }

  counters(filter: CallFilter = {}): (CallFilter & { count: number })[] {
    const found = [...this.#counters.values()].filter(({ of }) => matches(of, filter));
    return found.map(({ of, count }) => ({ ...of, count }));
  }

  /** To be called when a call comes; what it returns, when it has ended. */
  enter(upstream: Upstream, operation: Operation, account?: string): () => void {
    const of: CallFilter = { upstream, operation, ...(account === undefined ? {} : { account }) };
    const { at } = this.#atOnce.get(keyOf(of)) ?? { at: { now: 0, peak: 0 } };
    this.#atOnce.set(keyOf(of), { of, at });
    at.now += 1;
    at.peak = Math.max(at.peak, at.now);
    return () => {
      at.now -= 1;
    };
  }

  /** Calls of one operation for one account: under way now, and the most there were. The largest of those that match. */
  atOnce(filter: Partial<Who> = {}): AtOnce {
    const found = [...this.#atOnce.values()].filter(({ of }) => matches(of, filter));
    return {
      now: Math.max(0, ...found.map(({ at }) => at.now)),
      peak: Math.max(0, ...found.map(({ at }) => at.peak)),
    };
  }

  clear(): void {
    this.calls.length = 0;
    this.#counters.clear();
    this.#atOnce.clear();
    this.#n = 0;
  }
}

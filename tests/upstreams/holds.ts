// Calls that are held, and the connection that breaks.
import type { Hold, Operation, Upstream } from "./types.ts";
import { until } from "./wait.ts";

/** What `fetch` rejects with when the connection breaks. */
export class ConnectionBroken extends TypeError {
  constructor() {
    super("fetch failed: the connection was broken");
  }
}

export interface Target {
  upstream: Upstream;
  operation?: Operation | undefined;
  account?: string | undefined;
}

export const meets = (target: Target, call: Target): boolean =>
  target.upstream === call.upstream &&
  (target.operation === undefined || target.operation === call.operation) &&
  (target.account === undefined || target.account === call.account);

const WATCH_MS = 30_000;

export class Held implements Hold {
  waiting = 0;
  came = false;
  released = false;
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  get arrived(): Promise<void> {
    const watch = until(() => this.came, WATCH_MS).then((came) => {
      if (!came) throw new Error(`No call was held within ${WATCH_MS} ms`);
    });
    watch.catch(() => {}); // Who does not wait for it is not told.
    return watch;
  }

  release(): void {
    this.released = true;
  }
}

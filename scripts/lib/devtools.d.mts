import type { ChildProcess } from "node:child_process";

export interface Devtools {
  url: string;
  port: number;
  child: ChildProcess;
  /** Ends it with all that it has started, and its profile. */
  kill(): Promise<void>;
  /** The same for the last moment, when nothing can be waited for; its profile stays. */
  killNow(): void;
}

export function startDevtools(options?: { hosts?: boolean; port?: number }): Promise<Devtools | undefined>;

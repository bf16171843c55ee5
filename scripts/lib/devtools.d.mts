import type { ChildProcess } from "node:child_process";

export interface Devtools {
  url: string;
  port: number;
  child: ChildProcess;
  kill(): Promise<void>;
}

export function startDevtools(options?: { hosts?: boolean; port?: number }): Promise<Devtools | undefined>;

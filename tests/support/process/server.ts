// Sallyport as it is deployed, in Miniflare, with settings of the test's own.
import { randomBytes } from "node:crypto";
import type { Miniflare } from "miniflare";
import { startDist } from "../../../scripts/lib/miniflare.mjs";
import { Client } from "./client.ts";

export const secret = (): string => randomBytes(32).toString("base64url");

export const secrets = (): Record<string, string> => ({
  TOKEN_SIGNING_KEYS: `k1:${secret()}`,
  SEALING_KEYS: `s1:${secret()}`,
  BOOTSTRAP_KEY: secret(),
});

export interface Server extends AsyncDisposable {
  mf: Miniflare;
  client: Client;
  /** What the Worker has logged, line by line. */
  lines: string[];
}

export interface Options {
  bindings?: Record<string, string>;
  persist?: string;
  main?: string;
  /** A folder in place of assets/. */
  assets?: string;
  worker?: Record<string, unknown>;
  /** The configurations of Workers beside it. */
  beside?: string[];
  /** Else one that is free. */
  port?: number;
}

/** Starts one with an admin. It ends with the scope that holds it (`await using`). */
export async function start({
  bindings = {},
  persist,
  main,
  assets,
  worker = {},
  beside,
  port,
}: Options = {}): Promise<Server> {
  const lines: string[] = [];
  const all = { ...secrets(), ...bindings };
  const mf: Miniflare = await startDist({
    bindings: all,
    persist,
    main,
    assets,
    worker,
    beside,
    instance: {
      ...(port === undefined ? {} : { port }),
      handleStructuredLogs: (line: { message: string }) => lines.push(line.message),
    },
  });
  const client = new Client(await mf.ready, all.BOOTSTRAP_KEY ?? "");
  return { mf, client, lines, [Symbol.asyncDispose]: () => mf.dispose() };
}

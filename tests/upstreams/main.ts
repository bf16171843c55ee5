// The fakes as a program: node tests/upstreams/main.ts [--port 8788] [--accounts any|a,b] [--lenient] [--json]
// Prints "ready <url>" once it listens, then a line for every call to an upstream, for people or as JSON.
import { parseArgs } from "node:util";
import { LENIENT, type Call, type Options } from "./index.ts";
import { listen } from "./listen.ts";

const USAGE =
  "Usage: node tests/upstreams/main.ts [--port 8788] [--accounts any|a,b] [--lenient] [--json]; port 0 is any free one.";

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function options(): Options & { port: number; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8788" },
        accounts: { type: "string" },
        lenient: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535) fail(`--port is a number from 0 to 65535.\n${USAGE}`);
    const given = { port, json: values.json, ...(values.lenient ? { switches: LENIENT } : {}) };
    if (values.accounts === undefined) return given;
    return { ...given, accounts: values.accounts === "any" ? "any" : values.accounts.split(",") };
  } catch (error) {
    fail(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

/** A caller's text is of one line, and tells a terminal nothing. */
const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** `08:00:01.250  upstox     profile             agnidata001           200  …` */
function line({ at, upstream, operation, account = "-", status, gave, fault, request_id }: Call): string {
  const columns = [at.slice(11, 23), upstream.padEnd(10), operation.padEnd(18), account.padEnd(20)];
  const notes = [gave, fault && `fault: ${fault}`, request_id && `(${request_id})`].filter(Boolean);
  return plain(`${columns.join("  ")}  ${status || "---"}  ${notes.join("  ")}`.trimEnd());
}

// Nobody reads any more: there is nobody to work for.
process.stdout.on("error", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(0);
}, 500).unref();

try {
  const { json, ...rest } = options();
  const told = (call: Call) => (json ? JSON.stringify({ event: "upstream_call", ...call }) : line(call));
  const { url } = await listen({ ...rest, onCall: (call) => console.log(told(call)) });
  console.log(`ready ${url}`);
} catch (error) {
  fail(`The upstreams cannot start: ${error instanceof Error ? error.message : error}`);
}

// The application behind a proxy: it keeps what has reached it, by the id that a test gave the request.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { listenOn } from "./ports.ts";

/** A request as it arrived. */
export interface Arrived {
  method: string;
  url: string;
  /** Name and value in turn, as they came. */
  rawHeaders: string[];
  body: { length: number; sha256: string };
}

export interface Application extends AsyncDisposable {
  port: number;
  /** What has arrived of a request; more than one, if it came more than once. */
  arrived: (id: string) => Arrived[];
}

export const digest = (bytes: Buffer): Arrived["body"] => ({
  length: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

export async function application(): Promise<Application> {
  const all = new Map<string, Arrived[]>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", rawHeaders } = request;
    const id = /[?&]id=(\w+)/.exec(url)?.[1] ?? "";
    all.set(id, [...(all.get(id) ?? []), { method, url, rawHeaders, body: digest(Buffer.concat(chunks)) }]);
    response.writeHead(200, { "content-type": "text/plain" }).end("from the application");
  });
  const { port, close } = await listenOn(server);
  return { port, arrived: (id) => all.get(id) ?? [], [Symbol.asyncDispose]: close };
}

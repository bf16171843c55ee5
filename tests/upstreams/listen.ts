// The fakes on a port of this machine.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectionBroken, createUpstreams, type Options, type Upstreams } from "./index.ts";
import { BODY_LIMIT } from "./http.ts";

export interface Listening {
  /** `http://127.0.0.1:<port>`, no slash at the end. */
  url: string;
  upstreams: Upstreams;
  /** Ends it, calls under way included. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 only. Port 0, the default, is any that is free. */
export async function listen({ port = 0, ...options }: Options & { port?: number } = {}): Promise<Listening> {
  const upstreams = createUpstreams({ fetch: toThisMachine, ...options });
  const server = createServer((request, response) => void serve(upstreams, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", () => resolve());
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, upstreams, close };
}

async function serve(
  upstreams: Upstreams,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // The caller going away ends what waits for it.
  const gone = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  response.on("error", () => {});
  try {
    if (!isThisMachine(`http://${incoming.headers.host}`)) return refuse(response, 421);
    if (incoming.method === "TRACE") return refuse(response, 405);
    const body = await read(incoming);
    if (body === undefined) return refuse(response, 413);
    const answer = await upstreams.handle(toRequest(incoming, body, gone.signal));
    const cookies = answer.headers.getSetCookie();
    const own = cookies.length === 0 ? {} : { "set-cookie": cookies };
    response.writeHead(answer.status, { ...Object.fromEntries(answer.headers), ...own });
    response.end(await answer.text());
  } catch (error) {
    if (error instanceof ConnectionBroken || gone.signal.aborted) return void incoming.socket.destroy();
    refuse(response, 500);
  }
}

/** The body; undefined if it is over the limit. */
async function read(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function toRequest(incoming: IncomingMessage, body: string, signal: AbortSignal): Request {
  const method = incoming.method ?? "GET";
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const url = new URL(`http://${incoming.headers.host}`);
  const path = incoming.url?.startsWith("/") ? incoming.url : "/";
  return new Request(url.origin + path, {
    method,
    headers,
    body: method === "GET" || method === "HEAD" || body === "" ? null : body,
    signal,
  });
}

function refuse(response: ServerResponse, status: number): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: status }));
}

const isThisMachine = (url: string): boolean =>
  URL.canParse(url) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

/** Posts to receivers on this machine only. */
const toThisMachine: NonNullable<Options["fetch"]> = (url, init) => {
  if (!isThisMachine(url)) throw new Error("the url has to be on this machine");
  return fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(10_000) });
};

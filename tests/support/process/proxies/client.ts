// A client that sends headers as they are given: twice, in any case, with any name that HTTP allows.
import { randomBytes } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";

/** A connection for each request: a proxy may close one after it has refused a body. */
const agent = new Agent({ keepAlive: false });

/** Longer than any proxy waits for Sallyport. */
const WAITS_MILLISECONDS = 20_000;

export interface Sent {
  method?: string;
  /** As it stands; the id of the request is put into its query. */
  path?: string;
  token?: string | undefined;
  headers?: [string, string][];
  body?: Buffer;
  /** Without saying how long the body is. */
  chunked?: boolean;
}

export interface Received {
  /** By which the application knows the request. */
  id: string;
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
  milliseconds: number;
}

/** A status of 0: the connection ended without an answer. */
export function send(
  port: number,
  { method = "GET", path = "/", token, headers = [], body, chunked = false }: Sent = {},
): Promise<Received> {
  const id = randomBytes(8).toString("hex");
  const all: [string, string][] = [
    ["Host", "app.example.com"],
    ...(token === undefined ? [] : [["Authorization", `Bearer ${token}`] as [string, string]]),
    ...headers,
  ];
  if (body) all.push(chunked ? ["Transfer-Encoding", "chunked"] : ["Content-Length", String(body.length)]);
  const began = performance.now();
  const query = `${path.includes("?") ? "&" : "?"}id=${id}`;
  return new Promise((resolve) => {
    const done = (status: number, headers: Received["headers"], text: string) =>
      resolve({ id, status, headers, text, milliseconds: performance.now() - began });
    const options = { host: "127.0.0.1", port, agent, method, path: path + query, headers: all.flat() };
    const sent = request(options, async (response) => {
      let text = "";
      try {
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
      } catch {
        // Broken off: what came is all.
      }
      done(response.statusCode ?? 0, response.headers, text);
    });
    sent.on("error", () => done(0, {}, ""));
    sent.setTimeout(WAITS_MILLISECONDS, () => sent.destroy(new Error("no answer")));
    sent.end(body);
  });
}

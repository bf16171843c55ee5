// Where a proxy meets Sallyport: TLS under a name, by HTTP/2 or 1.1, as at the platform's edge, and Sallyport itself behind it. It
// can be away, or out of order.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { Certificate } from "./certificates.ts";
import { listenOn } from "./ports.ts";

/** A question as it arrived. */
export interface Question {
  method: string;
  url: string;
  host: string;
  headers: IncomingHttpHeaders;
  bodyLength: number;
}

type Answer = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** What may answer in Sallyport's place. */
export const OUT_OF_ORDER = {
  unavailable: (_, response) => void response.writeHead(503, { "retry-after": "7" }).end(),
  broken: (_, response) => void response.writeHead(500).end(),
  elsewhere: (_, response) => void response.writeHead(302, { location: "https://example.com/" }).end(),
  missing: (_, response) => void response.writeHead(404).end(),
  cut: (request) => void request.socket.destroy(),
  /** It never says a word. */
  silent: () => {},
  /** It lets everybody in, and names nobody. */
  generous: (_, response) => void response.writeHead(200).end(),
} satisfies Record<string, Answer>;

/** Of one connection alone. */
const OF_CONNECTION = ["connection", "keep-alive", "transfer-encoding"];

export class Edge implements AsyncDisposable {
  questions: Question[] = [];
  /** Connections that were made to it. */
  connections = 0;
  port = 0;
  readonly #sallyport: URL;
  readonly #certificate: Certificate;
  readonly #agent = new Agent({ keepAlive: true });
  #close: (() => Promise<void>) | undefined;
  #answer: Answer | undefined;

  constructor(sallyport: URL, certificate: Certificate) {
    this.#sallyport = sallyport;
    this.#certificate = certificate;
  }

  /** It is there, on the port that it had before, and Sallyport answers, or what is given. */
  async up(answer?: Answer, certificate = this.#certificate): Promise<void> {
    await this.down();
    this.#answer = answer;
    const [key, cert] = [readFileSync(certificate.key), readFileSync(certificate.cert)];
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
      void this.#handle(request, response);
    });
    server.on("connection", () => (this.connections += 1));
    const { port, close } = await listenOn(server, this.port);
    [this.port, this.#close] = [port, close];
  }

  /** Connections are refused. */
  async down(): Promise<void> {
    await this.#close?.();
    this.#close = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    this.#agent.destroy();
  }

  async #handle(asked: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    const { method, url, headers } = asked;
    const host = headers.host ?? asked.authority;
    const question: Question = { method, url, host, headers, bodyLength: 0 };
    this.questions.push(question);
    if (this.#answer) return this.#answer(asked, response);
    // As the platform does: a name that is not ours leads nowhere.
    if (!["auth.example.com", `localhost:${this.port}`].includes(host))
      return void response.writeHead(421).end();
    // As they came, also those that came twice.
    const raw = asked.rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [[name, asked.rawHeaders[at + 1] ?? ""]] : [],
    );
    const passed = raw.filter(([name = ""]) => !/^(?::|(host|cookie)$)/i.test(name));
    // HTTP/2 has a field for each cookie; HTTP/1.1 has one for all (RFC 9113 §8.2.3).
    if (headers.cookie !== undefined) passed.push(["cookie", headers.cookie]);
    const options = { method, agent: this.#agent, headers: [["host", host], ...passed].flat() };
    const sent = request(new URL(url, this.#sallyport), options);
    asked.on("data", (chunk: Buffer) => (question.bodyLength += chunk.length)).pipe(sent);
    try {
      const [answer] = (await once(sent, "response")) as [IncomingMessage];
      const given = Object.entries(answer.headers).filter(([name]) => !OF_CONNECTION.includes(name));
      answer.pipe(response.writeHead(answer.statusCode ?? 502, Object.fromEntries(given)));
    } catch {
      response.writeHead(502).end();
    }
  }
}

// A client over HTTP, and the users that tests need.
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { expect } from "vitest";
import { type Answer, parsed, PASSWORD, type Tokens } from "../answers.ts";
import { unlike } from "../openapi.ts";

export { type Answer, PASSWORD, tally, times, type Tokens } from "../answers.ts";

/**
 * What is more at once waits for a connection. Of a thousand, a runtime that gets too little of a busy machine closes some
 * without an answer.
 */
const agent = new Agent({ maxSockets: 128 });

/** Users that were made, so that each has a name of its own, also after a restart. */
let users = 0;

export class Client {
  #admin: Promise<string> | undefined;

  constructor(
    readonly base: URL,
    readonly bootstrapKey: string,
  ) {}

  async call(method: string, path: string, token?: string, body?: unknown, more = {}): Promise<Answer> {
    // A connection for each call: one that is kept may be closed by the server at the moment it is used again.
    const headers: Record<string, string> = { connection: "close", "user-agent": "node", ...more };
    if (token) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const sent = request(new URL(path, this.base), { agent, method, headers });
    const [response]: IncomingMessage[] = await once(
      sent.end(body === undefined ? undefined : JSON.stringify(body)),
      "response",
    );
    let text = "";
    if (response) for await (const chunk of response.setEncoding("utf8")) text += chunk;
    const given = Object.entries(response?.headersDistinct ?? {});
    const answer = {
      status: response?.statusCode ?? 0,
      headers: new Headers(
        given.flatMap(([name, values]) => (values ?? []).map((v): [string, string] => [name, v])),
      ),
      text,
      json: parsed(text),
    };
    expect(unlike(method, path, answer)).toBeUndefined();
    return answer;
  }

  tryLogin = (username: string, password = PASSWORD): Promise<Answer> =>
    this.call("POST", "/auth/login", undefined, { username, password });

  async login(username: string): Promise<Tokens> {
    const answer = await this.tryLogin(username);
    expect(answer.status, answer.text).toBe(200);
    return answer.json;
  }

  refresh = (refresh_token: string): Promise<Answer> =>
    this.call("POST", "/auth/refresh", undefined, { refresh_token });

  /**
   * For very many at once: where the connection is lost it is made again, as any client may do with a refresh. A runtime that
   * gets too little of a busy machine drops some.
   */
  async refreshAgain(refresh_token: string, tries = 5): Promise<Answer> {
    try {
      return await this.refresh(refresh_token);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ECONNRESET" || tries === 0) throw error;
      return this.refreshAgain(refresh_token, tries - 1);
    }
  }

  protected = (token: string): Promise<Answer> => this.call("GET", "/api/v1/protected", token);

  /** An access token of the first admin, who logs in once. */
  admin(): Promise<string> {
    return (this.#admin ??= this.#bootstrap());
  }

  async #bootstrap(): Promise<string> {
    const body = { username: "root", password: PASSWORD, roles: ["admin"] };
    await this.call("POST", "/admin/users", undefined, body, { "x-bootstrap-key": this.bootstrapKey });
    return (await this.login("root")).access_token;
  }

  /** A new user. */
  async user(): Promise<string> {
    const username = `user-${++users}`;
    const body = { username, password: PASSWORD, roles: ["user"] };
    const made = await this.call("POST", "/admin/users", await this.admin(), body);
    expect(made.status, made.text).toBe(201);
    return username;
  }

  async someone(): Promise<Tokens> {
    return this.login(await this.user());
  }
}

/** A new service key. */
export async function makeKey(client: Client, scopes: string[]): Promise<string> {
  const body = { name: "a service", scopes };
  const made = await client.call("POST", "/admin/service-keys", await client.admin(), body);
  expect(made.status, made.text).toBe(201);
  return made.json.key;
}

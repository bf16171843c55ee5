// A client over HTTP, and the users that tests need.
import { expect } from "vitest";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // Whatever the route answers with; each test says what it expects of it.
  json: any;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  expires_in: number;
}

export const PASSWORD = "correct horse battery";

export class Client {
  #count = 0;

  constructor(
    readonly base: URL,
    readonly bootstrapKey: string,
  ) {}

  async call(method: string, path: string, token?: string, body?: unknown, more = {}): Promise<Answer> {
    // A connection for each call: one that is kept may be closed by the server at the moment it is used again.
    const headers: Record<string, string> = { connection: "close", ...more };
    if (token) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(new URL(path, this.base), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text.startsWith("{") && JSON.parse(text),
    };
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

  protected = (token: string): Promise<Answer> => this.call("GET", "/api/v1/protected", token);

  /** An access token of an admin, who is made at the first call. */
  async admin(): Promise<string> {
    const body = { username: "root", password: PASSWORD, roles: ["admin"] };
    await this.call("POST", "/admin/users", undefined, body, { "x-bootstrap-key": this.bootstrapKey });
    return (await this.login("root")).access_token;
  }

  /** A new user. */
  async user(): Promise<string> {
    const username = `user-${++this.#count}`;
    const body = { username, password: PASSWORD, roles: ["user"] };
    const made = await this.call("POST", "/admin/users", await this.admin(), body);
    expect(made.status, made.text).toBe(201);
    return username;
  }

  async someone(): Promise<Tokens> {
    return this.login(await this.user());
  }
}

/** How many of each. */
export function tally<T>(values: T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

export const times = <T>(n: number, run: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, index) => run(index)));

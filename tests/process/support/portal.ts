// Portal sessions in Miniflare with the scripted portal on a port of this machine, in real time.
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { Upstreams } from "../../upstreams/index.ts";
import { listen } from "../../upstreams/listen.ts";
import type { Answer, Client } from "./client.ts";

export interface Fakes extends AsyncDisposable {
  upstreams: Upstreams;
  /** The settings that lead to them. */
  bindings: Record<string, string>;
  /** The value of every cookie that the portal has set. */
  cookies: Set<string>;
}

/** Starts them; they end with the scope that holds them (`await using`). */
export async function fakes(): Promise<Fakes> {
  const { url, upstreams, close } = await listen();
  const cookies = new Set<string>();
  const handle = upstreams.handle;
  upstreams.handle = async (request) => {
    const response = await handle(request);
    for (const cookie of response.headers.getSetCookie()) {
      const value = /^[^=]+=([^;]*)/.exec(cookie)?.[1];
      if (value) cookies.add(value);
    }
    return response;
  };
  const bindings = {
    EMODAL_BASE_URL: `${url}/portal`,
    CAPTCHA_BASE_URL: `${url}/captcha`,
    CAPTCHA_POLL_MILLISECONDS: "5",
  };
  return { upstreams, bindings, cookies, [Symbol.asyncDispose]: close };
}

export interface User {
  username: string;
  password: string;
  captcha_api_key: string;
}

/** Somebody whom the portal knows, with names that stand nowhere else. */
export function someone(): User {
  const username = `driver-${randomBytes(12).toString("hex")}`;
  return { username, password: `${username}-pass`, captcha_api_key: `ck-${randomBytes(12).toString("hex")}` };
}

/** A service key for portals. */
export async function makeKey(client: Client): Promise<string> {
  const body = { name: "a service", scopes: ["portal"] };
  const made = await client.call("POST", "/admin/service-keys", await client.admin(), body);
  expect(made.status, made.text).toBe(201);
  return made.json.key;
}

/** The routes of portal sessions, with a service key. */
export class Service {
  constructor(
    readonly client: Client,
    readonly key: string,
  ) {}

  call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    this.client.call(method, path, this.key, body);
  post = (path: string, body: unknown): Promise<Answer> => this.call("POST", path, body);
  getSession = (user: User, more = {}): Promise<Answer> => this.post("/get_session", { ...user, ...more });
  containers = (session_id: string): Promise<Answer> =>
    this.post("/get_containers", { session_id, infinite_scrolling: false });
  listed = async (): Promise<any[]> => (await this.call("GET", "/sessions")).json.sessions;

  async sessionOf(user: User, more = {}): Promise<string> {
    const answer = await this.getSession(user, more);
    expect(answer.status, answer.text).toBe(200);
    return answer.json.session_id;
  }
}

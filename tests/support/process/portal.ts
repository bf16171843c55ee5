// Portal sessions in Miniflare with the scripted portal, in real time.
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { Upstreams } from "../../upstreams/index.ts";
import { type PortalUser as User, portalUser } from "../portal.ts";
import { type Answer, type Client, makeKey as makeKeyFor } from "./client.ts";
import { listening } from "./fakes.ts";

export type { User };

export interface Fakes extends AsyncDisposable {
  upstreams: Upstreams;
  /** The settings that lead to them. */
  bindings: Record<string, string>;
  /** Where the portal is an application. */
  spa: string;
  /** The settings that lead to the portal behind OpenID Connect. */
  oidc: Record<string, string>;
  /** The value of every cookie that the portal has set. */
  cookies: Set<string>;
}

/** Starts them; they end with the scope that holds them (`await using`). */
export async function fakes(): Promise<Fakes> {
  const { url, upstreams, close, given } = await listening({}, (response) =>
    response.headers
      .getSetCookie()
      .map((cookie) => /^[^=]+=([^;]*)/.exec(cookie)?.[1] ?? "")
      .filter((value) => value !== ""),
  );
  const bindings = {
    EMODAL_BASE_URL: `${url}/portal`,
    CAPTCHA_BASE_URL: `${url}/captcha`,
    CAPTCHA_POLL_MILLISECONDS: "5",
  };
  const oidc = { EMODAL_BASE_URL: `${url}/oidc/portal`, EMODAL_ISSUER: `${url}/oidc/sso` };
  return { upstreams, bindings, spa: `${url}/spa`, oidc, cookies: given, [Symbol.asyncDispose]: close };
}

/** Somebody whom the portal knows, with names that stand nowhere else. */
export const someone = (): User =>
  portalUser(`driver-${randomBytes(12).toString("hex")}`, `ck-${randomBytes(12).toString("hex")}`);

/** A service key for portals. */
export const makeKey = (client: Client): Promise<string> => makeKeyFor(client, ["portal"]);

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

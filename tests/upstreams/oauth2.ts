// A token endpoint as RFC 6749 has it, and a resource that wants its tokens.
import { random } from "./crypto.ts";
import { bearer, form, hasType, notAllowed } from "./http.ts";
import { Issued } from "./issued.ts";
import type { Answer, Ask, Fake, OauthClient, Operation, World } from "./types.ts";

interface Family {
  client: string;
  ended: boolean;
}

const DEFAULT_SECONDS = 3600;

export class Oauth2 implements Fake {
  #world: World;
  #clients: Map<string, OauthClient>;
  #issued = new Issued();
  /** Refresh tokens, used ones too, by the family that they belong to. */
  #refresh = new Map<string, { family: Family; used: boolean }>();
  /** Access tokens that came by a refresh, so that a family can be ended whole. */
  #families = new Map<Family, string[]>();

  constructor(world: World, clients: Record<string, OauthClient>) {
    this.#world = world;
    this.#clients = new Map(Object.entries(clients));
    this.#seed();
  }

  #seed(): void {
    for (const [client, { refresh_tokens = [] }] of this.#clients)
      for (const token of refresh_tokens)
        this.#refresh.set(token, { family: { client, ended: false }, used: false });
  }

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    if (ask.path === "/resource")
      return { operation: "resource", account: this.#issued.accountOf(bearer(ask.headers)) };
    if (ask.path !== "/token") return { operation: "unknown" };
    const fields = form(ask.text);
    const id = basic(ask.headers)?.id ?? fields.get("client_id") ?? "";
    const account = this.#clients.has(id) ? id : undefined;
    const grant = fields.get("grant_type");
    if (grant === "refresh_token") return { operation: "refresh", account };
    return { operation: grant === "client_credentials" ? grant : "token", account };
  }

  answer(ask: Ask): Answer {
    if (ask.path === "/token") return this.#token(ask);
    if (ask.path === "/resource") return this.#resource(ask);
    return { status: 404, json: this.error(404) };
  }

  #resource({ method, headers }: Ask): Answer {
    if (method !== "GET") return notAllowed("GET", this.error(405));
    const token = this.#issued.live(bearer(headers), this.#world.now());
    const challenge = { "www-authenticate": 'Bearer error="invalid_token"' };
    if (!token) return { ...refusal(401, "invalid_token"), headers: challenge };
    return { status: 200, json: { client: token.account } };
  }

  /** A token for a grant: the form 400, the client 401, the grant 400. */
  #token({ method, headers, text }: Ask): Answer {
    if (method !== "POST") return notAllowed("POST", this.error(405));
    const fields = form(text);
    const twice = [...fields.keys()].some((name) => fields.getAll(name).length > 1);
    if (!hasType(headers, "application/x-www-form-urlencoded") || twice || !fields.get("grant_type"))
      return refusal(400, "invalid_request");
    const both = headers.has("authorization") && fields.has("client_secret");
    if (both) return refusal(400, "invalid_request");
    const client = this.#client(headers, fields);
    if (client === undefined) {
      const challenge = { "www-authenticate": 'Basic realm="oauth2"' };
      return { ...refusal(401, "invalid_client"), headers: challenge };
    }
    const scope = fields.get("scope");
    const more = scope === null ? {} : { scope };
    if (fields.get("grant_type") === "client_credentials") return this.#issue(client, more).answer;
    if (fields.get("grant_type") !== "refresh_token") return refusal(400, "unsupported_grant_type");
    const given = fields.get("refresh_token");
    return given ? this.#refreshed(client, given, more) : refusal(400, "invalid_request");
  }

  #refreshed(client: string, given: string, more: object): Answer {
    const { rotation } = this.#world.switches.oauth2;
    const found = this.#refresh.get(given);
    if (!found || found.family.client !== client || found.family.ended) return refusal(400, "invalid_grant");
    const { family } = found;
    if (found.used) {
      if (rotation === "reuse_detection") this.#end(family);
      return refusal(400, "invalid_grant");
    }
    let next = {};
    if (rotation !== "keep") {
      found.used = true;
      const refresh_token = `rt-${random(32)}`;
      this.#refresh.set(refresh_token, { family, used: false });
      next = { refresh_token };
    }
    const { answer, token } = this.#issue(client, { ...next, ...more });
    this.#families.set(family, [...(this.#families.get(family) ?? []).slice(-100), token]);
    return answer;
  }

  #end(family: Family): void {
    family.ended = true;
    for (const token of this.#families.get(family) ?? []) this.#issued.end(token);
  }

  #issue(client: string, more: object): { answer: Answer; token: string } {
    const { expires_in } = this.#world.switches.oauth2;
    const life = expires_in === "missing" ? DEFAULT_SECONDS : expires_in;
    const now = this.#world.now();
    const token = `at-${random(32)}`;
    this.#issued.add({ value: token, account: client, issued_ms: now, expires_ms: now + life * 1000 });
    const told = expires_in === "missing" ? {} : { expires_in };
    const json = { access_token: token, token_type: "Bearer", ...told, ...more };
    return { answer: { status: 200, headers: { pragma: "no-cache" }, json, gave: `${life} s` }, token };
  }

  /** The client that has shown its secret, by HTTP Basic or in the body. */
  #client(headers: Headers, fields: URLSearchParams): string | undefined {
    const given = headers.has("authorization")
      ? basic(headers)
      : { id: fields.get("client_id") ?? "", secret: fields.get("client_secret") };
    return given && this.#clients.get(given.id)?.secret === given.secret ? given.id : undefined;
  }

  /** A new refresh token, as after a consent. */
  issueRefreshToken(client: string): string {
    const token = `rt-${random(32)}`;
    this.#refresh.set(token, { family: { client, ended: false }, used: false });
    return token;
  }

  error(status: number): unknown {
    if (status === 401) return { error: "invalid_client" };
    return {
      error: status >= 500 ? "server_error" : status === 429 ? "temporarily_unavailable" : "invalid_request",
    };
  }

  /** Of an access token or a refresh token. */
  alive(token: string): boolean {
    const found = this.#refresh.get(token);
    if (found) return !found.used && !found.family.ended;
    return this.#issued.live(token, this.#world.now()) !== undefined;
  }

  /** Ends access tokens only; refresh tokens stay. */
  revoke = (account?: string): number => this.#issued.endAll(account);

  reset(): void {
    this.#issued = new Issued();
    this.#refresh.clear();
    this.#families.clear();
    this.#seed();
  }
}

const refusal = (status: number, error: string): Answer => ({ status, json: { error }, gave: error });

/** HTTP Basic; id and secret are form-encoded in it (RFC 6749, 2.3.1). */
function basic(headers: Headers): { id: string; secret: string } | undefined {
  const encoded = /^basic +([\w+/=-]+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return undefined;
  try {
    const [, id = "", secret = ""] = /^([^:]*):(.*)$/s.exec(atob(encoded)) ?? [];
    const plain = (part: string) => decodeURIComponent(part.replaceAll("+", " "));
    return { id: plain(id), secret: plain(secret) };
  } catch {
    return undefined;
  }
}

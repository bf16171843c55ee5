// Upstox: profile, logout, the exchange of a code, the request for a token.
import { appOfClient, appOf, type App, profileOf } from "./accounts.ts";
import { random } from "./crypto.ts";
import { bearer, form, jsonObject } from "./http.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";
import type { UpstoxTokens } from "./upstox_tokens.ts";

const PROFILE = "GET /v2/user/profile";
const LOGOUT = "DELETE /v2/logout";
const TOKEN = "POST /v2/login/authorization/token";
const REQUEST = /^POST \/v3\/login\/auth\/token\/request\/([^/]+)$/;

const CODES: Record<string, string> = {
  UDAPI10000: "This request is not supported by Upstox API",
  UDAPI10005: "Too Many Request Sent",
  UDAPI100036: "Invalid Input",
  UDAPI100050: "Invalid token used to access API",
  UDAPI100057: "Invalid Auth code",
  UDAPI100068: "Check your 'client_id' and 'redirect_uri'; one or both are incorrect.",
  UDAPI100069: "Check your 'client_id' and 'client_secret'; one or both are incorrect.",
  UDAPI100500: "Something went wrong... please contact us",
};

export class Upstox implements Fake {
  #world: World;
  #tokens: UpstoxTokens;
  /** Codes that have not been used, with their accounts. */
  #codes = new Map<string, string>();
  /** Token requests that wait for the user: account and when they end. */
  #requests = new Map<string, number>();

  constructor(world: World, tokens: UpstoxTokens) {
    this.#world = world;
    this.#tokens = tokens;
  }

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    const route = `${ask.method} ${ask.path}`;
    const account = this.#tokens.accountOf(bearer(ask.headers));
    if (route === PROFILE) return { operation: "profile", account };
    if (route === LOGOUT) return { operation: "logout", account };
    if (route === TOKEN)
      return { operation: "token", account: this.#app(form(ask.text).get("client_id"))?.account };
    const client = REQUEST.exec(route)?.[1];
    return client === undefined
      ? { operation: "unknown" }
      : { operation: "token_request", account: this.#app(client)?.account };
  }

  async answer(ask: Ask): Promise<Answer> {
    const route = `${ask.method} ${ask.path}`;
    if (route === PROFILE) return this.#profile(ask);
    if (route === LOGOUT) return this.#logout(ask);
    if (route === TOKEN) return this.#exchange(form(ask.text));
    const client = REQUEST.exec(route)?.[1];
    if (client !== undefined) return this.#request(this.#app(client), jsonObject(ask.text));
    return this.#refuse(404, "UDAPI10000");
  }

  #profile({ headers }: Ask): Answer {
    const token = this.#tokens.live(bearer(headers));
    if (!token) return this.#refuse(401, "UDAPI100050");
    return { status: 200, json: { status: "success", data: profileOf(appOf(token.account)) } };
  }

  #logout({ headers }: Ask): Answer {
    const token = this.#tokens.live(bearer(headers));
    if (!token) return this.#refuse(401, "UDAPI100050");
    this.#tokens.end(token.value);
    return { status: 200, json: { status: "success", data: true } };
  }

  /**
   * A code for a token. The code is used up by being named, whatever else is wrong: a missing field 400, the client
   * 401, the redirect 400, the code itself as the switch says.
   */
  async #exchange(fields: URLSearchParams): Promise<Answer> {
    const code = fields.get("code") ?? "";
    const owner = this.#codes.get(code);
    this.#codes.delete(code);
    const names = ["code", "client_id", "client_secret", "redirect_uri"];
    if (fields.get("grant_type") !== "authorization_code" || !names.every((name) => fields.get(name)))
      return this.#refuse(400, "UDAPI100036");
    const app = this.#app(fields.get("client_id"));
    if (!app || fields.get("client_secret") !== app.client_secret) return this.#refuse(401, "UDAPI100069");
    if (fields.get("redirect_uri") !== app.redirect_uri) return this.#refuse(400, "UDAPI100068");
    if (owner !== app.account)
      return this.#refuse(this.#world.switches.upstox.bad_code_status, "UDAPI100057");
    const token = await this.#tokens.mint(app.account);
    const gave = `${Math.floor((token.expires_ms - token.issued_ms) / 1000)} s`;
    const { ddpi: _, ...profile } = profileOf(app);
    return { status: 200, json: { ...profile, access_token: token.value, extended_token: null }, gave };
  }

  #request(app: App | undefined, body: Record<string, unknown>): Answer {
    if (!app || body.client_secret !== app.client_secret) return this.#refuse(401, "UDAPI100069");
    const { request_seconds, notifier_url } = this.#world.switches.upstox;
    const expiry = Math.floor(this.#world.now() + request_seconds * 1000);
    this.#requests.set(app.account, expiry);
    const data = {
      authorization_expiry: String(expiry),
      notifier_url: notifier_url.replaceAll("{account}", app.account),
    };
    return { status: 200, json: { status: "success", data } };
  }

  /** A code, as after the user's login in the browser. */
  issueCode(account: string): string {
    const code = random(6);
    this.#codes.set(code, account);
    return code;
  }

  /** What the notifier is sent when the user approves; undefined if nothing waits for approval. */
  async approve(account: string, force: boolean): Promise<Record<string, unknown> | undefined> {
    const waiting = (this.#requests.get(account) ?? 0) > this.#world.now();
    if (!waiting && !force) return undefined;
    this.#requests.delete(account);
    const { client_id, user_id } = appOf(account);
    const { value, issued_ms, expires_ms } = await this.#tokens.mint(account);
    return {
      client_id,
      user_id,
      access_token: value,
      token_type: "Bearer",
      expires_at: String(expires_ms),
      issued_at: String(Math.floor(issued_ms)),
      message_type: "access_token",
    };
  }

  #app = (client_id: string | null): App | undefined =>
    appOfClient(this.#world.switches.tokens.accounts, client_id ?? "");

  #refuse = (status: number, code: string): Answer => ({ status, json: this.#problem(code), gave: code });

  #problem(code: string): unknown {
    const { error_keys } = this.#world.switches.upstox;
    const camel = { errorCode: code, message: CODES[code], propertyPath: null, invalidValue: null };
    const snake = { error_code: code, message: CODES[code], property_path: null, invalid_value: null };
    const both = { camel, snake, both: { ...camel, ...snake } };
    return { status: "error", errors: [both[error_keys]] };
  }

  error(status: number): unknown {
    const known: Record<number, string> = { 401: "UDAPI100050", 404: "UDAPI10000", 429: "UDAPI10005" };
    return this.#problem(known[status] ?? (status >= 500 ? "UDAPI100500" : "UDAPI100036"));
  }

  alive = (token: string): boolean => this.#tokens.live(token) !== undefined;

  revoke = (account?: string): number => this.#tokens.revoke(account);

  reset(): void {
    this.#codes.clear();
    this.#requests.clear();
    this.#tokens.reset();
  }
}

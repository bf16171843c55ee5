// The portal behind OpenID Connect: tokens for codes, and a JSON API for tokens.
import type { Captcha } from "./captcha.ts";
import { jwt, random } from "./crypto.ts";
import { bearer, form, jsonObject, page } from "./http.ts";
import { OidcApi } from "./oidc_api.ts";
import { CLIENT, OidcIdentity } from "./oidc_identity.ts";
import { problem } from "./oidc_pages.ts";
import type { PortalAccounts } from "./portal_accounts.ts";
import type { PortalAppointments } from "./portal_appointments.ts";
import { FIREWALL } from "./spa.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";

interface Token {
  account: string;
  /** Shared by all that came of one login. */
  family: string;
  until_ms: number;
  scope: string;
}

interface Route {
  operation: Operation;
  method: string;
  path: string;
  answer: (ask: Ask) => Answer | Promise<Answer>;
}

export class Oidc implements Fake {
  #world: World;
  #identity: OidcIdentity;
  #api: OidcApi;
  #access = new Map<string, Token>();
  #refresh = new Map<string, Token>();
  /** Refresh tokens that were used, and of which login they were. */
  #used = new Map<string, string>();
  #counts = { logins: 0, refreshes: 0 };

  constructor(world: World, captcha: Captcha, accounts: PortalAccounts, appointments: PortalAppointments) {
    this.#world = world;
    this.#identity = new OidcIdentity(world, captcha, accounts);
    this.#api = new OidcApi(world, appointments);
  }

  #routes: Route[] = [
    route("authorize", "GET", "/sso/connect/authorize", (ask) => this.#identity.authorize(ask)),
    route("authorize", "GET", "/sso/connect/authorize/callback", (ask) => this.#identity.authorize(ask)),
    route("login_page", "GET", "/sso/Account/Login", (ask) => this.#identity.login(ask)),
    route("credentials", "POST", "/sso/Account/Login", (ask) => this.#identity.credentials(ask)),
    route("callback", "POST", "/sso/signin-oidc/keycloak", (ask) => this.#identity.callback(ask)),
    route("provider", "GET", "/kc/realms/master/protocol/openid-connect/auth", (ask) =>
      this.#identity.provider(ask),
    ),
    route("credentials", "POST", "/kc/realms/master/login-actions/authenticate", (ask) =>
      this.#identity.authenticate(ask),
    ),
    route("token", "POST", "/sso/connect/token", (ask) => this.#token(ask)),
    route("me", "GET", "/sso/identity/userinfo", (ask) => this.#userinfo(ask)),
    route("logout", "POST", "/sso/connect/revocation", (ask) => this.#revocation(ask)),
    route("logout", "GET", "/sso/connect/endsession", (ask) => this.#identity.logout(ask)),
    // The application's own: who calls it has not stopped where a client that is none has to. The code is used up.
    route("signin", "GET", "/portal/signin-oidc", async (ask) => {
      await this.#identity.redeem(ask.url.searchParams);
      return page(problem("Signed in"));
    }),
  ];

  #find = ({ path, method }: Ask): Route | undefined =>
    this.#routes.find((route) => route.path === path && route.method === method);

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    const isRefresh =
      ask.path === "/sso/connect/token" && form(ask.text).get("grant_type") === "refresh_token";
    const operation = isRefresh
      ? "refresh"
      : (this.#find(ask)?.operation ?? this.#api.operation(ask) ?? "unknown");
    return { operation, account: this.#whose(operation, ask)?.slice(0, 64) || undefined };
  }

  #whose(operation: Operation, ask: Ask): string | undefined {
    const fields = form(ask.text);
    if (operation === "credentials")
      return fields.get("Username") ?? fields.get("username") ?? this.#identity.accountOfFlow(ask);
    if (operation === "token") return this.#identity.accountOfCode(fields.get("code") ?? "");
    if (operation === "refresh") return this.#refresh.get(fields.get("refresh_token") ?? "")?.account;
    return this.#access.get(bearer(ask.headers) ?? "")?.account ?? this.#identity.accountOf(ask);
  }

  answer(ask: Ask): Answer | Promise<Answer> {
    const isApi = this.#api.operation(ask) !== undefined;
    const { firewall } = this.#world.switches.oidc;
    if (firewall === "all" || (firewall === "api" && isApi))
      return { ...page(FIREWALL, 403), gave: "firewall" };
    const found = this.#find(ask);
    if (found) return found.answer(ask);
    if (!isApi) return page(problem("Error 404"), 404);
    const token = this.#live(ask);
    if (token === undefined) return { status: 401, json: NOT_AUTHORIZED, gave: "no live token" };
    return this.#api.answer(ask, jsonObject(ask.text), token.account);
  }

  #live = ({ headers }: Ask): Token | undefined => {
    const token = this.#access.get(bearer(headers) ?? "");
    return token && this.#world.now() < token.until_ms ? token : undefined;
  };

  async #token({ text }: Ask): Promise<Answer> {
    const fields = form(text);
    if (fields.get("client_id") !== CLIENT) return wrong("invalid_client");
    if (fields.get("grant_type") === "refresh_token")
      return this.#refreshed(fields.get("refresh_token") ?? "");
    if (fields.get("grant_type") !== "authorization_code") return wrong("unsupported_grant_type");
    const code = await this.#identity.redeem(fields);
    if (code === undefined) return wrong("invalid_grant");
    this.#counts.logins += 1;
    this.#world.note({ upstream: "oidc", operation: "login", account: code.account, status: 200 });
    const now = Math.floor(this.#world.now() / 1000);
    const { account: sub, nonce, scope } = code;
    const claims = { iss: "sso", aud: CLIENT, sub, nonce, iat: now, exp: now + 300 };
    const id_token = await jwt({ alg: "HS256" }, claims);
    return this.#tokens({ account: sub, family: random(20), scope }, { id_token });
  }

  /** Decided before anything else happens: two calls at once do not both have it. */
  #refreshed(value: string): Answer {
    const { rotation } = this.#world.switches.oidc;
    const used = this.#used.get(value);
    if (used !== undefined && rotation === "reuse_detection") this.#endFamily(used);
    const found = this.#refresh.get(value);
    if (!found || this.#world.now() >= found.until_ms) return wrong("invalid_grant");
    if (rotation !== "keep") {
      this.#refresh.delete(value);
      this.#used.set(value, found.family);
    }
    this.#counts.refreshes += 1;
    return this.#tokens(found, rotation === "keep" ? { refresh_token: value } : {});
  }

  #tokens({ account, family, scope }: Omit<Token, "until_ms">, more: Record<string, string>): Answer {
    const { access_seconds, refresh_seconds } = this.#world.switches.oidc;
    const until = (seconds: number) => this.#world.now() + seconds * 1000;
    const access_token = random(80);
    this.#access.set(access_token, { account, family, scope, until_ms: until(access_seconds) });
    const json: Record<string, unknown> = {
      access_token,
      expires_in: access_seconds,
      token_type: "Bearer",
      scope,
    };
    if (more.refresh_token === undefined) {
      json.refresh_token = random(64);
      const until_ms = until(refresh_seconds);
      this.#refresh.set(String(json.refresh_token), { account, family, scope, until_ms });
    }
    return { status: 200, json: { ...json, ...more }, gave: `${access_seconds} s` };
  }

  #userinfo(ask: Ask): Answer {
    const token = this.#live(ask);
    if (token === undefined) return { status: 401, json: NOT_AUTHORIZED, gave: "no live token" };
    const { account } = token;
    return { status: 200, json: { sub: account, preferred_username: account, name: account } };
  }

  /** RFC 7009: all that came of the login is ended, and a token that nobody knows is no error. */
  #revocation({ text }: Ask): Answer {
    const value = form(text).get("token") ?? "";
    const found = this.#refresh.get(value) ?? this.#access.get(value);
    if (found) this.#endFamily(found.family);
    return { status: 200 };
  }

  #endFamily(family: string): void {
    for (const tokens of [this.#access, this.#refresh])
      for (const [value, token] of tokens) if (token.family === family) tokens.delete(value);
  }

  get counts(): { logins: number; refreshes: number; live_sessions: number } {
    const live = [...this.#refresh.values()].filter(({ until_ms }) => this.#world.now() < until_ms);
    return { ...this.#counts, live_sessions: new Set(live.map(({ family }) => family)).size };
  }

  error = (status: number): unknown => ({ message: `Error ${status}` });

  /** Whether this access or refresh token would be taken now. */
  alive = (value: string): boolean =>
    this.#world.now() < (this.#access.get(value) ?? this.#refresh.get(value))?.until_ms!;

  /** Ends access and refresh tokens; that somebody is known to the identity server stays. */
  revoke(account?: string): number {
    let ended = 0;
    for (const tokens of [this.#access, this.#refresh])
      for (const [value, token] of tokens)
        if (account === undefined || token.account === account) ended += Number(tokens.delete(value));
    return ended;
  }

  /** Ends access tokens alone: the next call is told 401, and a refresh helps. */
  endAccess = (): void => this.#access.clear();

  reset(): void {
    this.#identity.reset();
    this.#access.clear();
    this.#refresh.clear();
    this.#used.clear();
    this.#counts = { logins: 0, refreshes: 0 };
  }
}

const NOT_AUTHORIZED = { message: "Authorization has been denied for this request." };

const wrong = (error: string): Answer => ({ status: 400, json: { error }, gave: error });

const route = (operation: Operation, method: string, path: string, answer: Route["answer"]): Route => ({
  ...{ operation, method, path, answer },
});

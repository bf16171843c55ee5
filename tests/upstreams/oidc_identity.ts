// Who somebody is, in the OpenID Connect chain: the identity server asks for the name, and itself or another provider for the
// password; then there is a code for the client.
import type { Captcha } from "./captcha.ts";
import { jwt, random, sha256 } from "./crypto.ts";
import { cookiesOf, form, moved, page } from "./http.ts";
import { formPostPage, keycloakPage, onwards, otpPage, problem, ssoLoginPage } from "./oidc_pages.ts";
import { type PortalAccounts, WRONG_CODE } from "./portal_accounts.ts";
import type { Answer, Ask, World } from "./types.ts";

export const CLIENT = "PCEMODAL";
const CALLBACK = "/oidc/sso/connect/authorize/callback";
const LOGIN = "/oidc/sso/Account/Login";
const PROVIDER = "/oidc/kc/realms/master/protocol/openid-connect/auth";
const AUTHENTICATE = "/oidc/kc/realms/master/login-actions/authenticate";
const BACK = "/oidc/sso/signin-oidc/keycloak";
const [SSO, ANTIFORGERY, KEYCLOAK] = ["idsrv", ".AspNetCore.Antiforgery", "AUTH_SESSION_ID"];

/** A code, and what has to come along with it. */
interface Code {
  account: string;
  challenge: string;
  redirect_uri: string;
  nonce: string | undefined;
  scope: string;
}

/** Somebody on the way through the second provider. */
interface Flow {
  cookie: string;
  /** What the next form has to name; a new one each time. */
  session_code: string;
  back: URLSearchParams;
  returnUrl: string;
  /** Set once the password was right. */
  account?: string;
}

export class OidcIdentity {
  #world: World;
  #captcha: Captcha;
  #accounts: PortalAccounts;
  #verification = new Map<string, string>();
  #sessions = new Map<string, string>();
  #codes = new Map<string, Code>();
  #flows = new Map<string, Flow>();
  /** What comes back from the second provider: whose it is, and where it goes on. */
  #back = new Map<string, { account: string; returnUrl: string }>();

  constructor(world: World, captcha: Captcha, accounts: PortalAccounts) {
    this.#world = world;
    this.#captcha = captcha;
    this.#accounts = accounts;
  }

  /** A client's request: checked, and then the login page or the code. */
  authorize(ask: Ask): Answer {
    const wrong = requestFault(ask.url);
    if (wrong !== undefined) return { ...page(problem(`Error: ${wrong}`), 400), gave: wrong };
    const account = this.accountOf(ask);
    if (account !== undefined) return this.#code(ask.url.searchParams, account);
    return moved(`${LOGIN}?ReturnUrl=${encodeURIComponent(`${CALLBACK}${ask.url.search}`)}`);
  }

  #code(query: URLSearchParams, account: string): Answer {
    const [code, redirect] = [random(40), new URL(query.get("redirect_uri") ?? "")];
    this.#codes.set(code, {
      account,
      challenge: query.get("code_challenge") ?? "",
      redirect_uri: redirect.href,
      nonce: query.get("nonce") ?? undefined,
      scope: query.get("scope") ?? "",
    });
    redirect.searchParams.set("code", code);
    redirect.searchParams.set("state", query.get("state") ?? "");
    return moved(redirect.href);
  }

  accountOf = ({ headers }: Ask): string | undefined => this.#sessions.get(cookiesOf(headers).get(SSO) ?? "");

  login({ url }: Ask): Answer {
    const cookie = random(40);
    const returnUrl = url.searchParams.get("ReturnUrl") ?? "";
    const cookies = [`${ANTIFORGERY}=${cookie}; HttpOnly; SameSite=Strict; path=/oidc/sso`];
    return { ...this.#form(cookie, returnUrl), cookies };
  }

  #form(cookie: string, returnUrl: string, username?: string, error?: string): Answer {
    const token = random(60);
    this.#verification.set(token, cookie);
    const captcha = this.#world.switches.oidc.captcha === "required";
    return {
      ...page(ssoLoginPage({ token, returnUrl, username, error, captcha })),
      ...(error === undefined ? {} : { gave: error }),
    };
  }

  /** The name, after which somebody else may ask for the password; or the password. */
  async credentials({ headers, text, url, signal }: Ask): Promise<Answer> {
    const { login_ms } = this.#world.switches.portal;
    if (login_ms > 0) await this.#world.pause(login_ms, signal);
    const fields = form(text);
    const cookie = cookiesOf(headers).get(ANTIFORGERY) ?? "";
    const token = fields.get("__RequestVerificationToken") ?? "";
    const fits = cookie !== "" && this.#verification.get(token) === cookie;
    this.#verification.delete(token);
    const returnUrl = fields.get("ReturnUrl") ?? "";
    if (!fits || !returnUrl.startsWith(`${CALLBACK}?`)) return page(problem("Bad Request"), 400);
    const username = fields.get("Username") ?? "";
    const { identity, captcha } = this.#world.switches.oidc;
    if (fields.get("submit") === "next") {
      if (username === "") return this.#form(cookie, returnUrl, undefined, "Username is required");
      if (captcha === "required" && !this.#captcha.use(fields.get("ReCapthaToken") ?? ""))
        return this.#form(cookie, returnUrl, undefined, "Captcha validation failed");
      return identity === "local"
        ? this.#form(cookie, returnUrl, username)
        : this.#toProvider(url, returnUrl, username);
    }
    if (fields.get("submit") !== "login" || identity !== "local") return page(problem("Bad Request"), 400);
    const refusal = this.#accounts.refusal(username, fields.get("Password") ?? "");
    return refusal === undefined
      ? this.#known(username, returnUrl)
      : this.#form(cookie, returnUrl, username, refusal);
  }

  #toProvider({ origin }: URL, returnUrl: string, login_hint: string): Answer {
    const state = random(40);
    this.#back.set(state, { account: "", returnUrl });
    const query = new URLSearchParams({
      ...{ client_id: "pcemodal", response_type: "id_token", response_mode: "form_post" },
      ...{ redirect_uri: origin + BACK, scope: "openid profile", state, nonce: random(20), login_hint },
    });
    return moved(`${origin}${PROVIDER}?${query}`);
  }

  /** The second provider's form. */
  provider({ url }: Ask): Answer {
    const state = url.searchParams.get("state") ?? "";
    const found = this.#back.get(state);
    if (!found || url.searchParams.get("client_id") !== "pcemodal")
      return page(problem("Invalid parameter: redirect_uri"), 400);
    const [tab, cookie] = [random(11), random(36)];
    const flow = { cookie, session_code: random(43), back: url.searchParams, returnUrl: found.returnUrl };
    this.#flows.set(tab, flow);
    const html = keycloakPage(action(tab, flow), url.searchParams.get("login_hint") ?? "");
    return { ...page(html), cookies: [`${KEYCLOAK}=${cookie}; HttpOnly; path=/oidc/kc/realms/master`] };
  }

  /** The password, and the one-time password of those who have one. */
  async authenticate({ url, headers, text }: Ask): Promise<Answer> {
    const tab = url.searchParams.get("tab_id") ?? "";
    const flow = this.#flows.get(tab);
    const fits = flow && cookiesOf(headers).get(KEYCLOAK) === flow.cookie;
    if (!fits || url.searchParams.get("session_code") !== flow.session_code)
      return { ...page(problem("Your login attempt timed out"), 400), gave: "timed out" };
    flow.session_code = random(43);
    const fields = form(text);
    if (flow.account === undefined) {
      const username = fields.get("username") ?? "";
      const refusal = this.#accounts.refusal(username, fields.get("password") ?? "");
      if (refusal !== undefined)
        return { ...page(keycloakPage(action(tab, flow), username, refusal)), gave: refusal };
      flow.account = username;
      if (this.#accounts.hasTotp(username))
        return { ...page(otpPage(action(tab, flow))), gave: "wants a code" };
    } else if (!(await this.#accounts.isCode(flow.account, fields.get("otp") ?? ""))) {
      return { ...page(otpPage(action(tab, flow), WRONG_CODE)), gave: WRONG_CODE };
    }
    this.#flows.delete(tab);
    const state = flow.back.get("state") ?? "";
    this.#back.set(state, { account: flow.account, returnUrl: flow.returnUrl });
    const claims = { sub: flow.account, nonce: flow.back.get("nonce"), aud: "pcemodal" };
    const id_token = await jwt({ alg: "HS256" }, claims);
    return page(formPostPage(flow.back.get("redirect_uri") ?? "", { state, id_token }));
  }

  /** Back at the identity server. */
  callback({ text }: Ask): Answer {
    const fields = form(text);
    const found = this.#back.get(fields.get("state") ?? "");
    this.#back.delete(fields.get("state") ?? "");
    if (!found?.account || !fields.get("id_token")) return page(problem("Bad Request"), 400);
    return this.#known(found.account, found.returnUrl);
  }

  #known(account: string, returnUrl: string): Answer {
    const session = random(60);
    this.#sessions.set(session, account);
    const cookies = [`${SSO}=${session}; HttpOnly; path=/oidc/sso`];
    const how = this.#world.switches.oidc.onwards;
    return how === "redirect"
      ? { ...moved(returnUrl), cookies }
      : { ...page(onwards(how, returnUrl)), cookies };
  }

  accountOfFlow = ({ url }: Ask): string | undefined =>
    this.#flows.get(url.searchParams.get("tab_id") ?? "")?.account;

  accountOfCode = (code: string): string | undefined => this.#codes.get(code)?.account;

  /** Whose code this is. It is used up by being named, whatever else is wrong. */
  async redeem(fields: URLSearchParams): Promise<Code | undefined> {
    const found = this.#codes.get(fields.get("code") ?? "");
    this.#codes.delete(fields.get("code") ?? "");
    const challenge = await sha256(fields.get("code_verifier") ?? "");
    const fits = found?.challenge === challenge && found.redirect_uri === fields.get("redirect_uri");
    return fits && fields.get("client_id") === CLIENT ? found : undefined;
  }

  logout({ headers }: Ask): Answer {
    this.#sessions.delete(cookiesOf(headers).get(SSO) ?? "");
    const past = "expires=Thu, 01 Jan 1970 00:00:00 GMT";
    return { ...page(problem("You are now logged out")), cookies: [`${SSO}=; ${past}; path=/oidc/sso`] };
  }

  reset(): void {
    for (const kept of [this.#verification, this.#sessions, this.#codes, this.#flows, this.#back])
      kept.clear();
  }
}

const action = (tab: string, { session_code }: Flow): string =>
  `${AUTHENTICATE}?${new URLSearchParams({
    ...{ session_code, execution: "0a5c3a6e-2c1f-4b57-9a57-000000000001" },
    ...{ client_id: "pcemodal", tab_id: tab },
  })}`;

/** What is wrong with a client's request. */
function requestFault({ searchParams: query, origin }: URL): string | undefined {
  const is = (name: string, value: string) => query.get(name) === value;
  if (!is("client_id", CLIENT)) return "unauthorized_client";
  if (!is("redirect_uri", `${origin}/oidc/portal/signin-oidc`)) return "invalid redirect_uri";
  if (!is("response_type", "code") || !query.get("state")) return "invalid_request";
  if (!is("code_challenge_method", "S256")) return "transform algorithm not supported";
  if (!/^[\w-]{43}$/.test(query.get("code_challenge") ?? "")) return "code challenge required";
  return (query.get("scope") ?? "").split(" ").includes("openid") ? undefined : "invalid_scope";
}

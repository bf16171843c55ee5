// The identity pages of the portal: who somebody is, by a password and a captcha, told to the portal by a code.
import type { Captcha } from "./captcha.ts";
import { random } from "./crypto.ts";
import { cookiesOf, form, moved, page } from "./http.ts";
import type { PortalAccounts } from "./portal_accounts.ts";
import { formPostPage, identityUrl, LOGIN_PATH, loginPage, problemPage } from "./portal_pages.ts";
import type { Answer, Ask, World } from "./types.ts";

export const AUTHORIZE_PATH = "/identity/connect/authorize/callback";
export const IDENTITY_LOGOUT_PATH = "/identity/account/logout";

const ANTIFORGERY = ".AspNetCore.Antiforgery";
const IDENTITY = "idsrv";

export class PortalIdentity {
  #world: World;
  #captcha: Captcha;
  #accounts: PortalAccounts;
  /** Where the portal is, by the state that it has sent somebody with. */
  #states = new Map<string, string>();
  /** The cookie that a verification token fits. */
  #verification = new Map<string, string>();
  #sessions = new Map<string, string>();
  #codes = new Map<string, { account: string; state: string }>();

  constructor(world: World, captcha: Captcha, accounts: PortalAccounts) {
    this.#world = world;
    this.#captcha = captcha;
    this.#accounts = accounts;
  }

  /** The state of a login that begins, and where it leads. */
  begin(portal: URL): { state: string; location: string } {
    const state = random(32);
    this.#states.set(state, portal.origin);
    const query = new URLSearchParams({ client_id: "portal", state, nonce: random(32) });
    const login = `${LOGIN_PATH}?ReturnUrl=${encodeURIComponent(`${AUTHORIZE_PATH}?${query}`)}`;
    return { state, location: identityUrl(login, portal, this.#world.switches.portal.identity_host) };
  }

  /** Whose code this is. It is used up by being named, whatever else is wrong. */
  redeem(code: string, state: string): string | undefined {
    const found = this.#codes.get(code);
    this.#codes.delete(code);
    return found?.state === state ? found.account : undefined;
  }

  accountOfCode = (code: string): string | undefined => this.#codes.get(code)?.account;

  accountOf = ({ headers }: Ask): string | undefined =>
    this.#sessions.get(cookiesOf(headers).get(IDENTITY) ?? "");

  /** The login page, with a cookie that its form fits. */
  login({ url }: Ask): Answer {
    const cookie = random(40);
    const cookies = [`${ANTIFORGERY}=${cookie}; HttpOnly; SameSite=Strict; path=/identity`];
    const returnUrl = url.searchParams.get("ReturnUrl") ?? "";
    return { ...page(loginPage({ token: this.#verify(cookie), returnUrl })), cookies };
  }

  #verify(cookie: string): string {
    const token = random(60);
    this.#verification.set(token, cookie);
    return token;
  }

  /** The form has to fit its cookie and lead back to here, else 400; then the captcha, the lock, the password. */
  async credentials({ headers, text, signal }: Ask): Promise<Answer> {
    const { login_ms } = this.#world.switches.portal;
    if (login_ms > 0) await this.#world.pause(login_ms, signal);
    const fields = form(text);
    const cookie = cookiesOf(headers).get(ANTIFORGERY) ?? "";
    const token = fields.get("__RequestVerificationToken") ?? "";
    const fits = cookie !== "" && this.#verification.get(token) === cookie;
    this.#verification.delete(token);
    const returnUrl = fields.get("ReturnUrl") ?? "";
    if (!fits || !returnUrl.startsWith(`${AUTHORIZE_PATH}?`)) return page(problemPage("Bad Request"), 400);
    const username = fields.get("Username") ?? "";
    const error = this.#refusal(username, fields);
    if (error !== undefined) {
      const html = loginPage({ token: this.#verify(cookie), returnUrl, username, error });
      return { ...page(html, this.#world.switches.portal.refusal_status), gave: error };
    }
    const session = random(60);
    this.#sessions.set(session, username);
    return { ...moved(returnUrl), cookies: [`${IDENTITY}=${session}; HttpOnly; path=/identity`] };
  }

  /** Why somebody is not let in. A solution of the captcha is used up either way. */
  #refusal(username: string, fields: URLSearchParams): string | undefined {
    if (!this.#captcha.use(fields.get("g-recaptcha-response") ?? "")) return "Captcha validation failed";
    return this.#accounts.refusal(username, fields.get("Password") ?? "");
  }

  /** A code for the portal; who is not logged in is sent to the login page. */
  authorize(ask: Ask): Answer {
    const { searchParams, pathname, search } = ask.url;
    const state = searchParams.get("state") ?? "";
    const portal = this.#states.get(state);
    if (portal === undefined || searchParams.get("client_id") !== "portal")
      return page(problemPage("Bad Request"), 400);
    const account = this.accountOf(ask);
    if (account === undefined)
      return moved(`${LOGIN_PATH}?ReturnUrl=${encodeURIComponent(pathname + search)}`);
    const code = random(40);
    this.#codes.set(code, { account, state });
    const [action, fields] = [`${portal}/portal/signin-oidc`, { code, state }];
    return this.#world.switches.portal.response_mode === "query"
      ? moved(`${action}?${new URLSearchParams(fields)}`)
      : page(formPostPage(action, fields));
  }

  logout({ headers }: Ask): Answer {
    this.#sessions.delete(cookiesOf(headers).get(IDENTITY) ?? "");
    const cookies = [`${IDENTITY}=; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; path=/identity`];
    return { ...page(problemPage("You are now logged out")), cookies };
  }

  reset(): void {
    this.#states.clear();
    this.#verification.clear();
    this.#sessions.clear();
    this.#codes.clear();
  }
}

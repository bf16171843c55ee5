// The portal: two hosts with pages for a browser. Here its routes and sessions; the pages have files of their own.
import type { Captcha } from "./captcha.ts";
import { cookiesOf, form, moved, page } from "./http.ts";
import type { PortalAccounts } from "./portal_accounts.ts";
import type { PortalAppointments } from "./portal_appointments.ts";
import { containerNotFound, containersPage, timelinePage } from "./portal_containers.ts";
import { AUTHORIZE_PATH, IDENTITY_LOGOUT_PATH, PortalIdentity } from "./portal_identity.ts";
import { identityUrl, LOGIN_PATH, loggedOutPage, problemPage } from "./portal_pages.ts";
import { PortalSessions } from "./portal_sessions.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";

const STATE = "portal.state";
const SESSION = ".AspNetCore.Cookies";
const PAST = "expires=Thu, 01 Jan 1970 00:00:00 GMT";

interface Route {
  operation: Operation;
  methods: string[];
  path: RegExp;
  /** `user` is there where the route is for those who are logged in; `name` is what the path leaves open. */
  answer: (ask: Ask, user: string, name: string) => Answer | Promise<Answer>;
  open?: true;
}

export class Portal implements Fake {
  #world: World;
  #identity: PortalIdentity;
  #sessions: PortalSessions;
  #appointments: PortalAppointments;
  #logins = 0;

  constructor(world: World, captcha: Captcha, accounts: PortalAccounts, appointments: PortalAppointments) {
    this.#world = world;
    this.#identity = new PortalIdentity(world, captcha, accounts);
    this.#sessions = new PortalSessions(world);
    this.#appointments = appointments;
  }

  #routes: Route[] = [
    open("login_page", ["GET"], "/portal/login", (ask) => this.#begin(ask)),
    open("login_page", ["GET"], LOGIN_PATH, (ask) => this.#identity.login(ask)),
    open("credentials", ["POST"], LOGIN_PATH, (ask) => this.#identity.credentials(ask)),
    open("authorize", ["GET"], AUTHORIZE_PATH, (ask) => this.#identity.authorize(ask)),
    open("signin", ["GET", "POST"], "/portal/signin-oidc", (ask) => this.#signIn(ask)),
    open("logout", ["GET"], "/portal/logout", (ask) => this.#logout(ask)),
    open("logout", ["GET"], IDENTITY_LOGOUT_PATH, (ask) => this.#identity.logout(ask)),
    route("containers", ["GET"], /^\/portal\/containers$/, (ask, user) => this.#containers(ask, user)),
    route("timeline", ["GET"], /^\/portal\/containers\/([^/]+)$/, (_, user, name) =>
      this.#timeline(user, name),
    ),
    route("appointment_form", ["GET"], /^\/portal\/appointments\/new$/, (_, user) =>
      this.#appointments.begin(user),
    ),
    route("appointment_phase", ["POST"], /^\/portal\/appointments\/([12])$/, (ask, user, step) =>
      this.#appointments.answer(ask, user, step),
    ),
    route("appointment_book", ["POST"], /^\/portal\/appointments\/(book)$/, (ask, user, step) =>
      this.#appointments.answer(ask, user, step),
    ),
  ];

  #find = ({ url, method }: Ask): { route: Route | undefined; allow: string[]; name: string } => {
    const there = this.#routes.filter(({ path }) => path.test(url.pathname));
    const found = there.find(({ methods }) => methods.includes(method));
    const name = found?.path.exec(url.pathname)?.[1] ?? "";
    return { route: found, allow: there.flatMap(({ methods }) => methods), name };
  };

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    const { operation = "unknown" } = this.#find(ask).route ?? {};
    return { operation, account: this.#whose(operation, ask)?.slice(0, 64) || undefined };
  }

  #whose(operation: Operation, ask: Ask): string | undefined {
    if (operation === "login_page") return undefined;
    if (operation === "credentials") return form(ask.text).get("Username") ?? undefined;
    if (operation === "signin") return this.#identity.accountOfCode(signInFields(ask).get("code") ?? "");
    if (ask.url.pathname.startsWith("/identity/")) return this.#identity.accountOf(ask);
    return this.#sessions.accountOf(sessionOf(ask));
  }

  /** 404, 405; the logged-out page without a live session; then the route's own. */
  answer(ask: Ask): Answer | Promise<Answer> {
    const { route: found, allow, name } = this.#find(ask);
    if (!found && allow.length > 0)
      return { ...page(this.error(405), 405), headers: { ...page("").headers, allow: allow.join(", ") } };
    if (!found) return page(this.error(404), 404);
    const user = found.open ? "" : this.#sessions.use(sessionOf(ask));
    if (user !== undefined) return found.answer(ask, user, name);
    if (this.#world.switches.portal.logged_out === "redirect")
      return { ...moved("/portal/login"), gave: "logged out" };
    return { ...page(loggedOutPage()), gave: "logged out" };
  }

  #begin({ url }: Ask): Answer {
    const { state, location } = this.#identity.begin(url);
    return { ...moved(location), cookies: [`${STATE}=${state}; HttpOnly; path=/portal`] };
  }

  /** A session for a code. The state has to be the one that this browser was sent away with. */
  #signIn(ask: Ask): Answer {
    const fields = signInFields(ask);
    const state = fields.get("state") ?? "";
    const account = this.#identity.redeem(fields.get("code") ?? "", state);
    if (account === undefined || cookiesOf(ask.headers).get(STATE) !== state)
      return page(problemPage("Sign-in failed"), 400);
    this.#logins += 1;
    const answer = {
      ...moved("/portal/containers"),
      cookies: [
        `${SESSION}=${this.#sessions.begin(account)}; HttpOnly; path=/portal`,
        `${STATE}=; ${PAST}; HttpOnly; path=/portal`,
      ],
    };
    this.#world.note({ upstream: "portal", operation: "login", account, status: answer.status });
    return answer;
  }

  #logout(ask: Ask): Answer {
    this.#sessions.end(sessionOf(ask));
    const location = identityUrl(IDENTITY_LOGOUT_PATH, ask.url, this.#world.switches.portal.identity_host);
    return { ...moved(location), cookies: [`${SESSION}=; ${PAST}; HttpOnly; path=/portal`] };
  }

  #containers({ url }: Ask, user: string): Answer {
    const { containers } = this.#world.switches.portal;
    return page(containersPage(url.searchParams.get("page"), containers, user));
  }

  #timeline(user: string, number: string): Answer {
    const html = timelinePage(number, this.#world.switches.portal, user);
    return html === undefined ? page(containerNotFound(user), 404) : page(html);
  }

  get counts(): { logins: number; live_sessions: number; bookings: number } {
    return {
      logins: this.#logins,
      live_sessions: this.#sessions.live,
      bookings: this.#appointments.bookings.length,
    };
  }

  error = (status: number): string => problemPage(`Error ${status}`);

  /** Whether a portal session with this cookie is live. */
  alive = (session: string): boolean => this.#sessions.isLive(session);

  /** Ends portal sessions; that somebody is known to the identity pages stays. */
  revoke = (account?: string): number => this.#sessions.endAll(account);

  reset(): void {
    this.#identity.reset();
    this.#sessions.endAll();
    this.#logins = 0;
  }
}

const route = (operation: Operation, methods: string[], path: RegExp, answer: Route["answer"]): Route => ({
  ...{ operation, methods, path, answer },
});

/** A route for everybody. */
const open = (operation: Operation, methods: string[], path: string, answer: Route["answer"]): Route => ({
  ...route(operation, methods, new RegExp(`^${path}$`), answer),
  open: true,
});

const sessionOf = ({ headers }: Ask): string => cookiesOf(headers).get(SESSION) ?? "";

/** By the browser's form, or in the query. */
const signInFields = ({ method, url, text }: Ask): URLSearchParams =>
  method === "POST" ? form(text) : url.searchParams;

// The portal as a single-page application: its page, and the API that its script asks. Whoever is logged in has a cookie that no
// script sees, and beside it a token in `localStorage`; neither is good without the other.
import type { Captcha } from "./captcha.ts";
import { random } from "./crypto.ts";
import { cookiesOf, jsonObject, page } from "./http.ts";
import type { PortalAccounts } from "./portal_accounts.ts";
import { confirmationOf } from "./portal_appointment_pages.ts";
import { type PortalAppointments, WIZARD_EXPIRED } from "./portal_appointments.ts";
import { COLUMNS, containerRows, indexOf, milestones } from "./portal_containers.ts";
import { PortalSessions } from "./portal_sessions.ts";
import { SPA_SCRIPT, spaPage } from "./spa_app.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";

const SESSION = "spa.session";

/** Somebody who has said a right password, and has one thing more to do. */
interface Ticket {
  account: string;
  wants: "code" | "person";
}

interface Route {
  operation: Operation;
  method: string;
  path: RegExp;
  answer: (ask: Ask, user: string, name: string) => Answer | Promise<Answer>;
  open?: true;
}

export class Spa implements Fake {
  #world: World;
  #captcha: Captcha;
  #accounts: PortalAccounts;
  #appointments: PortalAppointments;
  #sessions: PortalSessions;
  /** The cookie that a token goes with. */
  #tokens = new Map<string, string>();
  #tickets = new Map<string, Ticket>();
  #logins = 0;

  constructor(world: World, captcha: Captcha, accounts: PortalAccounts, appointments: PortalAppointments) {
    this.#world = world;
    this.#captcha = captcha;
    this.#accounts = accounts;
    this.#appointments = appointments;
    this.#sessions = new PortalSessions(world);
  }

  #routes: Route[] = [
    open("script", "GET", /^\/app\.js$/, () => script()),
    open("credentials", "POST", /^\/api\/login$/, (ask) => this.#login(ask)),
    open("code", "POST", /^\/api\/code$/, (ask) => this.#code(ask)),
    open("confirm", "POST", /^\/api\/confirm$/, (ask) => this.#confirm(ask)),
    open("logout", "POST", /^\/api\/logout$/, (ask) => this.#logout(ask)),
    route("me", "GET", /^\/api\/me$/, (_, user) => ({ status: 200, json: { user } })),
    route("containers", "GET", /^\/api\/containers$/, (ask, user) => this.#containers(ask, user)),
    route("timeline", "GET", /^\/api\/containers\/([^/]+)$/, (_, _user, name) => this.#timeline(name)),
    route("appointment_form", "POST", /^\/api\/appointments\/new$/, (_, user) => this.#begin(user)),
    route("appointment_phase", "POST", /^\/api\/appointments\/([12])$/, (ask, user, step) =>
      this.#phase(ask, user, step),
    ),
    route("appointment_book", "POST", /^\/api\/appointments\/(book)$/, (ask, user, step) =>
      this.#phase(ask, user, step),
    ),
    // All other addresses are the script's business.
    open("page", "GET", /^(?!\/api\/)/, (ask) => this.#page(ask)),
  ];

  #find = ({ path, method }: Ask): Route | undefined =>
    this.#routes.find((route) => route.method === method && route.path.test(path));

  identify(ask: Ask): { operation: Operation; account?: string | undefined } {
    const { operation = "unknown" } = this.#find(ask) ?? {};
    return { operation, account: this.#whose(operation, ask)?.slice(0, 64) || undefined };
  }

  #whose(operation: Operation, ask: Ask): string | undefined {
    const { username, ticket } = jsonObject(ask.text);
    if (operation === "credentials") return String(username);
    if (operation === "code" || operation === "confirm") return this.#tickets.get(String(ticket))?.account;
    return this.#sessions.accountOf(cookiesOf(ask.headers).get(SESSION) ?? "");
  }

  answer(ask: Ask): Answer | Promise<Answer> {
    const found = this.#find(ask);
    if (this.#isRefused(ask)) return { ...page(FIREWALL, 403), gave: "firewall" };
    if (!found) return { status: 404, json: this.error(404) };
    const user = found.open ? "" : this.#user(ask);
    const name = decodeURIComponent(found.path.exec(ask.path)?.[1] ?? "");
    return user === undefined
      ? { status: 401, json: this.error(401), gave: "logged out" }
      : found.answer(ask, user, name);
  }

  #isRefused({ headers }: Ask): boolean {
    const { firewall } = this.#world.switches.spa;
    const isHeadless = /HeadlessChrome/.test(headers.get("user-agent") ?? "");
    return firewall === "all" || (firewall === "headless" && isHeadless);
  }

  /** Whose session this is, if cookie and token are one's. */
  #user({ headers }: Ask): string | undefined {
    const cookie = cookiesOf(headers).get(SESSION) ?? "";
    const fits = cookie !== "" && this.#tokens.get(headers.get("x-token") ?? "") === cookie;
    return fits ? this.#sessions.use(cookie) : undefined;
  }

  #page(_: Ask): Answer {
    const { submit, loading, list, page_seconds } = this.#world.switches.spa;
    const to_login = this.#world.switches.portal.logged_out === "redirect";
    return page(spaPage({ submit, loading, list, page_seconds, to_login }));
  }

  async #login({ text, signal }: Ask): Promise<Answer> {
    const { login_ms } = this.#world.switches.portal;
    if (login_ms > 0) await this.#world.pause(login_ms, signal);
    const { username = "", password = "", captcha = "" } = jsonObject(text);
    const account = String(username);
    if (!this.#captcha.use(String(captcha))) return refused("Captcha validation failed");
    const refusal = this.#accounts.refusal(account, String(password));
    if (refusal !== undefined) return refused(refusal);
    if (this.#accounts.hasTotp(account)) return this.#later({ account, wants: "code" });
    if (account.startsWith("human")) return this.#later({ account, wants: "person" });
    return this.#in(account);
  }

  #later(ticket: Ticket): Answer {
    const name = random(40);
    this.#tickets.set(name, ticket);
    return { status: 200, json: { next: ticket.wants, ticket: name }, gave: `wants a ${ticket.wants}` };
  }

  async #code({ text }: Ask): Promise<Answer> {
    const { ticket, code } = jsonObject(text);
    const found = this.#tickets.get(String(ticket));
    if (found?.wants !== "code") return refused("Bad Request");
    if (!(await this.#accounts.isCode(found.account, String(code)))) return refused("Invalid code");
    return this.#tickets.delete(String(ticket)) ? this.#in(found.account) : refused("Bad Request");
  }

  #confirm({ text }: Ask): Answer {
    const { ticket } = jsonObject(text);
    const found = this.#tickets.get(String(ticket));
    if (found?.wants !== "person") return refused("Bad Request");
    this.#tickets.delete(String(ticket));
    return this.#in(found.account);
  }

  #in(account: string): Answer {
    const [cookie, token] = [this.#sessions.begin(account), random(60)];
    this.#tokens.set(token, cookie);
    this.#logins += 1;
    this.#world.note({ upstream: "spa", operation: "login", account, status: 200 });
    return { status: 200, json: { token }, cookies: [`${SESSION}=${cookie}; HttpOnly; path=/spa`] };
  }

  #logout({ headers }: Ask): Answer {
    this.#sessions.end(cookiesOf(headers).get(SESSION) ?? "");
    const past = "expires=Thu, 01 Jan 1970 00:00:00 GMT";
    return { status: 200, json: {}, cookies: [`${SESSION}=; ${past}; HttpOnly; path=/spa`] };
  }

  #containers({ url, headers }: Ask, user: string): Answer {
    const { ends_after_rows } = this.#world.switches.spa;
    const total = this.#world.switches.portal.containers;
    const offset = Number(url.searchParams.get("offset"));
    if (!Number.isInteger(offset) || offset < 0) return { status: 400, json: this.error(400) };
    if (ends_after_rows > 0 && offset >= ends_after_rows) {
      this.#sessions.end(cookiesOf(headers).get(SESSION) ?? "");
      return { status: 401, json: this.error(401), gave: `${user} is logged out` };
    }
    const { rows, end } = containerRows(offset, total);
    const own = rows.map((row) => row.map((cell) => cell.replace('href="/portal/', 'href="/spa/')));
    return { status: 200, json: { columns: COLUMNS, rows: own, end, more: end < total } };
  }

  #timeline(number: string): Answer {
    const index = indexOf(number, this.#world.switches.portal);
    if (index === undefined) return { status: 404, json: { error: "Container not found" } };
    const rows = milestones(index).map(({ milestone, date, status }) => [
      milestone,
      date,
      `<span class="badge ${status}">${status}</span>`,
    ]);
    return { status: 200, json: { columns: ["Milestone", "Date", "Status"], rows } };
  }

  #begin(user: string): Answer {
    const { choices } = this.#appointments;
    return { status: 200, json: { id: this.#appointments.open(user), choices } };
  }

  #phase({ text }: Ask, user: string, step: string): Answer {
    const body = jsonObject(text);
    const fields = typeof body.fields === "object" ? (body.fields as Record<string, unknown>) : {};
    const field = (name: string) => String(fields?.[name] ?? "");
    const phase = step === "book" ? 3 : Number(step);
    const taken = this.#appointments.take(String(body.id), user, phase, field);
    if (taken === undefined) return { status: 410, json: { errors: [WIZARD_EXPIRED] }, gave: "expired" };
    if ("booking" in taken) {
      const confirmation = confirmationOf(taken.booking);
      return { status: 200, json: { confirmation }, gave: taken.booking.confirmation };
    }
    if (taken.errors.length > 0)
      return { status: 422, json: { errors: taken.errors }, gave: taken.errors.join(", ") };
    return { status: 200, json: { slots: this.#appointments.choices.TimeSlot } };
  }

  get counts(): { logins: number; live_sessions: number } {
    return { logins: this.#logins, live_sessions: this.#sessions.live };
  }

  error = (status: number): unknown => ({ error: `Error ${status}` });

  /** Whether this token's session is live. */
  alive = (token: string): boolean => this.#sessions.isLive(this.#tokens.get(token) ?? "");

  revoke = (account?: string): number => this.#sessions.endAll(account);

  reset(): void {
    this.#sessions.endAll();
    this.#tokens.clear();
    this.#tickets.clear();
    this.#logins = 0;
  }
}

/** As firewalls in front of portals have it. */
export const FIREWALL =
  "<html><head><title>Access denied</title></head><body><h1>Access denied</h1>" +
  "<p>This request was blocked by our security service. Automated access is not allowed.</p></body></html>\n";

const refused = (error: string): Answer => ({ status: 401, json: { error }, gave: error });

const script = (): Answer => ({
  status: 200,
  headers: { "content-type": "text/javascript; charset=utf-8" },
  text: SPA_SCRIPT,
});

const route = (operation: Operation, method: string, path: RegExp, answer: Route["answer"]): Route => ({
  ...{ operation, method, path, answer },
});

/** A route for everybody. */
const open = (operation: Operation, method: string, path: RegExp, answer: Route["answer"]): Route => ({
  ...route(operation, method, path, answer),
  open: true,
});

// All fakes together, behind one `handle`, with what tests and the control routes do to them.
import { Alerts } from "./alerts.ts";
import { appOf, type App } from "./accounts.ts";
import { Captcha } from "./captcha.ts";
import { Clock, utc } from "./clock.ts";
import { control } from "./control.ts";
import { Facturify } from "./facturify.ts";
import { Faults } from "./faults.ts";
import { Journal } from "./journal.ts";
import { Oauth2 } from "./oauth2.ts";
import { Oidc } from "./oidc.ts";
import { Portal } from "./portal.ts";
import { PortalAccounts } from "./portal_accounts.ts";
import { PortalAppointments } from "./portal_appointments.ts";
import { serve } from "./serve.ts";
import { Sme } from "./sme.ts";
import { Spa } from "./spa.ts";
import { changed, initialSwitches, type Switches } from "./switches.ts";
import { Tokens } from "./tokens.ts";
import type {
  Alert,
  Booking,
  Call,
  CallFilter,
  Fake,
  Fault,
  FaultOptions,
  Hold,
  Operation,
} from "./types.ts";
import type { Options, SwitchChanges, Upstream } from "./types.ts";
import { Upstox } from "./upstox.ts";
import { UpstoxTokens } from "./upstox_tokens.ts";

const DEFAULTS = {
  facturify: { main: { api_key: "fk-local", api_secret: "fs-local" } },
  clients: { crm: { secret: "crm-secret", refresh_tokens: ["rt-crm-0"] } },
  alertSecret: "whsec-local-0123456789abcdefghijklmnop",
  smeApiKey: "sme-local",
  keep: 10_000,
};

export class Upstreams {
  /** Calls so far, oldest first; the last 10,000. */
  readonly calls: readonly Call[];
  /** Alerts received, oldest first; the last 10,000. */
  readonly alerts: readonly Alert[];
  #options: Options;
  #clock: Clock;
  #switches: Switches;
  #faults: Faults;
  #journal: Journal;
  #upstox: Upstox;
  #tokens: Tokens;
  #oauth2: Oauth2;
  #captcha: Captcha;
  #accounts: PortalAccounts;
  #appointments: PortalAppointments;
  #portal: Portal;
  #spa: Spa;
  #oidc: Oidc;
  #upstoxTokens: UpstoxTokens;
  #fakes: Record<Upstream, Fake>;

  constructor(options: Options = {}) {
    this.#options = options;
    this.#faults = new Faults(options.patient);
    this.#clock = new Clock(options.now ?? (() => Date.now()));
    this.#switches = this.#initial();
    const keep = options.keep ?? DEFAULTS.keep;
    this.#journal = new Journal(keep);
    const self = this;
    const world = {
      now: this.#clock.now,
      get switches() {
        return self.#switches;
      },
      pause: (ms: number, signal?: AbortSignal) => this.#faults.pause(ms, signal),
      note: (call: Omit<Call, "n" | "at">) => {
        const noted = this.#journal.add({ at: utc(this.now()), ...call });
        this.#options.onCall?.(noted);
      },
    };
    this.#upstoxTokens = new UpstoxTokens(world);
    const alerts = new Alerts(world, options.alertSecret ?? DEFAULTS.alertSecret, keep);
    this.#upstox = new Upstox(world, this.#upstoxTokens);
    this.#tokens = new Tokens(world, this.#upstoxTokens);
    this.#oauth2 = new Oauth2(world, options.clients ?? DEFAULTS.clients);
    this.#captcha = new Captcha(world);
    // The three portals are one, with three doors: users and appointments are the same.
    this.#accounts = new PortalAccounts(world);
    this.#appointments = new PortalAppointments(world);
    const shared = [world, this.#captcha, this.#accounts, this.#appointments] as const;
    this.#portal = new Portal(...shared);
    this.#spa = new Spa(...shared);
    this.#oidc = new Oidc(...shared);
    this.#fakes = {
      facturify: new Facturify(world, options.facturify ?? DEFAULTS.facturify),
      upstox: this.#upstox,
      tokens: this.#tokens,
      oauth2: this.#oauth2,
      alerts,
      sme: new Sme(world, options.smeApiKey ?? DEFAULTS.smeApiKey),
      portal: this.#portal,
      spa: this.#spa,
      oidc: this.#oidc,
      captcha: this.#captcha,
    };
    this.calls = this.#journal.calls;
    this.alerts = alerts.received;
  }

  #initial(): Switches {
    const { accounts, switches = {} } = this.#options;
    const own = accounts === undefined ? {} : { tokens: { accounts } };
    return changed(changed(initialSwitches(), own), switches);
  }

  /**
   * Answers as the third party of this URL's path would. Rejects with a TypeError where the connection breaks, and with
   * the signal's reason where the caller goes away, as `fetch` does.
   */
  handle = (request: Request): Promise<Response> =>
    serve(
      {
        fakes: this.#fakes,
        faults: this.#faults,
        journal: this.#journal,
        now: this.now,
        other: (ask) => control(this, ask),
        onCall: this.#options.onCall,
      },
      request,
    );

  /** How many calls there were that match, also of those no longer in `calls`. */
  count = (filter: CallFilter = {}): number => this.#journal.count(filter);

  /** All counters that match. */
  counters = (filter: CallFilter = {}) => this.#journal.counters(filter);

  /**
   * Calls of one operation for one account at the same time: under way now, and the most there have been. Where the
   * filter leaves several, the largest.
   */
  atOnce = (filter: Omit<CallFilter, "status"> = {}) => this.#journal.atOnce(filter);

  /** Changes switches; an error names one that does not exist or cannot have that value, and nothing is changed. */
  set(changes: SwitchChanges): void {
    this.#switches = changed(this.#switches, changes);
  }

  get switches(): Switches {
    return structuredClone(this.#switches);
  }

  /**
   * The next calls that match meet this fault, or the faults of a list one after another. `times`: how often the list
   * is gone through, 1 unless given. What it returns takes the fault away.
   */
  fail(upstream: Upstream, fault: Fault | Fault[], options: FaultOptions = {}): () => void {
    return this.#faults.add(upstream, fault, options);
  }

  /** Takes all faults away, or those of one upstream. */
  heal = (upstream?: Upstream): void => this.#faults.clear(upstream);

  /** The faults that are still to come. */
  get faults(): unknown[] {
    return this.#faults.list;
  }

  /** Keeps calls waiting, before they do anything, until they are released. Works in workerd: nobody awaits another's promise. */
  hold(upstream: Upstream, operation?: Operation, account?: string): Hold {
    return this.#faults.hold({ upstream, operation, account });
  }

  /** Ends all waiting: holds, calls that hang or are slow, and the portal's `login_ms`. */
  release = (): void => this.#faults.release();

  /** Milliseconds since 1970 by the fakes' clock. */
  now = (): number => this.#clock.now();

  /** Stands still at `ms`; `null` goes with real time again. */
  setClock = (ms: number | null): void => this.#clock.set(ms);

  advance = (ms: number): void => this.#clock.advance(ms);

  get clockStands(): boolean {
    return this.#clock.standing;
  }

  /** Whether a token of any upstream would be accepted now; of oauth2 a refresh token, too. */
  alive = (token: string): boolean => Object.values(this.#fakes).some((fake) => fake.alive(token));

  /**
   * Ends the live tokens of an upstream, or of one of its accounts, behind their holders' backs; returns how many. Of
   * `tokens`: forgets what it keeps. Of `portal`: ends sessions; of `captcha`: solutions that were not used.
   */
  revoke = (upstream: Upstream, account?: string): number => this.#fakes[upstream].revoke(account);

  /** Ends the access tokens of the portal behind OpenID Connect, and leaves the refresh tokens. */
  endAccess = (): void => this.#oidc.endAccess();

  /** Logins, live sessions and bookings at the portal, as numbers. */
  get portal() {
    return this.#portal.counts;
  }

  /** Logins and live sessions of the portal that is an application. */
  get spa() {
    return this.#spa.counts;
  }

  /** Logins, refreshes and live sessions of the portal behind OpenID Connect. */
  get oidc() {
    return this.#oidc.counts;
  }

  /** The appointments made at the portal, whichever way, oldest first. */
  get bookings(): readonly Booking[] {
    return this.#appointments.bookings;
  }

  /** Tasks that came, those that were told their solution, and solutions that the portal took. */
  get captcha() {
    return this.#captcha.counts;
  }

  /** The app and user of an Upstox account. */
  app = (account: string): App => appOf(account);

  /** A live Upstox token that the token service does not know. */
  issueToken = async (account: string): Promise<string> => (await this.#upstoxTokens.mint(account)).value;

  /** The token that the token service keeps for the account. */
  keptToken = (account: string): string | undefined => this.#tokens.kept(account);

  /** An authorization code of Upstox, as after the user's login in the browser. */
  issueCode = (account: string): string => this.#upstox.issueCode(account);

  /** A new refresh token for an OAuth2 client. */
  issueRefreshToken = (client: string): string => this.#oauth2.issueRefreshToken(client);

  /**
   * The user approves a token request, and Upstox posts the token to `url`. `force` does so without a request;
   * `payload` replaces fields. Returns the status of the receiver, or undefined if nothing waited for approval.
   */
  async approve(
    account: string,
    url: string,
    options: { force?: boolean; payload?: Record<string, unknown> } = {},
  ): Promise<number | undefined> {
    const payload = await this.#upstox.approve(account, options.force ?? false);
    if (!payload) return undefined;
    const post = this.#options.fetch ?? ((to, init) => fetch(to, init));
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ ...payload, ...options.payload });
    return (await post(url, { method: "POST", headers, body })).status;
  }

  /** Forgets calls and counters. */
  clearCalls = (): void => this.#journal.clear();

  /** Everything as at the start: tokens, switches, faults, clock, calls, alerts. What waits is let through. */
  reset(): void {
    this.#faults.clear();
    this.#faults.release();
    this.#clock.set(null);
    this.#switches = this.#initial();
    this.#journal.clear();
    for (const fake of Object.values(this.#fakes)) fake.reset();
    this.#accounts.reset();
    this.#appointments.reset();
  }
}

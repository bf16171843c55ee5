// The session of a page: its tokens, kept fresh by one tab for all, and when it ends.
//
// Over 400 lines: one class, whose state is private. Names that are private are also what a minifier can shorten.
import { type Answer, type Call, failed, jsonOf, type PageInit, post } from "./calls.ts";
import { errorOf, SessionError } from "./errors.ts";
import type { components } from "./openapi.ts";
import { ownPlatform, type Platform } from "./platform.ts";
import { type Entry, Store } from "./store.ts";
import type {
  CurrentSession,
  JsonInit,
  LoginOptions,
  OwnSession,
  SessionEvents,
  SessionManagerOptions,
  Snapshot,
} from "./types.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** With less left a token may have expired when it arrives. */
const SHORT = 5 * SECOND;
/** The server ends a session a millisecond after its deadline; its answer is asked for a little later. */
const SLACK = SECOND;
/** `setTimeout` takes no more. */
const LONGEST = 2 ** 31 - 1;

const PASSIVE = { "x-session-passive": "1" };
const WAKING = ["online", "focus", "visibilitychange"];
const HUMAN = ["keydown", "pointerdown", "pointermove"];

/** 401s that are not about the token that was sent. */
const NOT_THE_TOKEN = /^(insufficient_user_|invalid_cred|service_key|external|portal|upstream)/;
/** Also by these a refresh says that there is no session any more: `token_invalid`, `token_expired`, `not_authenticated`, `external_token_…`. */
const NO_SESSION = /^(token|not_auth|external_token)/;

const NOBODY_IS = "not_authenticated";

const NOBODY = {
  user: null,
  session: null,
  idleDeadline: null,
  absoluteDeadline: null,
  idleWarning: false,
} as const;

/** What is known before anybody has looked: on a server, and while a page is hydrated. */
export const UNKNOWN: Snapshot = Object.freeze({ ...NOBODY, status: "loading", reason: null, error: null });

/** What an answer with tokens, or about cookies, has. */
type Granted = components["schemas"]["Tokens"] & components["schemas"]["CookieSession"];

type Listener = (detail: never) => void;

export class SessionManager {
  readonly #base: string;
  readonly #options: SessionManagerOptions;
  readonly #platform: Platform;
  readonly #now: () => number;
  readonly #store: Store;
  readonly #cookie: boolean;
  /** Not the cookies of another session: a bearer token is refused together with those. */
  readonly #credentials: PageInit;
  readonly #listeners = new Map<string, Set<Listener>>();
  #snapshot: Snapshot = UNKNOWN;
  /** What this tab goes by. */
  #entry: Entry = {};
  #refreshing: Promise<void> | null = null;
  #checking: Promise<CurrentSession | null> | null = null;
  #stop: AbortController | null = null;
  #timer: unknown;
  /** When to get new tokens, if somebody is there then; else whoever needs them gets them. */
  #refreshAt = Infinity;
  /** After a failure nothing is asked before this. */
  #retryAt = 0;
  #failures = 0;
  /** The inactivity timeout. */
  #idle = 0;
  /** When this tab was last used, when the server was last told of it, and when it was last asked. */
  #activeAt = -Infinity;
  #toldAt = -Infinity;
  #askedAt = -Infinity;

  /** Nothing is asked and no timer runs before the first call or subscription. */
  constructor(apiBaseUrl: string, options: SessionManagerOptions = {}) {
    this.#base = apiBaseUrl.replace(/\/+$/, "");
    this.#options = options;
    this.#platform = { ...ownPlatform(), ...options };
    this.#now = this.#platform.now;
    const storage = options.storage ?? "memory";
    this.#cookie = storage === "cookie";
    // Where there is no page there are no cookies; Workers refuse requests that name them.
    this.#credentials = this.#platform.events ? { credentials: this.#cookie ? "include" : "omit" } : {};
    this.#store = new Store(this.#platform, `sallyport:${this.#base}`, storage);
    this.#entry = this.#store.read();
    this.#plan();
    if (!this.#cookie && !this.#entry.s) this.#gone(this.#entry);
    if (options.onIdleWarning) this.#listeners.set("idleWarning", new Set([options.onIdleWarning]));
  }

  /** What is known now; the same object until something changes. */
  getSnapshot = (): Snapshot => this.#snapshot;

  /** Calls `listener` when there is another snapshot. Gives what ends that. */
  subscribe = (listener: () => void): (() => void) => this.on("change", listener);

  /** Calls `listener` when it happens. Gives what ends that. */
  on<T extends keyof SessionEvents>(type: T, listener: (detail: SessionEvents[T]) => void): () => void {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
    this.start();
    return () => void all.delete(listener);
  }

  #emit<T extends keyof SessionEvents>(type: T, detail: SessionEvents[T]): void {
    for (const listener of this.#listeners.get(type) ?? [])
      try {
        (listener as (d: typeof detail) => void)(detail);
      } catch (error) {
        // What a listener does wrong is reported, and the session goes on.
        this.#platform.setTimeout(() => {
          throw error;
        }, 0);
      }
  }

  #set(change: Partial<Snapshot>): void {
    const before = this.#snapshot;
    const next = { ...before, ...change };
    if (Object.entries(change).every(([key, value]) => before[key as keyof Snapshot] === value)) return;
    this.#snapshot = Object.freeze(next);
    this.#emit("change", next);
  }

  /** Begins to follow the session: other tabs, its deadlines, its tokens. The first call of anything else does so, too. */
  start(): void {
    if (this.#stop) return;
    const { events } = this.#platform;
    const { activity } = this.#options;
    const human = activity === true ? HUMAN : activity || [];
    const { signal } = (this.#stop = new AbortController());
    this.#store.listen(() => this.#sync(), signal);
    const listen = (types: readonly string[], listener: () => void) =>
      types.forEach((type) =>
        events?.addEventListener(type, listener, { signal, passive: true, capture: true }),
      );
    listen(WAKING, this.#wake);
    listen(human, this.#acted);
    this.#sync();
    this.#schedule();
  }

  /** Ends what `start` began. The session goes on. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.#platform.clearTimeout(this.#timer);
  }

  /** Logs in. In place of a session that this client has, if it is the same user's. */
  async login(username: string, password: string, { deviceName }: LoginOptions = {}): Promise<void> {
    this.start();
    const { json, headers, at } = await this.#post("login", {
      headers: { ...this.#bearer(this.#sync()), "x-device-token": this.#store.device },
      body: { username, password, device_name: deviceName, cookie: this.#cookie || undefined },
    });
    const device = headers.get("x-device-token");
    if (device) this.#store.device = device;
    this.#activeAt = at;
    // Who was there before is not shown any more.
    if (this.#snapshot.status === "authenticated") this.#set(UNKNOWN);
    this.#take(json, at, { s: this.#platform.random() });
    // The tokens are good, whatever becomes of this.
    await this.#ask(true, true).catch((error: SessionError) => {
      this.#set({ ...UNKNOWN, status: "authenticated" });
      this.#later(error);
    });
    this.#present();
  }

  /** Gets new tokens. Calls at the same time, here and in other tabs, are one. */
  refreshTokens(): Promise<void> {
    this.start();
    return (this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null)));
  }

  async #refresh(): Promise<void> {
    const { v } = this.#sync();
    await this.#store.alone(async () => {
      // Another tab was faster: its tokens are ours.
      if (this.#sync().v !== v) return;
      const body = { refresh_token: this.#entry.r };
      let answer: Answer | undefined;
      let error: unknown;
      try {
        this.#present();
        // An answer that is lost is asked for again with the same token: the server knows that, and gives the same pair.
        answer = await this.#post("refresh", { body, tries: 3 });
      } catch (cause) {
        error = cause;
      }
      // Logged out or in meanwhile: what this answer says is of no interest any more.
      if (this.#sync().v !== v) return;
      if (answer) return this.#take(answer.json, answer.at, this.#entry);
      const { status, code, final } = error as SessionError;
      if (final || (status === 401 && NO_SESSION.test(code))) this.#end(error as SessionError);
      throw error;
    });
    this.#present();
  }

  /** Logs out, here and on the server. */
  async logout(): Promise<void> {
    this.start();
    const entry = this.#sync();
    if (!entry.s && !this.#cookie) return;
    const headers = this.#bearer(entry);
    const body = { refresh_token: entry.r };
    // It is sent to its end although the page is left.
    const call = { headers, body, tries: 3, init: this.#platform.events ? { keepalive: true } : {} };
    const isOver = (error: SessionError) => (error.status === 401 ? null : error);
    const told = this.#post("logout", call).then(() => null, isOver);
    // Only the server can take cookies away, so a failure must be known.
    if (this.#cookie && (await told)) throw await told;
    this.#end(null, "logout");
    const error = await told;
    if (error) this.#emit("error", error);
  }

  /** Forgets the tokens of this client without telling the server. */
  clearTokens(): void {
    if (this.#sync().s) this.#end(null);
  }

  /** Gives the password once more, where the server asks for a recent login (`insufficient_user_authentication`). */
  async reauthenticate(password: string): Promise<void> {
    this.start();
    await this.#fresh();
    const give = () =>
      this.#store.alone(async () => {
        const entry = this.#sync();
        const call = { headers: this.#bearer(entry), body: { password } };
        const { json, at } = await this.#post("reauthenticate", call);
        // Unless somebody has logged out meanwhile.
        if (this.#sync().s === entry.s) this.#take(json, at, entry);
      });
    await give().catch(async (error: SessionError) => {
      // Where the answer was lost there may be a newer pair: two of those, and the refresh token would be too old.
      if (error.status && error.code !== "token_expired") throw error;
      await this.refreshTokens();
      await give();
    });
  }

  /** The session one is in, or `null`. Asking is no activity. */
  getSession(): Promise<CurrentSession | null> {
    return this.#check();
  }

  /** Tells the server that somebody is there: «stay logged in». */
  keepAlive(): Promise<CurrentSession | null> {
    return this.#ask(false);
  }

  /** The user's sessions, on all devices. */
  async listSessions(): Promise<OwnSession[]> {
    return (await this.apiJson<{ sessions: OwnSession[] }>(this.#url("sessions"))).sessions;
  }

  /** Ends one of them. */
  async revokeSession(id: string): Promise<void> {
    await this.apiJson(this.#url(`sessions/${encodeURIComponent(id)}`), { method: "DELETE" });
    if (id === this.#snapshot.session?.session_id) this.#end(null, "logout");
  }

  /** Ends all but this one. Gives how many. */
  revokeOtherSessions(): Promise<number> {
    return this.#closeAll({ keep_current: true });
  }

  /** Ends all of them, this one included. Gives how many. */
  async revokeSessions(): Promise<number> {
    const closed = await this.#closeAll({});
    this.#end(null, "logout");
    return closed;
  }

  async #closeAll(json: object): Promise<number> {
    const answer = await this.apiJson<{ closed_sessions: number }>(this.#url("logout-all"), { json });
    return answer.closed_sessions;
  }

  /**
   * `fetch` with the session's token. The URL is used as it is: the token goes wherever it leads.
   * A 401 gets new tokens, and the request is sent once more, unless its body was a stream.
   * Other answers are the caller's. Throws a {@link SessionError} if there is no answer, or the session is over.
   */
  async apiRequest(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    this.start();
    const { fetch } = this.#platform;
    const own = String((input as Partial<Request>).url ?? input).startsWith(this.#base || "/");
    const headers = new Headers(init.headers ?? (input as Partial<Request>).headers);
    const passive = /^(1|true)$/.test(headers.get("x-session-passive") ?? "");
    if (!passive) this.#activeAt = this.#now();
    await this.#fresh(passive);
    for (let again = false; ; again = true) {
      const sent = this.#present();
      const at = this.#now();
      const { authorization } = this.#bearer(sent);
      if (authorization) headers.set("authorization", authorization);
      const credentials = own || this.#cookie ? this.#credentials : {};
      const response = await fetch(input, { ...credentials, ...init, headers }).catch((cause) => {
        throw failed(cause, init.signal);
      });
      if (response.status !== 401) {
        if (response.ok && own) {
          this.#set({ error: null });
          if (!passive) this.#used(at);
        }
        return response;
      }
      const error = await errorOf(response.clone());
      if (NOT_THE_TOKEN.test(error.code)) return response;
      if (this.#sync().v === sent.v) {
        // Somebody else's word is not enough for that.
        if (own && (error.final || (this.#cookie && error.code === NOBODY_IS))) {
          this.#end(error);
          throw error;
        }
        if (again) return response;
        if (passive && !this.#recent()) throw idle();
        await this.refreshTokens();
      }
      if (again || !repeatable(input, init)) return response;
    }
  }

  /** The same, for JSON: throws a {@link SessionError} for every answer that is none of success. */
  async apiJson<T = unknown>(url: string | URL, { json, ...init }: JsonInit = {}): Promise<T> {
    if (json !== undefined) {
      const headers = new Headers(init.headers);
      headers.set("content-type", "application/json");
      init = { method: "POST", ...init, headers, body: JSON.stringify(json) };
    }
    const response = await this.apiRequest(url, init);
    if (!response.ok) throw await errorOf(response);
    return (await jsonOf(response)) as T;
  }

  /** Sees to it that the token is good for a request that is sent now. */
  async #fresh(passive = false): Promise<void> {
    const { e = Infinity, l = 0 } = this.#sync();
    this.#present();
    const now = this.#now();
    const left = e - now;
    if (now < this.#refreshAt && left > Math.min(SHORT, l / 10)) return;
    if (passive && !this.#recent()) {
      if (left > 0) return;
      throw idle();
    }
    const refreshed = this.refreshTokens().catch((error: SessionError) => {
      if (left <= 0 || !error.transient) throw error;
    });
    // The token of before stays good until it expires.
    if (left > SHORT) void refreshed.catch(() => {});
    else await refreshed;
  }

  /** Whether somebody was there just now, so that a refresh says nothing that is not true. */
  #recent(): boolean {
    return this.#now() - this.#activeAt <= Math.min(MINUTE, this.#idle / 10 || MINUTE);
  }

  /** A request was activity, which moves the deadline; the server says the exact one when it is asked. */
  #used(at: number): void {
    this.#toldAt = at;
    const next = at + this.#idle;
    if (!this.#idle || next - (this.#snapshot.idleDeadline ?? 0) < this.#idle / 60) return;
    this.#set({ idleDeadline: next, idleWarning: false });
    this.#schedule();
  }

  /** Asks about the session, once at a time. */
  #check(): Promise<CurrentSession | null> {
    return (this.#checking ??= this.#ask(true, true).finally(() => (this.#checking = null)));
  }

  async #ask(passive: boolean, mayRefresh = false): Promise<CurrentSession | null> {
    const { s, v } = this.#sync();
    const at = (this.#askedAt = this.#now());
    if (!passive) this.#toldAt = at;
    try {
      const url = this.#url("session");
      const ask = () => this.apiJson<CurrentSession>(url, { headers: passive ? PASSIVE : {} });
      const session = await ask().catch(async (error: SessionError) => {
        if (!mayRefresh || error.code !== "session_idle") throw error;
        await this.refreshTokens();
        return ask();
      });
      const entry = this.#sync();
      // Somebody else has logged in, or out, meanwhile.
      if (s ? entry.s !== s : !entry.s && entry.v !== v) return null;
      // By the server's clock. Counted from before the request, so it is rather too early.
      const here = (time: string) => at + Date.parse(time) - Date.parse(session.server_time);
      this.#idle = session.inactivity_timeout * SECOND;
      const d = here(session.idle_expires_at);
      if (!entry.s) this.#write({ s: this.#platform.random(), d });
      else if (Math.abs(d - (entry.d ?? 0)) >= SECOND) this.#store.mark({ ...entry, d });
      this.#entry.d = d;
      const { user_id: id, username, roles } = session;
      const isNew = !this.#snapshot.session;
      this.#set({
        status: "authenticated",
        user: { id, username, roles },
        session,
        idleDeadline: d,
        absoluteDeadline: here(session.absolute_expires_at),
        idleWarning: this.#snapshot.idleWarning && this.#warnAt() <= this.#now(),
        reason: null,
        error: null,
      });
      if (isNew) this.#emit("login", this.#snapshot);
      this.#failures = this.#retryAt = 0;
      return session;
    } catch (error) {
      if (this.#snapshot.status === "anonymous" && !this.#entry.s) return null;
      throw error;
    } finally {
      this.#schedule();
    }
  }

  #warnAt(): number {
    const before = Math.min((this.#options.idleWarningSeconds ?? 60) * SECOND, this.#idle / 2);
    return (this.#entry.d ?? Infinity) - before;
  }

  #endAt(): number {
    return Math.min(this.#entry.d ?? Infinity, this.#snapshot.absoluteDeadline ?? Infinity) + SLACK;
  }

  #schedule(): void {
    const { setTimeout, clearTimeout } = this.#platform;
    clearTimeout(this.#timer);
    const { status, session, idleWarning } = this.#snapshot;
    if (!this.#stop || status === "anonymous") return;
    const due = session
      ? Math.min(this.#refreshAt, this.#endAt(), idleWarning ? Infinity : this.#warnAt())
      : 0;
    const wait = Math.max(due, this.#retryAt) - this.#now();
    if (wait < Infinity) this.#timer = setTimeout(this.#tick, Math.min(wait, LONGEST));
  }

  /** Does what is due. After a sleep it comes late; so the server, or what another tab has left, is asked before anything is concluded. */
  #tick = async (): Promise<void> => {
    const entry = this.#sync();
    const { status, session, idleWarning } = this.#snapshot;
    const at = this.#now();
    if (!this.#stop || status === "anonymous" || at < this.#retryAt) return this.#schedule();
    const good = at < (entry.e ?? Infinity);
    // At most this often, whatever the answers are.
    this.#retryAt = at + SECOND;
    try {
      if (!session || at >= this.#endAt()) await this.#check();
      else if (at >= this.#refreshAt) {
        // A refresh is activity: only if somebody is there. If not, the deadline is asked for while that is possible.
        if (this.#recent()) await this.refreshTokens();
        else {
          if (good) await this.#ask(true);
          this.#refreshAt = Infinity;
        }
      } else if (!idleWarning && at >= this.#warnAt()) {
        if (good) await this.#ask(this.#activeAt <= this.#toldAt || !this.#options.activity);
        if (this.#now() >= this.#warnAt()) {
          const seconds = Math.ceil(((this.#entry.d as number) - this.#now()) / SECOND);
          this.#set({ idleWarning: true });
          this.#emit("idleWarning", seconds);
        }
      }
      this.#failures = 0;
      this.#schedule();
    } catch (error) {
      this.#later(error as SessionError);
    }
  };

  /** The server could not be asked: nobody is logged out by that. */
  #later = (error: SessionError): void => {
    if (this.#snapshot.status === "anonymous") return;
    const backoff =
      Math.min(MINUTE, 2 ** this.#failures++ * 2 * SECOND) * (0.5 + this.#platform.random() / 2);
    this.#retryAt = this.#now() + Math.max(backoff, (error.retryAfter ?? 0) * SECOND);
    this.#set({ error });
    this.#emit("error", error);
    this.#schedule();
  };

  #wake = (): void => {
    const { e = Infinity } = this.#sync();
    this.#retryAt = 0;
    const isStale = this.#snapshot.session && this.#now() < e && this.#now() - this.#askedAt > MINUTE;
    if (isStale) this.#ask(true).catch(this.#later);
    else void this.#tick();
  };

  #acted = (): void => {
    if (!this.#snapshot.session) return;
    this.#activeAt = this.#now();
    const every = Math.min(MINUTE, this.#idle / 4);
    if (this.#activeAt - Math.max(this.#toldAt, this.#retryAt) >= every) this.#ask(false).catch(this.#later);
  };

  /** Goes by what is stored now, and shows what another tab has done. */
  #sync(): Entry {
    const before = this.#entry;
    const entry = (this.#entry = this.#store.read());
    const isSame = entry.v === before.v;
    if (!isSame) this.#plan();
    if (!isSame && (entry.s !== before.s || !entry.s)) {
      if (!entry.s) this.#gone(entry);
      else {
        this.#set(UNKNOWN);
        this.#retryAt = 0;
        this.#schedule();
      }
    } else if (entry.s && (!isSame || entry.d !== before.d)) {
      const idleWarning = this.#snapshot.idleWarning && this.#warnAt() <= this.#now();
      this.#set({ idleWarning, ...(entry.d && { idleDeadline: entry.d }), ...(!isSame && { error: null }) });
      if (!isSame) this.#emit("refresh", this.#snapshot);
      this.#schedule();
    }
    return entry;
  }

  #write(entry: Entry): void {
    this.#store.write(entry);
    this.#entry = this.#store.read();
    this.#plan();
  }

  /** New tokens, of a request that was sent at that time. */
  #take(json: Record<string, unknown>, at: number, { s, d }: Entry): void {
    const { access_token: a, refresh_token: r, session_id, expires_in } = json as unknown as Granted;
    if (!session_id && !(a && r)) throw new SessionError({});
    const before = this.#entry.s;
    const l = expires_in * SECOND;
    // It was activity.
    d = this.#idle && s === before ? at + this.#idle : d;
    this.#write({ s: s ?? this.#platform.random(), a, r, l, e: at + l, d });
    this.#retryAt = this.#failures = 0;
    this.#set({ idleWarning: false, error: null, idleDeadline: d ?? null });
    if (s === before) this.#emit("refresh", this.#snapshot);
    this.#schedule();
  }

  /** When to get new tokens: not in all tabs, and not for all users, at once. */
  #plan(): void {
    const { e = Infinity, l = 0 } = this.#entry;
    this.#refreshAt = e - Math.min(MINUTE, l / 5) * (0.5 + this.#platform.random() / 2);
  }

  /** The session is over: nothing of it is kept. */
  #end(error: SessionError | null, reason = error?.reason): void {
    // That nobody was logged in is no error of a session.
    if (error?.code === NOBODY_IS) error = null;
    // With the answer of a logout the browser has emptied what the tabs share: it is told anew.
    if (this.#entry.s || this.#snapshot.status !== "anonymous" || reason) {
      this.#write({ reason, code: error?.code });
      this.#gone(this.#entry, error);
    }
  }

  #gone(
    { reason, code }: Entry,
    error = code ? new SessionError({ code, reason }, { status: 401 }) : null,
  ): void {
    this.#platform.clearTimeout(this.#timer);
    const { status } = this.#snapshot;
    this.#set({ ...NOBODY, status: "anonymous", reason: reason ?? null, error });
    if (status === "authenticated" || (status === "loading" && error)) this.#emit("end", this.#snapshot);
  }

  /** The tokens, or how they went. */
  #present(): Entry {
    const { s, code = NOBODY_IS, reason } = this.#entry;
    if (!s && !this.#cookie) throw new SessionError({ code, reason }, { status: 401 });
    return this.#entry;
  }

  #url(path: string): string {
    return `${this.#base}/auth/${path}`;
  }

  #post(path: string, call: Call): Promise<Answer> {
    const init = { ...this.#credentials, ...call.init };
    const timeout = (this.#options.timeoutSeconds ?? 10) * SECOND;
    return post(this.#platform, this.#url(path), timeout, { ...call, init });
  }

  #bearer({ a }: Entry): { authorization: string | undefined } {
    return { authorization: a && `Bearer ${a}` };
  }
}

const idle = () => new SessionError({ code: "session_idle" });

/** Whether a request can be sent once more: a stream is gone. */
function repeatable(input: string | URL | Request, { body }: RequestInit): boolean {
  const stream = body as { getReader?: unknown; [Symbol.asyncIterator]?: unknown } | null | undefined;
  return !(input as Partial<Request>).bodyUsed && !stream?.getReader && !stream?.[Symbol.asyncIterator];
}

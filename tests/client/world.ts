// A browser with tabs, its clock, and a server that rotates tokens: everything that the client can be given from outside.
import {
  type ChannelLike,
  type LocksLike,
  type Platform,
  SessionManager,
  type SessionManagerOptions,
  type StorageLike,
} from "../../client/src/index.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const BASE = "/api/v1";

/** Time that stands until it is moved. */
export class Clock {
  /** The device's clock: wrong, as clocks are. */
  time = Date.UTC(2031, 0, 1);
  #timers = new Map<number, { at: number; run: () => void }>();
  #count = 0;
  /** A device that sleeps: its clock goes on, its timers do not. */
  asleep = false;

  now = () => this.time;
  setTimeout = (run: () => void, ms: number): unknown => {
    this.#timers.set(++this.#count, { at: this.time + Math.ceil(ms), run });
    return this.#count;
  };
  clearTimeout = (timer: unknown): void => void this.#timers.delete(timer as number);

  get pending(): number {
    return this.#timers.size;
  }

  /** What is due now, for a test that runs it itself. */
  due(): (() => void)[] {
    const now = [...this.#timers].filter(([, { at }]) => at <= this.time);
    for (const [key] of now) this.#timers.delete(key);
    return now.map(([, { run }]) => run);
  }

  /** Lets so much time pass, with what is due in it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    await settled();
    for (;;) {
      const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
      if (this.asleep || !next || next[1].at > end) break;
      this.#timers.delete(next[0]);
      this.time = Math.max(this.time, next[1].at);
      next[1].run();
      await settled();
    }
    this.time = end;
  }
}

/** Until everything that waits for no timer has happened. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((done) => setImmediate(done));
}

export class MapStorage implements StorageLike {
  readonly map = new Map<string, string>();
  getItem = (key: string) => this.map.get(key) ?? null;
  setItem = (key: string, value: string) => void this.map.set(key, value);
  removeItem = (key: string) => void this.map.delete(key);
}

/** Web Locks: one after the other. */
class Locks implements LocksLike {
  #queue = new Map<string, Promise<unknown>>();
  request<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#queue.get(name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#queue.set(
      name,
      mine.catch(() => {}),
    );
    return mine;
  }
}

type Handler = (request: Request, call: number) => Response | Promise<Response> | undefined;

export interface Sent {
  method: string;
  path: string;
  passive: boolean;
  token: string | undefined;
  headers: Headers;
  body: string;
  credentials: string | undefined;
  keepalive: boolean | undefined;
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { "x-request-id": "r-1", ...headers } });

export const refusal = (status: number, code: string, more: object = {}, headers = {}): Response =>
  json(status, { code, detail: `text of ${code}`, ...more }, headers);

/** What Sallyport does with one user's sessions, as docs/sessions.md says. Its clock is not the device's. */
export class FakeServer {
  readonly sent: Sent[] = [];
  /** Looked at before anything else: outages, lost answers. */
  before: Handler = () => undefined;
  idleSeconds = 1800;
  accessSeconds = 900;
  cookie = false;
  /** Whether the current pair has been used: then the one before is good for the grace only. */
  confirmed = false;
  session: { generation: number; last: number; born: number; ended: string | null; since: number } | null =
    null;
  #skew = 7 * 60 * MINUTE + 123;

  constructor(readonly clock: Clock) {}

  get time(): number {
    return this.clock.time - this.#skew;
  }

  count = (path: string, method?: string): number =>
    this.sent.filter((one) => one.path === path && (!method || one.method === method)).length;

  end(reason: string): void {
    if (this.session) this.session.ended = reason;
  }

  fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : String(input), "https://app.test");
    const request = new Request(input instanceof Request ? input : url, init);
    const body = request.body ? await request.text() : "";
    const token = request.headers.get("authorization")?.slice(7);
    const { credentials, keepalive } = init;
    const passive = request.headers.get("x-session-passive") === "1";
    const { method, headers } = request;
    this.sent.push({ method, path: url.pathname, passive, token, headers, body, credentials, keepalive });
    if (init.signal?.aborted) throw init.signal.reason;
    const special = this.before(request, this.sent.length);
    if (special) {
      const aborted = new Promise<never>((_, reject) =>
        init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)),
      );
      return Promise.race([special, aborted]);
    }
    return this.answer(method, url.pathname.replace(BASE, ""), token, passive, body);
  };

  answer(method: string, path: string, token: string | undefined, passive: boolean, body: string): Response {
    const now = this.time;
    const one = this.session;
    if (path === "/auth/login") {
      const { password } = JSON.parse(body) as { password: string };
      if (password !== "right") return refusal(401, "invalid_credentials");
      this.session = { generation: 0, last: now, born: now, ended: null, since: now };
      return this.pair({ "x-device-token": "device-1" });
    }
    if (path === "/auth/logout" && one) {
      one.ended ??= "logout";
      return json(200, { message: "Logged out successfully" });
    }
    const over = !one || one.ended !== null || now > one.last + this.idleSeconds * SECOND;
    if (one && over) one.ended ??= "inactivity";
    const idle = one?.ended === "inactivity";
    if (path === "/auth/refresh") {
      const { refresh_token = `r${one?.generation}` } = JSON.parse(body) as { refresh_token?: string };
      const generation = Number(refresh_token.slice(1));
      if (!/^r\d+$/.test(refresh_token)) return refusal(401, "token_invalid");
      const code = idle ? "session_inactivity_timeout" : "session_revoked_or_invalid";
      if (!one || over) return refusal(401, code, { reason: one?.ended ?? undefined });
      if (generation === one.generation) {
        one.generation += 1;
        one.since = now;
        this.confirmed = false;
      } else if (generation !== one.generation - 1 || (this.confirmed && now > one.since + 10 * SECOND)) {
        one.ended = "reuse";
        return refusal(401, "refresh_token_reused", { reason: "reuse" });
      }
      one.last = now;
      return this.pair();
    }
    if (this.cookie && one) token = `a${one.generation}.${one.since}`;
    if (!token) return refusal(401, "not_authenticated");
    const [, generation, issued] = /^a(\d+)\.(\d+)$/.exec(token) ?? [];
    if (!generation) return refusal(401, "token_invalid");
    if (now >= Number(issued) + this.accessSeconds * SECOND) return refusal(401, "token_expired");
    if (!one || over)
      return refusal(401, idle ? "session_inactivity_timeout" : "access_token_blacklisted", {
        reason: one?.ended ?? undefined,
      });
    if (Number(generation) === one.generation) this.confirmed = true;
    if (!passive) one.last = now;
    if (path === "/auth/session") return json(200, this.described(one));
    if (path === "/auth/sessions") return json(200, { sessions: [{ id: "s1", current: true }] });
    if (path === "/auth/logout-all") {
      const { keep_current = false } = JSON.parse(body) as { keep_current?: boolean };
      if (!keep_current) one.ended = "logout";
      return json(200, { closed_sessions: 2, message: "" });
    }
    if (path.startsWith("/auth/sessions/") && method === "DELETE") return new Response(null, { status: 204 });
    if (path === "/auth/reauthenticate") {
      const { password } = JSON.parse(body) as { password: string };
      if (password !== "right") return refusal(401, "invalid_credentials");
      one.generation += 1;
      one.since = now;
      this.confirmed = false;
      return this.pair();
    }
    return json(200, { hello: "world", body });
  }

  described(one: NonNullable<FakeServer["session"]>) {
    const iso = (ms: number) => new Date(ms).toISOString();
    return {
      session_id: "s1",
      user_id: 7,
      username: "ada",
      roles: ["user"],
      device_name: null,
      user_agent: null,
      created_at: iso(one.born),
      last_activity: iso(one.last),
      auth_time: iso(one.born),
      idle_expires_at: iso(one.last + this.idleSeconds * SECOND),
      absolute_expires_at: iso(one.born + 30 * 24 * 60 * MINUTE),
      expires_at: iso(one.last + this.idleSeconds * SECOND),
      inactivity_timeout: this.idleSeconds,
      server_time: iso(this.time),
    };
  }

  pair(headers: Record<string, string> = {}): Response {
    const { generation = 0, since = 0 } = this.session ?? {};
    const expires_in = this.accessSeconds - Math.floor((this.time - since) / SECOND);
    const tokens = {
      access_token: `a${generation}.${since}`,
      refresh_token: `r${generation}`,
      token_type: "bearer",
    };
    return json(200, this.cookie ? { session_id: "s1", expires_in } : { ...tokens, expires_in }, headers);
  }
}

/** A browser: what its tabs share. */
export class World {
  readonly clock = new Clock();
  readonly server = new FakeServer(this.clock);
  readonly storage = new MapStorage();
  readonly locks = new Locks();
  #channels: { name: string; listeners: (() => void)[]; open: boolean }[] = [];
  random = 0.5;

  channel = (name: string): ChannelLike => {
    const own = { name, listeners: [] as (() => void)[], open: true };
    this.#channels.push(own);
    return {
      postMessage: () => {
        for (const other of this.#channels)
          if (other !== own && other.open && other.name === name)
            setImmediate(() => other.listeners.forEach((listener) => listener()));
      },
      addEventListener: (_, listener) => void own.listeners.push(listener),
      close: () => void (own.open = false),
    };
  };

  platform(): Platform {
    const { fetch } = this.server;
    const { now, setTimeout, clearTimeout } = this.clock;
    const { storage: localStorage, locks, channel } = this;
    const random = () => (this.random = (this.random * 16807 + 0.123) % 1);
    return {
      fetch,
      now,
      setTimeout,
      clearTimeout,
      random,
      localStorage,
      locks,
      channel,
      events: new EventTarget(),
    };
  }

  tab(options: SessionManagerOptions = {}): SessionManager {
    return new SessionManager(BASE, { ...this.platform(), storage: "localStorage", ...options });
  }

  /** A tab in which `ada` has logged in. */
  async loggedIn(options: SessionManagerOptions = {}): Promise<SessionManager> {
    const tab = this.tab(options);
    await tab.login("ada", "right");
    this.server.sent.length = 0;
    return tab;
  }
}

// A page with the client in it, before the real Worker: its network, its cookies, and its timers are the test's.
import { exports } from "cloudflare:workers";
import { expect } from "vitest";
import { type EventsLike, SessionManager, type SessionManagerOptions } from "../../../client/src/index.ts";

const ORIGIN = "https://sallyport.test";

export class Page {
  /** The paths that were asked, in order. */
  readonly sent: string[] = [];
  /** Of each name and path the value. */
  readonly cookies = new Map<string, string>();
  online = true;
  /** Paths whose next answer is lost: the Worker has done it, and the page does not hear. */
  readonly losing = new Set<string>();
  #timers = new Map<object, () => void>();
  readonly #window = new EventTarget();
  /** The runtime's own is none of a page: it knows no `capture`. */
  readonly events: EventsLike = {
    addEventListener: (type, listener, { signal }) =>
      this.#window.addEventListener(type, () => listener(), { signal }),
  };

  fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const {
      credentials,
      keepalive: _,
      ...rest
    } = init as RequestInit & { credentials?: string; keepalive?: boolean };
    const { pathname } = new URL(String(input), ORIGIN);
    this.sent.push(pathname);
    if (!this.online) throw new TypeError("Failed to fetch");
    const headers = new Headers(init.headers);
    headers.set("origin", ORIGIN);
    headers.set("sec-fetch-site", "same-origin");
    if (credentials === "include") headers.set("cookie", this.#cookiesFor(pathname));
    const answer = await exports.default.fetch(new Request(ORIGIN + pathname, { ...rest, headers }));
    expect(answer.status).toBeLessThan(500);
    if (this.losing.delete(pathname)) throw new TypeError("Failed to fetch");
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = "", value = "", path = ""] = /^([^=]+)=([^;]*); Path=([^;]+)/.exec(cookie) ?? [];
      if (value) this.cookies.set(`${name} ${path}`, value);
      else this.cookies.delete(`${name} ${path}`);
    }
    return answer;
  };

  #cookiesFor(pathname: string): string {
    const all = [...this.cookies].map(([key, value]) => [...key.split(" "), value]);
    const here = all.filter(([, path = ""]) => pathname.startsWith(path));
    return here.map(([name, , value]) => `${name}=${value}`).join("; ");
  }

  /** A manager that finds only this page. Waits between tries are none; what is due later is run by `due`. */
  manager(options: SessionManagerOptions = {}): SessionManager {
    const setTimeout = (run: () => void, ms: number) => {
      const timer = {};
      if (ms < 9_000) queueMicrotask(() => this.#timers.delete(timer) && run());
      this.#timers.set(timer, run);
      return timer;
    };
    const clearTimeout = (timer: unknown) => void this.#timers.delete(timer as object);
    const { fetch, events } = this;
    return new SessionManager("/api/v1", { fetch, events, setTimeout, clearTimeout, ...options });
  }

  happens = (type: string) => this.#window.dispatchEvent(new Event(type));

  count = (path: string): number => this.sent.filter((one) => one === path).length;
}

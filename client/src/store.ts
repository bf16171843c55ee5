// What the tabs of a browser share: the tokens, if they are kept there, and in any case which session it is.
import { type ChannelLike, type Platform, type StorageLike, wait } from "./platform.ts";
import type { EndReason } from "./types.ts";

/** The shared record. In cookie mode it has no tokens. Its names are short because it is written often. */
export interface Entry {
  /** Another one with each change, so that a tab sees that another one was faster. */
  v?: number | undefined;
  /** Names the login. A refresh keeps it. Without it nobody is logged in. */
  s?: number | undefined;
  /** Access token. */
  a?: string | undefined;
  /** Refresh token. */
  r?: string | undefined;
  /** When the access token expires, in milliseconds of this device's clock, and how long it lasts. */
  e?: number | undefined;
  l?: number | undefined;
  /** When the session ends for inactivity, as far as any tab knows. */
  d?: number | undefined;
  /** How the last session ended: reason and code. */
  reason?: EndReason | undefined;
  code?: string | undefined;
}

/** Longer than all tries of a refresh. */
const LEASE_MS = 60_000;

const LEGACY = ["access_token", "refresh_token"] as const;

export class Store {
  readonly #platform: Platform;
  readonly #key: string;
  #backing: StorageLike | null | undefined;
  #memory: Entry = {};
  #device: string | undefined;
  #channel: ChannelLike | null | undefined;

  constructor(platform: Platform, key: string, kind: string | StorageLike) {
    this.#platform = platform;
    this.#key = key;
    this.#backing = typeof kind === "object" ? kind : kind === "memory" ? null : platform.localStorage;
    this.#takeOver(kind === "cookie");
  }

  /** Tokens of the client of the earlier system are taken over, once. A cookie cannot be made of them. */
  #takeOver(forget: boolean): void {
    try {
      const old = this.#platform.localStorage;
      const [a, r] = LEGACY.map((key) => old?.getItem(key));
      for (const key of LEGACY) if (a || r) old?.removeItem(key);
      if (r && !forget && !this.read().s) this.write({ s: this.#platform.random(), r, ...(a && { a }) });
    } catch {}
  }

  #get(key: string): string | null | undefined {
    try {
      return this.#backing?.getItem(key);
    } catch {
      return null;
    }
  }

  read(): Entry {
    if (!this.#backing) return this.#memory;
    try {
      return (JSON.parse(this.#get(this.#key) ?? "{}") as Entry | null) ?? {};
    } catch {
      return {};
    }
  }

  /** With `quiet` it stays the same version. */
  write(entry: Entry, quiet = false): Entry {
    if (!quiet) entry.v = this.#platform.random();
    this.#memory = entry;
    this.#put(this.#key, JSON.stringify(entry));
    this.#channel?.postMessage(0);
    return entry;
  }

  /** By which the server knows a device again at the next login. It is no credential. */
  get device(): string | undefined {
    return this.#get(this.#key + ":device") ?? this.#device;
  }

  set device(token: string) {
    this.#device = token;
    this.#put(this.#key + ":device", token);
  }

  #put(key: string, value: string): void {
    try {
      this.#backing?.setItem(key, value);
    } catch {
      // It is full, or forbidden: this tab goes on by itself.
      this.#backing = null;
    }
  }

  /** Tells when another tab has written, until `signal` ends that. */
  listen(listener: () => void, signal: AbortSignal): void {
    const { events, channel } = this.#platform;
    const own = (this.#channel = this.#backing && channel?.(this.#key));
    own?.addEventListener("message", listener);
    signal.addEventListener("abort", () => {
      own?.close();
      this.#channel = null;
    });
    events?.addEventListener("storage", listener, { signal, passive: true, capture: true });
  }

  /** One tab at a time. Without Web Locks by a lease that is given back, or runs out. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const { locks, now, random } = this.#platform;
    const store = this.#backing;
    if (!store) return work();
    let begun = false;
    const begin = () => ((begun = true), work());
    try {
      if (locks) return await locks.request(this.#key, begin);
    } catch (error) {
      // They may be forbidden, as in a sandboxed frame.
      if (begun) throw error;
    }
    const key = this.#key + ":lease";
    // Two may get it at once: the server gives both the same tokens. A time in the far future is of a clock that was wrong.
    for (let until; (until = Number(store.getItem(key)) - now()) > 0 && until <= LEASE_MS;)
      await wait(this.#platform, 50 + 50 * random());
    this.#put(key, String(now() + LEASE_MS));
    try {
      return await work();
    } finally {
      store.removeItem(key);
    }
  }
}

// What the tabs of a browser share: the tokens, if they are kept there, and in any case which session it is.
import type { ChannelLike, Platform, StorageLike } from "./platform.ts";
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
  /** When the session ends for inactivity, as far as any tab knows. Stored by itself. */
  d?: number | undefined;
  /** How the last session ended: reason and code. */
  reason?: EndReason | undefined;
  code?: string | undefined;
}

export class Store {
  readonly #platform: Platform;
  readonly #key: string;
  /** What this tab has written itself; all there is where nothing can be stored. */
  readonly #memory: Record<string, string> = {};
  #backing: StorageLike | null | undefined;
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
      const old = this.#platform.localStorage as StorageLike;
      const [a, r] = ["access_token", "refresh_token"].map((key) => {
        const value = old.getItem(key);
        old.removeItem(key);
        return value ?? undefined;
      });
      if (r && !forget && !this.read().s) this.write({ s: this.#platform.random(), a, r });
    } catch {}
  }

  #get(key: string): string | null | undefined {
    try {
      if (this.#backing) return this.#backing.getItem(this.#key + key);
    } catch {}
    return this.#memory[key];
  }

  #put(key: string, value: string): void {
    this.#memory[key] = value;
    try {
      this.#backing?.setItem(this.#key + key, value);
    } catch {
      // It is full, or forbidden: this tab goes on by itself.
      this.#backing = null;
    }
  }

  #parsed(key: string): Entry {
    try {
      return (JSON.parse(this.#get(key) as string) as Entry | null) ?? {};
    } catch {
      return {};
    }
  }

  read(): Entry {
    const entry = this.#parsed("");
    const { s, d } = this.#parsed(":idle");
    return { ...entry, d: s === entry.s ? d : undefined };
  }

  /** Another login, other tokens, or the end. */
  write(entry: Entry): void {
    this.#put("", JSON.stringify({ ...entry, v: this.#platform.random() }));
    this.mark(entry);
  }

  /** The deadline of a login. Apart from the tokens: whoever writes it must not put old ones in the place of another tab's. */
  mark({ s, d }: Entry): void {
    this.#put(":idle", JSON.stringify({ s, d }));
    this.#channel?.postMessage(0);
  }

  /** By which the server knows a device again at the next login. It is no credential. */
  get device(): string | null | undefined {
    return this.#get(":device");
  }

  set device(token: string) {
    this.#put(":device", token);
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

  /**
   * One tab at a time, by Web Locks. Without them several may refresh at once: the server's grace gives all of them the same
   * tokens.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const { locks } = this.#platform;
    let begun = false;
    try {
      if (this.#backing && locks) return await locks.request(this.#key, () => ((begun = true), work()));
    } catch (error) {
      // They may be forbidden, as in a sandboxed frame.
      if (begun) throw error;
    }
    return work();
  }
}

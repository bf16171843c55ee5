// What the client needs of the place it runs in. Everything can be given from outside; what is missing is done without.

/** What is asked of `localStorage`; `sessionStorage`, or something of your own, will do as well. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What is asked of Web Locks (`navigator.locks`). */
export interface LocksLike {
  request<T>(name: string, callback: () => Promise<T>): Promise<T>;
}

/** What is asked of a `BroadcastChannel`. */
export interface ChannelLike {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: () => void): void;
  close(): void;
}

/** How it is listened to. */
export interface ListenOptions {
  signal: AbortSignal;
  passive: boolean;
  capture: boolean;
}

/** What is asked of `window`: `online`, `focus`, `visibilitychange`, `storage`, and what people do. */
export interface EventsLike {
  addEventListener(type: string, listener: () => void, options: ListenOptions): void;
}

/** The place the client runs in: a browser, Node, a Worker, or a test. */
export interface Platform {
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** The time in milliseconds. Only differences matter, so a wrong clock does no harm. */
  now: () => number;
  setTimeout: (callback: () => void, ms: number) => unknown;
  clearTimeout: (timer: unknown) => void;
  /** From 0 to below 1. */
  random: () => number;
  /** What all tabs see. `null` if there is nothing of this kind. */
  localStorage: StorageLike | null | undefined;
  locks: LocksLike | null | undefined;
  channel: ((name: string) => ChannelLike) | null | undefined;
  events: EventsLike | null | undefined;
}

interface Globals {
  localStorage?: StorageLike;
  navigator?: { locks?: LocksLike };
  BroadcastChannel?: new (name: string) => ChannelLike;
  addEventListener?: unknown;
  document?: unknown;
}

/** `globalThis`, as far as it has what a browser has. */
export function ownPlatform(): Platform {
  const here = globalThis as Globals;
  let localStorage: StorageLike | undefined;
  // Node and Workers have a BroadcastChannel and locks, but no tabs. And reading a `localStorage` that is blocked throws.
  const page = here.document ? here : {};
  try {
    localStorage = page.localStorage;
  } catch {}
  const Channel = page.BroadcastChannel;
  return {
    fetch: (input, init) => fetch(input, init),
    now: () => Date.now(),
    setTimeout: (callback, ms) => {
      const timer: unknown = setTimeout(callback, ms);
      // Node must be able to end while a timer waits.
      (timer as { unref?: () => void }).unref?.();
      return timer;
    },
    clearTimeout: (timer) => clearTimeout(timer as number),
    random: () => Math.random(),
    localStorage,
    locks: page.navigator?.locks,
    channel: Channel && ((name) => new Channel(name)),
    events: page.addEventListener ? (page as EventsLike) : null,
  };
}

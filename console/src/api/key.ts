// As an operator: with a service key, which is in memory, or in the tab's session storage if that is wished.
import { type Connection, type Request, read, sent } from "./call.ts";

const KEPT = "sallyport:console:key";

export class KeyConnection implements Connection {
  readonly kind = "key";
  readonly #key: string;
  readonly #lang: () => string;

  constructor(key: string, lang: () => string) {
    this.#key = key;
    this.#lang = lang;
  }

  async call<T>(request: Request, options: { passive?: boolean; signal?: AbortSignal } = {}): Promise<T> {
    const { passive = false, signal } = options;
    const init = sent(request, { lang: this.#lang(), passive });
    const answer = await fetch(location.origin + request.path, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.#key}` },
      // An admin's cookies would be a second credential beside it.
      credentials: "omit",
      redirect: "error",
      ...(signal ? { signal } : {}),
    });
    return read<T>(answer);
  }
}

export const keptKey = (): string | null => sessionStorage.getItem(KEPT);
export const keepKey = (key: string): void => sessionStorage.setItem(KEPT, key);
export const forgetKey = (): void => sessionStorage.removeItem(KEPT);

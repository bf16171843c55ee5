// As an admin: by the client, whose session is in cookies that no script can read.
import { SessionError, SessionManager } from "@sallyport/client";
import { type Connection, NO_ANSWER, PAUSED, Refusal, type Request, read, sent } from "./call.ts";

const NETWORK = ["network_error", "timeout"];

export const refusalBy = (error: unknown): unknown =>
  error instanceof SessionError
    ? new Refusal({
        status: error.code === PAUSED ? 0 : error.status,
        code: NETWORK.includes(error.code) ? NO_ANSWER : error.code,
        detail: error.detail,
        requestId: error.requestId ?? null,
        reason: error.reason ?? null,
        fields: [...error.errors],
        retryAfterSeconds: error.retryAfter ?? null,
      })
    : error;

/** `lang`: of the server's texts, as the person has chosen it here; else they would be in the browser's. */
export const newManager = (lang: () => string): SessionManager =>
  // What a person does in the page is activity; what the page asks by itself is not.
  new SessionManager(location.origin, {
    storage: "cookie",
    activity: true,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
      if (!headers.has("accept-language")) headers.set("accept-language", lang());
      return fetch(input, { ...init, headers });
    },
  });

export class AdminConnection implements Connection {
  readonly kind = "admin";
  readonly #manager: SessionManager;
  readonly #lang: () => string;

  constructor(manager: SessionManager, lang: () => string) {
    this.#manager = manager;
    this.#lang = lang;
  }

  async call<T>(request: Request, options: { passive?: boolean; signal?: AbortSignal } = {}): Promise<T> {
    const { passive = false, signal } = options;
    try {
      const init = { ...sent(request, { lang: this.#lang(), passive }), ...(signal ? { signal } : {}) };
      return await read<T>(await this.#manager.apiRequest(location.origin + request.path, init));
    } catch (error) {
      throw refusalBy(error);
    }
  }
}

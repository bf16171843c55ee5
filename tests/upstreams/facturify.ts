// Facturify: a short token for the key and secret, a long one for a token.
import { jwt, random } from "./crypto.ts";
import { bearer, jsonObject, notAllowed } from "./http.ts";
import { Issued } from "./issued.ts";
import type { Answer, Ask, FacturifyCredentials, Fake, World } from "./types.ts";

const AUTH = "/api/v1/auth";
const REFRESH = "/api/v1/token/refresh";

export class Facturify implements Fake {
  #issued = new Issued();
  #world: World;
  #accounts: [name: string, FacturifyCredentials][];

  constructor(world: World, accounts: Record<string, FacturifyCredentials>) {
    this.#world = world;
    this.#accounts = Object.entries(accounts);
  }

  identify({ path, headers, text }: Ask) {
    if (path === AUTH) {
      const { api_key } = jsonObject(text);
      const account = this.#accounts.find(([, known]) => known.api_key === api_key)?.[0];
      return { operation: "auth" as const, account };
    }
    if (path !== REFRESH) return { operation: "unknown" as const };
    return { operation: "refresh" as const, account: this.#issued.accountOf(bearer(headers)) };
  }

  async answer(ask: Ask): Promise<Answer> {
    if (ask.path === AUTH) return this.#auth(ask);
    if (ask.path === REFRESH) return this.#refresh(ask);
    return { status: 404, json: this.error(404) };
  }

  /** The key and secret for a short token. 405; 422 for what is missing or no text; 401. */
  async #auth({ method, text, url }: Ask): Promise<Answer> {
    if (method !== "POST") return notAllowed("POST", this.error(405));
    const given = jsonObject(text);
    const missing = ["api_key", "api_secret"].filter(
      (field) => typeof given[field] !== "string" || given[field].trim() === "",
    );
    if (missing.length > 0) return { status: 422, json: invalid(missing) };
    const account = this.#accounts.find(
      ([, known]) => known.api_key === given.api_key && known.api_secret === given.api_secret,
    )?.[0];
    if (account === undefined) return { status: 401, json: this.error(401) };
    return this.#issue(account, url, this.#world.switches.facturify.short_seconds);
  }

  /** A live token for a long one. 405 to the method that the switch does not name; 401. */
  async #refresh({ method, headers, url }: Ask): Promise<Answer> {
    const { refresh_method, refresh_kills_old, long_seconds } = this.#world.switches.facturify;
    if (method !== refresh_method) return notAllowed(refresh_method, this.error(405));
    const old = this.#issued.live(bearer(headers), this.#world.now());
    if (!old) return { status: 401, json: this.error(401) };
    if (refresh_kills_old) this.#issued.end(old.value);
    return this.#issue(old.account, url, long_seconds);
  }

  async #issue(account: string, url: URL, expires_in: number): Promise<Answer> {
    const { jwt_exp } = this.#world.switches.facturify;
    const issued_ms = this.#world.now();
    const life = jwt_exp === "half" ? expires_in / 2 : expires_in;
    const iat = Math.floor(issued_ms / 1000);
    const token = await jwt(
      { alg: "HS512" },
      {
        iss: `${url.origin}${url.pathname}`,
        iat,
        ...(jwt_exp === "missing" ? {} : { exp: iat + Math.floor(life) }),
        nbf: iat,
        jti: random(16),
        sub: 1 + this.#accounts.findIndex(([name]) => name === account),
        prv: "0123456789abcdef0123456789abcdef01234567",
      },
    );
    this.#issued.add({ value: token, account, issued_ms, expires_ms: issued_ms + life * 1000 });
    const json = { message: "Token generated successfully", jwt: { token, expires_in } };
    return { status: 200, json, gave: `${expires_in} s` };
  }

  error(status: number): unknown {
    if (status === 422) return invalid(["api_key"]);
    return { message: status === 401 ? "Unauthenticated." : `Error ${status}`, code: null };
  }

  alive = (token: string): boolean => this.#issued.live(token, this.#world.now()) !== undefined;

  revoke = (account?: string): number => this.#issued.endAll(account);

  reset(): void {
    this.#issued = new Issued();
  }
}

const invalid = (fields: string[]) => ({
  code: 33,
  message: "The given data was invalid.",
  errors: fields.map((field) => ({ field, message: `The ${field} field is required.`, code: "required" })),
});

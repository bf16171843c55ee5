// The bank's session service: says whether a customer's token still holds. It keeps nothing but whose tokens it has ended.
import { notAllowed } from "./http.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";

const PATH = "/corporate/relationship-management/marketing/v1/customer/validate-session";

export class Sme implements Fake {
  #world: World;
  #apiKey: string;
  /** Customers whose tokens are refused. */
  #ended = new Set<string>();
  #seen = new Set<string>();

  constructor(world: World, apiKey: string) {
    this.#world = world;
    this.#apiKey = apiKey;
  }

  identify({ path, headers }: Ask): { operation: Operation; account?: string | undefined } {
    if (path !== PATH) return { operation: "unknown" };
    return { operation: "validate", account: headers.get("x-user-id") ?? undefined };
  }

  /** 404, 405; 403 for another `Apikey`; 400 without a token or a customer; then 401, or 200 with `isExpire`. */
  answer({ method, path, headers }: Ask): Answer {
    if (path !== PATH) return { status: 404, json: this.error(404) };
    if (method !== "POST") return notAllowed("POST", this.error(405));
    if (headers.get("apikey") !== this.#apiKey)
      return { status: 403, json: this.error(403), gave: "wrong Apikey" };
    const [token, user] = [headers.get("x-session-token"), headers.get("x-user-id")];
    if (!token || !user) return { status: 400, json: this.error(400) };
    this.#seen.add(user);
    if (token.startsWith("invalid") || this.#ended.has(user))
      return { status: 401, json: this.error(401), gave: "invalid" };
    return this.#say(token, user);
  }

  #say(token: string, user: string): Answer {
    const { is_expire, user_id } = this.#world.switches.sme;
    const isExpire = token.startsWith("expired") || is_expire;
    const ids = { given: user, number: Number(user), other: `${user}0`, missing: undefined };
    const data = {
      ...(isExpire === "missing" ? {} : { isExpire }),
      userId: ids[user_id],
      sessionToken: token,
      validatedAt: new Date(this.#world.now()).toISOString(),
    };
    const gave = isExpire === false ? "valid" : "expired";
    return { status: 200, json: { status: "success", data, message: "Session validation completed" }, gave };
  }

  error = (status: number): unknown => ({ status: "error", data: null, message: `Error ${status}` });

  /** It is never asked for its tokens by themselves. */
  alive = (): boolean => false;

  /** From now on the customer's tokens are refused; of all customers that were ever asked about, if none is named. */
  revoke(account?: string): number {
    const customers = account === undefined ? [...this.#seen] : [account];
    for (const customer of customers) this.#ended.add(customer);
    return customers.length;
  }

  reset(): void {
    this.#ended.clear();
    this.#seen.clear();
  }
}

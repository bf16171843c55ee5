// The tokens of Upstox: made by the login routes and by the token service, good until the next 03:30 IST.
import { appOf } from "./accounts.ts";
import { nextHalfPastThreeIst } from "./clock.ts";
import { jwt, random } from "./crypto.ts";
import { Issued, type Token } from "./issued.ts";
import type { World } from "./types.ts";

export class UpstoxTokens {
  #issued = new Issued();
  #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Issues a token. */
  mint = async (account: string): Promise<Token> => this.admit(await this.make(account));

  /** Makes a token good; the account's others end or stay, as the switch says. */
  admit(token: Token): Token {
    if (this.#world.switches.upstox.new_token_ends_old) this.#issued.endAll(token.account);
    return this.#issued.add(token);
  }

  /** Makes a token that looks right; until it is admitted, Upstox refuses it. */
  async make(account: string): Promise<Token> {
    const { token_format } = this.#world.switches.upstox;
    const issued_ms = this.#world.now();
    const expires_ms = nextHalfPastThreeIst(issued_ms);
    const claims = {
      sub: appOf(account).user_id,
      jti: random(24),
      isMultiClient: false,
      iat: Math.floor(issued_ms / 1000),
      iss: "udapi-gateway-service",
      ...(token_format === "jwt" ? { exp: expires_ms / 1000 } : {}),
    };
    const value =
      token_format === "opaque" ? random(40) : await jwt({ key_id: "skae_v1.0", alg: "HS256" }, claims);
    return { value, account, issued_ms, expires_ms };
  }

  live = (value: string | undefined): Token | undefined => this.#issued.live(value, this.#world.now());

  accountOf = (value: string | undefined): string | undefined => this.#issued.accountOf(value);

  end = (value: string): boolean => this.#issued.end(value);

  revoke = (account?: string): number => this.#issued.endAll(account);

  reset(): void {
    this.#issued = new Issued();
  }
}

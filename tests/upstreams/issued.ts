// The tokens that a fake has issued. A token that is not here, has expired or was ended is refused.

export interface Token {
  value: string;
  account: string;
  issued_ms: number;
  expires_ms: number;
}

const KEPT = 100_000;

export class Issued {
  #tokens = new Map<string, Token>();

  add(token: Token): Token {
    const oldest = this.#tokens.size < KEPT ? undefined : this.#tokens.keys().next().value;
    if (oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(token.value, token);
    return token;
  }

  /** The token, if it is good at `now`. */
  live(value: string | undefined, now: number): Token | undefined {
    const token = this.#tokens.get(value ?? "");
    return token && now < token.expires_ms ? token : undefined;
  }

  /** The account of a token that is good or has expired. */
  accountOf = (value: string | undefined): string | undefined => this.#tokens.get(value ?? "")?.account;

  end(value: string): boolean {
    return this.#tokens.delete(value);
  }

  /** Ends those of an account, or all; returns how many. */
  endAll(account?: string): number {
    const ended = [...this.#tokens.values()].filter((token) => !account || token.account === account);
    for (const { value } of ended) this.#tokens.delete(value);
    return ended.length;
  }
}

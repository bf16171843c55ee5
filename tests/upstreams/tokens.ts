// The internal token service: keeps one Upstox token for each account.
import { exists } from "./accounts.ts";
import { ist, utc } from "./clock.ts";
import { notAllowed } from "./http.ts";
import type { Token } from "./issued.ts";
import type { Switches } from "./switches.ts";
import type { Answer, Ask, Fake, Operation, World } from "./types.ts";
import type { UpstoxTokens } from "./upstox_tokens.ts";

const ROUTE = /^\/accounts\/([^/]+)\/(token|refresh)$/;

interface Kept {
  token: Token;
  by: "startup" | "refresh";
}

type Own = Omit<Switches["tokens"], "accounts" | "of">;

export class Tokens implements Fake {
  #world: World;
  #tokens: UpstoxTokens;
  #kept = new Map<string, Kept>();

  constructor(world: World, tokens: UpstoxTokens) {
    this.#world = world;
    this.#tokens = tokens;
  }

  identify({ path }: Ask): { operation: Operation; account?: string | undefined } {
    const [, account = "", operation] = ROUTE.exec(path) ?? [];
    if (!operation) return { operation: "unknown" };
    const known = exists(this.#world.switches.tokens.accounts, account);
    return { operation: operation === "token" ? "token" : "refresh", ...(known ? { account } : {}) };
  }

  async answer({ method, path }: Ask): Promise<Answer> {
    const [, account = "", operation] = ROUTE.exec(path) ?? [];
    if (!operation || !exists(this.#world.switches.tokens.accounts, account))
      return { status: 404, json: failure(operation ? "account not found" : "not found") };
    const right = operation === "token" ? "GET" : "POST";
    if (method !== right) return notAllowed(right, failure("method not allowed"));
    const own = this.#of(account);
    return operation === "token" ? this.#read(account, own) : this.#refresh(account, own);
  }

  async #read(account: string, own: Own): Promise<Answer> {
    const kept = this.#kept.get(account) ?? (await this.#first(account, own));
    if (!kept || own.success === false) return { status: 200, json: failure("no token"), gave: "no token" };
    return this.#show(kept, own);
  }

  /** What there was before any refresh. Two reads at once get the same. */
  async #first(account: string, own: Own): Promise<Kept | undefined> {
    if (own.initial === "none") return undefined;
    const token = await this.#tokens.make(account);
    const other = this.#kept.get(account);
    if (other) return other;
    if (own.initial === "fresh") this.#tokens.admit(token);
    const kept: Kept = { token, by: "startup" };
    this.#kept.set(account, kept);
    return kept;
  }

  async #refresh(account: string, own: Own): Promise<Answer> {
    if (own.success === false) return { status: 200, json: failure("refresh failed"), gave: "failure" };
    const old = own.refresh_gives === "same" ? this.#kept.get(account)?.token : undefined;
    const dead = own.refresh_gives === "dead";
    const token = old ?? (await (dead ? this.#tokens.make(account) : this.#tokens.mint(account)));
    const kept: Kept = { token, by: "refresh" };
    this.#kept.set(account, kept);
    return own.refresh_body === "empty" ? { status: 200, gave: "refreshed" } : this.#show(kept, own);
  }

  #show({ token, by }: Kept, own: Own): Answer {
    const { value, account, expires_ms, issued_ms } = token;
    const times = {
      given: utc(expires_ms),
      ist: ist(expires_ms),
      missing: undefined,
      wrong: utc(issued_ms + 86_400_000),
      garbage: "tomorrow morning",
    };
    const json = {
      success: own.success === "missing" ? undefined : true,
      access_token: value,
      expires_at: times[own.expires_at],
      account_id: account,
      source: by,
      updated_by: "token-service",
    };
    const left = `${Math.floor((expires_ms - this.#world.now()) / 1000)} s`;
    return { status: 200, json, gave: this.#tokens.live(value) ? left : "a dead token" };
  }

  #of(account: string): Own {
    const { accounts: _, of, ...all } = this.#world.switches.tokens;
    return { ...all, ...of[account] } as Own;
  }

  /** The token that is kept for the account now. */
  kept = (account: string): string | undefined => this.#kept.get(account)?.token.value;

  error = (status: number): unknown => failure(`error ${status}`);

  /** Its tokens are those of Upstox, which alone knows. */
  alive = (): boolean => false;

  /** Forgets what is kept, so that the next read gives what `initial` says. The tokens live on. */
  revoke(account?: string): number {
    const ids = account === undefined ? [...this.#kept.keys()] : [account];
    return ids.filter((id) => this.#kept.delete(id)).length;
  }

  reset(): void {
    this.#kept.clear();
  }
}

const failure = (error: string) => ({ success: false, error });

// The keeper in Miniflare with scripted upstreams, in real time.
import { expect } from "vitest";
import { upstreamSettings } from "../../../scripts/lib/upstreams.mjs";
import type { Options, Upstreams } from "../../upstreams/index.ts";
import { ACCOUNTS, OAUTH2_CLIENTS, oauth2Accounts } from "../accounts.ts";
import { type Answer, type Client, makeKey as makeKeyFor } from "./client.ts";
import { listening } from "./fakes.ts";
import { secret } from "./server.ts";

export * from "../accounts.ts";

export interface Fakes extends AsyncDisposable {
  url: string;
  upstreams: Upstreams;
  /** The settings that lead to them. */
  bindings: Record<string, string>;
  /** Every token, code and refresh token that they have given out. */
  given: Set<string>;
}

const SECRETS = /\b(?:rt|at)-[\w-]{20,}|\bey[\w-]+\.[\w-]+\.[\w-]+/g;

/** Starts them; they end with the scope that holds them (`await using`). */
export async function fakes(options: Options = {}): Promise<Fakes> {
  const { url, upstreams, close, given } = await listening(
    { clients: OAUTH2_CLIENTS, ...options },
    async (response) => (await response.clone().text()).match(SECRETS) ?? [],
  );
  const settings: Record<string, string> = upstreamSettings(url, {});
  const bindings = {
    ...settings,
    OAUTH2_ACCOUNTS: oauth2Accounts(url),
    UPSTOX_NOTIFIER_SECRET: secret(),
    // Alerts come by themselves, and at once.
    ALERT_COLLECT_SECONDS: "0",
  };
  return { url, upstreams, bindings, given, [Symbol.asyncDispose]: close };
}

/** A service key that may read and write tokens. */
export const makeKey = (client: Client): Promise<string> =>
  makeKeyFor(client, ["tokens:read", "tokens:write"]);

/** The general routes of an account, with a service key. */
export class Service {
  constructor(
    readonly client: Client,
    readonly key: string,
  ) {}

  call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    this.client.call(method, path, this.key, body);
  read = (account: string): Promise<Answer> => this.call("GET", `/api/v1/tokens/${account}`);
  order = (account: string): Promise<Answer> => this.call("POST", `/api/v1/tokens/${account}/refresh`);
  status = async (account: string) => (await this.call("GET", `/api/v1/tokens/${account}/status`)).json;
  history = async (account: string): Promise<any[]> =>
    (await this.call("GET", `/api/v1/tokens/${account}/history`)).json.operations;

  /** The tokens of all accounts. */
  async tokens(accounts = ACCOUNTS): Promise<string[]> {
    const answers = await Promise.all(accounts.map((account) => this.read(account)));
    expect(answers.map(({ status }, n) => [accounts[n], status])).toEqual(accounts.map((a) => [a, 200]));
    return answers.map(({ json }) => json.access_token);
  }
}

// The keeper in Miniflare with scripted upstreams on a port of this machine, in real time.
import { upstreamSettings } from "../../../scripts/lib/upstreams.mjs";
import { expect } from "vitest";
import type { Options, Upstreams } from "../../upstreams/index.ts";
import { listen } from "../../upstreams/listen.ts";
import type { Answer, Client } from "./client.ts";
import { secret } from "./server.ts";

export const FACTURIFY = "facturify/default";
export const FIRST = "upstox/agnidata001";
export const CRM = "oauth2/crm";
export const BATCH = "oauth2/batch";
export const ACCOUNTS = [FACTURIFY, FIRST, "upstox/agnidata002", "upstox/agnidata003", CRM, BATCH];

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
  const clients = {
    crm: { secret: "crm-secret", refresh_tokens: ["rt-crm-0"] },
    batch: { secret: "batch-secret" },
  };
  const { url, upstreams, close } = await listen({ clients, ...options });
  const given = new Set<string>();
  const handle = upstreams.handle;
  upstreams.handle = async (request) => {
    const response = await handle(request);
    for (const text of (await response.clone().text()).match(SECRETS) ?? []) given.add(text);
    return response;
  };
  const settings: Record<string, string> = upstreamSettings(url, {});
  const bindings = {
    ...settings,
    OAUTH2_ACCOUNTS: JSON.stringify({
      crm: {
        token_url: `${url}/oauth2/token`,
        grant: "refresh_token",
        client_id: "crm",
        client_secret: "crm-secret",
        refresh_token: "rt-crm-0",
      },
      batch: {
        token_url: `${url}/oauth2/token`,
        grant: "client_credentials",
        client_id: "batch",
        client_secret: "batch-secret",
      },
    }),
    UPSTOX_NOTIFIER_SECRET: secret(),
  };
  return { url, upstreams, bindings, given, [Symbol.asyncDispose]: close };
}

/** A service key that may read and write tokens. */
export async function makeKey(client: Client): Promise<string> {
  const body = { name: "a service", scopes: ["tokens:read", "tokens:write"] };
  const made = await client.call("POST", "/admin/service-keys", await client.admin(), body);
  expect(made.status, made.text).toBe(201);
  return made.json.key;
}

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

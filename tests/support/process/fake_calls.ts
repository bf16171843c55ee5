// Calls to the fakes for their own tests, in memory, with the clock standing still.
import { createUpstreams, type Options, type Upstreams } from "../../upstreams/index.ts";
import { type Answer, parsed } from "../answers.ts";

export const BASE = "https://upstreams.test";
export const NOON = Date.parse("2030-01-01T12:00:00Z");

export let upstreams: Upstreams;
/** What the user's approval has sent to notifiers. */
export let posted: { url: string; body: any }[];

/** New fakes at noon. */
export function fresh(options: Options = {}): void {
  posted = [];
  const fetch: Options["fetch"] = async (url, init) => {
    posted.push({ url, body: JSON.parse(init.body) });
    return { status: 200 };
  };
  upstreams = createUpstreams({ fetch, ...options });
  upstreams.setClock(NOON);
}

export async function call(
  method: string,
  path: string,
  more: { token?: string; json?: unknown; form?: Record<string, string>; headers?: object } = {},
): Promise<Answer> {
  const headers = new Headers(more.headers as Record<string, string>);
  if (more.token) headers.set("authorization", `Bearer ${more.token}`);
  if (more.json !== undefined) headers.set("content-type", "application/json");
  const body = more.form
    ? new URLSearchParams(more.form)
    : more.json !== undefined && JSON.stringify(more.json);
  const response = await upstreams.handle(new Request(BASE + path, { method, headers, body: body || null }));
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

export const claims = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, any>;

export const KEYS = { api_key: "fk-local", api_secret: "fs-local" };
export const AUTH = "/facturify/api/v1/auth";
export const REFRESH = "/facturify/api/v1/token/refresh";
export const auth = () => call("POST", AUTH, { json: KEYS });

export const profile = (token?: string) => call("GET", "/upstox/v2/user/profile", token ? { token } : {});
export const exchange = (more: Record<string, string>) => {
  const { client_id, client_secret, redirect_uri } = upstreams.app("agnidata001");
  const form = { client_id, client_secret, redirect_uri, grant_type: "authorization_code", ...more };
  return call("POST", "/upstox/v2/login/authorization/token", { form });
};

export const read = (id: string) => call("GET", `/tokens/accounts/${id}/token`);
export const refresh = (id: string) => call("POST", `/tokens/accounts/${id}/refresh`);

export const grant = (form: Record<string, string>, headers = {}) =>
  call("POST", "/oauth2/token", { form, headers });
export const CLIENT = { client_id: "crm", client_secret: "crm-secret" };
export const rotated = (refresh_token: string) =>
  grant({ ...CLIENT, grant_type: "refresh_token", refresh_token });

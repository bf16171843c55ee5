// The control routes, for people and for programs outside: state, switches, faults, clock, calls, alerts.
import { utc } from "./clock.ts";
import { hasType, jsonObject, notAllowed } from "./http.ts";
import { matches } from "./journal.ts";
import { UPSTREAMS } from "./types.ts";
import type { Answer, Ask, Call, CallFilter, Fault, FaultOptions, SwitchChanges, Upstream } from "./types.ts";
import type { Upstreams } from "./upstreams.ts";

const INDEX = `Scripted third parties.

  /facturify/api/v1/auth             POST    /facturify/api/v1/token/refresh          GET or POST
  /upstox/v2/user/profile            GET     /upstox/v2/logout                        DELETE
  /upstox/v2/login/authorization/token POST  /upstox/v3/login/auth/token/request/{client_id} POST
  /tokens/accounts/{id}/token        GET     /tokens/accounts/{id}/refresh            POST
  /oauth2/token                      POST    /oauth2/resource                         GET
  /alerts                            POST
  /sme/corporate/relationship-management/marketing/v1/customer/validate-session POST
  /portal/login                      GET     /identity/account/login                  GET, POST
  /portal/containers[/{number}]      GET     /portal/appointments/new                 GET
  /portal/appointments/{1|2|book}    POST
  /spa/login                         GET     /spa/api/…                               GET, POST
  /oidc/sso/connect/authorize        GET     /oidc/sso/connect/token                  POST
  /oidc/portal/{Controller}/{Action} POST
  /captcha/in.php                    POST    /captcha/res.php                         GET

  /_control   GET: state; POST (JSON): changes
  /_calls     GET: calls (?since=, upstream=, operation=, account=, status=); DELETE clears
  /_alerts    GET: alerts received

tests/upstreams/README.md tells more.
`;

export async function control(upstreams: Upstreams, ask: Ask): Promise<Answer> {
  const { method, headers, url } = ask;
  switch (url.pathname) {
    case "/":
      return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, text: INDEX };
    case "/_calls":
      if (method === "DELETE") upstreams.clearCalls();
      else if (method !== "GET") return notAllowed("GET, DELETE", { error: "method not allowed" });
      return { status: 200, json: { calls: select(upstreams.calls, url.searchParams) } };
    case "/_alerts":
      if (method !== "GET") return notAllowed("GET", { error: "method not allowed" });
      return { status: 200, json: { alerts: upstreams.alerts } };
    case "/_control":
      if (method === "GET") return { status: 200, json: state(upstreams) };
      if (method !== "POST") return notAllowed("GET, POST", { error: "method not allowed" });
      // A web page cannot send this type to another origin without asking first.
      if (!hasType(headers, "application/json")) return { status: 415, json: { error: "send JSON" } };
      return change(upstreams, ask.text);
    default:
      return { status: 404, json: { error: "there is nothing here; / lists what there is" } };
  }
}

const state = (upstreams: Upstreams) => ({
  now: utc(upstreams.now()),
  clock: upstreams.clockStands ? "stands" : "real",
  switches: upstreams.switches,
  faults: upstreams.faults,
  counters: upstreams.counters(),
  calls: upstreams.count(),
  alerts: upstreams.alerts.length,
  portal: upstreams.portal,
  spa: upstreams.spa,
  oidc: upstreams.oidc,
  captcha: upstreams.captcha,
});

function select(calls: readonly Call[], query: URLSearchParams): Call[] {
  const since = query.get("since") ?? "0";
  const numbered = /^\d+$/.test(since);
  const filter: Record<string, unknown> = {};
  for (const name of ["upstream", "operation", "account"])
    if (query.has(name)) filter[name] = query.get(name);
  if (query.has("status")) filter.status = Number(query.get("status"));
  return calls.filter(
    (call) =>
      (numbered ? call.n > Number(since) : Date.parse(call.at) >= Date.parse(since)) &&
      matches(call, filter as CallFilter),
  );
}

/** Does what the body says, in the order of the list below; 422 names what was wrong. What came before it is done. */
async function change(upstreams: Upstreams, text: string): Promise<Answer> {
  const body = jsonObject(text);
  const unknown = Object.keys(body).filter((name) => !Object.hasOwn(ACTIONS, name));
  if (unknown.length > 0 || Object.keys(body).length === 0)
    return wrong(`Send a JSON object with some of: ${Object.keys(ACTIONS).join(", ")}`);
  const results: Record<string, unknown> = {};
  for (const [name, act] of Object.entries(ACTIONS)) {
    if (!Object.hasOwn(body, name)) continue;
    try {
      Object.assign(results, await act(upstreams, body[name]));
    } catch (error) {
      return wrong(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { status: 200, json: { ...results, ...state(upstreams) } };
}

const wrong = (error: string): Answer => ({ status: 422, json: { error } });

type Action = (upstreams: Upstreams, value: unknown) => object | void | Promise<object | void>;

const ACTIONS: Record<string, Action> = {
  reset: (upstreams, value) => {
    if (value === true) upstreams.reset();
  },
  /** Milliseconds, RFC 3339, `null` for real time, or `{ "advance_ms": n }`. */
  clock: (upstreams, value) => {
    if (value === null || typeof value === "number") upstreams.setClock(value);
    else if (typeof value === "string") upstreams.setClock(Date.parse(value));
    else upstreams.advance(number(object(value).advance_ms, "advance_ms"));
  },
  switches: (upstreams, value) => upstreams.set(object(value) as SwitchChanges),
  heal: (upstreams, value) => upstreams.heal(value === true ? undefined : upstream(value)),
  /** One or several of `{ upstream, fault, operation?, account?, times? }`; `fault` is one or a list. */
  fail: (upstreams, value) => {
    for (const each of Array.isArray(value) ? value : [value]) {
      const { upstream: name, fault, ...options } = object(each);
      upstreams.fail(upstream(name), fault as Fault | Fault[], options as FaultOptions);
    }
  },
  release: (upstreams, value) => {
    if (value === true) upstreams.release();
  },
  revoke: (upstreams, value) => {
    const { upstream: name, account } = object(value);
    return { revoked: upstreams.revoke(upstream(name), account === undefined ? undefined : string(account)) };
  },
  issue_code: (upstreams, value) => ({ code: upstreams.issueCode(string(object(value).account)) }),
  issue_token: async (upstreams, value) => ({
    access_token: await upstreams.issueToken(string(object(value).account)),
  }),
  issue_refresh_token: (upstreams, value) => ({
    refresh_token: upstreams.issueRefreshToken(string(object(value).client)),
  }),
  alive: (upstreams, value) => ({ alive: upstreams.alive(string(object(value).token)) }),
  approve: async (upstreams, value) => {
    const { account, url, force, payload } = object(value);
    const options = { force: force === true, ...(payload === undefined ? {} : { payload: object(payload) }) };
    const status = await upstreams.approve(string(account), string(url), options);
    return status === undefined
      ? { approved: false, reason: "no token request waits" }
      : { approved: true, status };
  },
};

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Error("an object is needed");
  return value as Record<string, unknown>;
}

function string(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new Error("a text is needed");
  return value;
}

function number(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`${name} is a number`);
  return value;
}

function upstream(value: unknown): Upstream {
  const known = UPSTREAMS.find((name) => name === value);
  if (known === undefined) throw new Error(`upstream is one of ${UPSTREAMS.join(", ")}`);
  return known;
}

// What all the fakes share: names, calls, faults, options.
import type { Switches } from "./switches.ts";

export const UPSTREAMS = [
  "facturify",
  "upstox",
  "tokens",
  "oauth2",
  "alerts",
  "sme",
  "portal",
  "spa",
  "oidc",
  "captcha",
] as const;

export type Upstream = (typeof UPSTREAMS)[number];

/** What was asked of an upstream. `unknown` is a path that it does not have. */
export type Operation =
  | "auth" // facturify
  | "refresh" // facturify, tokens, oauth2
  | "profile" // upstox
  | "token" // upstox: the exchange of a code; tokens: the read; oauth2: any other grant
  | "token_request" // upstox
  | "logout" // upstox, portal
  | "client_credentials" // oauth2
  | "resource" // oauth2
  | "alert" // alerts
  | "validate" // sme
  | "login_page" // portal: the way to the login page, and the page
  | "credentials" // portal
  | "authorize" // portal
  | "signin" // portal
  | "login" // portal: a session was given; a line beside that of `signin`, and met by no fault
  | "containers" // portal
  | "timeline" // portal
  | "appointment_form" // portal
  | "appointment_phase" // portal
  | "appointment_book" // portal
  | "page" // spa: the page, which is the same for all addresses
  | "script" // spa
  | "me" // spa: who is logged in; oidc: userinfo
  | "code" // spa, oidc: a one-time password
  | "confirm" // spa: somebody is a person
  | "provider" // oidc: the second provider's page
  | "callback" // oidc: back from the second provider
  | "appointments" // oidc: those of the user
  | "captcha_in" // captcha
  | "captcha_res" // captcha
  | "unknown";

/** One call to an upstream that has ended. It holds no secret; of `captcha` the account is the key, or the beginning of one that may be real. */
export interface Call {
  /** Its number, from 1. */
  n: number;
  /** When it ended, by the fakes' clock: RFC 3339, UTC. */
  at: string;
  upstream: Upstream;
  operation: Operation;
  /** The account or client, where it could be told. */
  account?: string;
  /** 0 if the connection was broken or the caller went away. */
  status: number;
  /** `x-request-id` as it was sent. */
  request_id?: string;
  /** For people: "240 s", "invalid_grant". */
  gave?: string;
  fault?: Fault["fault"];
}

export type CallFilter = Partial<Pick<Call, "upstream" | "operation" | "account" | "status">>;

export type Fault =
  /** No fault: lets one call of a list through. */
  | { fault: "none" }
  /** Answers with this status and does nothing. `retry_after` is seconds or an HTTP date; `json` is the upstream's own error unless given. */
  | {
      fault: "status";
      status: number;
      retry_after?: number | string;
      body?: "json" | "html" | "empty";
      json?: unknown;
    }
  /** HTML under status 200; does nothing. */
  | { fault: "html_200" }
  /** Does the work; the JSON of the answer stops in the middle. */
  | { fault: "half_json" }
  /** Valid JSON of another shape under `status` (200); does nothing. */
  | { fault: "wrong_json"; json?: unknown; status?: number }
  /** 302 to `to`; does nothing. */
  | { fault: "redirect"; to?: string }
  /** Waits `delay_ms` (60,000) or until `release()`, then answers as usual. */
  | { fault: "hang"; delay_ms?: number }
  /** Waits `delay_ms` (1,000), then answers as usual. */
  | { fault: "slow"; delay_ms?: number }
  /** Breaks the connection; does nothing. */
  | { fault: "reset" }
  /** Does the work, then loses the answer: `status` (502), a broken connection, or an answer after `delay_ms` (60,000). */
  | { fault: "fail_after"; how?: "status" | "reset" | "hang"; status?: number; delay_ms?: number };

/** Which calls a fault meets, and how often. */
export interface FaultOptions {
  operation?: Operation;
  account?: string;
  /** How often the list of faults is gone through; 1 unless given. */
  times?: number | "forever";
}

export interface Hold {
  /**
   * Resolves when a call is held. Each reading starts a watch of its own, which gives up after 30 s.
   */
  readonly arrived: Promise<void>;
  /** How many calls are held now. */
  readonly waiting: number;
  /** Lets them, and all later ones, through. */
  release(): void;
}

/** A received alert. */
export interface Alert {
  at: string;
  /** `webhook-id`. */
  id: string;
  headers: Record<string, string>;
  body: string;
  /** The signature is right. */
  verified: boolean;
  /** `webhook-timestamp` is within 5 minutes of the fakes' clock. */
  timely: boolean;
  /** An alert of the same id was accepted before. */
  duplicate: boolean;
  status: number;
}

/** An appointment that was made at the portal; labels, as people read them. */
export interface Booking {
  confirmation: string;
  account: string;
  trucking_company: string;
  terminal: string;
  move_type: string;
  container: string;
  booking_number: string;
  truck_plate: string;
  own_chassis: boolean;
  time: string;
}

export interface FacturifyCredentials {
  api_key: string;
  api_secret: string;
}

export interface OauthClient {
  secret: string;
  /** Refresh tokens that are good from the start. */
  refresh_tokens?: string[];
}

export interface Options {
  /** Real time, in milliseconds; `Date.now` unless given. */
  now?: () => number;
  /** Upstox accounts, for the switch `tokens.accounts`; `agnidata001` to `agnidata003` unless given. */
  accounts?: string[] | "any";
  /** Facturify credentials by the name that calls show as account; `main` is `fk-local`, `fs-local`. */
  facturify?: Record<string, FacturifyCredentials>;
  /** OAuth2 clients by id; `crm` has the secret `crm-secret` and the refresh token `rt-crm-0`. */
  clients?: Record<string, OauthClient>;
  /** The alerts' secret: `whsec_…` is base64, as Standard Webhooks has it; anything else is taken byte for byte. */
  alertSecret?: string;
  /** The `Apikey` that the session service takes; `sme-local` unless given. */
  smeApiKey?: string;
  /** Other switches than the defaults, also after a reset. */
  switches?: SwitchChanges;
  /** Posts what Upstox sends to a notifier; the global `fetch` unless given. */
  fetch?: (
    url: string,
    init: { method: string; headers: Record<string, string>; body: string },
  ) => Promise<{ status: number }>;
  /**
   * A held call waits until it is released, also when its caller has given it up: where time limits are real and as short
   * as they go, and a test has something to do while it holds a call.
   */
  patient?: boolean;
  /** Told of every call when it has ended. */
  onCall?: (call: Call) => void;
  /** How many calls, and alerts, are kept; 10,000. Counters go on. */
  keep?: number;
}

export type SwitchChanges = { [U in keyof Switches]?: Partial<Switches[U]> };

/** What the fakes stand on. */
export interface World {
  now(): number;
  readonly switches: Switches;
  /** Waits, or until `release()`. */
  pause(ms: number, signal?: AbortSignal): Promise<void>;
  /** Keeps a line of its own beside that of the call under way. */
  note(call: Omit<Call, "n" | "at">): void;
}

/** A request to a fake, its body read. */
export interface Ask {
  method: string;
  url: URL;
  /** The path behind the upstream's prefix. */
  path: string;
  headers: Headers;
  text: string;
  /** Aborted when the caller goes away. */
  signal?: AbortSignal;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Each a `Set-Cookie` of its own. */
  cookies?: string[];
  /** Sent as JSON; `text` in its place is sent as it is. */
  json?: unknown;
  text?: string;
  /** See `Call`. */
  gave?: string;
}

export interface Fake {
  /** What is asked and by whom. Changes nothing. */
  identify(ask: Ask): { operation: Operation; account?: string | undefined };
  /** Does it. What must not happen twice is decided before the first `await`. */
  answer(ask: Ask): Answer | Promise<Answer>;
  /** The body of an error under this status, as the third party shapes it: JSON, or a page if it is a text. */
  error(status: number): unknown;
  /** Whether this token would be accepted now. */
  alive(token: string): boolean;
  /** Ends tokens behind their holders' backs; returns how many. */
  revoke(account?: string): number;
  reset(): void;
}

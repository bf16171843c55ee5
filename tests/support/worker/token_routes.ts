// Every route of upstream tokens: how it is called, what it needs, and what its path allows.
import { env } from "cloudflare:workers";

export interface TokenRoute {
  method: "GET" | "POST";
  path: string;
  scope?: "tokens:read" | "tokens:write";
  /** What stands in the path's `Allow`. */
  allow: string;
  /** A body that its fields allow; routes without one read none. */
  body?: Record<string, unknown>;
  /** Whether admins may call it, too: it gives no token away. */
  admins?: boolean;
}

const READS = "GET, HEAD, OPTIONS";
const WRITES = "POST, OPTIONS";
const reads = (path: string): TokenRoute => ({ method: "GET", path, scope: "tokens:read", allow: READS });
const writes = (path: string, body?: Record<string, unknown>): TokenRoute => ({
  method: "POST",
  path,
  scope: "tokens:write",
  allow: WRITES,
  ...(body ? { body } : {}),
});

const orAdmins = (route: TokenRoute): TokenRoute => ({ ...route, admins: true });

const FACTURIFY = "/api/v1/facturify/auth/token";
const both = "GET, HEAD, POST, OPTIONS";

/** The routes of one Upstox account. */
export const accountRoutes = (id: string): TokenRoute[] => [
  reads(`/accounts/${id}/token`),
  orAdmins(reads(`/accounts/${id}/token/status`)),
  orAdmins(reads(`/accounts/${id}/token/validate`)),
  orAdmins(reads(`/accounts/${id}/history`)),
  writes(`/accounts/${id}/refresh`),
  orAdmins(writes(`/accounts/${id}/token/update`, { access_token: "x" })),
  orAdmins(writes(`/accounts/${id}/token/exchange`, { code: "x" })),
  orAdmins(writes(`/accounts/${id}/token/request`)),
];

/** The general routes of one account. */
export const generalRoutes = (account: string): TokenRoute[] => [
  reads(`/api/v1/tokens/${account}`),
  orAdmins(reads(`/api/v1/tokens/${account}/status`)),
  orAdmins(reads(`/api/v1/tokens/${account}/history`)),
  orAdmins(writes(`/api/v1/tokens/${account}/refresh`)),
];

/** Those that want a service key. */
export const ROUTES: TokenRoute[] = [
  { ...reads(FACTURIFY), allow: both },
  { ...writes(FACTURIFY), allow: both },
  writes(`${FACTURIFY}/refresh`),
  orAdmins(reads(`${FACTURIFY}/status`)),
  orAdmins(reads(`${FACTURIFY}/history`)),
  orAdmins(reads("/accounts")),
  orAdmins(reads("/token/status")),
  orAdmins(reads("/token/validate")),
  orAdmins(writes("/token/update", { access_token: "x" })),
  ...accountRoutes("agnidata001"),
  ...generalRoutes("oauth2/crm"),
];

export const notifier = (): TokenRoute => ({
  method: "POST",
  path: `/upstox/notifier/${env.UPSTOX_NOTIFIER_SECRET}`,
  allow: WRITES,
  body: { client_id: "client-agnidata001", user_id: "X", access_token: "x" },
});

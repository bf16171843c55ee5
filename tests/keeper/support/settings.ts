// The settings that lead to the scripted upstreams. No machine is called by their name: `fetch` is caught.
import { upstreamSettings } from "../../../scripts/lib/upstreams.mjs";

const URL = "https://upstreams.test";

const own = (upstreamSettings as (url: string, own: object) => Record<string, string>)(URL, {});

export const keeperSettings: Record<string, string> = {
  ...own,
  OAUTH2_ACCOUNTS: JSON.stringify({
    crm: {
      token_url: `${URL}/oauth2/token`,
      grant: "refresh_token",
      client_id: "crm",
      client_secret: "crm-secret",
      refresh_token: "rt-crm-0",
    },
    batch: {
      token_url: `${URL}/oauth2/token`,
      grant: "client_credentials",
      client_id: "batch",
      client_secret: "batch-secret",
      client_auth: "body",
      scope: "read write",
    },
  }),
  // As short as they go: calls that hang are waited for in real time.
  FACTURIFY_TIMEOUT: "1",
  UPSTREAM_TIMEOUT_SECONDS: "1",
};

/** 1,500 Upstox accounts, and nothing else. */
export const manySettings: Record<string, string> = {
  UPSTOX_BASE_URL: `${URL}/upstox`,
  TOKEN_REFRESH_SERVICE_URL: `${URL}/tokens`,
  UPSTOX_ACCOUNT_IDS: Array.from({ length: 1500 }, (_, n) => `acc${n}`).join(","),
  REQUEST_LOG: "off",
};

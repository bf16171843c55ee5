// The settings that lead to the scripted upstreams. No machine is called by their name: `fetch` is caught.
import { upstreamSettings } from "../../scripts/lib/upstreams.mjs";
import { oauth2Accounts } from "./accounts.ts";
import { IDENTITY_HOST } from "./portal.ts";

const URL = "https://upstreams.test";

const own = (upstreamSettings as (url: string, own: object) => Record<string, string>)(URL, {});

export const keeperSettings: Record<string, string> = {
  ...own,
  OAUTH2_ACCOUNTS: oauth2Accounts(URL, { client_auth: "body", scope: "read write" }),
  // As short as they go: calls that hang are waited for in real time.
  FACTURIFY_TIMEOUT: "1",
  UPSTREAM_TIMEOUT_SECONDS: "1",
  // Each failure is looked at by itself.
  UPSTREAM_WAIT_SECONDS: "0",
  // Alerts come by themselves, and the daily run at once.
  ALERT_COLLECT_SECONDS: "0",
  UPSTREAM_DAILY_SPREAD_SECONDS: "0",
};

/** This many Upstox accounts, and nothing else. */
export const manySettings = (count: number): Record<string, string> => ({
  UPSTOX_BASE_URL: `${URL}/upstox`,
  TOKEN_REFRESH_SERVICE_URL: `${URL}/tokens`,
  UPSTOX_ACCOUNT_IDS: Array.from({ length: count }, (_, n) => `acc${n}`).join(","),
  REQUEST_LOG: "off",
  // As spread as the first tokens, and all at once if they like.
  UPSTREAM_DAILY_SPREAD_SECONDS: "30",
  UPSTREAM_RENEWALS_AT_ONCE: "10000",
});

export const portalSettings: Record<string, string> = {
  EMODAL_BASE_URL: `${URL}/portal`,
  EMODAL_HOSTS: IDENTITY_HOST,
  CAPTCHA_BASE_URL: `${URL}/captcha`,
  // As short as they go: calls that hang, and captchas that take a while, are waited for in real time.
  PORTAL_TIMEOUT_SECONDS: "1",
  CAPTCHA_POLL_MILLISECONDS: "5",
  CAPTCHA_TIMEOUT_SECONDS: "1",
};

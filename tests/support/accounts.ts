// The upstream accounts that tests have, and the OAuth 2.0 clients that the fakes know them by.

export const FACTURIFY = "facturify/default";
export const UPSTOX = ["upstox/agnidata001", "upstox/agnidata002", "upstox/agnidata003"] as const;
export const [FIRST, SECOND_ACCOUNT, THIRD] = UPSTOX;
export const CRM = "oauth2/crm";
export const BATCH = "oauth2/batch";
export const ACCOUNTS = [FACTURIFY, ...UPSTOX, CRM, BATCH];

/** For the fakes. */
export const OAUTH2_CLIENTS = {
  crm: { secret: "crm-secret", refresh_tokens: ["rt-crm-0"] },
  batch: { secret: "batch-secret" },
};

/** The setting OAUTH2_ACCOUNTS that leads to the fakes at `url`; `batch` adds to the second account. */
export const oauth2Accounts = (url: string, batch: Record<string, string> = {}): string =>
  JSON.stringify({
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
      ...batch,
    },
  });

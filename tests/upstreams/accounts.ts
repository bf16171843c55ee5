// The accounts at Upstox: each has one app and one user, made up from its id.

export interface App {
  account: string;
  client_id: string;
  client_secret: string;
  redirect_uri: string;
  user_id: string;
}

const ID = /^[a-z0-9_-]{1,64}$/;

/** Whether there is such an account; `any` has all ids of a–z, 0–9, `_` and `-`. */
export const exists = (accounts: string[] | "any", id: string): boolean =>
  accounts === "any" ? ID.test(id) : accounts.includes(id);

/** Six upper-case letters and digits, the same for the same account (FNV-1a). */
export function userId(account: string): string {
  let hash = 0x811c9dc5;
  for (const char of account) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return (hash % 36 ** 6).toString(36).toUpperCase().padStart(6, "0");
}

export const appOf = (account: string): App => ({
  account,
  client_id: `client-${account}`,
  client_secret: `app-secret-${account}`,
  redirect_uri: "https://app.example.com/callback",
  user_id: userId(account),
});

/** The app with this client id, if there is such an account. */
export function appOfClient(accounts: string[] | "any", client_id: string): App | undefined {
  const account = /^client-(.*)$/.exec(client_id)?.[1];
  return account !== undefined && exists(accounts, account) ? appOf(account) : undefined;
}

/** What Upstox tells of a user. */
export const profileOf = ({ account, user_id }: App) => ({
  email: `${account}@example.com`,
  exchanges: ["NSE", "NFO", "BSE", "CDS", "BFO", "BCD"],
  products: ["D", "CO", "I"],
  broker: "UPSTOX",
  user_id,
  user_name: account.toUpperCase(),
  order_types: ["MARKET", "LIMIT", "SL", "SL-M"],
  user_type: "individual",
  poa: false,
  ddpi: false,
  is_active: true,
});

// The life of a token as a bar: issued → now → renewal → expiry.
import type { Account } from "../api/types.ts";

export interface Life {
  /** The ends of the bar, in ms. */
  from: number;
  to: number;
  /** Positions in percent. */
  now: number;
  renewal: number | null;
  expiry: number;
  /** Between them there is no token: the renewal comes after the expiry, or the expiry is past. */
  gap: { from: number; to: number } | null;
  isOver: boolean;
}

const ms = (time: string | null | undefined): number | null => {
  const at = time ? Date.parse(time) : NaN;
  return Number.isNaN(at) ? null : at;
};

/** Null where there is nothing to show: no token ever, or nobody knows how long it lives. */
export function lifeOf(account: Account, now: number): Life | null {
  const expiry = ms(account.expires_at);
  if (expiry === null) return null;
  const renewal = ms(account.next_renewal_at);
  // Issued by a release that did not write it down: from now on is all that can be shown.
  const from = Math.min(ms(account.issued_at) ?? now, expiry, now);
  const isOver = now >= expiry;
  const to = Math.max(expiry, isOver ? now : from, renewal ?? from);
  const span = Math.max(to - from, 1);
  const percent = (at: number) => Math.min(Math.max(((at - from) / span) * 100, 0), 100);
  const back = isOver ? Math.max(now, renewal ?? now) : renewal;
  return {
    from,
    to,
    now: percent(now),
    renewal: renewal === null ? null : percent(renewal),
    expiry: percent(expiry),
    gap: back !== null && back > expiry ? { from: percent(expiry), to: percent(back) } : null,
    isOver,
  };
}

/** Failing ones first, then by name: what needs somebody is at the top. */
const URGENCY: Record<string, number> = {
  needs_attention: 0,
  failed: 1,
  failing: 2,
  awaiting_approval: 3,
  expired: 4,
  missing: 5,
};

export const byUrgency = (a: Account, b: Account): number =>
  (URGENCY[a.status] ?? 9) - (URGENCY[b.status] ?? 9) ||
  a.provider.localeCompare(b.provider) ||
  a.account_id.localeCompare(b.account_id, undefined, { numeric: true });

export type Tone = "good" | "warn" | "bad" | "idle";

const TONES: Record<string, Tone> = {
  valid: "good",
  failing: "warn",
  awaiting_approval: "warn",
  failed: "bad",
  needs_attention: "bad",
};

export const toneOf = (status: string): Tone => TONES[status] ?? "idle";

/** What is being done about an account that fails: nothing by itself, an approval, an attempt at a known time, or later ones. */
export type Doing = "nobody" | "approval" | "retry" | "later" | "nothing_wrong";

export function doingAbout(account: Account): Doing {
  if (account.status === "needs_attention") return "nobody";
  if (account.status === "awaiting_approval") return "approval";
  if (account.status === "valid") return "nothing_wrong";
  return account.next_renewal_at ? "retry" : "later";
}

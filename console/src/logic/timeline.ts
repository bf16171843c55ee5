// The last hour: audit records by what they are about, on one line each, with those that would cover each other put together.
import type { AuditRecord } from "../api/types.ts";

export const LANES = ["tokens", "logins", "sessions", "portal", "admin"] as const;
export type Lane = (typeof LANES)[number];

const LANE: Record<string, Lane> = {
  login: "logins",
  reauthenticate: "logins",
  change_password: "logins",
  init_session: "logins",
  renew_session: "sessions",
  refresh: "sessions",
  reuse: "sessions",
  evict: "sessions",
  replace: "sessions",
  logout: "sessions",
  logout_all: "sessions",
  close_session: "sessions",
  revoke_session: "sessions",
  end_sessions: "sessions",
  update_sessions: "sessions",
  expire: "sessions",
  exchange_code: "tokens",
  get_portal_session: "portal",
  read_portal_state: "portal",
  read_portal_page: "admin",
};

export const laneOf = ({ action }: Pick<AuditRecord, "action">): Lane =>
  LANE[action] ?? (action.startsWith("portal_") ? "portal" : action.endsWith("_token") ? "tokens" : "admin");

/** What ends sessions, and so says why one is no longer there. */
export const ENDS = new Set([
  "logout",
  "logout_all",
  "close_session",
  "revoke_session",
  "evict",
  "replace",
  "reuse",
  "expire",
  "admin_close_session",
  "admin_close_sessions",
  "end_sessions",
]);

/** An approval that is waited for is no failure. */
export const isFailure = ({ outcome }: Pick<AuditRecord, "outcome">): boolean =>
  outcome !== "ok" && outcome !== "approval_pending";

export interface Mark {
  lane: Lane;
  /** In percent of the width. */
  at: number;
  records: AuditRecord[];
  failed: number;
}

/** `steps`: how many places the width has, about as many as a mark is wide. */
export function marksOf(records: readonly AuditRecord[], from: number, to: number, steps: number): Mark[] {
  const marks = new Map<string, Mark>();
  for (const record of records) {
    const at = Date.parse(record.at);
    if (Number.isNaN(at) || at < from || at > to) continue;
    const lane = laneOf(record);
    const step = Math.min(Math.floor(((at - from) / (to - from)) * steps), steps - 1);
    const mark = marks.get(`${lane} ${step}`) ?? {
      lane,
      at: ((step + 0.5) / steps) * 100,
      records: [],
      failed: 0,
    };
    mark.records.push(record);
    if (isFailure(record)) mark.failed += 1;
    marks.set(`${lane} ${step}`, mark);
  }
  return [...marks.values()].sort((a, b) => a.at - b.at);
}

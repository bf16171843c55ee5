// How views read the audit trail.
import * as ask from "../api/paths.ts";
import type { AuditPage, AuditRecord } from "../api/types.ts";
import type { Connection } from "../api/call.ts";
import { isFailure } from "../logic/timeline.ts";
import { useConsole } from "../ui/context.ts";
import { type Polled, usePoll } from "../ui/poll.ts";

export const AUDIT_EVERY_MS = 20_000;
/** As many as the route gives at once. */
const PAGE = 200;
/** As an outcome that is asked for: every one but `ok`. */
export const FAILED = "failed";

/** Up to so many pages; `cut` says that there are more. The rest is of the last page: how complete the trail is. */
export async function readAudit(
  conn: Connection,
  filter: ask.AuditFilter,
  pages: number,
  signal: AbortSignal,
) {
  const read = (cursor: string | null) =>
    conn.call<AuditPage>(ask.audit({ limit: PAGE, ...filter, cursor }), { passive: true, signal });
  let page = await read(null);
  const records = [...page.records];
  for (let n = 1; n < pages && page.next_cursor !== null; n += 1) {
    page = await read(page.next_cursor);
    records.push(...page.records);
  }
  return { ...page, records, cut: page.next_cursor !== null };
}

/** What of these actions did not go well, the newest first. */
export function useFailures(actions: string[]): {
  polled: Polled<AuditRecord[]>;
  failures: AuditRecord[] | null;
} {
  const { conn } = useConsole();
  const polled = usePoll(
    actions.join(),
    async (signal) => {
      const each = await Promise.all(
        actions.map((action) => readAudit(conn, { action, outcome: FAILED }, 1, signal)),
      );
      return each
        .flatMap(({ records }) => records)
        .filter(isFailure)
        .sort((a, b) => b.at.localeCompare(a.at))
        .slice(0, 50);
    },
    2 * AUDIT_EVERY_MS,
  );
  return { polled, failures: polled.data };
}

// The audit trail with filters.
import { useState } from "preact/hooks";
import * as ask from "../api/paths.ts";
import type { AuditPage, AuditRecord } from "../api/types.ts";
import { Curl } from "../ui/action.tsx";
import { useNow } from "../ui/clock.ts";
import { useConsole } from "../ui/context.ts";
import { Freshness, Id, Table, Unreachable, When } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { Outcome } from "./account.tsx";
import { AUDIT_EVERY_MS, FAILED, readAudit } from "./audit_read.ts";

const NAMES = ["action", "outcome", "account", "service", "user_id", "session_id"] as const;
type Filter = Record<(typeof NAMES)[number] | "minutes", string>;
const EMPTY: Filter = {
  action: "",
  outcome: "",
  account: "",
  service: "",
  user_id: "",
  session_id: "",
  minutes: "1440",
};
const PERIODS = ["15", "60", "360", "1440"] as const;
/** At a time: what a person reads. */
const ROWS = 50;
const DAY_MS = 24 * 3_600_000;

/** Of the period, whole minutes back from now; without it for all that there is. */
function asked({ minutes, ...filter }: Filter, now: number): ask.AuditFilter {
  const since = minutes === "1440" ? {} : { since: new Date(now - Number(minutes) * 60_000).toISOString() };
  return { ...filter, ...since, limit: ROWS };
}

export function AuditTrail() {
  const { t, conn, place, go } = useConsole();
  const given = Object.fromEntries(Object.entries(place.with).filter(([name]) => name in EMPTY));
  const filter: Filter = { ...EMPTY, ...given };
  const [typed, setTyped] = useState(filter);
  const [pages, setPages] = useState(1);
  const key = JSON.stringify(filter);
  const polled = usePoll(
    `audit ${pages} ${key}`,
    (signal) => readAudit(conn, asked(filter, Date.now()), pages, signal),
    AUDIT_EVERY_MS,
  );
  const labels: Record<(typeof NAMES)[number], string> = {
    action: t.action,
    outcome: t.outcome,
    account: t.account,
    service: t.service,
    user_id: t.userId,
    session_id: t.sessionId,
  };
  const apply = (next: Filter) => {
    setTyped(next);
    setPages(1);
    const set = Object.entries(next).filter(([name, value]) => value !== EMPTY[name as keyof Filter]);
    go({ view: "health", with: Object.fromEntries(set) });
  };
  const records = polled.data?.records;
  return (
    <section class="card">
      <h2>{t.audit}</h2>
      <p class="faint">{t.auditNote}</p>
      <form
        class="filters"
        role="search"
        aria-label={t.audit}
        onSubmit={(event) => {
          event.preventDefault();
          apply(typed);
        }}
      >
        {NAMES.map((name) => (
          <label key={name}>
            {labels[name]}
            <input
              type="search"
              list={name === "outcome" || name === "action" ? `known-${name}` : undefined}
              value={typed[name]}
              onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value.trim() })}
            />
          </label>
        ))}
        <label>
          {t.period}
          <select
            value={typed.minutes}
            onChange={(event) => apply({ ...typed, minutes: event.currentTarget.value })}
          >
            {PERIODS.map((minutes) => (
              <option key={minutes} value={minutes}>
                {t.periods[minutes]}
              </option>
            ))}
          </select>
        </label>
        <Known records={records ?? []} />
        <span class="row">
          <button type="submit" class="primary">
            {t.apply}
          </button>
          <button type="button" onClick={() => apply(EMPTY)}>
            {t.clear}
          </button>
        </span>
      </form>
      <Freshness of={polled} scope="audit" />
      {polled.data && <Gaps of={polled.data} />}
      {records?.length === 0 && <p class="empty">{t.noRecords}</p>}
      {records && records.length > 0 && (
        <Table label={t.audit} head={[t.at, t.action, t.outcome, t.about, t.who, t.from, t.request]}>
          {records.map((record) => (
            <Row key={record.id} record={record} />
          ))}
        </Table>
      )}
      {polled.data?.cut && (
        <button type="button" onClick={() => setPages(pages + 1)}>
          {t.more}
        </button>
      )}
      <Curl request={ask.audit(asked(filter, Date.now()))} label={t.audit} />
    </section>
  );
}

/** What the trail does not have: an incomplete one must not look as if nothing had happened. */
function Gaps({ of: { complete_since, left_out, unreachable } }: { of: Omit<AuditPage, "records"> }) {
  const { t } = useConsole();
  const now = useNow();
  const late = complete_since !== null && Date.parse(complete_since) > now - (DAY_MS - 60_000);
  return (
    <>
      {(late || left_out > 0) && (
        <p class="faint">
          {late && (
            <>
              {t.completeSince} <When at={complete_since} ago />.{" "}
            </>
          )}
          {left_out > 0 && <span class="not-ok">{t.leftOut(left_out)}</span>}
        </p>
      )}
      <Unreachable names={unreachable} />
    </>
  );
}

/** Suggestions: the actions and outcomes that were seen. */
function Known({ records }: { records: AuditRecord[] }) {
  const options = (of: (record: AuditRecord) => string) =>
    [...new Set(records.map(of))].sort().map((text) => <option key={text} value={text} />);
  return (
    <>
      <datalist id="known-action">{options(({ action }) => action)}</datalist>
      <datalist id="known-outcome">
        <option value={FAILED} />
        {options(({ outcome }) => outcome)}
      </datalist>
    </>
  );
}

function Row({ record }: { record: AuditRecord }) {
  const { t } = useConsole();
  return (
    <tr>
      <td>
        <When at={record.at} />
      </td>
      <td>
        {record.action}
        {record.operation && <span class="faint"> · {record.operation}</span>}
        {record.reason && <span class="faint"> · {t.endedBy[record.reason] ?? record.reason}</span>}
      </td>
      <td>
        <Outcome of={record.outcome} />
      </td>
      <td>
        {record.account ?? (record.user_id ? `${t.user} ${record.user_id}` : null)}{" "}
        {record.error && <span class="faint">{record.error} </span>}
        {record.customer && <Id id={record.customer} />}
        {record.session_id && <Id id={record.session_id} />}
        {record.portal_login && <Id id={record.portal_login} length={14} />}
      </td>
      <td>{record.service ?? (record.actor ? `${t.user} ${record.actor}` : "–")}</td>
      {/* Of a failed step at a portal it is the page's, not the caller's. */}
      <td title={record.address ?? ""}>{record.portal_login ? "–" : (record.address ?? "–")}</td>
      <td>{record.request_id ? <Id id={record.request_id} /> : "–"}</td>
    </tr>
  );
}

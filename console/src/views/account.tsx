// One upstream account: how it is and why, what can be done, what has been done.
import { useState } from "preact/hooks";
import * as ask from "../api/paths.ts";
import type { Account, History, LastError } from "../api/types.ts";
import { doingAbout } from "../logic/life.ts";
import { Action, FormAction } from "../ui/action.tsx";
import { useConsole } from "../ui/context.ts";
import { Facts, Freshness, Id, Left, Table, When } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { nameOf } from "./tokens.tsx";

const HISTORY_EVERY_MS = 20_000;

export function AccountDetails({ account, again }: { account: Account; again(): void }) {
  const { t, conn } = useConsole();
  const name = nameOf(account);
  const [rows, setRows] = useState(15);
  const history = usePoll(
    `history ${name}`,
    (signal) =>
      conn.call<History>(ask.tokens.history(account.provider, account.account_id), { passive: true, signal }),
    HISTORY_EVERY_MS,
  );
  const then = () => {
    again();
    history.again();
  };
  return (
    <div class="details">
      <p>{t.meaning[account.status]}</p>
      <Facts
        of={[
          [t.issued, <When at={account.issued_at} />],
          [t.renewal, <When at={account.next_renewal_at} />],
          [t.expiry, <When at={account.expires_at} />],
          [t.source, account.source ?? t.unknown],
          ...(account.last_check
            ? ([
                [
                  t.lastCheck,
                  <>
                    <Outcome of={account.last_check.outcome} /> <When at={account.last_check.at} ago />
                  </>,
                ],
              ] as const)
            : []),
          ...(account.approval_until
            ? ([[t.approvalUntil, <When at={account.approval_until} />]] as const)
            : []),
          ...(account.extended_until
            ? ([[t.extendedUntil, <When at={account.extended_until} />]] as const)
            : []),
        ].map(([name, value]) => [name as string, value])}
      />
      {account.last_error && <WhyItFails account={account} error={account.last_error} />}
      <AccountActions account={account} then={then} />
      <h2>{t.history}</h2>
      <Freshness of={history} />
      {history.data?.operations.length === 0 && <p class="faint">{t.historyEmpty}</p>}
      {history.data && history.data.operations.length > 0 && (
        <Table
          label={`${t.history}: ${name}`}
          head={[t.at, t.operation, t.outcome, t.who, t.calls, t.request]}
        >
          {history.data.operations.slice(0, rows).map((past) => (
            <tr key={`${past.at} ${past.request_id} ${past.operation}`}>
              <td>
                <When at={past.at} ago />
              </td>
              <td>{past.operation}</td>
              <td>
                <Outcome of={past.outcome} />
                {past.status !== null && <span class="faint"> HTTP {past.status}</span>}
              </td>
              <td>{past.who}</td>
              <td class="num">{past.calls}</td>
              <td>
                <Id id={past.request_id} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {history.data && history.data.operations.length > rows && (
        <button type="button" onClick={() => setRows(rows + 50)}>
          {t.more}
        </button>
      )}
    </div>
  );
}

export const Outcome = ({ of }: { of: string }) =>
  of === "ok" ? <span class="ok">ok</span> : <code class="not-ok">{of}</code>;

/** Why, since when, and what is being done about it. */
export function WhyItFails({ account, error }: { account: Account; error: LastError }) {
  const { t } = useConsole();
  const doing = doingAbout(account);
  return (
    <div class="why">
      <div>
        <b>{t.lastError}</b>: <code class="not-ok">{error.code}</code>
        {error.status !== null && <span class="faint"> · {t.upstreamStatus(error.status)}</span>}
        <span class="faint"> · {t.failures(error.failures)}</span>
      </div>
      {error.message && <div>{error.message}</div>}
      {error.since && (
        <div>
          {t.since} <When at={error.since} ago />
        </div>
      )}
      <div>
        {t.doing[doing]}
        {doing === "retry" && (
          <>
            {" "}
            <When at={account.next_renewal_at} /> (
            <Left until={account.next_renewal_at} over={t.renewalDue} />)
          </>
        )}
      </div>
    </div>
  );
}

function AccountActions({ account, then }: { account: Account; then(): void }) {
  const { t } = useConsole();
  const name = nameOf(account);
  const { provider, account_id: id } = account;
  return (
    <div class="actions">
      <Action
        label={t.refreshNow}
        of={name}
        tone="primary"
        request={ask.tokens.refresh(provider, id)}
        done={() => t.refreshed(name)}
        then={then}
      />
      {provider === "upstox" && (
        <>
          <Action<{ valid: boolean; reason: string | null }>
            label={t.check}
            of={name}
            request={ask.tokens.validate(id)}
            done={({ valid, reason }) =>
              valid ? t.checkedValid(name) : t.checkedInvalid(name, reason ?? t.unknown)
            }
            then={then}
          />
          <UpdateByHand id={id} name={name} then={then} />
          <Action
            label={t.askApproval}
            of={name}
            request={ask.tokens.requestApproval(id)}
            sure={t.askApprovalSure}
            done={() => t.approvalAsked(name)}
            then={then}
          />
        </>
      )}
    </div>
  );
}

const EMPTY = { token: "", expiresAt: "", owner: "" };

function UpdateByHand({ id, name, then }: { id: string; name: string; then(): void }) {
  const { t } = useConsole();
  const [fields, setFields] = useState(EMPTY);
  const field = (which: keyof typeof EMPTY) => ({
    value: fields[which],
    onInput: (event: { currentTarget: { value: string } }) =>
      setFields({ ...fields, [which]: event.currentTarget.value.trim() }),
  });
  return (
    <FormAction
      label={t.update}
      of={name}
      note={t.updateNote}
      request={fields.token ? ask.tokens.update(id, fields) : null}
      example={ask.tokens.update(id, fields)}
      submit={t.save}
      done={() => t.updated(name)}
      then={then}
      // What was typed before is not left lying about.
      opened={() => setFields(EMPTY)}
    >
      <label>
        {t.accessToken}
        <input type="password" autocomplete="off" required {...field("token")} />
      </label>
      <label>
        {t.expiresAt}
        <input
          type="text"
          autocomplete="off"
          placeholder="2026-12-01T03:30:00+05:30"
          {...field("expiresAt")}
        />
      </label>
      <label>
        {t.owner}
        <input type="text" autocomplete="off" {...field("owner")} />
      </label>
    </FormAction>
  );
}

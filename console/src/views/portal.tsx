// Sessions at portals: what they save, what failed last, and the page on which it failed.
import { useState } from "preact/hooks";
import * as ask from "../api/paths.ts";
import type { AuditRecord, PortalSession, PortalSessions } from "../api/types.ts";
import { Action } from "../ui/action.tsx";
import { useConsole } from "../ui/context.ts";
import { Freshness, Id, Pill, Table, When } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { useFailures } from "./audit_read.ts";
import { FailedPage } from "./portal_page.tsx";

export const PORTAL_EVERY_MS = 20_000;

export function PortalView() {
  const { t, conn } = useConsole();
  const polled = usePoll(
    "portal",
    (signal) => conn.call<PortalSessions>(ask.portal.list, { passive: true, signal }),
    PORTAL_EVERY_MS,
  );
  const [page, setPage] = useState<{ login: string; step: string } | null>(null);
  const sessions = polled.data?.sessions;
  const off = polled.refusal?.code === "portal_not_configured";
  const sum = (of: (session: PortalSession) => number | undefined) =>
    sessions?.reduce((total, session) => total + (of(session) ?? 0), 0) ?? 0;
  const showPage = conn.kind === "admin" ? (login: string, step: string) => setPage({ login, step }) : null;
  return (
    <>
      <div class="bar-above">
        <h1>{t.views.portal}</h1>
      </div>
      {off ? <p class="empty">{t.portalOff}</p> : <Freshness of={polled} scope="portal" />}
      {sessions && (
        <section class="card">
          <h2>{t.portalSessions(sessions.length)}</h2>
          {sessions.some(({ logins_saved }) => logins_saved !== undefined) && (
            <p class="faint">
              <b class="num">{sum(({ logins_saved }) => logins_saved)}</b> {t.loginsSaved.toLowerCase()},{" "}
              <b class="num">{sum(({ captchas_saved }) => captchas_saved)}</b> {t.captchasSaved.toLowerCase()}
              . {t.savedNote}
            </p>
          )}
          {sessions.length === 0 ? (
            <p class="empty">{t.noPortalSessions}</p>
          ) : (
            <SessionsAtPortals sessions={sessions} again={polled.again} showPage={showPage} />
          )}
        </section>
      )}
      {!off && <Failures showPage={showPage} />}
      {page && <FailedPage login={page.login} step={page.step} close={() => setPage(null)} />}
    </>
  );
}

type ShowPage = (login: string, step: string) => void;

function SessionsAtPortals(props: { sessions: PortalSession[]; again(): void; showPage: ShowPage | null }) {
  const { t } = useConsole();
  // Most portals need no browser.
  const inBrowsers = props.sessions.some(({ browser_seconds: seconds }) => seconds);
  const head = [t.user, t.state, t.began, t.lastUsed, t.loginsSaved, t.captchasSaved];
  return (
    <Table
      label={t.views.portal}
      head={[...head, ...(inBrowsers ? [t.browserTime] : []), t.lastFailure, t.action]}
    >
      {props.sessions.map((session) => {
        const { session_id: id, last_failure: failure, portal_login: login } = session;
        const step = failure?.step ?? t.unknown;
        const name = session.username ?? t.unknown;
        return (
          <tr key={id}>
            <td>
              <b>{name}</b> <Id id={id} length={14} />
            </td>
            <td>
              <Pill tone={session.keep_alive ? "good" : "idle"}>
                {session.keep_alive ? t.keepAlive : t.onDemand}
              </Pill>
            </td>
            <td>
              <When at={session.created_at} />
            </td>
            <td>
              <When at={session.last_used} ago />
            </td>
            <td class="num">{session.logins_saved ?? "–"}</td>
            <td class="num">{session.captchas_saved ?? "–"}</td>
            {inBrowsers && <td class="num">{t.seconds(Math.round(session.browser_seconds ?? 0))}</td>}
            <td class="wrap">
              {failure ? (
                <>
                  <code class="not-ok">{failure.code}</code> {step}, <When at={failure.at} ago />{" "}
                  {props.showPage && login && (
                    <button
                      type="button"
                      class="small"
                      aria-label={`${t.showPage}: ${name}, ${step}`}
                      onClick={() => props.showPage?.(login, step)}
                    >
                      {t.showPage}
                    </button>
                  )}
                </>
              ) : (
                <span class="faint">{failure === null ? t.none : "–"}</span>
              )}
            </td>
            <td>
              <Action
                label={t.closeSession}
                of={name}
                small
                tone="danger"
                request={ask.portal.close(id)}
                sure={t.closePortalSure(name)}
                done={() => t.portalClosed}
                then={props.again}
              />
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

/** From the audit trail: a login that failed has no session to be listed with. */
function Failures({ showPage }: { showPage: ShowPage | null }) {
  const { t } = useConsole();
  const { polled, failures } = useFailures(["portal_login", "portal_operation", "portal_keep_alive"]);
  return (
    <section class="card">
      <h2>{t.portalFailures}</h2>
      <Freshness of={polled} scope="audit" />
      {failures?.length === 0 && <p class="empty">{t.noPortalFailures}</p>}
      {failures && failures.length > 0 && (
        <Table label={t.portalFailures} head={[t.at, t.operation, t.outcome, t.who, t.request, t.showPage]}>
          {failures.map((record) => (
            <Failure key={record.id} record={record} showPage={showPage} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Failure({ record, showPage }: { record: AuditRecord; showPage: ShowPage | null }) {
  const { t } = useConsole();
  const { portal_login: login } = record;
  const step = record.step ?? record.operation ?? record.action;
  return (
    <tr>
      <td>
        <When at={record.at} ago />
      </td>
      <td>
        {record.operation ?? record.action}
        {record.step && <span class="faint"> · {record.step}</span>}
      </td>
      <td>
        <code class="not-ok">{record.outcome}</code>
      </td>
      <td>{record.service ?? "–"}</td>
      <td>{record.request_id ? <Id id={record.request_id} /> : "–"}</td>
      <td>
        {login && showPage && (
          <button
            type="button"
            class="small"
            aria-label={`${t.showPage}: ${step}`}
            onClick={() => showPage(login, step)}
          >
            {t.showPage}
          </button>
        )}
      </td>
    </tr>
  );
}

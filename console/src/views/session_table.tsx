// Live sessions with their deadlines. One that goes away stays for a while, and says why it ended.
import { useEffect, useRef, useState } from "preact/hooks";
import * as ask from "../api/paths.ts";
import type { OneSession, Session } from "../api/types.ts";
import { device } from "../logic/format.ts";
import { Action } from "../ui/action.tsx";
import { useConsole } from "../ui/context.ts";
import { Id, Left, Pill, Table, When } from "../ui/parts.tsx";

/** How many that have ended are still shown, and so how many are asked about at most. */
const MAX_GONE = 20;

interface Gone {
  session: Session;
  reason: string | null;
  endedAt: string | null;
}

/** Those that were in the list and no longer are, with the reason of their end. */
function useGone(sessions: Session[]): Gone[] {
  const { conn } = useConsole();
  const before = useRef(new Map<string, Session>());
  const [gone, setGone] = useState<Gone[]>([]);
  useEffect(() => {
    const live = new Set(sessions.map(({ id }) => id));
    const missing = [...before.current.values()].filter(({ id }) => !live.has(id)).slice(0, MAX_GONE);
    before.current = new Map(sessions.map((session) => [session.id, session]));
    setGone((known) => known.filter(({ session }) => !live.has(session.id)));
    for (const session of missing)
      void conn.call<OneSession>(ask.sessions.one(session.id), { passive: true }).then(
        (one) => {
          // A page that was cut off elsewhere: it is alive all the same.
          if (one.state !== "ended") return;
          setGone((known) =>
            [{ session, reason: one.reason, endedAt: one.ended_at }, ...known].slice(0, MAX_GONE),
          );
        },
        // Nobody knows it any more, or nobody could be asked: it is not shown as ended.
        () => {},
      );
  }, [sessions]);
  return gone;
}

export function SessionTable(props: { sessions: Session[]; again(): void; withUser: boolean }) {
  const { t, go } = useConsole();
  const gone = useGone(props.sessions);
  if (props.sessions.length + gone.length === 0) return <p class="empty">{t.noSessions}</p>;
  const who = (session: Session) =>
    session.username ? (
      <button
        type="button"
        class="link"
        onClick={() =>
          go({
            view: "sessions",
            with: { find: session.username ?? "", as: session.user_id === null ? "subject" : "username" },
          })
        }
      >
        {session.username}
      </button>
    ) : (
      (session.user_id ?? t.unknown)
    );
  const head = [t.device, t.session, t.began, t.lastActive, t.idleEnd, t.absoluteEnd, t.action];
  return (
    <Table label={t.views.sessions} head={props.withUser ? [t.user, ...head] : head}>
      {props.sessions.map((session) => (
        <SessionRow key={session.id} session={session} again={props.again}>
          {props.withUser && <td>{who(session)}</td>}
        </SessionRow>
      ))}
      {gone.map(({ session, reason, endedAt }) => (
        <tr key={session.id} class="gone">
          {props.withUser && <td>{who(session)}</td>}
          <Device session={session} />
          <td>
            <Id id={session.id} />
          </td>
          <td colSpan={4}>
            <Pill tone="idle">{t.ended}</Pill> {reason ? (t.endedBy[reason] ?? reason) : t.unknown}{" "}
            <When at={endedAt} ago />
          </td>
          <td />
        </tr>
      ))}
    </Table>
  );
}

const Device = ({ session }: { session: Session }) => {
  const { t } = useConsole();
  const agent = device(session.user_agent);
  return (
    <td title={session.user_agent ?? ""}>
      {session.device_name ?? agent ?? t.unknown}
      {session.device_name && agent && <span class="faint"> · {agent}</span>}
    </td>
  );
};

function SessionRow(props: { session: Session; again(): void; children: preact.ComponentChildren }) {
  const { t, sessionId } = useConsole();
  const { session } = props;
  const own = session.id === sessionId;
  return (
    <tr>
      {props.children}
      <Device session={session} />
      <td>
        <Id id={session.id} /> {own && <Pill tone="good">{t.thisSession}</Pill>}
      </td>
      <td>
        <When at={session.created_at} />
      </td>
      <td>
        <When at={session.last_activity} ago />
      </td>
      <td>
        <Left until={session.idle_expires_at} over={t.ended} />
      </td>
      <td>
        <Left until={session.absolute_expires_at} over={t.ended} />
      </td>
      <td>
        <Action
          label={t.end}
          of={`${session.username ?? ""} ${session.id.slice(0, 8)}`.trim()}
          small
          tone="danger"
          request={ask.sessions.end(session.id)}
          sure={t.endSure(session.username ?? session.id.slice(0, 8))}
          done={() => t.sessionEnded}
          then={props.again}
        />
      </td>
    </tr>
  );
}

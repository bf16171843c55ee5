// One user, or somebody externally authenticated: the sessions, why those of before have ended, and what can be done.
import { useState } from "preact/hooks";
import { Secret } from "../api/call.ts";
import * as ask from "../api/paths.ts";
import type { AuditPage, SessionPage, User } from "../api/types.ts";
import { ENDS } from "../logic/timeline.ts";
import { Action, FormAction } from "../ui/action.tsx";
import { useConsole } from "../ui/context.ts";
import { Facts, Freshness, Id, Pill, Table, When } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { Outcome } from "./account.tsx";
import { Live, SESSIONS_EVERY_MS } from "./sessions.tsx";

export function UserPanel({ username }: { username: string }) {
  const { t, conn } = useConsole();
  const user = usePoll(
    `user ${username}`,
    (signal) => conn.call<User>(ask.users.one(username), { passive: true, signal }),
    4 * SESSIONS_EVERY_MS,
  );
  const sessions = usePoll(
    `sessions of ${username}`,
    (signal) => conn.call<SessionPage>(ask.sessions.ofUser(username), { passive: true, signal }),
    SESSIONS_EVERY_MS,
  );
  const again = () => {
    user.again();
    sessions.again();
  };
  const { data } = user;
  return (
    <>
      <section class="card">
        <h2>{data?.username ?? username}</h2>
        <Freshness of={user} />
        {data && (
          <>
            <Facts
              of={[
                [t.userId, data.id],
                [t.roles, data.roles.join(", ")],
                [t.created, <When at={data.created_at} />],
                [
                  t.state,
                  <>
                    <Pill tone={data.is_active ? "good" : "bad"}>
                      {data.is_active ? t.active : t.disabled}
                    </Pill>{" "}
                    {data.must_change_password && <Pill tone="warn">{t.mustChange}</Pill>}
                  </>,
                ],
              ]}
            />
            <UserActions user={data} again={again} />
          </>
        )}
      </section>
      {data && (
        <section class="card">
          <h2>{t.liveSessions(sessions.data?.sessions.length ?? 0)}</h2>
          <Freshness of={sessions} />
          {sessions.data && <Live page={sessions.data} again={sessions.again} />}
        </section>
      )}
      {data?.id && <Lately userId={data.id} sessions={sessions.data?.sessions.length ?? 0} />}
    </>
  );
}

function UserActions({ user, again }: { user: User; again(): void }) {
  const { t } = useConsole();
  const name = user.username;
  return (
    <div class="actions">
      <Action
        label={t.endAll}
        of={name}
        tone="danger"
        request={ask.sessions.endAllOfUser(name)}
        sure={t.endAllSure(name)}
        done={({ closed_sessions }: { closed_sessions: number }) => t.sessionsEnded(closed_sessions)}
        then={again}
      />
      <Action label={t.unlock} of={name} request={ask.users.unlock(name)} done={() => t.unlocked(name)} />
      <ResetPassword name={name} then={again} />
      {user.is_active ? (
        <Action
          label={t.disable}
          of={name}
          tone="danger"
          request={ask.users.change(name, { is_active: false })}
          sure={t.disableSure(name)}
          done={() => t.userDisabled(name)}
          then={again}
        />
      ) : (
        <Action
          label={t.enable}
          of={name}
          request={ask.users.change(name, { is_active: true })}
          done={() => t.userEnabled(name)}
          then={again}
        />
      )}
    </div>
  );
}

/** 120 bits, of letters and digits that are not mistaken for each other when they are read out. */
function madePassword(): string {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  const wanted = 21;
  let password = "";
  while (password.length < wanted)
    for (const byte of crypto.getRandomValues(new Uint8Array(32)))
      // Those above would make some letters likelier than others.
      if (byte < 256 - (256 % letters.length) && password.length < wanted)
        password += letters[byte % letters.length];
  return password;
}

function ResetPassword({ name, then }: { name: string; then(): void }) {
  const { t } = useConsole();
  const [password, setPassword] = useState("");
  const [mustChange, setMustChange] = useState(true);
  const request = ask.users.change(name, {
    password: new Secret("NEW_PASSWORD", password),
    must_change_password: mustChange,
  });
  return (
    <FormAction
      label={t.reset}
      of={name}
      note={t.resetNote}
      request={password ? request : null}
      example={request}
      submit={t.reset}
      done={() => t.passwordSet(name)}
      then={then}
      opened={() => setPassword("")}
    >
      <label>
        {t.newPassword}
        <span class="row">
          <input
            type="text"
            class="grow mono"
            autocomplete="off"
            spellcheck={false}
            required
            minLength={8}
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
          <button type="button" onClick={() => setPassword(madePassword())}>
            {t.make}
          </button>
        </span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={mustChange}
          onChange={(event) => setMustChange(event.currentTarget.checked)}
        />
        {t.mustChangeNext}
      </label>
    </FormAction>
  );
}

/** Which sessions have ended, and how: from the audit trail. Read again when the number of live ones changes. */
function Lately({ userId, sessions }: { userId: number; sessions: number }) {
  const { t, conn } = useConsole();
  const polled = usePoll(
    `ends of ${userId} ${sessions}`,
    (signal) =>
      conn.call<AuditPage>(ask.audit({ user_id: String(userId), limit: 200 }), { passive: true, signal }),
    4 * SESSIONS_EVERY_MS,
  );
  const ends = polled.data?.records.filter(({ action }) => ENDS.has(action)).slice(0, 30);
  return (
    <section class="card">
      <h2>{t.lately}</h2>
      <Freshness of={polled} scope="audit" />
      {ends?.length === 0 && <p class="empty">{t.latelyNone}</p>}
      {ends && ends.length > 0 && (
        <Table label={t.lately} head={[t.at, t.action, t.session, t.outcome, t.who]}>
          {ends.map((record) => (
            <tr key={record.id}>
              <td>
                <When at={record.at} ago />
              </td>
              <td>
                {record.action}
                {record.reason && <span class="faint"> · {t.endedBy[record.reason] ?? record.reason}</span>}
              </td>
              <td>{record.session_id ? <Id id={record.session_id} /> : (record.sessions ?? "–")}</td>
              <td>
                <Outcome of={record.outcome} />
              </td>
              <td>{record.service ?? (record.actor ? `${t.user} ${record.actor}` : "–")}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

export function SubjectPanel({ subject }: { subject: string }) {
  const { t, conn } = useConsole();
  const sessions = usePoll(
    `sessions of ${subject}`,
    (signal) => conn.call<SessionPage>(ask.sessions.ofSubject(subject), { passive: true, signal }),
    SESSIONS_EVERY_MS,
  );
  return (
    <section class="card">
      <h2>{subject}</h2>
      <p class="faint">{t.subject}</p>
      <Freshness of={sessions} />
      {sessions.data && (
        <>
          <div class="actions">
            <Action
              label={t.endAll}
              of={subject}
              tone="danger"
              request={ask.sessions.endAllOfSubject(subject)}
              sure={t.endAllSure(subject)}
              done={({ closed_sessions }: { closed_sessions: number }) => t.sessionsEnded(closed_sessions)}
              then={sessions.again}
            />
          </div>
          <Live page={sessions.data} again={sessions.again} />
        </>
      )}
    </section>
  );
}

// Sessions: find a user, a subject or a session; see what is live and how long; end it.
import { useEffect, useState } from "preact/hooks";
import { type Connection, Refusal, refusalOf } from "../api/call.ts";
import * as ask from "../api/paths.ts";
import type { OneSession, SessionPage, UserPage } from "../api/types.ts";
import { KINDS, type Kind, type Query, guess, queryOf } from "../logic/find.ts";
import { useConsole } from "../ui/context.ts";
import { Facts, Freshness, Id, Problem, Unreachable, When } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { SessionTable } from "./session_table.tsx";
import { UserPanel, SubjectPanel } from "./user.tsx";

export const SESSIONS_EVERY_MS = 15_000;

export function SessionsView() {
  const { t, conn, place } = useConsole();
  const query = queryOf(place.with.find ?? "", (place.with.as as Kind | undefined) ?? "any");
  return (
    <>
      <div class="bar-above">
        <h1>{t.views.sessions}</h1>
        {conn.kind === "admin" && <Find key={place.with.find} />}
      </div>
      {conn.kind === "key" ? (
        <p class="empty">{t.needsAdmin}</p>
      ) : query ? (
        <Found key={`${query.kind} ${query.text}`} query={query} />
      ) : (
        <AllSessions />
      )}
    </>
  );
}

function Find() {
  const { t, place, go } = useConsole();
  const [text, setText] = useState(place.with.find ?? "");
  // What it looks like has not been chosen; the next one may look like something else.
  const meant = place.with.as as Kind | undefined;
  const [kind, setKind] = useState<Kind | "any">(meant && meant !== guess(text) ? meant : "any");
  const [wrong, setWrong] = useState(false);
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const query = queryOf(text, kind);
        setWrong(query === null && text.trim() !== "");
        if (query) go({ view: "sessions", with: { find: query.text, as: query.kind } });
        else if (text.trim() === "") go({ view: "sessions", with: {} });
      }}
    >
      <select
        aria-label={t.findKind}
        value={kind}
        onChange={(event) => setKind(event.currentTarget.value as Kind | "any")}
      >
        {(["any", ...KINDS] as const).map((kind) => (
          <option key={kind} value={kind}>
            {t.kinds[kind]}
          </option>
        ))}
      </select>
      <input
        type="search"
        aria-label={t.findLabel}
        placeholder={t.findLabel}
        aria-invalid={wrong}
        aria-describedby={wrong ? "find-wrong" : undefined}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {t.find}
      </button>
      {place.with.find && (
        <button type="button" onClick={() => go({ view: "sessions", with: {} })}>
          {t.showAll}
        </button>
      )}
      {wrong && (
        <span id="find-wrong" class="not-ok" role="alert">
          {t.findWrong}
        </span>
      )}
    </form>
  );
}

function AllSessions() {
  const { t, conn } = useConsole();
  const [pages, setPages] = useState(1);
  const polled = usePoll(
    `all ${pages}`,
    async (signal) => {
      const read = (cursor: string | null) =>
        conn.call<SessionPage>(ask.sessions.all(cursor), { passive: true, signal });
      let all = await read(null);
      for (let page = 1; page < pages && all.next_cursor !== null; page += 1) {
        const next = await read(all.next_cursor);
        all = {
          ...next,
          sessions: [...all.sessions, ...next.sessions],
          unreachable: [...(all.unreachable ?? []), ...(next.unreachable ?? [])],
        };
      }
      return all;
    },
    SESSIONS_EVERY_MS,
  );
  const { data } = polled;
  return (
    <section class="card">
      <div class="row spread">
        <h2>{data ? t.liveSessions(data.sessions.length) : t.showAll}</h2>
      </div>
      <Freshness of={polled} />
      {data && <Live page={data} again={polled.again} withUser />}
      {data?.next_cursor && (
        <button type="button" onClick={() => setPages(pages + 1)}>
          {t.more}
        </button>
      )}
    </section>
  );
}

export function Live(props: { page: SessionPage; again(): void; withUser?: boolean }) {
  const { page } = props;
  return (
    <>
      <Unreachable names={page.unreachable} />
      <SessionTable sessions={page.sessions} again={props.again} withUser={props.withUser ?? false} />
    </>
  );
}

function Found({ query }: { query: Query }) {
  if (query.kind === "session") return <FoundSession id={query.text} />;
  if (query.kind === "subject") return <SubjectPanel subject={query.text} />;
  if (query.kind === "username") return <UserPanel username={query.text} />;
  return <FoundUserId id={Number(query.text)} />;
}

function FoundUserId({ id }: { id: number }) {
  const { t, conn } = useConsole();
  const [name, setName] = useState<string | null | undefined>(undefined);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  useEffect(() => {
    nameOfUser(conn, id).then(setName, (error: unknown) => setRefusal(refusalOf(error)));
  }, [id]);
  if (refusal) return <Problem refusal={refusal} />;
  if (name === undefined) return <p class="faint reading">{t.loading}</p>;
  return name === null ? <p class="empty">{t.noUser}</p> : <UserPanel username={name} />;
}

async function nameOfUser(conn: Connection, id: number): Promise<string | null> {
  const { users } = await conn.call<UserPage>(ask.users.from(id), { passive: true });
  return users.find((user) => user.id === id)?.username ?? null;
}

function FoundSession({ id }: { id: string }) {
  const { t, conn, go } = useConsole();
  const polled = usePoll(
    `session ${id}`,
    async (signal) => {
      try {
        return await conn.call<OneSession>(ask.sessions.one(id), { passive: true, signal });
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return null;
        throw error;
      }
    },
    SESSIONS_EVERY_MS,
  );
  const one = polled.data;
  return (
    <section class="card">
      <h2>
        {t.session} <Id id={id} length={16} />
      </h2>
      <Freshness of={polled} />
      {polled.at !== null && one === null && <p class="empty">{t.noSession}</p>}
      {one?.state === "ended" && (
        <Facts
          of={[
            [t.ended, <When at={one.ended_at} ago />],
            [t.whyEnded, one.reason ? (t.endedBy[one.reason] ?? one.reason) : t.unknown],
          ]}
        />
      )}
      {one?.state === "live" && (
        <>
          <SessionTable sessions={[one]} again={polled.again} withUser />
          {one.username && (
            <button
              type="button"
              onClick={() =>
                go({
                  view: "sessions",
                  with: { find: one.username ?? "", as: one.user_id === null ? "subject" : "username" },
                })
              }
            >
              {one.username}
            </button>
          )}
        </>
      )}
    </section>
  );
}

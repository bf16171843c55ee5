// Small things that every view shows.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Refusal } from "../api/call.ts";
import { NO_ANSWER, PAUSED } from "../api/call.ts";
import { countdown, local, relative, short, utc } from "../logic/format.ts";
import type { Tone } from "../logic/life.ts";
import { useNow } from "./clock.ts";
import { useConsole } from "./context.ts";
import type { Polled } from "./poll.ts";

/** A time in the person's zone; in UTC on hover. `ago` adds how long it is ago. */
export function When({ at, ago = false }: { at: string | number | null | undefined; ago?: boolean }) {
  const { lang, t } = useConsole();
  const now = useNow();
  const ms = typeof at === "string" ? Date.parse(at) : at;
  if (ms === null || ms === undefined || Number.isNaN(ms)) return <span class="faint">{t.never}</span>;
  return (
    <time dateTime={new Date(ms).toISOString()} title={utc(ms)}>
      {local(ms, now, lang)}
      {ago && <span class="faint"> · {relative(ms, now, lang)}</span>}
    </time>
  );
}

/** What is left until then. The number changes each second and is not announced. */
export function Left({ until, over }: { until: string | null; over?: string }) {
  const { t } = useConsole();
  const now = useNow();
  if (!until) return <span class="faint">–</span>;
  const at = Date.parse(until);
  return (
    <time class="num" dateTime={until} title={utc(at)}>
      {at <= now && over ? over : countdown(at - now, t.day)}
    </time>
  );
}

export const Pill = ({ tone, children }: { tone: Tone; children: ComponentChildren }) => (
  <span class={`pill ${tone}`}>{children}</span>
);

/** A page that is not by https, nor of this machine, has no clipboard. */
const copied = (text: string): Promise<boolean> =>
  Promise.resolve(navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"))).then(
    () => true,
    () => false,
  );

export function Copy({ text, what }: { text: string; what?: string }) {
  const { t, say } = useConsole();
  const copy = async () => say((await copied(text)) ? t.copied : text);
  return (
    <button type="button" class="small" onClick={copy} aria-label={what ? `${t.copy}: ${what}` : undefined}>
      {t.copy}
    </button>
  );
}

/** An id by its beginning; a click copies all of it. */
export function Id({ id, length }: { id: string; length?: number }) {
  const { t, say } = useConsole();
  const copy = async () => say((await copied(id)) ? t.copied : id);
  return (
    <button type="button" class="id" title={id} onClick={copy}>
      {short(id, length)}
    </button>
  );
}

export function Problem({ refusal, children }: { refusal: Refusal; children?: ComponentChildren }) {
  const { t } = useConsole();
  const detail =
    refusal.code === NO_ANSWER ? t.noAnswer : refusal.code === PAUSED ? t.paused : refusal.message;
  const ended = refusal.reason ? ` (${t.endedBy[refusal.reason] ?? refusal.reason})` : "";
  return (
    <div class="problem" role="alert">
      <strong>
        {detail}
        {ended}
      </strong>{" "}
      <code>{refusal.code}</code>
      {refusal.status > 0 && <span class="faint"> HTTP {refusal.status}</span>}
      {refusal.fields.map(({ field, message }) => (
        <div key={field}>
          <code>{field}</code> {message}
        </div>
      ))}
      {refusal.requestId && (
        <div class="faint">
          {t.request} <Id id={refusal.requestId} length={32} />
        </div>
      )}
      {children}
    </div>
  );
}

/**
 * Says since when a view is not up to date, why, and when it is tried again. Nothing while it is. `scope` is what a service key
 * needs for it.
 */
export function Freshness({ of, scope }: { of: Polled<unknown>; scope?: string }) {
  const { t, conn } = useConsole();
  const now = useNow();
  if (of.refusal === null) return of.data === null ? <p class="faint reading">{t.loading}</p> : null;
  if (conn.kind === "key" && of.refusal.code === "forbidden")
    return <p class="empty">{scope ? t.needsScope(scope) : t.needsAdmin}</p>;
  // A setting, and no failure: the server's text says which.
  if (of.refusal.code === "audit_trail_off") return <p class="empty">{of.refusal.message}</p>;
  if (of.refusal.code === PAUSED)
    return (
      <p class="paused">
        {t.paused}. {t.staleSince} <When at={of.at} />
      </p>
    );
  return (
    <Problem refusal={of.refusal}>
      <div class="row">
        <span>
          {of.at === null ? (
            t.staleNever
          ) : (
            <>
              {t.staleSince} <When at={of.at} />
            </>
          )}
          {of.nextAt !== null && (
            <span aria-hidden="true">
              , {t.nextTry} <span class="num">{countdown(of.nextAt - now, t.day)}</span>
            </span>
          )}
        </span>
        <button type="button" class="small" onClick={of.again}>
          {t.retry}
        </button>
      </div>
    </Problem>
  );
}

/** What a list had to leave out. */
export function Unreachable({ names = [] }: { names?: string[] | undefined }) {
  const { t } = useConsole();
  return names.length === 0 ? null : (
    <p class="problem">
      {t.incomplete} <code>{names.join(", ")}</code>
    </p>
  );
}

/** Names and values, side by side. */
export const Facts = ({ of }: { of: [string, ComponentChildren][] }) => (
  <dl class="facts">
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
);

/**
 * A table that can be scrolled by keyboard where it is wider than the page. On a phone each row is a card, and its cells have the names of
 * their columns beside them.
 */
export function Table(props: { label: string; head: string[]; children: ComponentChildren }) {
  const body = useRef<HTMLTableSectionElement>(null);
  useLayoutEffect(() => {
    for (const { cells } of body.current?.rows ?? []) {
      let column = 0;
      for (const cell of cells) {
        cell.dataset.label = cell.colSpan > 1 ? "" : (props.head[column] ?? "");
        column += cell.colSpan;
      }
    }
  });
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>{props.children}</tbody>
      </table>
    </div>
  );
}

/** A choice of few. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  of: readonly (readonly [T, string])[];
  pick(value: T): void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.of.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === props.value}
          onClick={() => props.pick(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

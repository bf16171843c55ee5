// The last hour on five lines. A mark can be reached by keyboard through the table of the trail, which has the same records.
import { type Lane, LANES, isFailure, marksOf } from "../logic/timeline.ts";
import { local } from "../logic/format.ts";
import { useNow } from "../ui/clock.ts";
import { useConsole } from "../ui/context.ts";
import { Freshness } from "../ui/parts.tsx";
import { usePoll } from "../ui/poll.ts";
import { AUDIT_EVERY_MS, readAudit } from "./audit_read.ts";

const HOUR_MS = 3_600_000;
/** Of half a minute each. */
const STEPS = 120;
const MAX_PAGES = 5;

export function LastHour() {
  const { t, conn, lang } = useConsole();
  const now = useNow();
  const polled = usePoll(
    "last hour",
    (signal) => readAudit(conn, { since: new Date(Date.now() - HOUR_MS).toISOString() }, MAX_PAGES, signal),
    AUDIT_EVERY_MS,
  );
  const records = polled.data?.records ?? [];
  const failed = records.filter(isFailure).length;
  // By half minutes, so that marks stay where they are while the clock ticks.
  const to = Math.ceil(now / 30_000) * 30_000;
  const marks = marksOf(records, to - HOUR_MS, to, STEPS);
  const ticks = [0, 15, 30, 45, 60];
  return (
    <section class="card">
      <h2>{t.lastHour}</h2>
      <Freshness of={polled} scope="audit" />
      {polled.data && (
        <>
          <p class="faint">
            {t.timelineNote(records.length - failed, failed)} {polled.data.cut && t.timelineCut}
          </p>
          <div
            class="timeline"
            role="img"
            aria-label={`${t.lastHour}: ${t.timelineNote(records.length - failed, failed)}`}
          >
            {LANES.map((lane) => (
              <LaneLine key={lane} lane={lane} marks={marks} />
            ))}
            <div class="lane axis num">
              <span />
              <div class="line">
                {ticks.map((minute) => (
                  <span key={minute} style={{ left: `${(minute / 60) * 100}%` }}>
                    {local(to - HOUR_MS + minute * 60_000, now, lang).slice(-8, -3)}
                  </span>
                ))}
              </div>
            </div>
          </div>
        </>
      )}
    </section>
  );
}

function LaneLine({ lane, marks }: { lane: Lane; marks: ReturnType<typeof marksOf> }) {
  const { t } = useConsole();
  return (
    <div class="lane">
      <span>{t.lanes[lane]}</span>
      <div class="line">
        {marks
          .filter((mark) => mark.lane === lane)
          .map(({ at, records, failed }) => (
            <span
              key={at}
              class={`spot ${failed === 0 ? "good" : failed === records.length ? "bad" : "warn"} ${
                records.length > 9 ? "many" : records.length > 2 ? "some" : ""
              }`}
              style={{ left: `${at}%` }}
              title={`${t.mark(records.length, failed)}: ${[...new Set(records.map(({ action }) => action))].join(", ")}`}
            />
          ))}
      </div>
    </div>
  );
}

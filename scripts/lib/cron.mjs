// Cron Triggers for the local server, which the platform would send: `wrangler dev` waits for somebody to ask.
import { Cron } from "croner";
import { say } from "./log.mjs";

const TIMEOUT_MS = 30_000;

/** Sends those of the configuration that are due, now and from now on, in UTC. */
export function startCron(base, { triggers: { crons } }) {
  const stopped = new AbortController();
  const send = async (expression) => {
    const url = new URL("/cdn-cgi/handler/scheduled", base);
    url.searchParams.set("cron", expression);
    url.searchParams.set("time", String(Date.now()));
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await fetch(url, { signal }).catch((error) => error);
    if (!answer.ok && !stopped.signal.aborted)
      say(`   The Cron Trigger "${expression}" failed: ${answer.status ?? answer.message}`);
  };
  // `protect`: the next minute does not come while this one is under way.
  const options = { timezone: "UTC", protect: true };
  const jobs = crons.map((expression) => new Cron(expression, options, () => send(expression)));
  const minute = new Date(new Date().setSeconds(0, 0));
  for (const job of jobs) if (job.match(minute)) void job.trigger();
  return {
    stop() {
      stopped.abort();
      for (const job of jobs) job.stop();
    },
  };
}

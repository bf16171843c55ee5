// Cron Triggers for the local server, which the platform would send: `wrangler dev` waits for somebody to ask.
import { readFileSync } from "node:fs";
import { say } from "./log.mjs";
import { inRoot } from "./paths.mjs";

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 30_000;

/** The expressions of wrangler.toml. */
const expressions = () => {
  const list = /^crons\s*=\s*\[(.*)\]/m.exec(readFileSync(inRoot("wrangler.toml"), "utf8"))?.[1] ?? "";
  return [...list.matchAll(/"([^"]+)"/g)].map(([, expression]) => expression);
};

/** Whether an expression of plain numbers and stars is due in this minute, in UTC. */
function isDue(expression, at) {
  const [minute, hour, ...rest] = expression.split(" ");
  const fits = (field, value) => field === "*" || Number(field) === value;
  return rest.every((f) => f === "*") && fits(minute, at.getUTCMinutes()) && fits(hour, at.getUTCHours());
}

async function trigger(base, expression, at) {
  const url = new URL("/cdn-cgi/handler/scheduled", base);
  url.searchParams.set("cron", expression);
  url.searchParams.set("time", String(at.getTime()));
  const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error) => error);
  if (!answer.ok) say(`   The Cron Trigger "${expression}" failed: ${answer.status ?? answer.message}`);
}

/** Sends those that are due, now and at each full minute. */
export function startCron(base) {
  const run = async () => {
    const now = new Date();
    for (const expression of expressions().filter((e) => isDue(e, now))) await trigger(base, expression, now);
  };
  let timer;
  const next = () => {
    timer = setTimeout(() => void run().finally(next), MINUTE_MS - (Date.now() % MINUTE_MS));
  };
  void run().finally(next);
  return { stop: () => clearTimeout(timer) };
}

// The output of the local server: what of it is shown, and how.
import { painter, say } from "./log.mjs";
import { PrettyLog, entryOf } from "./pretty-log.mjs";

/** wrangler has a line of its own for each request, beside the Worker's. */
const isRequestOfWrangler = (text) => /^\[wrangler:info\] [A-Z]+ \/\S* \d{3} /.test(text);

/**
 * What is kept back until the first screen is shown: of that, requests are those by which it came about, and what is no entry
 * of the log is of no interest any more.
 */
function worthTelling(lines) {
  const entries = lines
    .map((text) => ({ text, entry: entryOf(text) }))
    .filter(({ entry }) => entry !== undefined);
  const ours = new Set(
    entries.filter(({ entry }) => entry.event === "request").map(({ entry }) => entry.request_id),
  );
  return entries.filter(({ entry }) => !ours.has(entry.request_id)).map(({ text }) => text);
}

/** For people: nothing until `open`, then a line for each request. */
export function prettyOutput() {
  let early = [];
  let log;
  let ended = false;
  const paint = painter(process.stdout);
  return {
    line(text) {
      if (ended || isRequestOfWrangler(text)) return;
      if (log) log.line(text);
      else early.push(text);
    },
    open(names) {
      log = new PrettyLog({ write: (text) => console.log(text), paint, names });
      for (const text of worthTelling(early)) log.line(text);
      early = [];
    },
    /** What wrangler says of its own end is of no interest. */
    end() {
      ended = true;
      log?.end();
    },
  };
}

/** For programs: the entries as they are, on standard output, from the first one on. What wrangler says is on standard error. */
export function jsonOutput() {
  let isOpen = false;
  return {
    line(text) {
      if (entryOf(text)) console.log(text);
      else if (isOpen && !isRequestOfWrangler(text)) say(text);
    },
    open: () => void (isOpen = true),
    end: () => void (isOpen = false),
  };
}

// Times and durations as they are shown: in the person's zone and language, UTC on hover.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const two = (n: number): string => String(n).padStart(2, "0");

/** 0:09, 12:05, 7:22:10, 3 d 4:10. Never negative. */
export function countdown(ms: number, dayUnit = "d"): string {
  const left = Math.max(Math.ceil(ms / 1000), 0);
  const [days, hours, minutes, seconds] = [
    Math.floor(left / 86_400),
    Math.floor(left / 3600) % 24,
    Math.floor(left / 60) % 60,
    left % 60,
  ] as const;
  if (days > 0) return `${days} ${dayUnit} ${hours}:${two(minutes)}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds)}`;
  return `${minutes}:${two(seconds)}`;
}

/** In words, by the platform: "5 min ago", "hace 5 min", "in 3 hr". */
export function relative(at: number, now: number, lang: string): string {
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
  const ms = at - now;
  const size = Math.abs(ms);
  if (size < MINUTE) return words.format(Math.round(ms / 1000), "second");
  if (size < HOUR) return words.format(Math.trunc(ms / MINUTE), "minute");
  if (size < DAY) return words.format(Math.trunc(ms / HOUR), "hour");
  return words.format(Math.trunc(ms / DAY), "day");
}

const sameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

/** The time of day; with the date where that is another than today's. */
export function local(at: number, now: number, lang: string): string {
  const date = new Date(at);
  const day: Intl.DateTimeFormatOptions = sameDay(date, new Date(now))
    ? {}
    : { day: "numeric", month: "short" };
  return date.toLocaleString(lang, {
    ...day,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** 2026-11-30 19:46:05 UTC */
export const utc = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** The beginning of an id: enough to tell it from its neighbours. */
export const short = (id: string, length = 8): string =>
  id.length > length + 2 ? `${id.slice(0, length)}…` : id;

/** What a browser says of itself, in two words: "Firefox, Linux". As it is where nothing is known in it. */
export function device(agent: string | null): string | null {
  if (!agent) return null;
  const first = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = first([
    [/Edg\//, "Edge"],
    [/OPR\//, "Opera"],
    [/Firefox\//, "Firefox"],
    [/(HeadlessChrome|Chrome|CriOS)\//, "Chrome"],
    [/Safari\//, "Safari"],
    [/^curl\//, "curl"],
  ]);
  const system = first([
    [/iPhone|iPad/, "iOS"],
    [/Android/, "Android"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  return [browser, system].filter(Boolean).join(", ") || agent.slice(0, 60);
}

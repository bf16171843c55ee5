// What `npm start` shows of the log (docs/logs.md): a line a request, and indented under it what was done for it.

/** As long what belongs to a request waits for the request's own line, which is written when it is over. */
const HOLD_MS = 3000;
/** So many are remembered whose line has been shown. */
const REMEMBERED = 1000;
const INDENT = " ".repeat(10);

/** Whose audit lines are of no request: they stand for themselves. */
const OWN_WORK = ["alarm", "cron", "object", "recovery", "limit"];

export class PrettyLog {
  /** What waits for a line to come: audit lines and calls by the request's id, calls that know none by `workOf`. */
  #held = new Map();
  #shown = new Set();
  /** Whose line was the last one that is not indented. */
  #last;
  #write;
  #paint;
  #names;

  /** `write(line)` shows a line, `paint(style, text)` colours one; `names` has user names by their ids. */
  constructor({ write, paint = (_style, text) => text, names = new Map() }) {
    this.#write = write;
    this.#paint = paint;
    this.#names = names;
  }

  /** One line of the Worker, of wrangler or of the fakes. What is none of the log's is shown as it is. */
  line(text) {
    const entry = entryOf(text);
    const { at } = entry ?? {};
    switch (entry?.event) {
      case "request":
        return this.#request(entry);
      case "audit":
        return this.#audit(entry);
      case "upstream_call":
        return this.#call(entry);
      case "alert":
        return this.#header(undefined, alertFields(entry), entry.level === "info" ? "green" : "yellow");
      case "fault":
        return this.#header(undefined, [clock(at), "FAULT", entry.what, entry.detail], FAULT);
      default:
        return this.#write(text);
    }
  }

  /** Shows what is still held. */
  end() {
    for (const key of [...this.#held.keys()]) this.#overdue(key);
  }

  #hold(key, { audits = [], calls = [] }) {
    const held = this.#held.get(key) ?? { audits: [], calls: [] };
    held.timer ??= setTimeout(() => this.#overdue(key), HOLD_MS);
    held.audits.push(...audits);
    held.calls.push(...calls);
    this.#held.set(key, held);
  }

  #take(key) {
    const { audits = [], calls = [], timer } = this.#held.get(key) ?? {};
    clearTimeout(timer);
    this.#held.delete(key);
    return { audits, calls };
  }

  #request(entry) {
    const { request_id: id, status, duration_ms, reason } = entry;
    const { audits, calls } = this.#take(id);
    // What was asked for is on record when it is over: what stands before it came of it.
    const own = audits.pop();
    const style = status >= 500 ? FAULT : status >= 400 ? "yellow" : undefined;
    const fields = [clock(entry.at), routeOf(entry), status, `${duration_ms} ms`, this.#who(own), reason];
    this.#header(id, fields, style);
    for (const audit of audits)
      this.#indented([actionOf(audit), audit.outcome, this.#who(audit)], audit.level === "warn");
    this.#under(calls);
  }

  #audit(entry) {
    const { request_id: id } = entry;
    const work = workOf(entry);
    const { calls } = this.#take(work);
    // The next piece of such work has a line of its own.
    this.#shown.delete(work);
    if (id && !this.#shown.has(id) && !OWN_WORK.includes(entry.service))
      return this.#hold(id, { audits: [entry], calls });
    this.#group(id, [entry], [...this.#take(id).calls, ...calls]);
  }

  /** Waits for the line of what it was for; if that was shown, it stands under it, or where it came too late, by itself. */
  #call(entry) {
    const key = entry.request_id ?? workOf(entry);
    if (key && !this.#shown.has(key)) return this.#hold(key, { calls: [entry] });
    if (key && key === this.#last) return this.#under([entry]);
    this.#header(key, [clock(entry.at), ...callFields(entry)], failed(entry) ? "yellow" : undefined);
  }

  /** It took too long for its line to be waited for, or there is none. */
  #overdue(key) {
    const { audits, calls } = this.#take(key);
    if (audits.length > 0) return this.#group(key, audits, calls);
    const [{ at, request_id }] = calls;
    this.#header(key, [clock(at), request_id ? "a request" : key, "under way"]);
    this.#under(calls);
  }

  /** What was done without a request's line, and the calls that it took. */
  #group(id, audits, calls) {
    for (const audit of audits) {
      const fields = [clock(audit.at), actionOf(audit), audit.outcome, this.#who(audit), audit.reason];
      this.#header(id, fields, audit.level === "warn" ? "yellow" : undefined);
    }
    this.#under(calls);
  }

  /** Who did it and to whom; or a service, and the account that it was about. */
  #who(audit) {
    const { user_id, actor, service, account, customer } = audit ?? {};
    const name = (id) => this.#names.get(id) ?? `user ${id}`;
    const by = actor ?? user_id;
    const fields = [
      by != null && name(by),
      user_id != null && user_id !== by && `for ${name(user_id)}`,
      service,
      customer && `customer ${customer.slice(0, 8)}`,
      account,
    ];
    return fields.filter(Boolean).join(" ");
  }

  #under(calls) {
    for (const call of calls) this.#indented(callFields(call), failed(call));
  }

  #header(key, fields, style) {
    this.#last = key;
    if (key) this.#shown.add(key);
    if (this.#shown.size > REMEMBERED) this.#shown.delete(this.#shown.values().next().value);
    this.#show(joined(fields), style);
  }

  #indented(fields, warns) {
    this.#show(`${INDENT}→ ${joined(fields)}`, warns ? "yellow" : "dim");
  }

  #show(text, style) {
    const line = plain(text);
    this.#write(style ? this.#paint(style, line) : line);
  }
}

const FAULT = ["red", "bold"];

/** The object of a line, if it is one of the log. */
export function entryOf(text) {
  if (!text.startsWith("{")) return undefined;
  try {
    const entry = JSON.parse(text);
    return typeof entry.event === "string" ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** What a call without a request's id is part of, and the audit line that ends that: an account, or the portal. */
function workOf({ upstream, account, action, calls }) {
  if (action?.startsWith("portal_") || ["portal", "spa", "oidc", "captcha"].includes(upstream))
    return "portal";
  if (upstream === "tokens") return `upstox/${account}`;
  if (upstream === "upstox" || upstream === "oauth2") return `${upstream}/${account}`;
  // It has the one account, which its fake calls otherwise.
  if (upstream === "facturify" || (calls && account?.startsWith("facturify/"))) return "facturify";
  return calls ? account : undefined;
}

const joined = (fields) =>
  fields.filter((field) => field !== undefined && field !== null && field !== "").join("  ");

/** `12:03:41`, by the clock on the wall. */
const clock = (at) => new Date(at).toTimeString().slice(0, 8);

/** A route of one method names it, one of any does not. */
function routeOf({ method, route }) {
  if (route === "none") return `${method} (no such route)`;
  return route.startsWith("/") ? `${method} ${route}` : route;
}

const actionOf = ({ action, operation }) => (operation ? `${action} ${operation}` : action);

const alertFields = ({ at, alert, account, code, error }) => [
  clock(at),
  "ALERT",
  alert,
  account,
  code,
  error,
];

const failed = ({ status, fault }) => status === 0 || status >= 400 || fault !== undefined;
const callFields = ({ upstream, operation, account, status, gave, fault }) => [
  `${upstream} ${operation}`,
  account,
  status || "no answer",
  gave,
  fault && `fault: ${fault}`,
];

/** What a caller has sent is of one line, and tells a terminal nothing. */
const plain = (text) =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

// Growth as a table and as curves.
import { chart } from "./svg.mjs";
import { table } from "./tables.mjs";

const number = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });

export function growthTable({ sessions, accounts, limit }) {
  const stored = sessions.sallyport.map((own, n) => {
    const peer = sessions.plain[n];
    const both = (key) => `${number(own[key])} / ${number(peer[key])}`;
    return [number(own.stored), both("validate"), both("wake"), both("begin"), number(own.list)];
  });
  const head = [
    "stored sessions",
    "validate, 100 that are busy",
    "validate, one that sleeps",
    "begin",
    "`GET /admin/sessions/active`",
  ];
  return [
    "CPU µs a request, Sallyport / P2s; the list is a page of Sallyport's:",
    table(head, stored),
    "Upstream accounts:",
    table(
      ["accounts", "a Cron Trigger, CPU ms", "ms until it is done", "`GET /accounts`, CPU µs"],
      accounts.map((at) => [number(at.accounts), number(at.cpu_ms), number(at.ms), number(at.list_us)]),
    ),
    "A user's own sessions:",
    table(
      ["limit of sessions", "a login at the limit, CPU ms", "`GET /auth/sessions` then, CPU µs"],
      limit.map((at) => [number(at.limit), number(at.login_ms), number(at.list_us)]),
    ),
  ].join("\n\n");
}

/** The curves by the name of their file. */
export function charts({ sessions, accounts, limit }) {
  const points = (list, x, y) => list.map((at) => [at[x], at[y]]);
  const ofSessions = (key) => [
    { name: "Sallyport", points: points(sessions.sallyport, "stored", key) },
    { name: "P2s", points: points(sessions.plain, "stored", key) },
  ];
  const stored = { x: "stored sessions", y: "CPU µs" };
  return {
    validate: chart({ title: "Validate, 100 busy sessions", ...stored, series: ofSessions("validate") }),
    wake: chart({ title: "Validate, a session that sleeps", ...stored, series: ofSessions("wake") }),
    begin: chart({ title: "Begin a session", ...stored, series: ofSessions("begin") }),
    cron: chart({
      title: "A Cron Trigger when nothing is due",
      x: "upstream accounts",
      y: "ms",
      series: [
        { name: "CPU", points: points(accounts, "accounts", "cpu_ms") },
        { name: "until it is done", points: points(accounts, "accounts", "ms") },
      ],
    }),
    lists: chart({
      title: "Lists",
      x: "accounts, or sessions of a user",
      y: "CPU µs",
      series: [
        { name: "GET /accounts", points: points(accounts, "accounts", "list_us") },
        { name: "GET /auth/sessions", points: points(limit, "limit", "list_us") },
      ],
    }),
    active: chart({
      title: "GET /admin/sessions/active, the first page",
      ...stored,
      series: [{ name: "Sallyport", points: points(sessions.sallyport, "stored", "list") }],
    }),
    limit: chart({
      title: "A login at the limit of sessions",
      x: "limit",
      y: "CPU ms",
      series: [{ name: "login", points: points(limit, "limit", "login_ms") }],
    }),
  };
}

// What the console shows in the pictures of the docs: always the same, at always the same time.
import { createHash } from "node:crypto";
import type {
  Account,
  AccountPage,
  AuditPage,
  AuditRecord,
  Health,
  History,
  OneSession,
  PortalPage,
  PortalSession,
  PortalSessions,
  Session,
  SessionPage,
  User,
} from "../../../console/src/api/types.ts";

export const NOW = Date.parse("2026-11-30T09:41:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (ms: number): string => new Date(NOW + ms).toISOString();
/** The same each time, and looks like one. */
const hex = (seed: number, length = 64): string =>
  createHash("sha256").update(String(seed)).digest("hex").slice(0, length);

const account = (provider: string, account_id: string, rest: Partial<Account>): Account => ({
  provider,
  account_id,
  has_token: true,
  status: "valid",
  issued_at: null,
  expires_at: null,
  ttl: 0,
  source: "cron",
  last_error: null,
  next_renewal_at: null,
  ...rest,
});

const failures = (failures: number, since: number, last: number) => ({
  failures,
  since: at(since * MINUTE),
  at: at(last * MINUTE),
});

/** As Upstox has it: issued at 08:00 IST, over at 03:30 IST, renewed at 08:00. */
const trading = {
  issued_at: "2026-11-30T02:30:04Z",
  expires_at: "2026-11-30T22:00:00Z",
  next_renewal_at: "2026-12-01T02:30:00Z",
  last_check: { at: "2026-11-30T02:30:05Z", outcome: "ok" },
};

const ACCOUNTS: Account[] = [
  account("facturify", "default", {
    issued_at: at(-7.4 * HOUR),
    expires_at: at(4.6 * HOUR),
    next_renewal_at: at(3.9 * HOUR),
    source: "refresh",
  }),
  account("oauth2", "billing", {
    status: "needs_attention",
    issued_at: at(-52 * MINUTE),
    expires_at: at(8 * MINUTE),
    source: "refresh",
    last_error: { code: "upstream_grant_refused", status: 400, ...failures(1, -9, -9) },
  }),
  account("oauth2", "crm", {
    issued_at: at(-21 * MINUTE),
    expires_at: at(39 * MINUTE),
    next_renewal_at: at(23 * MINUTE),
    source: "refresh",
  }),
  account("upstox", "agnidata001", trading),
  account("upstox", "agnidata002", {
    ...trading,
    status: "failing",
    next_renewal_at: at(4.3 * MINUTE),
    last_error: { code: "upstream_timeout", status: null, ...failures(5, -26, -4) },
  }),
  account("upstox", "agnidata003", {
    has_token: false,
    status: "awaiting_approval",
    issued_at: "2026-11-29T02:30:03Z",
    expires_at: "2026-11-29T22:00:00Z",
    next_renewal_at: "2026-12-01T02:30:00Z",
    approval_until: "2026-11-30T22:00:00Z",
    source: "notifier",
  }),
];

const HISTORY: History = {
  provider: "upstox",
  account_id: "agnidata002",
  operations: [
    ["-4", "renew", "upstream_timeout", "alarm", 5],
    ["-9", "renew", "upstream_timeout", "alarm", 5],
    ["-19", "refresh", "upstream_timeout", "key:desk", 5],
    ["-26", "renew", "upstream_timeout", "alarm", 5],
    ["-430.9", "renew", "ok", "cron", 3],
  ].map(([minutes, operation, outcome, who, calls], i) => ({
    at: at(Number(minutes) * MINUTE),
    operation: String(operation),
    outcome: String(outcome),
    who: String(who),
    request_id: hex(40 + i, 32),
    calls: Number(calls),
    status: null,
    expires_at: outcome === "ok" ? trading.expires_at : null,
  })),
};

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36";
const SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) Version/19.1 Mobile Safari/604.1";

const session = (
  id: number,
  who: [number | null, string],
  began: number,
  active: number,
  rest: Partial<Session> = {},
): Session => ({
  id: hex(id),
  jti: `${hex(id)}-1`,
  user_id: who[0],
  username: who[1],
  device_name: null,
  user_agent: CHROME,
  created_at: at(-began * MINUTE),
  last_activity: at(-active * MINUTE),
  idle_expires_at: at((30 - active) * MINUTE),
  absolute_expires_at: at(30 * 24 * HOUR - began * MINUTE),
  expires_at: at((30 - active) * MINUTE),
  ...rest,
});

export const SESSIONS: Session[] = [
  session(1, [1, "admin"], 6, 0.2, { user_agent: FIREFOX, device_name: "Sallyport console" }),
  session(2, [2, "maria"], 184, 3.1, { user_agent: SAFARI, device_name: "Maria’s phone" }),
  session(3, [2, "maria"], 61, 11.4),
  session(4, [3, "linh"], 1560, 27.6, { user_agent: FIREFOX }),
  session(5, [5, "pedro"], 22, 0.8),
  session(6, [null, "VPB-SME-1234567890"], 34, 5.5, { user_agent: "curl/8.5.0" }),
];

const EMODAL = "emodal/0qDGMi9xxzgPrDnRosceRxCpAiDFyZwuBEuRsV3BNbQ";

const PORTAL: PortalSession[] = [
  {
    session_id: `session_1795577131_${hex(71, 32)}`,
    username: "dispatch",
    created_at: at(-31 * HOUR),
    last_used: at(-2.2 * MINUTE),
    keep_alive: true,
    portal_login: EMODAL,
    logins_saved: 412,
    captchas_saved: 409,
    browser_seconds: 0,
    last_failure: { at: at(-14 * MINUTE), code: "portal_unintelligible", step: "appointment_form" },
  },
  {
    session_id: `session_1795601200_${hex(72, 32)}`,
    username: "yard-2",
    created_at: at(-5 * HOUR),
    last_used: at(-48 * MINUTE),
    keep_alive: false,
    portal_login: EMODAL,
    logins_saved: 17,
    captchas_saved: 17,
    browser_seconds: 0,
    last_failure: null,
  },
];

const PAGE: PortalPage = {
  portal_login: EMODAL,
  at: at(-14 * MINUTE),
  expires_at: at(46 * MINUTE),
  code: "portal_unintelligible",
  step: "appointment_form",
  looked_for: "the form #appointment of phase 2",
  address: "https://portal.example.com/appointments/new",
  status: 200,
  title: "Maintenance",
  page:
    "<!doctype html><title>Maintenance</title><body style='font-family:sans-serif'><h1>Scheduled maintenance</h1>" +
    "<p>Appointments are not available between 09:00 and 10:00 UTC.</p>" +
    "<script>document.title = 'run'</script><img src='https://elsewhere.example/pixel.gif'>" +
    "<ul><li>Containers: available</li><li>Appointments: not available</li></ul></body>",
};

const record = (minutes: number, action: string, rest: Partial<AuditRecord> = {}): AuditRecord => ({
  id: `${hex(Math.round(minutes * 1013), 16)}-000`,
  at: at(-minutes * MINUTE),
  action,
  outcome: "ok",
  request_id: hex(Math.round(minutes * 977) + action.length, 32),
  ...rest,
});
const by = (id: number, address = "192.0.2.17"): Partial<AuditRecord> => ({
  actor: id,
  user_id: id,
  address,
});
const of = (name: string, rest: Partial<AuditRecord> = {}): Partial<AuditRecord> => ({
  account: name,
  service: "alarm",
  ...rest,
});
const late = { outcome: "upstream_timeout" };

export const RECORDS: AuditRecord[] = [
  record(0.4, "read_token", of("upstox/agnidata001", { service: "key:desk" })),
  record(2.1, "admin_close_session", { actor: 1, user_id: 5, session_id: hex(9), address: "192.0.2.4" }),
  record(4, "renew_token", of("upstox/agnidata002", late)),
  record(6, "login", { ...by(1, "192.0.2.4"), session_id: hex(1) }),
  record(8.2, "login", { outcome: "invalid_credentials", user_id: 3, address: "198.51.100.23" }),
  record(8.5, "login", { outcome: "invalid_credentials", user_id: 3, address: "198.51.100.23" }),
  record(9, "renew_token", of("oauth2/billing", { outcome: "upstream_grant_refused" })),
  record(9, "renew_token", of("upstox/agnidata002", late)),
  record(11.4, "refresh", { ...by(2), session_id: hex(3) }),
  record(14, "portal_operation", {
    operation: "make_appointment",
    outcome: "portal_unintelligible",
    service: "key:dispatch",
    portal_login: EMODAL,
    step: "appointment_form",
  }),
  record(19, "refresh_token", of("upstox/agnidata002", { ...late, service: "key:desk" })),
  record(21, "renew_token", of("oauth2/crm")),
  record(22, "login", { ...by(5, "203.0.113.8"), session_id: hex(5) }),
  record(24.5, "expire", { user_id: 4, session_id: hex(11), reason: "inactivity" }),
  record(26, "renew_token", of("upstox/agnidata002", late)),
  record(31, "portal_operation", {
    operation: "get_containers",
    service: "key:dispatch",
    portal_login: EMODAL,
  }),
  record(34, "init_session", { service: "key:branch", session_id: hex(6) }),
  record(38, "unlock_user", { actor: 1, user_id: 3, address: "192.0.2.4" }),
  record(43, "logout", { ...by(2), session_id: hex(12) }),
  record(47.5, "portal_operation", {
    operation: "get_containers",
    service: "key:yard",
    portal_login: EMODAL,
  }),
  record(55, "refresh", { ...by(3), session_id: hex(4) }),
];

const HEALTH: Health = {
  status: "degraded",
  service: "sallyport",
  version: "0.1.0",
  current_time_ist: "2026-11-30T15:11:00+05:30",
  accounts: { total: 3, healthy: 1, failed: 1 },
  timestamp: at(0),
  active_sessions: 2,
  persistent_sessions: 1,
  upstreams: {
    facturify: { total: 1, healthy: 1, failed: 0 },
    upstox: { total: 3, healthy: 1, failed: 1 },
    oauth2: { total: 2, healthy: 1, failed: 1 },
  },
};

const user = (id: number, username: string, roles = ["user"]): User => ({
  id,
  username,
  roles,
  is_active: true,
  created_at: at(-90 * 24 * HOUR),
});
const USERS = [user(1, "admin", ["admin", "user"]), user(2, "maria"), user(3, "linh"), user(5, "pedro")];

const sessionsOf = (fits: (session: Session) => boolean): SessionPage => {
  const sessions = SESSIONS.filter(fits);
  return { user_id: null, active_sessions: sessions.length, sessions, next_cursor: null };
};

const oneSession = (id: string): OneSession => {
  const live = SESSIONS.find((session) => session.id === id);
  if (live) return { ...live, state: "live" };
  return { id, state: "ended", reason: "admin", ended_at: at(-2 * MINUTE), user_id: 5, username: "pedro" };
};

/** What a question is answered with. Undefined for what the pictures do not need. */
export function answerTo(url: URL): unknown {
  const { pathname: path, searchParams: query } = url;
  if (path === "/health") return HEALTH;
  if (path === "/auth/session") {
    const [own] = SESSIONS;
    return {
      ...own,
      session_id: own?.id,
      roles: ["admin", "user"],
      auth_time: own?.created_at,
      inactivity_timeout: 1800,
      server_time: at(0),
    };
  }
  if (path === "/api/v1/tokens")
    return { accounts: ACCOUNTS, total: ACCOUNTS.length, next_cursor: null } satisfies AccountPage;
  if (path.endsWith("/history")) return HISTORY;
  if (path === "/admin/sessions/active")
    return sessionsOf(({ username }) => !query.has("username") || username === query.get("username"));
  if (path.startsWith("/admin/sessions/")) return oneSession(path.slice("/admin/sessions/".length));
  if (path.startsWith("/admin/users/")) return USERS.find(({ username }) => path.endsWith(`/${username}`));
  if (path === "/sessions") return { success: true, sessions: PORTAL } satisfies PortalSessions;
  if (path.startsWith("/admin/portal-pages/")) return PAGE;
  if (path === "/admin/audit") {
    const wanted = (name: "action" | "user_id" | "outcome") => query.get(name);
    const records = RECORDS.filter(
      (record) =>
        (!wanted("action") || record.action === wanted("action")) &&
        (!wanted("outcome") ||
          (wanted("outcome") === "failed"
            ? record.outcome !== "ok"
            : record.outcome === wanted("outcome"))) &&
        (!wanted("user_id") || String(record.user_id) === wanted("user_id")),
    );
    return { records, next_cursor: null, complete_since: at(-24 * HOUR), left_out: 0 } satisfies AuditPage;
  }
  return undefined;
}

// What the routes answer, as far as the console shows it. docs/openapi.json describes all of it; a test holds these to it.

/** RFC 3339. */
export type Time = string;

export type Status =
  "valid" | "failing" | "missing" | "expired" | "failed" | "needs_attention" | "awaiting_approval";

export interface LastError {
  code: string;
  status: number | null;
  at: Time;
  failures: number;
  /** When they began. */
  since?: Time | null;
  message?: string | null;
}

export interface Account {
  provider: string;
  account_id: string;
  has_token: boolean;
  status: Status;
  issued_at?: Time | null;
  expires_at: Time | null;
  ttl: number;
  source: string | null;
  last_check?: { at: Time; outcome: string } | null;
  last_error: LastError | null;
  next_renewal_at: Time | null;
  approval_until?: Time | null;
  extended_until?: Time | null;
}

export interface AccountPage {
  accounts: Account[];
  total: number;
  next_cursor: string | null;
  unreachable?: string[];
}

export interface PastOperation {
  at: Time;
  operation: string;
  outcome: string;
  who: string;
  request_id: string;
  calls: number;
  status: number | null;
  expires_at: Time | null;
}

export interface History {
  provider: string;
  account_id: string;
  operations: PastOperation[];
}

export interface Session {
  id: string;
  jti: string;
  user_id?: number | null;
  username?: string | null;
  device_name: string | null;
  user_agent: string | null;
  created_at: Time;
  last_activity: Time;
  idle_expires_at: Time;
  absolute_expires_at: Time;
  expires_at: Time;
}

export interface SessionPage {
  user_id: number | null;
  active_sessions: number;
  sessions: Session[];
  next_cursor: string | null;
  unreachable?: string[];
}

export interface EndedSession {
  id: string;
  state: "ended";
  reason: string | null;
  ended_at: Time | null;
  user_id: number | null;
  username: string | null;
}

export type OneSession = (Session & { state: "live" }) | EndedSession;

export interface User {
  id: number | null;
  username: string;
  roles: string[];
  is_active: boolean;
  created_at: Time;
  must_change_password?: boolean;
}

export interface UserPage {
  users: User[];
  next_cursor: string | null;
}

/** `GET /auth/session`: the caller's own. */
export interface OwnSession {
  session_id: string;
  username: string;
  roles: string[];
  idle_expires_at: Time;
  absolute_expires_at: Time;
  expires_at: Time;
  server_time: Time;
}

export interface PortalFailure {
  at: Time;
  code: string;
  /** Null if nothing was begun. */
  step: string | null;
}

export interface PortalSession {
  session_id: string;
  username: string | null;
  created_at: Time;
  last_used: Time;
  keep_alive: boolean;
  portal_login?: string;
  logins_saved?: number;
  captchas_saved?: number;
  browser_seconds?: number;
  last_failure?: PortalFailure | null;
}

export interface PortalSessions {
  success: boolean;
  sessions: PortalSession[];
}

export interface PortalPage {
  portal_login: string;
  at: Time;
  expires_at: Time;
  code: string;
  step: string;
  looked_for: string;
  address: string;
  status: number | null;
  title: string | null;
  page: string;
}

export interface Counts {
  total: number;
  healthy: number;
  failed: number;
  available?: number | null;
  misconfigured?: number | null;
}

export interface Health {
  status: string;
  service: string;
  current_time_ist: Time;
  accounts: Counts | null;
  version: string;
  timestamp: Time;
  active_sessions: number | null;
  persistent_sessions: number | null;
  upstreams: Record<string, Counts | null>;
}

/** A record of docs/logs.md, «Audit». */
export interface AuditRecord {
  id: string;
  at: Time;
  action: string;
  outcome: string;
  request_id?: string | null;
  actor?: number | null;
  user_id?: number | null;
  session_id?: string | null;
  address?: string | null;
  service?: string | null;
  account?: string | null;
  reason?: string | null;
  customer?: string | null;
  error?: string | null;
  portal_login?: string | null;
  operation?: string | null;
  step?: string | null;
  sessions?: number | null;
  calls?: number | null;
}

export interface AuditPage {
  records: AuditRecord[];
  next_cursor: string | null;
  complete_since: Time | null;
  left_out: number;
  unreachable?: string[];
}

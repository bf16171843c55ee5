// The routes that the console asks, as requests.
import { Secret, type Field, type Request } from "./call.ts";

const get = (path: string): Request => ({ method: "GET", path });
const post = (path: string, body?: Record<string, Field>): Request => ({
  method: "POST",
  path,
  ...(body ? { body } : {}),
});
const remove = (path: string): Request => ({ method: "DELETE", path });
const part = encodeURIComponent;

/** A query without what is not set. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const set = Object.entries(values).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  return set.length === 0 ? "" : `?${set.map(([name, value]) => `${name}=${part(String(value))}`).join("&")}`;
}

export const health = get("/health");

export const tokens = {
  list: (cursor?: string | null) => get(`/api/v1/tokens${query({ cursor })}`),
  history: (provider: string, id: string) => get(`${account(provider, id)}/history`),
  refresh: (provider: string, id: string) => post(`${account(provider, id)}/refresh`),
  /** Of Upstox only, as the next two. */
  validate: (id: string) => get(`/accounts/${part(id)}/token/validate`),
  requestApproval: (id: string) => post(`/accounts/${part(id)}/token/request`),
  update: (id: string, { token, expiresAt, owner }: { token: string; expiresAt: string; owner: string }) =>
    post(`/accounts/${part(id)}/token/update`, {
      access_token: new Secret("ACCESS_TOKEN", token),
      ...(expiresAt ? { expires_at: expiresAt } : {}),
      ...(owner ? { user_id: owner } : {}),
    }),
};
const account = (provider: string, id: string) => `/api/v1/tokens/${part(provider)}/${part(id)}`;

export const sessions = {
  own: get("/auth/session"),
  all: (cursor?: string | null) => get(`/admin/sessions/active${query({ limit: 40, cursor })}`),
  ofUser: (username: string) => get(`/admin/sessions/active${query({ username })}`),
  ofSubject: (subject: string) => get(`/admin/sessions/active${query({ subject })}`),
  one: (id: string) => get(`/admin/sessions/${part(id)}`),
  end: (id: string) => remove(`/admin/sessions/${part(id)}`),
  endAllOfUser: (username: string) => remove(`/admin/users/${part(username)}/sessions`),
  endAllOfSubject: (subject: string) => remove(`/admin/subjects/${part(subject)}/sessions`),
};

export const users = {
  one: (username: string) => get(`/admin/users/${part(username)}`),
  /** The first one from that id on. */
  from: (id: number) => get(`/admin/users${query({ cursor: id - 1, limit: 1 })}`),
  unlock: (username: string) => post(`/admin/users/${part(username)}/unlock`),
  change: (username: string, change: Record<string, Field>): Request => ({
    method: "PATCH",
    path: `/admin/users/${part(username)}`,
    body: change,
  }),
};

export const portal = {
  list: get("/sessions"),
  close: (id: string) => remove(`/sessions/${part(id)}`),
  /** `login` is `portal/hash`, as the log has it. */
  page: (login: string) => get(`/admin/portal-pages/${login.split("/").map(part).join("/")}`),
};

export interface AuditFilter {
  since?: string;
  until?: string;
  action?: string;
  outcome?: string;
  user_id?: string;
  session_id?: string;
  account?: string;
  service?: string;
  limit?: number;
  cursor?: string | null;
}

export const audit = (filter: AuditFilter) => get(`/admin/audit${query({ ...filter })}`);

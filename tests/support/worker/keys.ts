// Service keys for tests.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { type Answer, api } from "./api.ts";
import { admin } from "./users.ts";

export interface Key {
  id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  key: string;
}

export const KEYS = "/admin/service-keys";

/** A new key; it has all scopes unless some are named. */
export async function makeKey(more: Record<string, unknown> = {}): Promise<Key> {
  const scopes = ["tokens:read", "tokens:write", "portal", "introspect"];
  const body = { name: "a service", scopes, ...more };
  const made = await api("POST", KEYS, { token: await admin(), body });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

export const revokeKey = async (id: string): Promise<Answer> =>
  api("DELETE", `${KEYS}/${id}`, { token: await admin() });

/** Asks the directory itself, as another instance of the Worker would: this one does not hear of it. */
export const elsewhere = async (command: unknown): Promise<unknown> =>
  JSON.parse(await env.DIRECTORY.get(env.DIRECTORY.idFromName("directory")).command(JSON.stringify(command)));

/** The last character of a key's secret changed to another that is as well-formed. */
export const otherSecret = (key: string): string => key.slice(0, -1) + (key.endsWith("A") ? "E" : "A");

/** Keys that are none, made from one that is. */
export const malformed = (key: string): string[] => {
  const secret = key.slice("sp_".length + 12 + 1);
  return [
    "x",
    "sp_",
    "sp__",
    key.slice(0, -1),
    `${key}A`,
    `${key}=`,
    key.toUpperCase(),
    key.replace("sp_", "SP_"),
    key.replace("sp_", ""),
    secret,
    `sp_${secret}`,
    `sp_../../x_${secret}`,
    `sp_*_${secret}`,
    `sp_${"0".repeat(513)}_${secret}`,
    `${key.slice(0, 16)}${"A".repeat(4000)}`,
    `${key.slice(0, 16)}${"+".repeat(43)}`,
  ];
};

// What somebody types to find sessions, and which of the four it is.

export const KINDS = ["username", "user_id", "subject", "session"] as const;
export type Kind = (typeof KINDS)[number];

export interface Query {
  kind: Kind;
  text: string;
}

/** The most likely one: ids have a shape of their own, and so have subjects (`VPB-SME-1234567890`). */
export function guess(text: string): Kind {
  if (/^[0-9a-f]{64}$/.test(text)) return "session";
  if (/^[1-9]\d{0,9}$/.test(text)) return "user_id";
  if (/^[A-Z]{2,}-[A-Z0-9_]+-\S+$/.test(text)) return "subject";
  return "username";
}

/** Null for what cannot be one of that kind: it is not sent. */
export function queryOf(text: string, kind: Kind | "any"): Query | null {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > 512) return null;
  const meant = kind === "any" ? guess(trimmed) : kind;
  if (meant === "session" && !/^[0-9a-f]{64}$/.test(trimmed)) return null;
  if (meant === "user_id" && !(/^[1-9]\d{0,9}$/.test(trimmed) && Number(trimmed) <= 4_294_967_295))
    return null;
  return { kind: meant, text: trimmed };
}

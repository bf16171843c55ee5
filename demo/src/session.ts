// The one session manager of the page.
import { SessionManager } from "@sallyport/client";

export const STORAGES = {
  cookie: "Cookies: no script can read the tokens.",
  localStorage: "localStorage: all tabs share the tokens, and any script of the page can read them.",
  memory: "Memory: this tab only, until it is closed or loaded again.",
} as const;

export type Storage = keyof typeof STORAGES;

const asked = new URLSearchParams(location.search).get("storage") ?? "";
export const storage: Storage = asked in STORAGES ? (asked as Storage) : "cookie";

export const base = location.origin;

/** `activity`: whoever types or points is there, and the server is told so. */
export const manager = new SessionManager(base, { storage, activity: ["keydown", "pointerdown"] });

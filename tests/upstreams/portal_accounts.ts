// Who may log in at the portal, by whichever of its doors: passwords, locks, one-time passwords.
import { totp, WINDOW_MS } from "./crypto.ts";
import { saysItIsWrong } from "./switches.ts";
import type { World } from "./types.ts";

/** The secret of every user whose name begins with `totp`. Nobody else is asked for a one-time password. */
export const TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

export const REFUSED = "Invalid username or password";
export const WRONG_CODE = "Invalid authenticator code";

export class PortalAccounts {
  #world: World;
  /** Passwords refused in a row, by user. */
  #refused = new Map<string, number>();
  /** The last window whose one-time password was taken, by user. */
  #windows = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Why somebody is not let in. */
  refusal(username: string, password: string): string | undefined {
    const { lock_after } = this.#world.switches.portal;
    const refused = this.#refused.get(username) ?? 0;
    if (refused >= lock_after) return "Your account is locked";
    if (!this.#knows(username, password)) {
      this.#refused.set(username, refused + 1);
      return REFUSED;
    }
    this.#refused.delete(username);
    return undefined;
  }

  #knows(username: string, password: string): boolean {
    const { users } = this.#world.switches.portal;
    if (username === "" || password === "") return false;
    if (users === "any") return password === `${username}-pass`;
    if (users === "any_password") return !saysItIsWrong(password);
    return Object.hasOwn(users, username) && users[username] === password;
  }

  hasTotp = (username: string): boolean => username.startsWith("totp");

  /** Whether this is the code of now, or of the window before or after. Each window's is good once. */
  async isCode(username: string, code: string): Promise<boolean> {
    const now = Math.floor(this.#world.now() / WINDOW_MS);
    for (const window of [now - 1, now, now + 1]) {
      if ((await totp(TOTP_SECRET, window)) !== code) continue;
      if (window <= (this.#windows.get(username) ?? -1)) continue;
      this.#windows.set(username, window);
      return true;
    }
    return false;
  }

  reset(): void {
    this.#refused.clear();
    this.#windows.clear();
  }
}

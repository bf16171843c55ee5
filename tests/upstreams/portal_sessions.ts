// The portal's own sessions: each lives while its pages are loaded often enough.
import { random } from "./crypto.ts";
import type { World } from "./types.ts";

interface Session {
  account: string;
  seen_ms: number;
}

export class PortalSessions {
  #world: World;
  #sessions = new Map<string, Session>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The value of a new session's cookie. */
  begin(account: string): string {
    const value = random(60);
    this.#sessions.set(value, { account, seen_ms: this.#world.now() });
    return value;
  }

  /** Whose live session this is; it counts as used now. */
  use(value: string): string | undefined {
    const session = this.#sessions.get(value);
    if (!session || !this.#isLive(session)) return undefined;
    session.seen_ms = this.#world.now();
    return session.account;
  }

  /** Whose session this is or was, as long as it was not ended. */
  accountOf = (value: string): string | undefined => this.#sessions.get(value)?.account;

  isLive(value: string): boolean {
    const session = this.#sessions.get(value);
    return session !== undefined && this.#isLive(session);
  }

  #isLive = ({ seen_ms }: Session): boolean =>
    this.#world.now() - seen_ms < this.#world.switches.portal.idle_seconds * 1000;

  /** How many live ones there are. */
  get live(): number {
    return [...this.#sessions.values()].filter(this.#isLive).length;
  }

  end = (value: string): boolean => this.#sessions.delete(value);

  /** Ends those of an account, or all; returns how many of them were live. */
  endAll(account?: string): number {
    const before = this.live;
    for (const [value, session] of this.#sessions)
      if (account === undefined || session.account === account) this.#sessions.delete(value);
    return before - this.live;
  }
}

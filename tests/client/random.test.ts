// Days of a browser with some tabs, at random: requests, reloads, sleep, outages, lost answers, ends. Whatever comes in whatever
// order, the server never takes the tabs for thieves, nobody is logged out but by the server's word, and all tabs agree in the end.
import { expect, it } from "vitest";
import type { SessionManager, SessionManagerOptions } from "../../client/src/index.ts";
import { MINUTE, refusal, SECOND, World } from "./world.ts";

const PATH = "/api/v1/protected";

/** mulberry32 */
function randomFrom(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Tab {
  manager: SessionManager;
  events: EventTarget;
}

class Days {
  readonly world = new World();
  readonly random: () => number;
  readonly tabs: Tab[] = [];
  /** What was done, for whoever reads of a failure. */
  readonly story: string[] = [];
  network: "up" | "down" | "busy" = "up";
  /** Answers that are lost, though the server has done what was asked. */
  losing = 0;

  constructor(
    seed: number,
    readonly options: SessionManagerOptions,
  ) {
    this.random = randomFrom(seed);
    const { server } = this.world;
    server.before = (request) => {
      if (this.network === "down") return Promise.reject(new TypeError("Failed to fetch"));
      if (this.network === "busy") return refusal(503, "service_unavailable");
      // Two lost answers of this in a row, of two tabs, look like theft to the server.
      if (this.losing === 0 || request.url.endsWith("/reauthenticate")) return undefined;
      this.losing -= 1;
      return this.lost(request);
    };
  }

  async lost(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const token = request.headers.get("authorization")?.slice(7);
    const passive = request.headers.has("x-session-passive");
    const body = this.world.server.sent.at(-1)?.body ?? "";
    await Promise.resolve();
    this.world.server.answer(request.method, pathname.replace("/api/v1", ""), token, passive, body);
    throw new TypeError("Failed to fetch");
  }

  pick = <T>(all: readonly T[]): T => all[Math.floor(this.random() * all.length)] as T;
  between = (from: number, to: number) => from + Math.floor(this.random() * (to - from));

  open(): Tab {
    const events = new EventTarget();
    const manager = this.world.tab({ ...this.options, events });
    manager.start();
    const tab = { manager, events };
    this.tabs.push(tab);
    return tab;
  }

  /** One thing that happens. */
  step(): void | Promise<void> {
    const tab = this.pick(this.tabs);
    const quietly = (work: Promise<unknown>) => void work.catch(() => {});
    const acts: Record<string, () => void | Promise<void>> = {
      request: () => quietly(tab.manager.apiRequest(PATH)),
      many: () => this.tabs.forEach(({ manager }) => quietly(manager.apiRequest(PATH))),
      poll: () => quietly(tab.manager.apiRequest(PATH, { headers: { "x-session-passive": "1" } })),
      stay: () => quietly(tab.manager.keepAlive()),
      refresh: () => quietly(tab.manager.refreshTokens()),
      again: () => quietly(tab.manager.reauthenticate(this.pick(["right", "wrong"]))),
      seconds: () => this.world.clock.pass(this.between(1, 30) * SECOND),
      minutes: () => this.world.clock.pass(this.between(1, 20) * MINUTE),
      sleep: async () => {
        this.world.clock.asleep = true;
        await this.world.clock.pass(this.between(1, 25) * MINUTE);
        this.world.clock.asleep = false;
        for (const { events } of this.tabs) events.dispatchEvent(new Event("visibilitychange"));
      },
      network: () => void (this.network = this.pick(["up", "up", "down", "busy"])),
      lose: () => void (this.losing = this.between(1, 3)),
      focus: () => void tab.events.dispatchEvent(new Event("focus")),
      reload: () => {
        tab.manager.stop();
        this.tabs.splice(this.tabs.indexOf(tab), 1);
        this.open();
      },
    };
    const name = this.pick(Object.keys(acts));
    this.story.push(name);
    return acts[name]?.();
  }

  /** The network is back, and all has been heard. */
  async calm(): Promise<void> {
    this.network = "up";
    this.losing = 0;
    for (const { events } of this.tabs) events.dispatchEvent(new Event("online"));
    await this.world.clock.pass(2 * MINUTE);
  }
}

const SEEDS = Array.from({ length: 20 }, (_, n) => n + 1);

it.each(SEEDS)("seed %i", async (seed) => {
  // The lives of tokens and sessions, and what the browser lacks, are others each time.
  const options: SessionManagerOptions = seed % 4 === 0 ? { channel: null } : {};
  const days = new Days(seed, options);
  const { server } = days.world;
  server.idleSeconds = 24 * 3600;
  server.accessSeconds = days.pick([30, 300, 900]);
  const first = days.open();
  await first.manager.login("ada", "right");
  days.open();
  days.open();
  for (let n = 0; n < 60; n++) {
    await days.step();
    // Nobody has logged out, and the server has ended nothing: nobody may have been.
    expect(server.session?.ended, days.story.join(" ")).toBeNull();
    for (const { manager } of days.tabs)
      expect(manager.getSnapshot().status, days.story.join(" ")).not.toBe("anonymous");
  }
  await days.calm();
  const story = days.story.join(" ");
  for (const { manager } of days.tabs) {
    expect((await manager.apiRequest(PATH)).status, story).toBe(200);
    expect(manager.getSnapshot(), story).toMatchObject({
      status: "authenticated",
      user: { username: "ada" },
      error: null,
    });
  }
  // And when it ends, all are told why.
  if (seed % 2) server.end("admin");
  else await first.manager.logout().then(() => days.pick(days.tabs).manager.logout());
  for (const { manager } of days.tabs) await manager.apiRequest(PATH).catch(() => {});
  await days.world.clock.pass(MINUTE);
  for (const { manager } of days.tabs)
    expect(manager.getSnapshot(), story).toMatchObject({
      status: "anonymous",
      reason: seed % 2 ? "admin" : "logout",
      user: null,
    });
  for (const { manager } of days.tabs) manager.stop();
});

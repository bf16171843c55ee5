// Sessions that are kept alive, and those that are not. Days of them are tested natively: crates/sim/tests/portal.
import { describe, expect, it } from "vitest";
import { api } from "../support/worker/api.ts";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  closeSession,
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  seen,
  sessionOf,
  someone,
  stored,
  upstreams,
  type User,
} from "../support/worker/portal.ts";

portal();

const HOUR = 60 * MINUTE;

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });

const loads = (user: User) =>
  upstreams.count({ upstream: "portal", operation: "containers", account: user.username });

const ended = (reason: string) => ({
  success: false,
  code: "portal_session_ended",
  reason,
  error: expect.any(String),
});

/** What a caller with the id of a session that is over is told. */
async function told(id: string, reason: string): Promise<void> {
  const answer = await containers(id);
  expect(answer.status, answer.text).toBe(404);
  expect(answer.json).toMatchObject(ended(reason));
}

const health = async () => {
  advance(SECOND);
  const { active_sessions, persistent_sessions } = (await api("GET", "/health")).json;
  return { active_sessions, persistent_sessions };
};

describe("kept alive", () => {
  it("it is one login and a page every five minutes, a tenth more or less", async () => {
    const user = someone();
    const id = await sessionOf(user);
    const name = await nameOf(id);
    await pass(name, HOUR);
    expect(seen(user)).toEqual(ONE_LOGIN);
    const its = upstreams.calls.filter((c) => c.operation === "containers" && c.account === user.username);
    const at = its.map((call) => Date.parse(call.at));
    const gaps = at.slice(1).map((moment, n) => (moment - (at[n] ?? 0)) / SECOND);
    console.info(
      `an hour of keep-alive: ${its.length} loads, gaps ${Math.min(...gaps)} to ${Math.max(...gaps)} s`,
    );
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(270);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(330);
    // They are spread over that, and do not all come at once.
    expect(new Set(gaps.map(Math.round)).size).toBeGreaterThan(3);
    expect(gaps.length).toBeGreaterThanOrEqual(10);
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 1 });
    // It was looked after, and not used.
    expect(await listed()).toMatchObject([{ session_id: id, last_used: "2030-01-01T06:00:00.000Z" }]);
    expect(await stored(name)).toMatchObject({
      session: { session_id: id, lost_since: null },
      trouble: null,
    });
    expect((await containers(id)).status).toBe(200);
    expect(await listed()).toMatchObject([{ session_id: id, last_used: new Date().toISOString() }]);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });
});

describe("not kept alive", () => {
  // The portal's own timeout is not what ends them here.
  const patient = () => upstreams.set({ portal: { idle_seconds: 86_400 } });

  it("it is good for 1,800 seconds after its last use, to the millisecond", async () => {
    patient();
    const user = someone();
    const id = await sessionOf(user, { keep_alive: false });
    const name = await nameOf(id);
    await pass(name, 1800 * SECOND);
    const again = await getSession(user, { keep_alive: false });
    expect(again.json).toMatchObject({
      session_id: id,
      is_new: false,
      expires_at: "2030-01-01T07:00:00.000Z",
    });
    await pass(name, 1800 * SECOND);
    expect((await containers(id)).status).toBe(200);
    await pass(name, 1800 * SECOND);
    expect(await listed()).toHaveLength(1);
    expect(upstreams.count({ upstream: "portal", operation: "logout" })).toBe(0);
    await pass(name, 1);
    expect(await listed()).toEqual([]);
    expect(await health()).toEqual({ active_sessions: 0, persistent_sessions: 0 });
    expect(upstreams.portal).toMatchObject({ logins: 1, live_sessions: 0 });
    await told(id, "idle");
    expect((await closeSession(id)).json).toMatchObject(ended("idle"));
    expect(loads(user)).toBe(2);
  });
});

describe.each(["text_200", "redirect"] as const)("ended by the portal (%s)", (logged_out) => {
  const setUp = async (more = {}) => {
    const user = someone();
    const id = await sessionOf(user, more);
    const name = await nameOf(id);
    upstreams.set({ portal: { logged_out } });
    expect(upstreams.revoke("portal", user.username)).toBe(1);
    return { user, id, name };
  };

  it("the keep-alive notices, and logs in once", async () => {
    const { user, id, name } = await setUp();
    await pass(name, 5 * MINUTE + 30 * SECOND);
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    await pass(name, HOUR / 2);
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    expect((await containers(id)).json).toMatchObject({ success: true, session_id: id });
    expect(await listed()).toMatchObject([{ session_id: id, created_at: "2030-01-01T06:00:00.000Z" }]);
  });

  it("an operation notices, logs in once, and answers", async () => {
    const { user, id } = await setUp();
    const answers = await Promise.all([containers(id), containers(id), containers(id)]);
    for (const answer of answers) {
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json).toMatchObject({ success: true, session_id: id, is_new_session: false });
      expect(answer.json.containers).toHaveLength(40);
    }
    expect(seen(user)).toEqual({ logins: 2, captchas: 2 });
    expect(upstreams.portal.live_sessions).toBe(1);
  });
});

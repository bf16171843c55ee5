// The object is gone in the middle of something: what it was about to do is on record, and nothing is done twice that may
// not be.
// Over 400 lines: each piece of work at a portal, killed at each of its steps, with the same helpers.
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { advance, MINUTE, SECOND } from "../support/worker/time.ts";
import {
  alarmAt,
  closeSession,
  evict,
  eventually,
  getSession,
  listed,
  nameOf,
  ONE_LOGIN,
  pass,
  portal,
  post,
  runDue,
  seen,
  sessionOf,
  someone,
  stored,
  stub,
  upstreams,
  type User,
} from "../support/worker/portal.ts";
import type { Operation, Upstream } from "../upstreams/index.ts";
import type { Answer } from "../support/worker/api.ts";

portal();

let log: MockInstance;
beforeEach(() => {
  log = vi.spyOn(console, "log");
});

/** The audit lines of work at the portal. */
const audit = (): any[] =>
  log.mock.calls
    .map(([line]) => JSON.parse(String(line)))
    .filter((line) => line.event === "audit" && String(line.action).startsWith("portal_"));

const containers = (session_id: string) => post("/get_containers", { session_id, infinite_scrolling: false });
const count = (operation: Operation, user?: User) =>
  upstreams.count({ upstream: "portal", operation, ...(user ? { account: user.username } : {}) });

/** The names of what the object stores. */
const rows = (name: string): Promise<string[]> =>
  runInDurableObject(stub(name), (_instance, { storage }) =>
    [...storage.kv.list()].map(([key]) => key).sort(),
  );

/** The object of these credentials: a session is made and closed. */
async function named(user: User): Promise<string> {
  const id = await sessionOf(user);
  const name = await nameOf(id);
  await closeSession(id);
  return name;
}

const unavailable = (answer: Answer) =>
  expect([answer.status, answer.json.code]).toEqual([503, "service_unavailable"]);

/** Somebody wants a session, and the object is gone at this call of the login. */
async function cutOff(user: User, upstream: Upstream, operation: Operation): Promise<void> {
  const hold = upstreams.hold(upstream, operation);
  const caller = getSession(user);
  await hold.arrived;
  await abortAllDurableObjects();
  unavailable(await caller);
  hold.release();
}

/** The same, after the call was carried out and before its answer came. */
async function cutOffAfter(user: User, operation: "credentials" | "signin"): Promise<void> {
  upstreams.fail("portal", { fault: "fail_after", how: "hang" }, { operation });
  const caller = getSession(user);
  await eventually(
    () => (operation === "signin" ? upstreams.portal.logins : upstreams.captcha.used),
    (n) => n === 1,
  );
  await abortAllDurableObjects();
  unavailable(await caller);
}

const BEFORE: [Upstream, Operation][] = [
  ["portal", "login_page"],
  ["captcha", "captcha_in"],
  ["captcha", "captcha_res"],
  ["portal", "credentials"],
];

describe.each(BEFORE)("a login that ends at %s %s", (upstream, operation) => {
  it("is made anew for the next who asks", async () => {
    const user = someone();
    await cutOff(user, upstream, operation);
    const next = await getSession(user);
    expect(next.json).toMatchObject({ success: true, is_new: true, previous_ended: null });
    expect(seen(user).logins).toBe(1);
    expect(count("credentials", user)).toBe(1);
    expect((await containers(next.json.session_id)).status).toBe(200);
    expect(await listed()).toHaveLength(1);
  });

  it("if nobody asks, nothing is done, and the credentials are not kept", async () => {
    const user = someone();
    const name = await named(user);
    upstreams.clearCalls();
    await cutOff(user, upstream, operation);
    expect(await stored(name)).toMatchObject({ flight: { work: "log_in" }, session: null });
    expect(await rows(name)).toContain("credentials");
    await pass(name, 2 * MINUTE);
    expect(await stored(name)).toMatchObject({ flight: null, session: null });
    expect(await rows(name)).toEqual(["login", "name"]);
    await pass(name, 60 * MINUTE);
    expect(count("credentials", user)).toBe(0);
    expect(count("logout")).toBe(0);
  });
});

describe("the portal has taken the credentials", () => {
  /** A portal that signs on whoever its identity service knows, as many do. */
  const signsOn = () => {
    const handle = vi.mocked(fetch).getMockImplementation();
    vi.mocked(fetch).mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      const url = new URL(request.url);
      const known = (request.headers.get("cookie") ?? "").includes("idsrv=");
      const back = url.searchParams.get("ReturnUrl");
      if (request.method !== "GET" || url.pathname !== "/identity/account/login" || !known || !back)
        return handle?.(request) ?? Response.error();
      return new Response(null, { status: 302, headers: { location: back } });
    });
    upstreams.set({ portal: { logged_out: "redirect" } });
  };

  it.each(["authorize", "signin", "containers"] as const)(
    "ended at %s, where it signs on who is known: taken over, without a captcha",
    async (operation) => {
      signsOn();
      const user = someone();
      await cutOff(user, "portal", operation);
      const next = await getSession(user);
      expect(next.json).toMatchObject({ success: true, is_new: true });
      expect(seen(user).captchas).toBe(1);
      expect(count("credentials", user)).toBe(1);
      expect((await containers(next.json.session_id)).status).toBe(200);
      expect((await stored(await nameOf(next.json.session_id))).signed_in).toBe(false);
    },
  );

  it("ended when the portal had given its session: that is the session, and there is no second login", async () => {
    const user = someone();
    await cutOff(user, "portal", "containers");
    const next = await getSession(user);
    expect(next.json).toMatchObject({ success: true, is_new: true });
    expect(seen(user)).toEqual({ logins: 1, captchas: 1 });
    expect(count("credentials", user)).toBe(1);
    expect((await containers(next.json.session_id)).status).toBe(200);
  });

  it.each(["authorize", "signin"] as const)(
    "ended at %s, and the cookies are of no use: a clean new login",
    async (operation) => {
      const user = someone();
      await cutOff(user, "portal", operation);
      const next = await getSession(user);
      expect(next.json).toMatchObject({ success: true, is_new: true });
      expect(count("credentials", user)).toBe(2);
      expect((await containers(next.json.session_id)).status).toBe(200);
      expect(await listed()).toHaveLength(1);
    },
  );

  it.each(["credentials", "signin"] as const)(
    "the answer of %s was lost: one session comes of it",
    async (operation) => {
      const user = someone();
      await cutOffAfter(user, operation);
      const answers = await Promise.all([getSession(user), getSession(user), getSession(user)]);
      expect(new Set(answers.map(({ json }) => json.session_id)).size).toBe(1);
      expect(answers.filter(({ json }) => json.is_new)).toHaveLength(1);
      // One captcha for the login that was lost, one for that which replaces it.
      expect(seen(user).captchas).toBe(2);
      expect((await containers(answers[0]?.json.session_id)).status).toBe(200);
    },
  );

  it("nobody comes back: after two minutes it is logged out, and nothing of it is kept", async () => {
    const user = someone();
    const name = await named(user);
    upstreams.clearCalls();
    await cutOff(user, "portal", "authorize");
    expect(await stored(name)).toMatchObject({ flight: { work: "log_in" }, signed_in: true });
    expect(await rows(name)).toEqual(["credentials", "jar", "login", "name"]);
    await pass(name, MINUTE);
    expect(await stored(name)).toMatchObject({ flight: null, farewell: { broken_off: true } });
    await pass(name, 2 * MINUTE - 1);
    expect(count("logout")).toBe(0);
    await pass(name, SECOND);
    // At the portal, and from there at its identity service.
    expect(count("logout")).toBe(2);
    expect(await stored(name)).toMatchObject({ farewell: null, signed_in: false, session: null });
    expect(await rows(name)).toEqual(["login", "name"]);
    await pass(name, 30 * MINUTE);
    expect(count("logout")).toBe(2);
    expect(count("credentials", user)).toBe(1);
  });

  it("somebody comes back in time: nothing is logged out", async () => {
    const user = someone();
    await cutOff(user, "portal", "authorize");
    advance(90 * SECOND);
    const id = await sessionOf(user);
    const name = await nameOf(id);
    await pass(name, 10 * MINUTE);
    expect(count("logout")).toBe(0);
    expect((await containers(id)).status).toBe(200);
    expect(await rows(name)).toEqual(["credentials", "jar", "login", "name"]);
  });
});

it("a login that has ended is known: nobody logs in again", async () => {
  const user = someone();
  const id = await sessionOf(user);
  for (let n = 0; n < 3; n++) {
    await abortAllDurableObjects();
    expect((await getSession(user)).json).toMatchObject({ session_id: id, is_new: false });
    expect((await containers(id)).status).toBe(200);
  }
  await evict(await nameOf(id));
  expect((await containers(id)).status).toBe(200);
  expect(seen(user)).toEqual(ONE_LOGIN);
});

it("a refusal is known as well", async () => {
  const user = someone({ password: "wrong" });
  for (let n = 0; n < 5; n++) {
    expect((await getSession(user)).json.code).toBe("portal_credentials_refused");
    await abortAllDurableObjects();
  }
  expect(count("credentials", user)).toBe(1);
});

it("interrupted again and again, it stays within the hour's logins", async () => {
  const user = someone();
  let tries = 0;
  for (let n = 0; n < 12; n++) {
    const hold = upstreams.hold("portal", "login_page");
    const caller = getSession(user);
    const came = await Promise.race([hold.arrived.then(() => true), caller.then(() => false)]);
    if (came) {
      tries += 1;
      await abortAllDurableObjects();
    }
    hold.release();
    await caller;
    advance(MINUTE);
  }
  expect(tries).toBe(6);
});

describe("in the middle of other work", () => {
  const begin = async () => {
    const user = someone();
    const id = await sessionOf(user);
    return { user, id, name: await nameOf(id) };
  };

  it("an operation: its caller is told, the session works, and nobody logs in", async () => {
    const { user, id, name } = await begin();
    const hold = upstreams.hold("portal", "containers", user.username);
    const [caller, waiting] = [containers(id), containers(id)];
    await hold.arrived;
    expect(await stored(name)).toMatchObject({ flight: { work: { run: "get_containers" } } });
    await abortAllDurableObjects();
    unavailable(await caller);
    unavailable(await waiting);
    hold.release();
    expect((await containers(id)).status).toBe(200);
    expect((await getSession(user)).json).toMatchObject({ session_id: id, is_new: false });
    expect(await stored(name)).toMatchObject({ flight: null });
    await pass(name, 30 * MINUTE);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(upstreams.portal.live_sessions).toBe(1);
  });

  it("the keep-alive: it is done again, and nobody logs in", async () => {
    const { user, id, name } = await begin();
    advance(((await alarmAt(name)) ?? 0) - Date.now());
    const hold = upstreams.hold("portal", "containers", user.username);
    const running = runDurableObjectAlarm(stub(name)).catch(() => "cut off");
    await hold.arrived;
    await abortAllDurableObjects();
    expect(await running).toBe("cut off");
    hold.release();
    const before = count("containers", user);
    await pass(name, 2 * MINUTE);
    expect(count("containers", user)).toBe(before + 1);
    await pass(name, 30 * MINUTE);
    expect((await containers(id)).status).toBe(200);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("a logout: the session is closed, and the portal is told again", async () => {
    const { user, id, name } = await begin();
    const hold = upstreams.hold("portal", "logout", user.username);
    const caller = closeSession(id);
    await hold.arrived;
    await abortAllDurableObjects();
    unavailable(await caller);
    hold.release();
    expect(await listed()).toEqual([]);
    expect((await containers(id)).json).toMatchObject({ code: "portal_session_ended", reason: "closed" });
    expect(upstreams.portal.live_sessions).toBe(1);
    await pass(name, 3 * MINUTE);
    expect(upstreams.portal.live_sessions).toBe(0);
    expect(await rows(name)).toEqual(["login", "name"]);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("a logout that never works is given up after three tries", async () => {
    const { id, name } = await begin();
    upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "logout", times: "forever" });
    await closeSession(id);
    await pass(name, 30 * MINUTE);
    expect(count("logout")).toBe(3);
    expect(await rows(name)).toEqual(["login", "name"]);
  });

  const BOOKING = {
    trucking_company: "Harbor Freight Lines & Sons",
    terminal: "ITS Long Beach",
    move_type: "PICK FULL",
    container_id: "MSCU1000000",
    truck_plate: "ABC123",
    own_chassis: false,
  };
  const book = async (session_id: string) => {
    const times = await post("/check_appointments", { session_id, ...BOOKING });
    expect(times.status, times.text).toBe(200);
    const appointment_time = times.json.available_times[0];
    return { session_id, ...BOOKING, appointment_time };
  };

  it.each(["before it was booked", "after it was booked"])(
    "a booking (%s): nobody says that it was made or not, and nobody books again",
    async (when) => {
      const { user, id, name } = await begin();
      const order = await book(id);
      const after = when.startsWith("after");
      const hold = after ? undefined : upstreams.hold("portal", "appointment_book");
      if (after)
        upstreams.fail("portal", { fault: "fail_after", how: "hang" }, { operation: "appointment_book" });
      const caller = post("/make_appointment", order);
      await (hold
        ? hold.arrived
        : eventually(
            () => upstreams.bookings.length,
            (n) => n === 1,
          ));
      expect(await stored(name)).toMatchObject({
        flight: { work: { run: "make_appointment" }, committing: true },
      });
      await abortAllDurableObjects();
      const answer = await caller;
      expect([answer.status, answer.json.code]).toEqual([502, "portal_outcome_unknown"]);
      hold?.release();
      await pass(name, 2 * MINUTE);
      expect(audit()).toContainEqual(
        expect.objectContaining({
          action: "portal_operation",
          operation: "make_appointment",
          outcome: "portal_outcome_unknown",
          service: "recovery",
          portal_login: name,
        }),
      );
      expect((await containers(id)).status).toBe(200);
      await pass(name, 30 * MINUTE);
      expect(upstreams.bookings).toHaveLength(after ? 1 : 0);
      expect(audit().filter(({ outcome }) => outcome === "portal_outcome_unknown")).toHaveLength(1);
      expect(seen(user)).toEqual(ONE_LOGIN);
    },
  );

  it.each(["before it was booked", "after it was booked"])(
    "a booking by its appointment session (%s): nobody goes on with that, so it is not made twice",
    async (when) => {
      const { id, name } = await begin();
      const { appointment_time } = await book(id);
      const checked = await post("/check_appointments", { session_id: id, ...BOOKING });
      const { appointment_session_id } = checked.json;
      const order = { session_id: id, appointment_session_id, appointment_time };
      const after = when.startsWith("after");
      const hold = after ? undefined : upstreams.hold("portal", "appointment_book");
      if (after)
        upstreams.fail("portal", { fault: "fail_after", how: "hang" }, { operation: "appointment_book" });
      const caller = post("/make_appointment", order);
      await eventually(
        () => (after ? upstreams.bookings.length : hold?.waiting),
        (n) => n === 1,
      );
      await abortAllDurableObjects();
      const answer = await caller;
      expect([answer.status, answer.json.code]).toEqual([502, "portal_outcome_unknown"]);
      hold?.release();
      for (const path of ["/make_appointment", "/make_appointment", "/check_appointments"]) {
        const again = await post(path, order);
        expect([again.status, again.json.code]).toEqual([404, "appointment_session_not_found"]);
      }
      await pass(name, 2 * MINUTE);
      expect(upstreams.bookings).toHaveLength(after ? 1 : 0);
      expect(count("appointment_book")).toBeLessThanOrEqual(1);
      // A new one is another order, and works.
      const anew = await post("/make_appointment", { ...BOOKING, session_id: id, appointment_time });
      expect(anew.status, anew.text).toBe(200);
    },
  );

  it("the same where the next caller finds it first", async () => {
    const { id } = await begin();
    const order = await book(id);
    const hold = upstreams.hold("portal", "appointment_book");
    const caller = post("/make_appointment", order);
    await hold.arrived;
    await abortAllDurableObjects();
    await caller;
    hold.release();
    expect((await containers(id)).status).toBe(200);
    expect(audit().filter(({ outcome }) => outcome === "portal_outcome_unknown")).toHaveLength(1);
    expect(upstreams.bookings).toEqual([]);
  });

  it("a graceful eviction waits for the work", async () => {
    const { user, id, name } = await begin();
    const hold = upstreams.hold("portal", "containers", user.username);
    const caller = containers(id);
    await hold.arrived;
    const evicted = evict(name);
    hold.release();
    await evicted;
    expect((await caller).status).toBe(200);
    expect(await runDue(name)).toBe(0);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });
});

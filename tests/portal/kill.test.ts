// The object is gone in the middle of something: what it was about to do is on record, and nothing is done twice that may
// not be.
// Each piece of work at each of its steps is tested natively: crates/sim/tests/portal/kills.rs.
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { MINUTE } from "../support/worker/time.ts";
import {
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

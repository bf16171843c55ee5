// Appointments: three forms one after the other, gone on with later, and a booking that is made once or not at all.
// What a form can lack or refuse, wizards that are gone on with, and each way in which an order can fail are tested natively:
// crates/portal/src/emodal/appointment_tests.rs, crates/sim/tests/portal/wizards.rs.
import { abortAllDurableObjects } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { Fault } from "../upstreams/index.ts";
import type { Answer } from "../support/worker/api.ts";
import { advance, SECOND } from "../support/worker/time.ts";
import {
  closeSession,
  ONE_LOGIN,
  portal,
  post,
  seen,
  sessionOf,
  someone,
  upstreams,
} from "../support/worker/portal.ts";

portal();

const COMPANY = "Harbor Freight Lines & Sons";
const FIRST = {
  trucking_company: COMPANY,
  terminal: "TraPac",
  move_type: "PICK FULL",
  container_id: "MSCU1000001",
};
const SECOND_FORM = { truck_plate: "TX1234" };
const ALL = { ...FIRST, ...SECOND_FORM };

const TIMES = [
  "Thu 10/29/2026 08:00 - 09:00 (12 left)",
  "Thu 10/29/2026 11:00 - 12:00 (7 left)",
  "Thu 10/29/2026 14:00 - 15:00 (1 left)",
  "Fri 10/30/2026 08:00 - 09:00 (12 left)",
  "Fri 10/30/2026 11:00 - 12:00 (7 left)",
  "Fri 10/30/2026 14:00 - 15:00 (1 left)",
];
const TIME = TIMES[1] ?? "";

type Fields = Record<string, unknown>;

const check = (session_id: string, fields: Fields = {}) =>
  post("/check_appointments", { session_id, ...fields });
const make = (session_id: string, fields: Fields = {}) =>
  post("/make_appointment", { session_id, ...fields });

const made = (operation: "appointment_form" | "appointment_phase" | "appointment_book") =>
  upstreams.count({ upstream: "portal", operation });

/** Expects it to wait for something more. Says under which id. */
function waits(answer: Answer, phase: number, missing: string[], message?: string): string {
  expect(answer.status, answer.text).toBe(400);
  expect(answer.json).toMatchObject({
    success: false,
    code: "appointment_incomplete",
    error: expect.any(String),
    session_id: expect.stringMatching(/^session_/),
    is_new_session: expect.any(Boolean),
    appointment_session_id: expect.stringMatching(/^appointment_/),
    current_phase: phase,
    message: message ?? `Missing: ${missing.join(", ")}`,
    missing_fields: missing,
  });
  return answer.json.appointment_session_id;
}

/** Expects times. Says under which id it can be gone on. */
function offers(answer: Answer, times = TIMES): string {
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json).toMatchObject({ success: true, available_times: times, count: times.length });
  return answer.json.appointment_session_id;
}

function confirmed(answer: Answer): void {
  expect(answer.status, answer.text).toBe(200);
  expect(answer.json).toMatchObject({ success: true, appointment_confirmed: true });
  expect(upstreams.bookings).toHaveLength(1);
}

function unknown(answer: Answer, session_id?: string): void {
  expect([answer.status, answer.json.code], answer.text).toEqual([502, "portal_outcome_unknown"]);
  expect(answer.json).toMatchObject({ success: false, error: expect.any(String) });
  if (session_id !== undefined) expect(answer.json.session_id).toBe(session_id);
  expect(answer.json).not.toHaveProperty("appointment_confirmed");
}

describe("check_appointments", () => {
  it("has the times of the last form", async () => {
    const user = someone();
    const session_id = await sessionOf(user);
    const answer = await check(session_id, ALL);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toEqual({
      success: true,
      session_id,
      is_new_session: false,
      appointment_session_id: expect.stringMatching(/^appointment_\d+_[0-9a-f]{32}$/),
      available_times: TIMES,
      count: 6,
    });
    expect([made("appointment_form"), made("appointment_phase"), made("appointment_book")]).toEqual([
      1, 2, 0,
    ]);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("with credentials it begins a session", async () => {
    const user = someone();
    const answer = await post("/check_appointments", { ...user, ...FIRST });
    waits(answer, 2, ["truck_plate"]);
    expect(answer.json.is_new_session).toBe(true);
    const { appointment_session_id } = answer.json;
    const end = await post("/check_appointments", { ...user, ...SECOND_FORM, appointment_session_id });
    expect(offers(end)).toBe(appointment_session_id);
    expect(end.json.is_new_session).toBe(false);
  });

  it("field by field: each form says what it misses, and what was given is given", async () => {
    const session_id = await sessionOf(someone());
    upstreams.clearCalls();
    const nothing = await check(session_id);
    const appointment_session_id = waits(nothing, 1, ["trucking_company", "terminal", "move_type"]);
    expect(nothing.json).toMatchObject({ session_id, is_new_session: false });
    const go = (fields: Fields) => check(session_id, { appointment_session_id, ...fields });
    waits(await go({ trucking_company: COMPANY }), 1, ["terminal", "move_type"]);
    waits(await go({ terminal: "TraPac" }), 1, ["move_type"]);
    waits(await go({ move_type: "PICK FULL" }), 1, ["container_id"]);
    // All that could be said without the portal.
    expect(upstreams.count({ upstream: "portal" })).toBe(0);
    waits(await go({ container_id: "MSCU1000001" }), 2, ["truck_plate"]);
    expect(offers(await go({ truck_plate: "TX1234" }))).toBe(appointment_session_id);
    expect([made("appointment_form"), made("appointment_phase")]).toEqual([1, 2]);
  });

  it.each([
    ["trucking_company", "harbor freight lines & sons"],
    ["terminal", "trapac"],
  ])("%s is not %j", async (field, value) => {
    const session_id = await sessionOf(someone());
    const answer = await check(session_id, { ...ALL, [field]: value });
    const appointment_session_id = waits(answer, 1, [], `${field} is none of what the portal offers`);
    const right = ALL[field as keyof typeof ALL];
    expect(answer.json.choices).toEqual({ [field]: expect.arrayContaining([right]) });
    expect(answer.json.choices[field]).not.toContain("-- select --");
    expect(made("appointment_phase")).toBe(0);
    offers(await check(session_id, { appointment_session_id, [field]: right }));
  });

  it.each([
    [{ container_id: "MSCU9999999" }, 1, "Container not found"],
    [{ truck_plate: "?", pin_code: "x" }, 2, "Truck plate is not registered; PIN code is invalid"],
  ])("%j is refused in the portal's own words", async (wrong, phase, message) => {
    const session_id = await sessionOf(someone());
    const appointment_session_id = waits(await check(session_id, { ...ALL, ...wrong }), phase, [], message);
    const right = { ...ALL, pin_code: "1234" };
    const fields = Object.fromEntries(
      Object.keys(wrong).map((name) => [name, right[name as keyof typeof right]]),
    );
    offers(await check(session_id, { appointment_session_id, ...fields }));
    expect(made("appointment_form")).toBe(1);
  });
});

describe("gone on with", () => {
  const left = async () => {
    const user = someone();
    const session_id = await sessionOf(user);
    const appointment_session_id = waits(await check(session_id, FIRST), 2, ["truck_plate"]);
    return { user, session_id, appointment_session_id };
  };

  it("not after that", async () => {
    const { session_id, appointment_session_id } = await left();
    advance(600 * SECOND + 1);
    const answer = await check(session_id, { appointment_session_id, ...SECOND_FORM });
    expect([answer.status, answer.json.code]).toEqual([404, "appointment_session_not_found"]);
    expect(answer.json).toMatchObject({ success: false, session_id, error: expect.any(String) });
    expect(upstreams.bookings).toEqual([]);
  });

  it("by nobody else", async () => {
    const { session_id, appointment_session_id } = await left();
    const other = await sessionOf(someone());
    const answer = await check(other, { appointment_session_id, ...SECOND_FORM });
    expect([answer.status, answer.json.code]).toEqual([404, "appointment_session_not_found"]);
    offers(await check(session_id, { appointment_session_id, ...SECOND_FORM }));
  });
});

describe("make_appointment", () => {
  it("from scratch", async () => {
    const user = someone();
    const session_id = await sessionOf(user);
    const fields = {
      ...ALL,
      trucking_company: "O'Neil <Pacific> Drayage",
      own_chassis: true,
      pin_code: "1234",
    };
    const answer = await make(session_id, { ...fields, appointment_time: TIME });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json).toEqual({
      success: true,
      session_id,
      is_new_session: false,
      appointment_confirmed: true,
      appointment_details: {
        "Confirmation Number": "APT-100001",
        Terminal: "TraPac",
        Container: "MSCU1000001",
        Time: TIME,
      },
    });
    expect(upstreams.bookings).toEqual([
      {
        confirmation: "APT-100001",
        account: user.username,
        trucking_company: "O'Neil <Pacific> Drayage",
        terminal: "TraPac",
        move_type: "PICK FULL",
        container: "MSCU1000001",
        booking_number: "",
        truck_plate: "TX1234",
        own_chassis: true,
        time: TIME,
      },
    ]);
  });

  it("many at once from the same check: one", async () => {
    const session_id = await sessionOf(someone());
    const appointment_session_id = offers(await check(session_id, ALL));
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => make(session_id, { appointment_session_id, appointment_time: TIME })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404, 404, 404, 404]);
    expect(upstreams.bookings).toHaveLength(1);
    expect(made("appointment_book")).toBe(1);
  });

  it("an empty field is one that was not given", async () => {
    const answer = await make(await sessionOf(someone()), { ...ALL, pin_code: "", appointment_time: "" });
    waits(answer, 3, ["appointment_time"]);
  });
});

it("a session that is closed while something is ordered: what became of it is told", async () => {
  const user = someone();
  const session_id = await sessionOf(user);
  const hold = upstreams.hold("portal", "appointment_book", user.username);
  const running = make(session_id, { ...ALL, appointment_time: TIME });
  await hold.arrived;
  const closing = closeSession(session_id);
  expect((await closing).status).toBe(200);
  hold.release();
  confirmed(await running);
  // Its wizards are gone with it.
  const other = await sessionOf(user);
  expect(other).not.toBe(session_id);
});

it("wizards of one session do not mix", async () => {
  const session_id = await sessionOf(someone());
  const others = { ...ALL, terminal: "ITS Long Beach", container_id: "MSCU1000002", truck_plate: "AB2" };
  const [one, two] = (await Promise.all([check(session_id, ALL), check(session_id, others)])).map((a) =>
    offers(a),
  );
  expect(one).not.toBe(two);
  const answers = await Promise.all([
    make(session_id, { appointment_session_id: two, appointment_time: TIMES[2] }),
    make(session_id, { appointment_session_id: one, appointment_time: TIMES[3] }),
  ]);
  for (const answer of answers) expect(answer.status, answer.text).toBe(200);
  const booked = upstreams.bookings.map(({ container, terminal, time }) => [container, terminal, time]);
  expect(booked.toSorted()).toEqual([
    ["MSCU1000001", "TraPac", TIMES[3]],
    ["MSCU1000002", "ITS Long Beach", TIMES[2]],
  ]);
});

describe("nobody knows what became of it", () => {
  const HOWS: [how: string, fault: Fault, booked: number][] = [
    ["500", { fault: "status", status: 500 }, 0],
    ["booked, and 502", { fault: "fail_after", how: "status" }, 1],
    ["booked, and no answer", { fault: "fail_after", how: "hang" }, 1],
    ["half a confirmation", { fault: "half_json" }, 1],
  ];

  it.each(HOWS)("%s", async (_how, fault, booked) => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = someone();
    const session_id = await sessionOf(user);
    upstreams.fail("portal", fault, { operation: "appointment_book" });
    const answer = await make(session_id, { ...ALL, appointment_time: TIME });
    unknown(answer, session_id);
    expect(made("appointment_book")).toBe(1);
    expect(upstreams.bookings).toHaveLength(booked);
    expect(audited(log.mock.calls)).toEqual(["portal_outcome_unknown"]);
    // The session is as good as before.
    upstreams.release();
    const next = await post("/get_containers", { session_id, infinite_scrolling: false });
    expect(next.status, next.text).toBe(200);
    expect(seen(user)).toEqual(ONE_LOGIN);
    expect(made("appointment_book")).toBe(1);
    expect(upstreams.bookings).toHaveLength(booked);
  });

  /** What the audit records say of orders. */
  const audited = (calls: unknown[][]): string[] =>
    calls
      .map(([line]) => String(line))
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter(({ action, operation }) => action === "portal_operation" && operation === "make_appointment")
      .map(({ outcome }) => outcome);

  it("our own object is gone just then: that is told, recorded, and not done again", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const user = someone();
    const session_id = await sessionOf(user);
    const hold = upstreams.hold("portal", "appointment_book", user.username);
    const running = make(session_id, { ...ALL, appointment_time: TIME });
    await hold.arrived;
    await abortAllDurableObjects();
    unknown(await running);
    hold.release();
    const next = await post("/get_containers", { session_id, infinite_scrolling: false });
    expect(next.status, next.text).toBe(200);
    expect(audited(log.mock.calls)).toEqual(["portal_outcome_unknown"]);
    expect(made("appointment_book")).toBeLessThanOrEqual(1);
    expect(seen(user)).toEqual(ONE_LOGIN);
  });

  it("what fails before the order is no unknown outcome", async () => {
    const session_id = await sessionOf(someone());
    upstreams.fail("portal", { fault: "status", status: 503 }, { operation: "appointment_phase" });
    const answer = await make(session_id, { ...ALL, appointment_time: TIME });
    expect([answer.status, answer.json.code]).toEqual([502, "portal_error"]);
    expect(made("appointment_book")).toBe(0);
  });
});

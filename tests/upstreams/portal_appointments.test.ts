// The fake portal's wizard for appointments.
import { beforeEach, describe, expect, test } from "vitest";
import {
  Browser,
  errorsOf,
  formOf,
  isLoggedIn,
  optionsOf,
  textsOf,
  type Page,
} from "../support/process/browser.ts";
import { fresh, upstreams } from "../support/process/fake_calls.ts";

let browser: Browser;

beforeEach(async () => {
  fresh();
  browser = new Browser();
  await browser.login("ann");
});

const PICK_FULL = {
  ...{ TruckingCompanyId: "17", TerminalId: "401", MoveType: "PF" },
  ContainerNumber: "MSCU1000007",
};
const PICK_EMPTY = { TruckingCompanyId: "23", TerminalId: "403", MoveType: "PE", BookingNumber: "BK & 1" };
const TRUCK = { TruckPlate: "8ABC123" };
const FIRST_TIME = "Thu 10/29/2026 08:00 - 09:00 (12 left)";

const begin = () => browser.get("/portal/appointments/new");
const phaseTwo = async (fields: Record<string, string> = PICK_FULL) => browser.submit(await begin(), fields);
const phaseThree = async (fields = PICK_FULL, truck: Record<string, string> = TRUCK) =>
  browser.submit(await phaseTwo(fields), truck);
const book = (page: Page, time: string) =>
  browser.submit(page, { TimeSlot: optionsOf(page, "TimeSlot")[time] ?? time });

const phaseOf = ({ text }: Page) => / data-phase="(.)"/.exec(text)?.[1];
const details = (page: Page) => {
  const [names, values] = [textsOf(page, "dt"), textsOf(page, "dd")];
  return Object.fromEntries(names.map((name, n) => [name, values[n]]));
};

const expired = (page: Page) => {
  expect([page.status, isLoggedIn(page), page.text.includes('<form id="')]).toEqual([200, true, false]);
  expect(textsOf(page, "h1")).toEqual(["Your appointment session has expired"]);
};

describe("the wizard", () => {
  test("has three forms, then a booking", async () => {
    const one = await begin();
    expect(one.text).toContain(
      '<form id="appointment" data-phase="1" method="post" action="/portal/appointments/1">',
    );
    expect(formOf(one).fields).toEqual({
      ...{ __RequestVerificationToken: expect.any(String), WizardId: expect.any(String) },
      ...{ TruckingCompanyId: "", TerminalId: "", MoveType: "", ContainerNumber: "", BookingNumber: "" },
    });
    expect(one.text).toContain(' value="17">Harbor Freight Lines &amp; Sons</option>');
    expect(Object.entries(optionsOf(one, "TruckingCompanyId"))[0]).toEqual(["-- select --", ""]);
    expect(Object.keys(optionsOf(one, "TerminalId")).slice(1)).toEqual([
      "ITS Long Beach",
      "APM Pier 400",
      "TraPac",
    ]);
    expect(Object.keys(optionsOf(one, "MoveType")).slice(1)).toEqual([
      ...["DROP EMPTY", "PICK FULL", "PICK EMPTY", "DROP FULL"],
    ]);

    const two = await browser.submit(one, PICK_FULL);
    expect([phaseOf(two), formOf(two).action]).toEqual(["2", "/portal/appointments/2"]);
    expect(formOf(two).fields).toMatchObject({ TruckPlate: "", PinCode: "", OwnChassis: "false" });
    const three = await browser.submit(two, { ...TRUCK, PinCode: "0420", OwnChassis: "true" });
    expect([phaseOf(three), formOf(three).action]).toEqual(["3", "/portal/appointments/book"]);
    const times = optionsOf(three, "TimeSlot");
    expect(Object.keys(times)).toEqual([
      ...[FIRST_TIME, "Thu 10/29/2026 11:00 - 12:00 (7 left)", "Thu 10/29/2026 14:00 - 15:00 (1 left)"],
      ...["Fri 10/30/2026 08:00 - 09:00 (12 left)", "Fri 10/30/2026 11:00 - 12:00 (7 left)"],
      "Fri 10/30/2026 14:00 - 15:00 (1 left)",
    ]);
    const booked = await book(three, FIRST_TIME);
    expect(booked.text).toContain(
      '<div id="confirmation"><h2>Appointment confirmed</h2><dl><dt>Confirmation Number</dt>',
    );
    expect(details(booked)).toEqual({
      ...{ "Confirmation Number": "APT-100001", Terminal: "ITS Long Beach" },
      ...{ Container: "MSCU1000007", Time: FIRST_TIME },
    });
    expect(upstreams.bookings).toEqual([
      {
        ...{ confirmation: "APT-100001", account: "ann", trucking_company: "Harbor Freight Lines & Sons" },
        ...{
          terminal: "ITS Long Beach",
          move_type: "PICK FULL",
          container: "MSCU1000007",
          booking_number: "",
        },
        ...{ truck_plate: "8ABC123", own_chassis: true, time: FIRST_TIME },
      },
    ]);
    expect(upstreams.portal.bookings).toBe(1);
    const counted = ["appointment_form", "appointment_phase", "appointment_book"] as const;
    expect(counted.map((operation) => upstreams.count({ operation, account: "ann" }))).toEqual([1, 2, 1]);
    expect(upstreams.calls.at(-1)?.gave).toBe("APT-100001");
  });

  test("of a container that is not in the list, where all numbers are known; the choices stay what they are", async () => {
    upstreams.set({ portal: { known_containers: "any" } });
    const own = { ...PICK_FULL, ContainerNumber: "TCLU1234567" };
    expect(details(await book(await phaseThree(own), FIRST_TIME))).toMatchObject({
      Container: "TCLU1234567",
    });
    expect(errorsOf(await phaseTwo({ ...own, ContainerNumber: "XXXX1234567" }))).toEqual([
      "Container not found",
    ]);
    expect(errorsOf(await phaseTwo({ ...own, TruckingCompanyId: "TEST TRUCKING" }))).toEqual([
      "Trucking company is required",
    ]);
  });

  test("of a booking number", async () => {
    const booked = await book(await phaseThree(PICK_EMPTY as never), FIRST_TIME);
    expect(details(booked)).toMatchObject({ Container: "", "Booking Number": "BK & 1", Terminal: "TraPac" });
    expect(upstreams.bookings[0]).toMatchObject({
      own_chassis: false,
      trucking_company: "O'Neil <Pacific> Drayage",
    });
  });

  test.each<[Record<string, string>, string[]]>([
    [{ TruckingCompanyId: "" }, ["Trucking company is required"]],
    [{ TerminalId: "9" }, ["Terminal is required"]],
    [{ MoveType: "" }, ["Move type is required"]],
    [{ ContainerNumber: "" }, ["Container not found"]],
    [{ ContainerNumber: "MSCU1000137" }, ["Container not found"]],
    [{ MoveType: "DE", ContainerNumber: "x" }, ["Container not found"]],
    [{ MoveType: "PE" }, ["Booking number is required"]],
    [{ MoveType: "DF" }, ["Booking number is required"]],
    [{ TerminalId: "", MoveType: "DF" }, ["Terminal is required", "Booking number is required"]],
  ])("the first form with %j: %j", async (changes, errors) => {
    const fields = { ...PICK_FULL, ...changes };
    const page = await phaseTwo(fields);
    expect([page.status, phaseOf(page), errorsOf(page)]).toEqual([200, "1", errors]);
    // What was typed is kept, but for what is no option.
    const kept = { ...fields, ...(changes.TerminalId === undefined ? {} : { TerminalId: "" }) };
    expect(formOf(page).fields).toMatchObject(kept);
    expect(phaseOf(await browser.submit(page, PICK_FULL))).toBe("2");
  });

  test.each<[Record<string, string>, boolean, string[]]>([
    [{ TruckPlate: "" }, false, ["Truck plate is not registered"]],
    [{ TruckPlate: "8abc123" }, false, ["Truck plate is not registered"]],
    [{ TruckPlate: "12345678901" }, false, ["Truck plate is not registered"]],
    [{ PinCode: "123" }, false, ["PIN code is invalid"]],
    [{ TruckPlate: "X", PinCode: "12a4" }, true, ["Truck plate is not registered", "PIN code is invalid"]],
    [{}, true, ["PIN code is required"]],
  ])("the second form with %j, a PIN needed: %j: %j", async (changes, pin_required, errors) => {
    upstreams.set({ portal: { pin_required } });
    const fields = { ...TRUCK, OwnChassis: "true", ...changes };
    const page = await phaseThree(PICK_FULL, fields);
    expect([page.status, phaseOf(page), errorsOf(page)]).toEqual([200, "2", errors]);
    expect(formOf(page).fields).toMatchObject(fields);
    expect(phaseOf(await browser.submit(page, { ...TRUCK, PinCode: "1234" }))).toBe("3");
  });

  test("a time may be gone, and there may be none", async () => {
    const offered = await phaseThree();
    upstreams.set({ portal: { slots: 2 } });
    const gone = await book(offered, "Thu 10/29/2026 14:00 - 15:00 (1 left)");
    expect([phaseOf(gone), errorsOf(gone)]).toEqual(["3", ["The selected time is no longer available"]]);
    expect(Object.keys(optionsOf(gone, "TimeSlot"))).toHaveLength(2);
    expect(upstreams.portal.bookings).toBe(0);
    expect(details(await book(gone, FIRST_TIME)).Time).toBe(FIRST_TIME);
    upstreams.set({ portal: { slots: 0 } });
    const none = await phaseThree();
    expect([phaseOf(none), optionsOf(none, "TimeSlot")]).toEqual(["3", {}]);
    expect(textsOf(none, "p")).toEqual(["No appointments available"]);
  });

  test("is good for 600 s after its last form, for its user, until it has booked", async () => {
    const one = await begin();
    upstreams.advance(599_000);
    const two = await browser.submit(one, PICK_FULL);
    upstreams.advance(599_000);
    const three = await browser.submit(two, TRUCK);
    expect(phaseOf(three)).toBe("3");
    upstreams.set({ portal: { idle_seconds: 3600 } });
    upstreams.advance(600_000);
    expired(await book(three, FIRST_TIME));
    expect(upstreams.calls.at(-1)).toMatchObject({ operation: "appointment_book", gave: "expired" });

    const next = await phaseThree();
    expect(
      phaseOf(
        await browser.submit(await begin(), { ...PICK_FULL, WizardId: formOf(next).fields.WizardId ?? "" }),
      ),
    ).toBe("2");
    // It stands at the second form again, so the third is not to be had.
    expired(await book(next, FIRST_TIME));
    const last = await phaseThree();
    await book(last, FIRST_TIME);
    expired(await book(last, FIRST_TIME));
    expired(await browser.submit(await begin(), { WizardId: "unknown" }));
    expect(upstreams.portal.bookings).toBe(1);
  });

  test("goes on in another session of its user, but is nobody else's", async () => {
    const three = await phaseThree();
    const bob = new Browser();
    await bob.login("bob");
    expect((await bob.submit(three, { TimeSlot: "20261029-8" })).status).toBe(400);
    const theirs = formOf(await bob.get("/portal/appointments/new")).fields.__RequestVerificationToken ?? "";
    expired(await bob.submit(three, { __RequestVerificationToken: theirs }));
    expect((await browser.submit(three, { __RequestVerificationToken: "" })).status).toBe(400);
    upstreams.revoke("portal", "ann");
    expect(isLoggedIn(await book(three, FIRST_TIME))).toBe(false);
    await browser.login("ann");
    expect(details(await book(three, FIRST_TIME))["Confirmation Number"]).toBe("APT-100001");
  });

  test("a booking whose answer is lost is made; one that fails before is not", async () => {
    const three = await phaseThree();
    upstreams.fail(
      "portal",
      [
        { fault: "status", status: 500 },
        { fault: "fail_after", how: "reset" },
      ],
      {
        operation: "appointment_book",
      },
    );
    expect([(await book(three, FIRST_TIME)).status, upstreams.portal.bookings]).toEqual([500, 0]);
    await expect(book(three, FIRST_TIME)).rejects.toThrow(TypeError);
    expect([upstreams.portal.bookings, upstreams.count({ operation: "appointment_book" })]).toEqual([1, 2]);
    expired(await book(three, FIRST_TIME));
    upstreams.reset();
    expect([upstreams.bookings, upstreams.portal.bookings]).toEqual([[], 0]);
  });

  test("wants to be sent, not fetched, and a session", async () => {
    expect((await browser.send("GET", "/portal/appointments/book")).status).toBe(405);
    expect((await browser.send("GET", "/portal/appointments/3")).status).toBe(404);
    const page = await new Browser().send("POST", "/portal/appointments/book", {});
    expect(page.text).toContain("You are either not logged in");
  });
});

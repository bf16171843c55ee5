// The portal's wizard for appointments: three forms one after another, then a booking.
import { random } from "./crypto.ts";
import { form, page } from "./http.ts";
import { appointmentPage, confirmationPage, type Choice } from "./portal_appointment_pages.ts";
import { indexOf } from "./portal_containers.ts";
import { problemPage } from "./portal_pages.ts";
import type { Switches } from "./switches.ts";
import type { Answer, Ask, Booking, World } from "./types.ts";

const COMPANIES: Choice[] = [
  ["17", "Harbor Freight Lines & Sons"],
  ["23", "O'Neil <Pacific> Drayage"],
  ["31", "Long Beach Haulage"],
];
const TERMINALS: Choice[] = [
  ["401", "ITS Long Beach"],
  ["402", "APM Pier 400"],
  ["403", "TraPac"],
];
const MOVES: Choice[] = [
  ["DE", "DROP EMPTY"],
  ["PF", "PICK FULL"],
  ["PE", "PICK EMPTY"],
  ["DF", "DROP FULL"],
];
const SELECTS = { TruckingCompanyId: COMPANIES, TerminalId: TERMINALS, MoveType: MOVES };

/** Moves of a container that the terminal knows; the others are of a booking. */
const OF_CONTAINER = ["DE", "PF"];

export const WIZARD_EXPIRED = "Your appointment session has expired";

/** What a form leads to. */
export type Taken = { errors: string[] } | { booking: Booking };

const WIZARD_MS = 600_000;
const FIRST_BOOKING = 100_001;

interface Wizard {
  account: string;
  /** The furthest form that was given. */
  phase: number;
  touched_ms: number;
  fields: Record<string, string>;
}

export class PortalAppointments {
  /** Oldest first. */
  bookings: Booking[] = [];
  #world: World;
  #wizards = new Map<string, Wizard>();
  /** Verification tokens by whom they were given to. They are good for more than one form. */
  #verification = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The first form of a new wizard. */
  begin = (user: string): Answer => this.#form(this.open(user), 1);

  /** The id of a new wizard. */
  open(user: string): string {
    const id = random(32);
    this.#wizards.set(id, { account: user, phase: 1, touched_ms: this.#world.now(), fields: {} });
    return id;
  }

  /**
   * Takes the form of `step`. One that was not given to this user is a bad request; a wizard that is not there any more,
   * or not so far yet, a page that says so; what is wrong with the fields stands in the same form again.
   */
  answer({ text }: Ask, user: string, step: string): Answer {
    const fields = form(text);
    if (this.#verification.get(fields.get("__RequestVerificationToken") ?? "") !== user)
      return page(problemPage("Bad Request", user), 400);
    const phase = step === "book" ? 3 : Number(step);
    const id = fields.get("WizardId") ?? "";
    // Of a box and its hidden twin the first one counts.
    const taken = this.take(id, user, phase, (name) => fields.get(name) ?? "");
    if (taken === undefined) return { ...page(problemPage(WIZARD_EXPIRED, user)), gave: "expired" };
    if ("booking" in taken)
      return { ...page(confirmationPage(taken.booking)), gave: taken.booking.confirmation };
    if (taken.errors.length > 0)
      return { ...this.#form(id, phase, taken.errors), gave: taken.errors.join(", ") };
    return this.#form(id, phase + 1);
  }

  /**
   * What comes of a form, whichever way it came: errors, none if the next phase is reached, or the booking. Nothing, if the wizard is
   * not there any more, or is not so far yet.
   */
  take(id: string, user: string, phase: number, field: (name: string) => string): Taken | undefined {
    const wizard = this.#wizards.get(id);
    const idle = this.#world.now() - (wizard?.touched_ms ?? 0);
    if (!wizard || wizard.account !== user || idle >= WIZARD_MS || wizard.phase < phase) return undefined;
    wizard.touched_ms = this.#world.now();
    wizard.phase = phase;
    for (const name of FIELDS[phase - 1] ?? []) wizard.fields[name] = field(name);
    const errors = this.#errors(phase, wizard.fields);
    if (errors.length > 0) return { errors };
    if (phase === 3) return { booking: this.#book(id, wizard) };
    wizard.phase = phase + 1;
    return { errors };
  }

  /** All there is to choose from. */
  get choices(): Record<"TruckingCompanyId" | "TerminalId" | "MoveType" | "TimeSlot", Choice[]> {
    return { ...SELECTS, TimeSlot: this.#slots() };
  }

  #errors(phase: number, fields: Record<string, string>): string[] {
    if (phase === 1) return phaseOneErrors(fields, this.#world.switches.portal);
    const { pin_required } = this.#world.switches.portal;
    const { TruckPlate = "", PinCode = "", TimeSlot } = fields;
    if (phase === 3)
      return this.#slots().some(([value]) => value === TimeSlot)
        ? []
        : ["The selected time is no longer available"];
    const plate = /^[A-Z0-9]{2,10}$/.test(TruckPlate) ? [] : ["Truck plate is not registered"];
    if (PinCode === "") return [...plate, ...(pin_required ? ["PIN code is required"] : [])];
    return [...plate, ...(/^\d{4}$/.test(PinCode) ? [] : ["PIN code is invalid"])];
  }

  #form(id: string, phase: number, errors: string[] = []): Answer {
    const wizard = this.#wizards.get(id);
    const token = random(60);
    this.#verification.set(token, wizard?.account ?? "");
    const of = { token, id, fields: wizard?.fields ?? {}, errors, user: wizard?.account ?? "" };
    return page(appointmentPage(phase, of, this.choices));
  }

  #slots = (): Choice[] => Array.from({ length: this.#world.switches.portal.slots }, (_, n) => slot(n));

  /** The wizard ends with it. */
  #book(id: string, { account, fields }: Wizard): Booking {
    this.#wizards.delete(id);
    const booking: Booking = {
      confirmation: `APT-${FIRST_BOOKING + this.bookings.length}`,
      account,
      trucking_company: labelOf(COMPANIES, fields.TruckingCompanyId),
      terminal: labelOf(TERMINALS, fields.TerminalId),
      move_type: labelOf(MOVES, fields.MoveType),
      container: fields.ContainerNumber ?? "",
      booking_number: fields.BookingNumber ?? "",
      truck_plate: fields.TruckPlate ?? "",
      own_chassis: fields.OwnChassis === "true",
      time: labelOf(this.#slots(), fields.TimeSlot),
    };
    this.bookings.push(booking);
    return booking;
  }

  reset(): void {
    this.bookings.length = 0;
    this.#wizards.clear();
    this.#verification.clear();
  }
}

/** What each form brings. */
const FIELDS = [
  ["TruckingCompanyId", "TerminalId", "MoveType", "ContainerNumber", "BookingNumber"],
  ["TruckPlate", "PinCode", "OwnChassis"],
  ["TimeSlot"],
];

function phaseOneErrors(fields: Record<string, string>, portal: Switches["portal"]): string[] {
  const { TruckingCompanyId, TerminalId, MoveType = "", ContainerNumber = "", BookingNumber } = fields;
  const errors = [
    labelOf(COMPANIES, TruckingCompanyId) === "" && "Trucking company is required",
    labelOf(TERMINALS, TerminalId) === "" && "Terminal is required",
    labelOf(MOVES, MoveType) === "" && "Move type is required",
  ];
  if (OF_CONTAINER.includes(MoveType))
    errors.push(indexOf(ContainerNumber, portal) === undefined && "Container not found");
  else if (labelOf(MOVES, MoveType) !== "") errors.push(!BookingNumber && "Booking number is required");
  return errors.filter((error) => error !== false);
}

const labelOf = (choices: Choice[], value = ""): string => choices.find(([own]) => own === value)?.[1] ?? "";

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const FIRST_DAY_MS = Date.UTC(2026, 9, 29);

/** Three a day from Thu 10/29/2026 on, always the same: what is booked does not change what is left. */
function slot(n: number): Choice {
  const day = Math.floor(n / 3);
  const [year, month, date] = new Date(FIRST_DAY_MS + day * 86_400_000).toISOString().slice(0, 10).split("-");
  const hour = [8, 11, 14][n % 3] ?? 8;
  const time = (at: number) => `${String(at).padStart(2, "0")}:00`;
  const left = [12, 7, 1][n % 3];
  const label = `${DAYS[day % 7]} ${month}/${date}/${year} ${time(hour)} - ${time(hour + 1)} (${left} left)`;
  return [`${year}${month}${date}-${hour}`, label];
}

// The JSON API of the portal behind OpenID Connect. One of its calls, Visit/SearchMyAppointments, is as a public client makes it; the
// others are shaped after that one.
import { confirmationOf, type Choice } from "./portal_appointment_pages.ts";
import { type PortalAppointments, WIZARD_EXPIRED } from "./portal_appointments.ts";
import { containerTexts, indexOf, milestones } from "./portal_containers.ts";
import type { Answer, Ask, Operation, World } from "./types.ts";

type Body = Record<string, unknown>;

interface Action {
  operation: Operation;
  answer: (body: Body, user: string) => Answer;
}

const MEMBERS = [
  ...["CntrNbr", "TradeType", "Status", "Holds", "PregateTicket", "PregateStatus", "GateStatus", "Origin"],
  ...[
    "Destination",
    "CurrentLoc",
    "Line",
    "VesselName",
    "VesselCode",
    "Voyage",
    "SizeType",
    "Fees",
    "LfdGtd",
  ],
  "Tags",
];

/** What the API calls the fields of an appointment. */
const NAMES: Record<string, string> = { ContainerNumber: "CntrNbr", TimeSlot: "TimeSlotId" };

export class OidcApi {
  #world: World;
  #appointments: PortalAppointments;

  constructor(world: World, appointments: PortalAppointments) {
    this.#world = world;
    this.#appointments = appointments;
  }

  #actions: Record<string, Action> = {
    "Container/SearchContainers": { operation: "containers", answer: (body) => this.#containers(body) },
    "Container/GetTimeline": { operation: "timeline", answer: (body) => this.#timeline(body) },
    "Appointment/GetChoices": { operation: "appointment_form", answer: () => this.#choices() },
    "Appointment/Validate": {
      operation: "appointment_phase",
      answer: (body, user) => this.#first(body, user),
    },
    "Appointment/GetTimeSlots": {
      operation: "appointment_phase",
      answer: (body, user) => this.#take(2, body, user),
    },
    "Appointment/Create": {
      operation: "appointment_book",
      answer: (body, user) => this.#take(3, body, user),
    },
    "Visit/SearchMyAppointments": {
      operation: "appointments",
      answer: (body, user) => this.#mine(body, user),
    },
  };

  #find({ method, path }: Ask): Action | undefined {
    const name = /^\/portal\/(.+)$/.exec(path)?.[1] ?? "";
    return method === "POST" && Object.hasOwn(this.#actions, name) ? this.#actions[name] : undefined;
  }

  operation = (ask: Ask): Operation | undefined => this.#find(ask)?.operation;

  answer = (ask: Ask, body: Body, user: string): Answer =>
    this.#find(ask)?.answer(body, user) ?? { status: 404, json: { message: "Not found" } };

  /** Pages go from 1. */
  #containers(body: Body): Answer {
    const { containers } = this.#world.switches.portal;
    const wanted = condition(body, "fc-cntr-nbr");
    const all =
      wanted === undefined
        ? Array.from({ length: containers }, (_, index) => index)
        : [indexOf(wanted, this.#world.switches.portal)].filter((index) => index !== undefined);
    const rows = paged(all, body).map((index) => {
      const texts = containerTexts(index);
      return Object.fromEntries(MEMBERS.map((member, n) => [member, texts[n] ?? ""]));
    });
    return { status: 200, json: { success: true, total: all.length, data: rows } };
  }

  #timeline({ cntrNbr }: Body): Answer {
    const index = indexOf(String(cntrNbr), this.#world.switches.portal);
    if (index === undefined) return { status: 404, json: { success: false, message: "Container not found" } };
    const Milestones = milestones(index).map(({ milestone, date, status }) => ({
      ...{ Milestone: milestone, Date: date, Status: status },
    }));
    return { status: 200, json: { success: true, data: { CntrNbr: cntrNbr, Milestones } } };
  }

  #choices(): Answer {
    const { TruckingCompanyId, TerminalId, MoveType } = this.#appointments.choices;
    const named = (choices: Choice[]) => choices.map(([Id, Name]) => ({ Id, Name }));
    const data = {
      TruckingCompanies: named(TruckingCompanyId),
      Terminals: named(TerminalId),
      MoveTypes: named(MoveType),
    };
    return { status: 200, json: { success: true, data } };
  }

  #first = (body: Body, user: string): Answer =>
    this.#take(1, { ...body, WizardId: this.#appointments.open(user) }, user);

  #take(phase: number, body: Body, user: string): Answer {
    const field = (name: string) => String(body[NAMES[name] ?? name] ?? "");
    const id = String(body.WizardId ?? "");
    const taken = this.#appointments.take(id, user, phase, field);
    if (taken === undefined)
      return { status: 410, json: { success: false, message: WIZARD_EXPIRED }, gave: "expired" };
    if ("booking" in taken) {
      const data = Object.fromEntries(confirmationOf(taken.booking));
      return { status: 200, json: { success: true, data }, gave: taken.booking.confirmation };
    }
    const { errors } = taken;
    if (errors.length > 0) return { status: 422, json: { success: false, errors }, gave: errors.join(", ") };
    const slots = this.#appointments.choices.TimeSlot.map(([Id, Label]) => ({ Id, Label }));
    return { status: 200, json: { success: true, data: phase === 1 ? { WizardId: id } : slots } };
  }

  #mine(body: Body, user: string): Answer {
    const wanted = condition(body, "fc-cntr-nbr");
    const own = this.#appointments.bookings.filter(
      ({ account, container }) => account === user && (wanted === undefined || container === wanted),
    );
    const data = paged(own, body).map((booking) => ({
      ConfirmationNumber: booking.confirmation,
      CntrNbr: booking.container,
      BookingNumber: booking.booking_number,
      Terminal: booking.terminal,
      TruckPlate: booking.truck_plate,
      Time: booking.time,
    }));
    return { status: 200, json: { success: true, total: own.length, data } };
  }
}

/** The value that a search names for a column; nothing, if none. */
function condition({ conditions }: Body, column: string): string | undefined {
  const all = Array.isArray(conditions) ? (conditions as Body[]) : [];
  const value = all.find(({ mem }) => mem === column)?.vLow;
  return typeof value === "string" && value !== "" ? value : undefined;
}

function paged<T>(all: T[], { pageSize, Page }: Body): T[] {
  const size = Math.min(Math.max(Number(pageSize) || 50, 1), 200);
  const page = Math.max(Number(Page) || 1, 1);
  return all.slice((page - 1) * size, page * size);
}

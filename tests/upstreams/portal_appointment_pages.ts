// The forms of the wizard for appointments, and what a booking is confirmed with.
import {
  checkbox,
  escaped,
  hidden,
  layout,
  select,
  summary,
  textInput,
  verification,
} from "./portal_pages.ts";
import type { Booking } from "./types.ts";

/** An option: what is sent, and what people read. */
export type Choice = [value: string, label: string];

interface Form {
  token: string;
  /** The wizard's. */
  id: string;
  /** What was typed before. */
  fields: Record<string, string>;
  errors: string[];
  user: string;
}

type Choices = Record<"TruckingCompanyId" | "TerminalId" | "MoveType" | "TimeSlot", Choice[]>;

const ACTIONS = ["1", "2", "book"];

export function appointmentPage(phase: number, form: Form, choices: Choices): string {
  const { token, id, fields, errors, user } = form;
  const body = [phaseOne, phaseTwo, phaseThree][phase - 1]?.(fields, choices) ?? "";
  const action = `/portal/appointments/${ACTIONS[phase - 1]}`;
  return layout(
    "New appointment",
    `<h1>New appointment, step ${phase} of 3</h1>
${summary(errors)}
<form id="appointment" data-phase="${phase}" method="post" action="${action}">
  ${hidden("WizardId", id)}
  ${body}
  <button type="submit">${phase === 3 ? "Book" : "Next"}</button>
  ${verification(token)}
</form>`,
    user,
  );
}

const NONE: Choice = ["", "-- select --"];

const phaseOne = (fields: Record<string, string>, choices: Choices): string =>
  [
    ...(["TruckingCompanyId", "TerminalId", "MoveType"] as const).map((name) =>
      select(name, [NONE, ...choices[name]], fields[name]),
    ),
    textInput("Container", "ContainerNumber", fields.ContainerNumber ?? ""),
    textInput("Booking", "BookingNumber", fields.BookingNumber ?? ""),
  ].join("\n  ");

const phaseTwo = (fields: Record<string, string>): string =>
  [
    textInput("Truck plate", "TruckPlate", fields.TruckPlate ?? ""),
    textInput("PIN code", "PinCode", fields.PinCode ?? ""),
    checkbox("My own chassis", "OwnChassis", fields.OwnChassis === "true"),
  ].join("\n  ");

const phaseThree = (fields: Record<string, string>, { TimeSlot }: Choices): string =>
  select("TimeSlot", TimeSlot, fields.TimeSlot) +
  (TimeSlot.length === 0 ? "\n  <p>No appointments available</p>" : "");

/** What a booking is confirmed with. */
export function confirmationOf(booking: Booking): [name: string, value: string][] {
  const { confirmation, terminal, container, booking_number, time } = booking;
  const all: [string, string][] = [
    ["Confirmation Number", confirmation],
    ["Terminal", terminal],
    ["Container", container],
    ["Booking Number", booking_number],
    ["Time", time],
  ];
  return all.filter(([name, value]) => name !== "Booking Number" || value !== "");
}

export function confirmationPage(booking: Booking): string {
  const entries = confirmationOf(booking)
    .map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`)
    .join("");
  return layout(
    "Appointment",
    `<div id="confirmation"><h2>Appointment confirmed</h2><dl>${entries}</dl></div>`,
    booking.account,
  );
}

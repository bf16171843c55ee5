//! The operations, as tables.

use super::super::operation::{
    By, Columns, End, Field, FieldKind, Input, Listing, Need, Operation, Paging, Passed, Steps, What,
};

const fn text(name: &'static str, chars_max: usize) -> Field {
    Field { name, kind: FieldKind::Text { chars_max }, required: false }
}

const fn flag(name: &'static str) -> Field {
    Field { name, kind: FieldKind::Bool, required: false }
}

/// The answer gets a list of the calls that were made.
pub const DEBUG: &str = "debug";

/// Where a value is none of what a form offers, the answer has what it offers.
pub const CHOICES: &str = "choices";

const CONTAINER: Field = Field { required: true, ..text("container_id", 40) };

const COMPANY: Field = text("trucking_company", 200);
const TERMINAL: Field = text("terminal", 200);
const MOVE_TYPE: Field = text("move_type", 60);
const BOOKING: Field = text("booking_number", 60);
const PLATE: Field = text("truck_plate", 20);
const PIN: Field = text("pin_code", 20);
const CHASSIS: Field = flag("own_chassis");
const TIME: Field = text("appointment_time", 200);

const fn input(field: &'static str, control: &'static str, by: By, need: Need) -> Input {
    Input { field, control, by, need }
}

/// A move type that is in neither list is the portal's to judge.
const FIRST: &[Input] = &[
    input(COMPANY.name, "TruckingCompanyId", By::Label, Need::Always),
    input(TERMINAL.name, "TerminalId", By::Label, Need::Always),
    input(MOVE_TYPE.name, "MoveType", By::Label, Need::Always),
    input(
        CONTAINER.name,
        "ContainerNumber",
        By::Text,
        Need::For { field: MOVE_TYPE.name, values: &["PICK FULL", "DROP EMPTY"] },
    ),
    input(
        BOOKING.name,
        "BookingNumber",
        By::Text,
        Need::For { field: MOVE_TYPE.name, values: &["PICK EMPTY", "DROP FULL"] },
    ),
];
const SECOND: &[Input] = &[
    input(PLATE.name, "TruckPlate", By::Text, Need::Always),
    input(PIN.name, "PinCode", By::Text, Need::Never),
    input(CHASSIS.name, "OwnChassis", By::Tick, Need::Never),
];
const THIRD: &[Input] = &[input(TIME.name, "TimeSlot", By::Label, Need::Always)];

const fn steps(phases: &'static [&'static [Input]], end: End) -> Steps {
    Steps {
        start: |pages| &pages.appointment_path,
        form: "appointment",
        phases,
        list: ("TimeSlot", "available_times", "count"),
        end,
    }
}

pub static ALL: [Operation; 4] = [
    Operation {
        name: "get_containers",
        fields: &[
            flag("infinite_scrolling"),
            Field { name: "target_count", kind: FieldKind::Number { min: 1, max: 100_000 }, required: false },
            text("target_container_id", 40),
            Field { name: "skip", kind: FieldKind::Number { min: 0, max: 1_000_000 }, required: false },
            flag(DEBUG),
        ],
        what: What::Listing(Listing {
            path: |pages| &pages.containers_path,
            table: "containers",
            columns: Columns::AsTheHeadSays { needed: "Container #" },
            rows: "containers",
            count: "total_containers",
            repeats: &[],
            lower: &[],
            passed: None,
            paging: Some(Paging {
                target: "target_container_id",
                target_column: "Container #",
                found: "found_target_container",
                target_count: "target_count",
                all: "infinite_scrolling",
                skip: "skip",
                next: "next_skip",
                cycles: "scroll_cycles",
                reason: "stopped_reason",
            }),
        }),
    },
    Operation {
        name: "get_container_timeline",
        fields: &[CONTAINER, flag(DEBUG)],
        what: What::Listing(Listing {
            path: |pages| &pages.timeline_path,
            table: "timeline",
            columns: Columns::Named(&[("Milestone", "milestone"), ("Date", "date"), ("Status", "status")]),
            rows: "timeline",
            count: "milestone_count",
            repeats: &[CONTAINER.name],
            lower: &["status"],
            passed: Some(Passed {
                member: "passed_pregate",
                all: &[("milestone", "Pregate"), ("status", "completed")],
            }),
            paging: None,
        }),
    },
    Operation {
        name: "check_appointments",
        fields: &[
            COMPANY,
            TERMINAL,
            MOVE_TYPE,
            text(CONTAINER.name, 40),
            BOOKING,
            PLATE,
            PIN,
            CHASSIS,
            flag(DEBUG),
        ],
        what: What::Wizard(steps(&[FIRST, SECOND, &[]], End::List)),
    },
    Operation {
        name: "make_appointment",
        fields: &[
            COMPANY,
            TERMINAL,
            MOVE_TYPE,
            text(CONTAINER.name, 40),
            BOOKING,
            PLATE,
            PIN,
            CHASSIS,
            TIME,
            flag(DEBUG),
        ],
        what: What::Wizard(steps(
            &[FIRST, SECOND, THIRD],
            End::Commit {
                confirmation: "confirmation",
                confirmed: "appointment_confirmed",
                details: "appointment_details",
            },
        )),
    },
];

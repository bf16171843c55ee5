//! What operations at a portal answer. Their members are declared in the operations' rows, so no type has them elsewhere; the
//! simulation holds every answer to these.

#![allow(clippy::struct_field_names)] // They are the names of members.
#![allow(dead_code)] // Read by the derivation of their schemas only.

use base::ids::PortalId;
use schemars::JsonSchema;
use serde_json::Value;
use std::collections::BTreeMap;

/// With `debug` only.
#[derive(JsonSchema)]
pub struct Debug {
    /// The calls to the portal.
    calls: Vec<Value>,
    /// For how long a browser was held, at a portal that needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    browser_seconds: Option<f64>,
    /// Of a portal in a browser, where there is a bucket for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    screenshots: Option<Vec<Screenshot>>,
    /// Those that there are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    screenshots_missing: Option<Vec<MissingScreenshot>>,
}

/// A picture of a page.
#[derive(JsonSchema)]
pub struct Screenshot {
    /// For `GET`, with a service key: relative to this server.
    url: String,
    taken_at: String,
    /// What was done last.
    step: String,
    /// Of the page.
    path: String,
}

/// A picture that there is not.
#[derive(JsonSchema)]
pub struct MissingScreenshot {
    step: String,
    /// `password`, `not_taken`, `not_stored` or `limit`.
    reason: String,
}

macro_rules! answer {
    ($(#[$meta:meta])* $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(JsonSchema)]
        pub struct $name {
            success: bool,
            session_id: PortalId,
            is_new_session: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            debug: Option<Debug>,
            $($body)*
        }
    };
}

answer! {
    /// Containers.
    Containers {
        /// A member for each column of the portal's table, named as its head says.
        containers: Vec<BTreeMap<String, String>>,
        /// In this answer.
        total_containers: u64,
        /// How many further pages were loaded.
        scroll_cycles: u64,
        /// With `limit_reached`: what to give as `skip` for what did not fit.
        #[serde(skip_serializing_if = "Option::is_none")]
        next_skip: Option<u64>,
        /// `end_of_list`, `target_found`, `target_count_reached`, `single_page`, `no_progress` or `limit_reached`.
        stopped_reason: String,
        /// With `target_container_id` only.
        #[serde(skip_serializing_if = "Option::is_none")]
        found_target_container: Option<bool>,
    }
}

/// Something that has happened.
#[derive(JsonSchema)]
pub struct Milestone {
    milestone: String,
    date: String,
    /// Such as `completed` or `pending`.
    status: String,
}

answer! {
    /// What has happened to a container, in the portal's order.
    Timeline {
        container_id: String,
        passed_pregate: bool,
        timeline: Vec<Milestone>,
        milestone_count: u64,
    }
}

answer! {
    /// Times that an appointment can be made at.
    AppointmentTimes {
        /// To go on with. Not there if it could not be kept.
        #[serde(skip_serializing_if = "Option::is_none")]
        appointment_session_id: Option<String>,
        /// Texts of the portal. One of them is given back as `appointment_time`, as it is.
        available_times: Vec<String>,
        count: u64,
    }
}

answer! {
    /// A booked appointment.
    Appointment {
        appointment_confirmed: bool,
        /// What the portal shows as the confirmation, by its own words.
        appointment_details: BTreeMap<String, Value>,
    }
}

answer! {
    /// What an operation of any portal answers.
    Answered {
        /// The members that the portal's document names.
        #[serde(flatten)]
        own: BTreeMap<String, Value>,
    }
}

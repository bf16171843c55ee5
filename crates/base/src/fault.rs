//! Something that went wrong inside: for the log, never for a caller.

use std::fmt;

/// What went wrong. Whoever made it says it in words that hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

crate::words! {
    /// Where something went wrong inside: `what` of a fault in the log.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FaultKind {
        /// a setting is wrong; one line for each, without its value
        Configuration = "configuration",
        /// a Durable Object binding is missing, or that of the token service cannot be called
        Binding = "binding",
        /// a bug in the code: `detail` is its place in the source; the call in which it happened has failed
        Panic = "panic",
        /// an object could not be called; the caller got 503
        Object = "object",
        /// an object's answer could not be read; the caller got 503
        ObjectReply = "object reply",
        /// KV could not list sessions
        KvList = "kv list",
        /// KV's record of a session could not be read or written
        KvSessionRecord = "kv session record",
        /// KV's copy of an upstream token could not be read (the account's object was asked instead) or written (its alarm tries
        /// again)
        KvToken = "kv token",
        /// the rate limiter could not be asked; the login got 503
        RateLimiter = "rate limiter",
        /// the runtime returned no random bytes; the caller got 503
        RandomBytes = "random bytes",
        /// the follow-up work of a session's end is not done yet; the session's alarm does it, [at growing
        /// intervals](sessions.md#how-a-session-ends)
        SettlingAnEnd = "settling an end",
        /// a session's alarm failed; it runs again after 30 seconds
        SessionAlarm = "session alarm",
        /// a user's alarm failed; it runs again after 30 seconds
        UserAlarm = "user alarm",
        /// one task of a user's alarm failed; it is tried again, at growing intervals
        UserAlarmWork = "user alarm work",
        /// the change of an account could not be reported to the roster; its alarm tries again
        Roster = "roster",
        /// an account's alarm failed; it runs again after 30 seconds
        UpstreamAlarm = "upstream alarm",
        /// the follow-up work of a change of an account is not done yet; its alarm does it
        UpstreamFollowUp = "upstream follow-up",
        /// an alert was not delivered; it is sent again
        Alert = "alert",
        /// an event of a session was not delivered; it is sent again, [and given up after three days](events.md#delivery). `detail`
        /// begins with its `webhook-id`
        Event = "event",
        /// an unknown Cron Trigger, or accounts or portal sessions that could not be reconciled; they are tried again in the
        /// next minute, or in the next tenth minute
        Cron = "cron",
        /// a portal login's alarm failed; it runs again after 30 seconds
        PortalAlarm = "portal alarm",
        /// work at a portal was interrupted; the callers that waited for it got 503
        PortalWork = "portal work",
        /// an operation at a portal could not be started; its caller got 503, and nothing was done
        PortalOrder = "portal order",
        /// an appointment could not be stored to be continued; its caller got the answer without an `appointment_session_id`
        PortalAppointment = "portal appointment",
        /// the page of a failed step could not be stored; there are no other consequences
        PortalPage = "portal page",
        /// the progress of work at a portal could not be stored, so the work was stopped
        PortalProgress = "portal progress",
        /// the list of portal sessions could not be asked, so there was no login; or a change could not be reported to it: the
        /// alarm or the Cron Trigger does that later
        PortalRegistry = "portal registry",
        /// a screenshot could not be stored (its operation goes on without), read (the caller got 503) or deleted
        Screenshot = "screenshot",
        /// a stored document of `/api/v1/data` is not JSON
        StoredDocument = "stored document",
    }
}

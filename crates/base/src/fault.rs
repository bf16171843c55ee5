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
        /// a mistake in the code: `detail` is its place, and the call that it was in has failed
        Panic = "panic",
        /// an object could not be asked; the caller got 503
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
        /// the runtime had no random bytes to give; the caller got 503
        RandomBytes = "random bytes",
        /// what follows an end is not done yet; the session's alarm does it, [later each
        /// time](sessions.md#the-order-of-an-end)
        SettlingAnEnd = "settling an end",
        /// a session's alarm could not do its work; it comes again after 30 seconds
        SessionAlarm = "session alarm",
        /// a user's alarm could not do its work; it comes again after 30 seconds
        UserAlarm = "user alarm",
        /// one piece of a user's work could not be done by the alarm; it comes again, later each time
        UserAlarmWork = "user alarm work",
        /// the roster could not be told of an account; its alarm tries again
        Roster = "roster",
        /// an account's alarm could not do its work; it comes again after 30 seconds
        UpstreamAlarm = "upstream alarm",
        /// what follows a change of an account is not done yet; its alarm does it
        UpstreamFollowUp = "upstream follow-up",
        /// an alert was not delivered; it comes again
        Alert = "alert",
        /// a Cron Trigger that nothing is known of, or accounts or portal sessions that could not be looked after; the next minute
        /// tries again, or the next tenth
        Cron = "cron",
        /// an alarm of a portal login could not do its work; it comes again after 30 seconds
        PortalAlarm = "portal alarm",
        /// a piece of work at a portal broke off; who waited for it got 503
        PortalWork = "portal work",
        /// an operation at a portal could not be begun; who wanted it got 503, and nothing was done
        PortalOrder = "portal order",
        /// an appointment could not be kept to be gone on with; its caller got the answer without an `appointment_session_id`
        PortalAppointment = "portal appointment",
        /// the page of a failed step could not be kept; nothing else comes of it
        PortalPage = "portal page",
        /// how far some work at a portal has come could not be stored, so it was broken off
        PortalProgress = "portal progress",
        /// the list of portal sessions could not be asked, so nobody was logged in; or it could not be told of a change: the alarm
        /// does that, or the Cron Trigger
        PortalRegistry = "portal registry",
        /// a stored document of `/api/v1/data` is not JSON
        StoredDocument = "stored document",
    }
}

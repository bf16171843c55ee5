//! What others can be told of, and which of it they want to hear.

use crate::account::EndReason;
use serde::{Deserialize, Serialize};

crate::words! {
    /// The `type` of an event.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum EventType {
        /// a session was opened; `new_device` is `true` if its user logged in without the device token of an earlier login
        #[serde(rename = "session.created")]
        Created = "session.created",
        /// it has tokens of the next `generation`: a refresh token was exchanged, or the password was given again. Not sent unless
        /// `EVENT_TYPES` names it
        #[serde(rename = "session.refreshed")]
        Refreshed = "session.refreshed",
        /// its user ended it: logout, closing it from another session, a login that replaced it; or its login broke off
        #[serde(rename = "session.revoked.logout")]
        Logout = "session.revoked.logout",
        /// a newer login took its place, at the limit
        #[serde(rename = "session.revoked.evicted")]
        Evicted = "session.revoked.evicted",
        /// an admin ended it
        #[serde(rename = "session.revoked.admin")]
        Admin = "session.revoked.admin",
        /// an old refresh token came again
        #[serde(rename = "session.revoked.reuse")]
        Reuse = "session.revoked.reuse",
        /// its user has a new password
        #[serde(rename = "session.revoked.password")]
        Password = "session.revoked.password",
        /// its user was disabled or removed
        #[serde(rename = "session.revoked.disabled")]
        Disabled = "session.revoked.disabled",
        /// the system that vouched for its user does not [any more](post-login.md)
        #[serde(rename = "session.revoked.external")]
        External = "session.revoked.external",
        /// nobody used it for too long
        #[serde(rename = "session.expired.inactivity")]
        Inactivity = "session.expired.inactivity",
        /// its absolute lifetime, or its last tokens expired
        #[serde(rename = "session.expired.lifetime")]
        Lifetime = "session.expired.lifetime",
        /// an [alert](keeper.md#alerts) about an upstream token, as the next four. Only where `EVENT_TYPES` names it, and
        /// `ALERT_WEBHOOK_URL` is not set, which gets them all: the immediate retries of its renewal are used up
        #[serde(rename = "token.failing")]
        TokenFailing = "token.failing",
        /// its renewal was refused for good, or its owner has to approve it
        #[serde(rename = "token.needs_attention")]
        TokenNeedsAttention = "token.needs_attention",
        /// its renewal works again
        #[serde(rename = "token.recovered")]
        TokenRecovered = "token.recovered",
        /// it is about to expire, and no renewal is in sight
        #[serde(rename = "token.expiring")]
        TokenExpiring = "token.expiring",
        /// one of another user arrived and was refused
        #[serde(rename = "token.other_user")]
        TokenOtherUser = "token.other_user",
        /// a [portal session](portal.md) began, as the next ten only if `EVENT_TYPES` names it
        #[serde(rename = "portal.opened")]
        PortalOpened = "portal.opened",
        /// somebody closed it by `DELETE /sessions/{session_id}`
        #[serde(rename = "portal.ended.closed")]
        PortalClosed = "portal.ended.closed",
        /// others were used more recently, at the limit
        #[serde(rename = "portal.ended.evicted")]
        PortalEvicted = "portal.ended.evicted",
        /// it was not used for too long, and was not kept alive
        #[serde(rename = "portal.ended.idle")]
        PortalIdle = "portal.ended.idle",
        /// the portal ended it, and logging in again failed or is switched off
        #[serde(rename = "portal.ended.logged_out")]
        PortalLoggedOut = "portal.ended.logged_out",
        /// the portal ended it, and it had not been used for too long to log in again
        #[serde(rename = "portal.ended.unused")]
        PortalUnused = "portal.ended.unused",
        /// the portal did not accept its credentials any more
        #[serde(rename = "portal.ended.credentials_refused")]
        PortalCredentialsRefused = "portal.ended.credentials_refused",
        /// the portal ended it, and the captcha of the new login was not solved
        #[serde(rename = "portal.ended.captcha")]
        PortalCaptcha = "portal.ended.captcha",
        /// its stored data [cannot be decrypted](portal.md#changing-the-sealing-key)
        #[serde(rename = "portal.ended.unreadable")]
        PortalUnreadable = "portal.ended.unreadable",
        /// a login at a portal failed, and trying again will not help: wrong credentials, a captcha key that is refused or has no
        /// credit, a captcha that nobody solves, a page that is not the expected one
        #[serde(rename = "portal.login.failed")]
        PortalLoginFailed = "portal.login.failed",
        /// a login has come to [what only a person can do](portal.md#a-person-once), and waits for them in an open browser
        #[serde(rename = "portal.needs_human")]
        PortalNeedsHuman = "portal.needs_human",
    }
}

impl From<EndReason> for EventType {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Logout => Self::Logout,
            EndReason::Evicted => Self::Evicted,
            EndReason::Admin => Self::Admin,
            EndReason::Reuse => Self::Reuse,
            EndReason::Password => Self::Password,
            EndReason::Disabled => Self::Disabled,
            EndReason::External => Self::External,
            EndReason::Inactivity => Self::Inactivity,
            EndReason::Lifetime => Self::Lifetime,
        }
    }
}

impl EventType {
    /// Whether a session is over with it.
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Logout
                | Self::Evicted
                | Self::Admin
                | Self::Reuse
                | Self::Password
                | Self::Disabled
                | Self::External
                | Self::Inactivity
                | Self::Lifetime
        )
    }
}

/// Some of the types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventTypes(u32);

impl EventTypes {
    pub const NONE: Self = Self(0);

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub const fn has(self, event: EventType) -> bool {
        self.0 & (1 << event as u32) != 0
    }

    #[must_use]
    pub const fn with(self, event: EventType) -> Self {
        Self(self.0 | (1 << event as u32))
    }

    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn among(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those that a name means: one, or all whose names go on after a point.
    pub fn named(name: &str) -> Self {
        let is_meant = |event: &EventType| {
            let rest = event.as_str().strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        EventType::ALL.iter().copied().filter(is_meant).fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Vec<&'static str> {
        let types = EventTypes::named(name);
        EventType::ALL.iter().copied().filter(|event| types.has(*event)).map(EventType::as_str).collect()
    }

    #[test]
    fn every_type_is_on_the_list_and_is_stored_by_its_name() {
        for event in EventType::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
        }
        for reason in EndReason::ALL {
            assert!(EventType::from(*reason).as_str().ends_with(&format!(".{}", reason.as_str())));
        }
    }

    #[test]
    fn a_name_means_one_type_or_all_that_it_is_the_beginning_of() {
        assert_eq!(named("session.created"), ["session.created"]);
        assert_eq!(named("session.revoked.reuse"), ["session.revoked.reuse"]);
        assert_eq!(named("session.expired"), ["session.expired.inactivity", "session.expired.lifetime"]);
        assert_eq!(
            named("session").len() + named("token").len() + named("portal").len(),
            EventType::ALL.len()
        );
        assert_eq!(named("portal.ended").len(), 8);
        for none in [
            "",
            "sess",
            "session.",
            "session.revoke",
            "session.revoked.reuse.x",
            "token.renewed",
            "Session",
            "*",
        ] {
            assert!(EventTypes::named(none).is_none(), "{none}");
        }
    }
}

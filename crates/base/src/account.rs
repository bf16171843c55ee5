//! Who has sessions, and why a session ends.

use crate::clock::Timestamp;
use crate::ids::UserId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Who a session belongs to, as its object knows them. A change of roles is sent to every live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// A user's id; [`UserId::NOBODY`] of somebody externally authenticated. Read it by [`Account::user`].
    pub user_id: UserId,
    /// Of somebody who is no user: the subject.
    pub username: String,
    pub roles: Vec<String>,
    pub created_at: Timestamp,
}

/// Whose list a session is on. The two kinds have objects of their own, so that no two spellings can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    User(&'a str),
    PostLogin(&'a str),
}

impl Owner<'_> {
    /// The name of the object.
    pub fn object(&self) -> String {
        match self {
            Self::User(username) => format!("user/{username}"),
            Self::PostLogin(subject) => format!("postlogin/{subject}"),
        }
    }
}

impl Account {
    /// Somebody externally authenticated.
    pub fn post_login(subject: String, created_at: Timestamp) -> Self {
        Self { user_id: UserId::NOBODY, username: subject, roles: Vec::new(), created_at }
    }

    /// The user's id, if it is a user.
    pub fn user(&self) -> Option<UserId> {
        Some(self.user_id).filter(|id| *id != UserId::NOBODY)
    }

    /// What tokens call it.
    pub fn subject(&self) -> Cow<'_, str> {
        match self.user() {
            Some(id) => id.to_string().into(),
            None => self.username.as_str().into(),
        }
    }

    pub fn owner(&self) -> Owner<'_> {
        match self.user() {
            Some(_) => Owner::User(&self.username),
            None => Owner::PostLogin(&self.username),
        }
    }
}

crate::words! {
    /// Why a session ended; the contract's `reason`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum EndReason {
        /// its user: logout, closing it from another session, a login that replaced it
        Logout = "logout",
        /// a newer login, at the limit
        Evicted = "evicted",
        /// an admin
        Admin = "admin",
        /// an old refresh token that came again
        Reuse = "reuse",
        /// a new password
        Password = "password",
        /// the user was disabled or removed
        Disabled = "disabled",
        /// nobody used it for too long
        Inactivity = "inactivity",
        /// its absolute lifetime, or its last tokens expired
        Lifetime = "lifetime",
        /// the system that vouched for its user does not [any more](post-login.md)
        External = "external",
    }
}

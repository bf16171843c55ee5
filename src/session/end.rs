use serde::{Deserialize, Serialize};

/// Why a session ended; the contract's `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its user logged out.
    Logout,
    /// A newer login took its place at the limit.
    Evicted,
    /// An admin ended it.
    Admin,
    /// An old refresh token was used again.
    Reuse,
    /// The password was changed.
    Password,
    /// The user was disabled or deleted.
    Disabled,
    /// Nobody used it for too long.
    Inactivity,
    /// It reached its absolute lifetime, or its last refresh token expired.
    Lifetime,
    /// The system that vouched for the user no longer does.
    External,
}

impl EndReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Evicted => "evicted",
            Self::Admin => "admin",
            Self::Reuse => "reuse",
            Self::Password => "password",
            Self::Disabled => "disabled",
            Self::Inactivity => "inactivity",
            Self::Lifetime => "lifetime",
            Self::External => "external",
        }
    }
}

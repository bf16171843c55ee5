//! Users, service keys, and what admins see of the deployment.

use super::Time;
use base::ids::{ServiceKeyId, UserId};
use serde::Serialize;

/// A user, or somebody externally authenticated.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct User<'a> {
    /// Null of somebody externally authenticated.
    pub id: Option<UserId>,
    /// The canonical name; of somebody externally authenticated the subject.
    pub username: &'a str,
    pub roles: &'a [String],
    pub is_active: bool,
    pub created_at: Time,
    /// There for admins, where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub must_change_password: bool,
}

/// A page of users.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Users<'a> {
    pub users: Vec<User<'a>>,
    /// For the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// There where something could not be asked: the names of those users.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreachable: Vec<&'a str>,
}

/// A service key. The first answer alone has its text.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Key<'a> {
    pub id: &'a ServiceKeyId,
    pub name: &'a str,
    pub scopes: Vec<&'a str>,
    /// The upstream accounts that its scopes for tokens are restricted to, such as `upstox/agnidata*`. Left out where it is for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Vec<&'a str>>,
    pub created_at: Time,
    /// Null of one that does not expire.
    pub expires_at: Option<Time>,
    /// The key's text, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// In the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Option<Time>>,
    /// In the list: `active`, `revoked` or `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// In the list: the last characters of the key, by which people tell keys apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last4: Option<&'a str>,
    /// In the list: when it was last used, within ten minutes; null of one that never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Option<Time>>,
}

/// A service key that takes another's place, and until when the other is good.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct RotatedKey<'a> {
    #[serde(flatten)]
    pub key: Key<'a>,
    pub replaces: Replaced<'a>,
}

/// A service key that another has taken the place of.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Replaced<'a> {
    pub id: &'a ServiceKeyId,
    pub expires_at: Time,
}

/// All service keys, the oldest first.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ServiceKeys<'a> {
    pub service_keys: Vec<Key<'a>>,
}

/// A key that seals data, and what lies under it.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct SealingKey<'a> {
    pub kid: &'a str,
    pub configured: bool,
    /// Whether it is the one that seals.
    pub seals: bool,
    /// Upstream accounts with something under it.
    pub accounts: u64,
    /// Portal sessions with something under it.
    pub portal_sessions: u64,
}

/// The sealing keys.
#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct SealingKeys<'a> {
    pub keys: Vec<SealingKey<'a>>,
}

//! Service keys: what services show to be let in. `sp_{id}_{secret}`; only the secret's hash is kept.

use super::account_pattern::covers;
use base::clock::Timestamp;
use base::fields::is_presentable;
use base::ids::ServiceKeyId;
use base::secret::Secret;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// What keys begin with, so that scanners of source code can find one that was left there.
const PREFIX: &str = "sp_";
/// Too many to be guessed by asking.
const MARK_BYTES: usize = 8;
/// 48 random bits.
const ID_MAX: u64 = 0xffff_ffff_ffff;
/// How exactly it is known when a key was last used: each note is a row written.
pub const NOTED_EVERY: Duration = Duration::from_mins(10);
/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    TokensRead,
    TokensWrite,
    Portal,
    /// Only those portal logins that it opened itself.
    PortalOwn,
    /// Reads the state of those sessions that it may use.
    PortalState,
    Introspect,
    /// Passes on the addresses of those whom it logs in.
    LoginProxy,
    /// Begins sessions for those whom another system has logged in, as a client of OAuth 2.0.
    Exchange,
    /// Reads how the deployment is.
    Metrics,
    /// Reads the audit trail.
    Audit,
}

impl Scope {
    pub const ALL: [Self; 10] = [
        Self::TokensRead,
        Self::TokensWrite,
        Self::Portal,
        Self::PortalOwn,
        Self::PortalState,
        Self::Introspect,
        Self::LoginProxy,
        Self::Exchange,
        Self::Metrics,
        Self::Audit,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokensRead => "tokens:read",
            Self::TokensWrite => "tokens:write",
            Self::Portal => "portal",
            // A name of its own: a release that does not know it lets nobody in for it.
            Self::PortalOwn => "portal:own",
            Self::PortalState => "portal:state",
            Self::Introspect => "introspect",
            Self::LoginProxy => "login:proxy",
            Self::Exchange => "sessions:exchange",
            Self::Metrics => "metrics",
            Self::Audit => "audit",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A key as it is kept: a row of the directory's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKey {
    pub id: ServiceKeyId,
    pub name: String,
    /// SHA-256 of the secret, in base64url. The secret has 192 random bits, so a slow or a keyed hash would add nothing.
    pub hash: String,
    /// The last characters of the secret, by which people tell keys apart.
    pub last4: String,
    /// Separated by spaces. For some upstream accounts only, `tokens:read@upstox/a*,facturify/default`: a release that does not know
    /// this form knows no such scope.
    pub scopes: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// When it was last seen in use, within [`NOTED_EVERY`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The first key of its line, if it took another's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ServiceKeyId>,
}

impl ServiceKey {
    /// A new key from random bits, and its text, which is shown once.
    pub fn new(
        random: u64,
        secret: &[u8; 32],
        name: String,
        scopes: &[Scope],
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (Self, Secret) {
        let id = ServiceKeyId::issued(id_of(random));
        let text = Base64UrlUnpadded::encode_string(secret);
        let key = Self {
            hash: hash(secret),
            last4: text.get(text.len() - 4..).unwrap_or_default().to_owned(),
            name,
            scopes: scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" "),
            created_at: now,
            expires_at,
            revoked_at: None,
            last_used_at: None,
            origin: None,
            id,
        };
        let shown = [PREFIX, key.id.as_str(), "_", &text].concat();
        (key, Secret::new(shown))
    }

    /// For these upstream accounts only; for all, if there are none.
    pub fn restrict(&mut self, accounts: &[String]) {
        if accounts.is_empty() {
            return;
        }
        let of_tokens =
            |scope: &&str| [Scope::TokensRead, Scope::TokensWrite].iter().any(|s| s.as_str() == *scope);
        let accounts = accounts.join(",");
        let scopes = self.scopes.split(' ').map(|scope| match Some(scope).filter(of_tokens) {
            Some(scope) => [scope, "@", &accounts].concat(),
            None => scope.to_owned(),
        });
        self.scopes = scopes.collect::<Vec<_>>().join(" ");
    }

    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split(' ').map(|scope| scope.split_once('@').map_or(scope, |(name, _)| name))
    }

    /// The patterns of the upstream accounts that it is for; none, if for all.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let restricted = self.scopes.split(' ').find_map(|scope| scope.split_once('@'));
        restricted.into_iter().flat_map(|(_, accounts)| accounts.split(','))
    }

    pub fn allows_account(&self, provider: &str, account: &str) -> bool {
        let mut patterns = self.accounts().peekable();
        patterns.peek().is_none() || patterns.any(|pattern| covers(pattern, provider, account))
    }

    /// Whether its use at `now` is to be noted.
    pub fn is_use_news(&self, now: Timestamp) -> bool {
        self.last_used_at.is_none_or(|at| now.since(at) >= NOTED_EVERY)
    }

    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes().any(|s| s == scope.as_str())
    }

    /// Whether it lets in where a scope is asked for. What it may see there, [`Self::opener`] says.
    pub fn lets_in(&self, scope: Scope) -> bool {
        self.allows(scope) || (scope == Scope::Portal && self.allows(Scope::PortalOwn))
    }

    /// The first key of its line, which stays the same when it is rotated.
    pub fn origin(&self) -> &ServiceKeyId {
        self.origin.as_ref().unwrap_or(&self.id)
    }

    /// Who it is to portal logins, if it is only for those that it opened itself.
    pub fn opener(&self) -> Option<&ServiceKeyId> {
        if self.allows(Scope::Portal) { None } else { Some(self.origin()) }
    }

    pub fn status(&self, now: Timestamp) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at.is_some_and(|at| at <= now) {
            "expired"
        } else {
            "active"
        }
    }

    /// Whether what was shown is this key, and it is good. The secret is compared in constant time.
    pub fn admits(&self, shown: &PresentedKey, now: Timestamp) -> bool {
        let same: bool = self.hash.as_bytes().ct_eq(shown.hash.as_bytes()).into();
        same && self.id == shown.id && self.status(now) == "active"
    }
}

/// A key that somebody shows: well-formed, and nothing else is known of it. Its secret is hashed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    pub id: ServiceKeyId,
    hash: String,
    /// What its mark is made of, and the mark, if it has one: a secret of the first release ends in random bytes.
    marked: String,
    mark: [u8; MARK_BYTES],
}

impl PresentedKey {
    /// Reads a key. There is one way to write each.
    pub fn parse(text: &str) -> Option<Self> {
        // The secret may have an underscore in it.
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = ServiceKeyId::parse(id)?;
        let mut bytes = [0; 32];
        let decoded = Base64UrlUnpadded::decode(secret, &mut bytes).ok()?;
        if decoded.len() != bytes.len() {
            return None;
        }
        let (marked, mark) = (marked(id.as_str(), &bytes), *bytes.last_chunk()?);
        Some(Self { id, hash: hash(&bytes), marked, mark })
    }

    /// Whether it has our mark. `keyed_hashes` gives those of a text, by each key.
    pub fn is_marked(&self, keyed_hashes: impl FnOnce(&str) -> Vec<String>) -> bool {
        let hashes = keyed_hashes(&self.marked);
        hashes.iter().filter_map(|hash| mark_of(hash)).any(|mark| mark.ct_eq(&self.mark).into())
    }
}

/// Whether a key may be called this: visible text on one line, not too long.
pub fn is_name(text: &str) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count())
        && text.trim() == text
        && text.chars().all(is_presentable)
}

/// Puts our mark into a new secret, in the place of its last bytes: a keyed hash of the id and the rest. So a key that somebody
/// has made up is known without asking; what lets in is the secret, 192 random bits.
pub fn mark(random: u64, secret: &mut [u8; 32], keyed_hash: impl FnOnce(&str) -> String) {
    let mark = mark_of(&keyed_hash(&marked(&id_of(random), secret)));
    if let (Some(mark), Some(end)) = (mark, secret.last_chunk_mut()) {
        *end = mark;
    }
}

fn id_of(random: u64) -> String {
    format!("{:012x}", random & ID_MAX)
}

/// What a mark is made of. No part of the secret is kept for it.
fn marked(id: &str, secret: &[u8; 32]) -> String {
    let (begin, _) = secret.split_at(secret.len() - MARK_BYTES);
    [id, &Base64UrlUnpadded::encode_string(&Sha256::digest(begin))].concat()
}

fn mark_of(keyed_hash: &str) -> Option<[u8; MARK_BYTES]> {
    Base64UrlUnpadded::decode_vec(keyed_hash).ok()?.first_chunk().copied()
}

fn hash(secret: &[u8; 32]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(secret))
}

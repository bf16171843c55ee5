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
    Introspect,
    /// Passes on the addresses of those whom it logs in.
    LoginProxy,
    /// Begins sessions for those whom another system has logged in, as a client of OAuth 2.0.
    Exchange,
    /// Reads how the deployment is.
    Metrics,
}

impl Scope {
    pub const ALL: [Self; 8] = [
        Self::TokensRead,
        Self::TokensWrite,
        Self::Portal,
        Self::PortalOwn,
        Self::Introspect,
        Self::LoginProxy,
        Self::Exchange,
        Self::Metrics,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokensRead => "tokens:read",
            Self::TokensWrite => "tokens:write",
            Self::Portal => "portal",
            // A name of its own: a release that does not know it lets nobody in for it.
            Self::PortalOwn => "portal:own",
            Self::Introspect => "introspect",
            Self::LoginProxy => "login:proxy",
            Self::Exchange => "sessions:exchange",
            Self::Metrics => "metrics",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What was real: made-up keys all reached the one object of the directory.
    #[test]
    fn f06_a_made_up_key_has_not_our_mark_and_one_of_ours_has() {
        let hashes = |key: u8| {
            move |text: &str| {
                Base64UrlUnpadded::encode_string(&Sha256::digest([&[key], text.as_bytes()].concat()))
            }
        };
        let mut secret = [9; 32];
        mark(7, &mut secret, hashes(1));
        assert_eq!(secret[..24], [9; 24]);
        let shown = ServiceKey::new(7, &secret, "a".into(), &[], None, Timestamp::default()).1;
        let presented = PresentedKey::parse(shown.expose()).unwrap();
        assert!(presented.is_marked(|text| vec![hashes(2)(text), hashes(1)(text)]), "by an older key, too");
        assert!(!presented.is_marked(|text| vec![hashes(2)(text)]));
        assert!(!presented.is_marked(|_| vec![String::new(), "AAAA".into()]));
        // Of another id, with another secret, or without a mark as the first release made them.
        for (random, change) in [(8, 0), (7, 1)] {
            let mut other = secret;
            other[0] ^= change;
            let shown = ServiceKey::new(random, &other, "a".into(), &[], None, Timestamp::default()).1;
            let presented = PresentedKey::parse(shown.expose()).unwrap();
            assert!(!presented.is_marked(|text| vec![hashes(1)(text)]));
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    fn made(secret: u8, expires_at: Option<Timestamp>) -> (ServiceKey, String) {
        let scopes = [Scope::TokensRead, Scope::Portal];
        let (key, text) = ServiceKey::new(7, &[secret; 32], "a".to_owned(), &scopes, expires_at, NOW);
        (key, text.expose().to_owned())
    }

    fn admits(key: &ServiceKey, text: &str, now: Timestamp) -> bool {
        PresentedKey::parse(text).is_some_and(|shown| key.admits(&shown, now))
    }

    #[test]
    fn a_key_is_admitted_by_its_text_and_the_text_is_not_kept() {
        // 0xff gives a secret of underscores.
        for secret in [0, 1, 0xff] {
            let (key, text) = made(secret, None);
            assert!(admits(&key, &text, NOW), "{text}");
            let kept = format!("{key:?}{}", serde_json::to_string(&key).unwrap());
            assert!(!kept.contains(text.rsplit_once(key.id.as_str()).unwrap().1), "{kept}");
            assert!(text.ends_with(&key.last4) && key.last4.len() == 4);
        }
        // sha256(32 zero bytes), computed elsewhere.
        assert_eq!(made(0, None).0.hash, "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU");
    }

    #[test]
    fn another_secret_or_id_is_not_admitted() {
        let (key, text) = made(1, None);
        assert!(!admits(&key, &made(2, None).1, NOW));
        assert!(!admits(&key, &text.replace("7_", "8_"), NOW));
    }

    #[test]
    fn only_one_spelling_is_read() {
        let (_, text) = made(1, None);
        assert!(PresentedKey::parse(&text).is_some());
        let secret = &text[3 + 12 + 1..];
        for bad in [
            String::new(),
            "sp_".to_owned(),
            "eyJhbGciOiJIUzI1NiJ9.e30.AAAA".to_owned(),
            text.to_uppercase(),
            text.replace("sp_", "SP_"),
            text.replace("7_", "g_"),
            text.replace("7_", "7"),
            text.replace("sp_0", "sp_00"),
            text.replace("sp_0", "sp_+"),
            text.replace("sp_0", "sp_A"),
            format!("{text}="),
            format!("{text}A"),
            format!("{text}\n"),
            format!(" {text}"),
            format!("sp_{secret}"),
            text[..text.len() - 1].to_owned(),
            // Stray bits in the last character.
            format!("{}F", &text[..text.len() - 1]),
            "sp_000000000007_".to_owned(),
            format!("sp_000000000007_{}", "A".repeat(100_000)),
        ] {
            assert_eq!(PresentedKey::parse(&bad), None, "{}", &bad[..bad.len().min(80)]);
        }
    }

    #[test]
    fn a_key_ends_at_its_time_or_when_it_is_revoked() {
        let expires = NOW.plus(std::time::Duration::from_mins(1));
        let (mut key, text) = made(1, Some(expires));
        let before = Timestamp::from_millis(expires.millis() - 1);
        assert!(admits(&key, &text, before));
        assert!(!admits(&key, &text, expires));
        assert_eq!((key.status(before), key.status(expires)), ("active", "expired"));
        key.revoked_at = Some(NOW);
        assert!(!admits(&key, &text, NOW));
        assert_eq!(key.status(expires), "revoked");
    }

    #[test]
    fn a_key_allows_its_scopes_and_no_other() {
        let (mut key, _) = made(1, None);
        let allowed: Vec<_> = Scope::ALL.into_iter().filter(|s| key.allows(*s)).collect();
        assert_eq!(allowed, [Scope::TokensRead, Scope::Portal]);
        key.scopes = "tokens:readwrite tokens portals".to_owned();
        assert!(!Scope::ALL.into_iter().any(|s| key.allows(s)));
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
        }
        assert_eq!(Scope::from_name("Portal"), None);
    }

    #[test]
    fn a_key_for_some_accounts_is_for_no_other_and_the_release_before_takes_it_for_none() {
        let (mut key, _) = made(1, None);
        assert!(key.accounts().next().is_none() && key.allows_account("upstox", "any"));
        key.restrict(&[]);
        assert_eq!(key.scopes, "tokens:read portal");
        key.restrict(&["upstox/agnidata*".to_owned(), "facturify/default".to_owned()]);
        assert_eq!(key.scopes, "tokens:read@upstox/agnidata*,facturify/default portal");
        assert_eq!(key.scopes().collect::<Vec<_>>(), ["tokens:read", "portal"]);
        assert_eq!(key.accounts().collect::<Vec<_>>(), ["upstox/agnidata*", "facturify/default"]);
        assert!(
            key.allows(Scope::TokensRead) && key.allows(Scope::Portal) && !key.allows(Scope::TokensWrite)
        );
        for (provider, account, allowed) in [
            ("upstox", "agnidata001", true),
            ("upstox", "other", false),
            ("facturify", "default", true),
            ("oauth2", "a", false),
        ] {
            assert_eq!(key.allows_account(provider, account), allowed, "{provider}/{account}");
        }
        // A list that was lost is for none, not for all.
        key.scopes = "tokens:read@".to_owned();
        assert!(!key.allows_account("upstox", "agnidata001"));
    }

    #[test]
    fn a_key_for_its_own_portal_logins_is_let_in_as_its_line_and_the_release_before_takes_it_for_none() {
        let own = |id: u64| {
            let scopes = [Scope::TokensRead, Scope::PortalOwn];
            ServiceKey::new(id, &[1; 32], "a".to_owned(), &scopes, None, NOW).0
        };
        let mut key = own(7);
        assert!(
            key.lets_in(Scope::Portal) && !key.lets_in(Scope::TokensWrite) && !key.lets_in(Scope::Metrics)
        );
        // All that the release before asks.
        assert!(!key.allows(Scope::Portal));
        assert_eq!(key.opener(), Some(&key.id));
        key.restrict(&["upstox/*".to_owned()]);
        assert_eq!(key.scopes, "tokens:read@upstox/* portal:own");
        assert!(key.accounts().eq(["upstox/*"]) && key.allows(Scope::PortalOwn));
        let rotated = ServiceKey { origin: Some(key.id.clone()), ..own(8) };
        assert_eq!(rotated.opener(), key.opener());
        let full = made(1, None).0;
        assert!(full.lets_in(Scope::Portal) && full.opener().is_none());
        // Whoever may do neither is nobody's opener where it would be let in by mistake.
        key.scopes = "metrics".to_owned();
        assert!(!key.lets_in(Scope::Portal) && key.opener().is_some());
    }

    #[test]
    fn a_use_is_news_every_ten_minutes() {
        let (mut key, _) = made(1, None);
        assert!(key.is_use_news(NOW));
        key.last_used_at = Some(NOW);
        let later = NOW.plus(NOTED_EVERY);
        assert!(!key.is_use_news(Timestamp::from_millis(later.millis() - 1)) && key.is_use_news(later));
        // A clock that was put back.
        assert!(!key.is_use_news(Timestamp::default()));
    }

    #[test]
    fn a_name_is_visible_text_on_one_line() {
        for name in ["a", "nightly job", "ví dụ", &"é".repeat(64)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", " ", " a", "a\n", "a\nb", "a\0b", &"é".repeat(65)] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}

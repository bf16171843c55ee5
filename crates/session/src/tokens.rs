//! Access and refresh tokens: JWTs (RFC 7519) in the manner of RFC 9068 and RFC 8725.
//!
//! Only tokens of exactly the form that [`KeyRing`] makes are read: a known key, the one algorithm that it is for, an explicit
//! type, and a header with nothing else in it. The signature is checked before the claims are looked at.

use super::state::Grant;
use super::token_keys::{ACCESS, Header, REFRESH, TokenKey};
pub use super::token_keys::{Algorithm, PublicTokenKey, is_private_key};
use super::{Account, Fault, Mint, Pair};
use base::clock::Timestamp;
use base::ids::SessionId;
use base::secret::Secret;
use base::settings::NamedKey;
use base::settings::{ACCESS_SECONDS_MAX, REFRESH_SECONDS_MAX};
use jws::Parts;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// OIDC Back-Channel Logout 1.0 §2.4.
const LOGOUT: &str = "logout+jwt";
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// As §4 of it advises.
const LOGOUT_SECONDS: u64 = 120;
/// Longest token that is looked at, in bytes. Ours have about 500.
const TOKEN_BYTES_MAX: usize = 4096;
/// How far in the future a token may claim to have been issued, for clocks that differ, in seconds. Expiry has no leeway.
pub const LEEWAY_SECONDS: u64 = 5;

/// Why a token was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    Invalid,
    /// Genuine, but its time is over.
    Expired,
}

/// The claims of both kinds of token. A claim of another type, or a second one of the same name, is an error.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    #[serde(rename = "gen")]
    generation: u64,
    iat: u64,
    nbf: u64,
    exp: u64,
    /// In an access token: when the user last proved who they are (OIDC Core §2). Releases before did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    /// In an access token, where the token is all that a check has (`SESSION_CHECK` other than `strict`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
}

/// A token whose signature, type, issuer, audience and times have been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub subject: String,
    pub session_id: SessionId,
    pub jti: String,
    pub generation: u64,
    pub expires_at: Timestamp,
    /// To the second.
    pub authenticated_at: Option<Timestamp>,
    pub account: Option<Account>,
}

/// The keys that sign and verify. The first of the algorithm signs; all verify.
#[derive(Debug)]
pub struct KeyRing {
    issuer: String,
    audience: String,
    algorithm: Algorithm,
    keys: Vec<TokenKey>,
}

/// The id of the access token of one generation of a session. Nothing is stored per token, so it can be worked out.
pub fn access_jti(session_id: &SessionId, generation: u64) -> String {
    format!("{session_id}.{generation}")
}

impl KeyRing {
    pub fn new(issuer: &str, audience: &str, algorithm: Algorithm, keys: &[NamedKey]) -> Self {
        let keys = keys.iter().filter_map(TokenKey::new).collect();
        Self { issuer: issuer.to_owned(), audience: audience.to_owned(), algorithm, keys }
    }

    /// What others may verify tokens with: none of HS256, and of pairs the public keys, also of those that do not sign yet, or
    /// not any more.
    pub fn published(&self) -> impl Iterator<Item = &PublicTokenKey> {
        self.keys.iter().filter_map(|key| key.public.as_ref())
    }

    /// Signs the two tokens of a grant. `account` is put into the access token if it is given.
    pub fn pair(
        &self,
        session_id: &SessionId,
        subject: &str,
        grant: &Grant,
        account: Option<&Account>,
    ) -> Result<Pair, Fault> {
        let iat = grant.issued_at.seconds();
        let mut claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: subject.to_owned(),
            sid: session_id.as_str().to_owned(),
            jti: access_jti(session_id, grant.generation),
            generation: grant.generation,
            iat,
            nbf: iat,
            exp: grant.access_expires_at.seconds(),
            auth_time: grant.authenticated_at.map(Timestamp::seconds),
            account: account.cloned(),
        };
        let access = self.sign(ACCESS, &claims)?;
        claims.jti.push_str(".r");
        claims.exp = grant.refresh_expires_at.seconds();
        (claims.auth_time, claims.account) = (None, None);
        let refresh = self.sign(REFRESH, &claims)?;
        Ok(Pair {
            access,
            refresh,
            access_expires_at: grant.access_expires_at,
            counted_from: grant.issued_at,
        })
    }

    /// Says to whoever knows a session by its tokens that it has ended. Not a token that lets anybody in.
    pub fn logout_token(
        &self,
        session_id: &SessionId,
        subject: &str,
        jti: &str,
        now: Timestamp,
    ) -> Result<Secret, Fault> {
        let key = self.signing_key().ok_or(Fault)?;
        let claims = json!({
            "iss": self.issuer,
            "aud": self.audience,
            "iat": now.seconds(),
            "exp": now.seconds().saturating_add(LOGOUT_SECONDS),
            "jti": jti,
            "sub": subject,
            "sid": session_id,
            "events": { LOGOUT_EVENT: {} },
        });
        Ok(Secret::new(key.jws.sign(&key.header_of(LOGOUT), claims.to_string().as_bytes())))
    }

    /// The first of the algorithm that signs.
    fn signing_key(&self) -> Option<&TokenKey> {
        self.keys.iter().find(|key| key.jws.algorithm() == self.algorithm)
    }

    fn sign(&self, typ: &str, claims: &Claims) -> Result<Secret, Fault> {
        let key = self.signing_key().ok_or(Fault)?;
        let claims = serde_json::to_vec(claims).map_err(|_| Fault)?;
        Ok(Secret::new(key.jws.sign(key.header(typ), &claims)))
    }

    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.verify(token, ACCESS, ACCESS_SECONDS_MAX, now)
    }

    pub fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.verify(token, REFRESH, REFRESH_SECONDS_MAX, now)
    }

    /// As [`KeyRing::verify_access`], but the token may have expired: for naming a session that is to be closed.
    pub fn read_access(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.read(token, ACCESS, ACCESS_SECONDS_MAX, now).map(Verified::from)
    }

    /// The same of a refresh token.
    pub fn read_refresh(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        self.read(token, REFRESH, REFRESH_SECONDS_MAX, now).map(Verified::from)
    }

    /// The claims of a token that is right in every way, but may have expired.
    fn read(&self, token: &str, typ: &str, lifetime_max: u64, now: Timestamp) -> Result<Claims, TokenError> {
        let claims = self.genuine(token, typ)?;
        self.check_claims(&claims, lifetime_max, now)?;
        Ok(claims)
    }

    fn verify(
        &self,
        token: &str,
        typ: &str,
        lifetime_max: u64,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let claims = self.read(token, typ, lifetime_max, now)?;
        // RFC 7519 §4.1.4: not accepted on or after `exp`.
        if now.seconds() >= claims.exp {
            return Err(TokenError::Expired);
        }
        Ok(claims.into())
    }

    /// The claims of a token that one of our keys has signed as this type.
    fn genuine(&self, token: &str, typ: &str) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Invalid);
        }
        let parts = Parts::of(token).ok_or(TokenError::Invalid)?;
        // As good as every token that comes has a header that we wrote, letter by letter.
        let key = match self.keys.iter().find(|key| key.header(typ) == parts.header) {
            Some(key) => key,
            None => self.named(parts.header, typ)?,
        };
        if !key.jws.has_signed(&parts) {
            return Err(TokenError::Invalid);
        }
        parse(&decode(parts.payload)?)
    }

    /// The key that a header in another spelling names.
    fn named(&self, header: &str, typ: &str) -> Result<&TokenKey, TokenError> {
        let header = decode(header)?;
        let header: Header = parse(&header)?;
        let key = self.keys.iter().find(|key| key.kid == header.kid).ok_or(TokenError::Invalid)?;
        // A key is for one algorithm, whatever a header says (RFC 8725 §3.1).
        let is_ours = header.alg == key.jws.algorithm().as_str() && header.typ == typ;
        if is_ours { Ok(key) } else { Err(TokenError::Invalid) }
    }

    fn check_claims(&self, claims: &Claims, lifetime_max: u64, now: Timestamp) -> Result<(), TokenError> {
        let latest = now.seconds().saturating_add(LEEWAY_SECONDS);
        let ours = claims.iss == self.issuer && claims.aud == self.audience;
        let begun = claims.nbf <= latest && claims.iat <= latest;
        let bounded = claims.exp.saturating_sub(claims.iat) <= lifetime_max;
        let named = !claims.sub.is_empty() && SessionId::fits(&claims.sid);
        if ours && begun && bounded && named { Ok(()) } else { Err(TokenError::Invalid) }
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    jws::decode(part).ok_or(TokenError::Invalid)
}

/// An object of exactly this form; the derived readers would take a list of the values, too.
fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, TokenError> {
    // A slice would be read with stray bytes in what is skipped; text is not (RFC 7519 §7.2, step 10).
    let json = std::str::from_utf8(json).map_err(|_| TokenError::Invalid)?;
    if !json.starts_with('{') {
        return Err(TokenError::Invalid);
    }
    serde_json::from_str(json).map_err(|_| TokenError::Invalid)
}

impl From<Claims> for Verified {
    fn from(claims: Claims) -> Self {
        Self {
            subject: claims.sub,
            session_id: SessionId::issued(claims.sid),
            jti: claims.jti,
            generation: claims.generation,
            expires_at: Timestamp::from_seconds(claims.exp),
            authenticated_at: claims.auth_time.map(Timestamp::from_seconds),
            account: claims.account,
        }
    }
}

/// What a session's object mints with.
pub struct SessionMint<'a> {
    pub keys: &'a KeyRing,
    pub session_id: &'a SessionId,
    /// Whether access tokens carry the account.
    pub carry_account: bool,
}

impl Mint for SessionMint<'_> {
    fn mint(&self, grant: &Grant, account: &Account) -> Result<Pair, Fault> {
        let carried = self.carry_account.then_some(account);
        self.keys.pair(self.session_id, &account.subject(), grant, carried)
    }
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;

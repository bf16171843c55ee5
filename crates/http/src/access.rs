//! From a request to a caller: the access token, by bearer or by cookie, then what the session's object says of it.

use crate::answers::Time;
use crate::answers::service::Greeting;
use crate::answers::users::User;
use crate::cookies;
use crate::error::{FieldFault, Reason};
use crate::reply::Reply;
use crate::request::RequestHead;
use crate::route::query_values;
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use directory::ADMIN;
use directory::service_key::PresentedKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use session::tokens::{TokenError, Verified};
use session::{Account, EndReason, Live, Presence};
use std::time::Duration;

/// Somebody whose access token and session have been checked. Only [`admitted`] and [`believed`] make one.
#[allow(clippy::manual_non_exhaustive)] // Nobody else may make one, not even in this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: Account,
    pub session_id: SessionId,
    /// When the access token ends.
    pub token_expires_at: Timestamp,
    /// When they last proved who they are, by the word of the access token. Of a token of the release before, which does not say it, the
    /// beginning of the session, if its object was asked.
    pub authenticated_at: Option<Timestamp>,
    proven: (),
}

/// A caller whose session's object has just said that it is live, whatever `SESSION_CHECK` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCaller {
    pub caller: Caller,
    pub live: Live,
    /// Of the access token.
    pub generation: u64,
}

/// A [`LiveCaller`] who has the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin(Caller);

impl Admin {
    pub const fn user_id(&self) -> UserId {
        self.0.account.user_id
    }
}

/// An [`Admin`] whose login is as recent as `RECENT_LOGIN_MINUTES` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentAdmin(Admin);

impl RecentAdmin {
    pub const fn user_id(&self) -> UserId {
        self.0.user_id()
    }
}

/// A request with an access token, nothing of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(());

impl Shown {
    pub fn of(head: &RequestHead) -> Result<Self, Reason> {
        let cookie = cookies::value(head.cookie.as_deref(), cookies::ACCESS)?;
        match bearer(head.authorization.as_deref()) {
            Err(Reason::NotAuthenticated) if cookie.is_some() => Ok(Self(())),
            bearer => bearer.map(|_| Self(())),
        }
    }
}

/// The token of a bearer header (RFC 6750 §2.1), not looked at yet.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Reason> {
    let header = authorization.ok_or(Reason::NotAuthenticated)?.trim();
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    // One space or more (RFC 6750 §2.1). A scheme alone shows nothing.
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Reason::NotAuthenticated);
    }
    // Two headers arrive as one, joined by a comma; a token has neither comma nor space.
    if token.bytes().any(|b| matches!(b, b' ' | b',' | b'\t')) {
        return Err(Reason::InvalidRequest);
    }
    Ok(token)
}

/// The service key of a request, not looked at yet: by bearer, `X-API-Key` or `Apikey`; by more than one of them only if
/// they agree. Another scheme than bearer is somebody else's business, and so is, beside a key in a header, a bearer that has
/// not the form of one: a proxy's or a gateway's own.
pub fn service_key(head: &RequestHead) -> Result<&str, Reason> {
    let headers = head.api_key.as_deref().unwrap_or_default().split(',').map(str::trim);
    let mut headers = headers.filter(|key| !key.is_empty()).peekable();
    let bearer = match (bearer(head.authorization.as_deref()), headers.peek()) {
        (Err(Reason::NotAuthenticated), _) | (Err(_), Some(_)) => None,
        (Ok(token), Some(_)) => Some(token).filter(|token| PresentedKey::parse(token).is_some()),
        (other, None) => Some(other?),
    };
    let mut shown = bearer.into_iter().chain(headers);
    let key = shown.next().ok_or(Reason::NotAuthenticated)?;
    if shown.all(|other| other == key) { Ok(key) } else { Err(Reason::InvalidRequest) }
}

impl From<TokenError> for Reason {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Self::TokenInvalid,
            TokenError::Expired => Self::TokenExpired,
        }
    }
}

/// What an answer of the session's object means for somebody with an access token.
pub fn admitted(
    session_id: SessionId,
    subject: &str,
    token_expires_at: Timestamp,
    authenticated_at: Option<Timestamp>,
    presence: Presence,
) -> Result<Caller, Reason> {
    let Live { account, created_at, .. } = live(subject, presence)?;
    let authenticated_at = authenticated_at.or(Some(created_at));
    Ok(Caller { account, session_id, token_expires_at, authenticated_at, proven: () })
}

/// The same, with all that the object said.
pub fn admitted_live(token: Verified, presence: Presence) -> Result<LiveCaller, Reason> {
    let live = live(&token.subject, presence)?;
    let Verified { session_id, expires_at: token_expires_at, generation, .. } = token;
    let (account, authenticated_at) =
        (live.account.clone(), token.authenticated_at.or(Some(live.created_at)));
    let caller = Caller { account, session_id, token_expires_at, authenticated_at, proven: () };
    Ok(LiveCaller { caller, live, generation })
}

/// Whom a token names that carries the account, where `SESSION_CHECK` does not ask the session's object. Nobody, if it
/// carries none.
pub fn believed(token: &Verified) -> Option<Caller> {
    let account = token.account.clone()?;
    let session_id = token.session_id.clone();
    let (token_expires_at, authenticated_at) = (token.expires_at, token.authenticated_at);
    Some(Caller { account, session_id, token_expires_at, authenticated_at, proven: () })
}

fn live(subject: &str, presence: Presence) -> Result<Live, Reason> {
    match presence {
        // No token that we made names another user's session.
        Presence::Live(live) if live.account.subject() != subject => Err(Reason::SessionRevoked(None)),
        Presence::Live(live) => Ok(live),
        Presence::Ended(ended) => Err(access_refused(ended.reason)),
        Presence::Unknown => Err(Reason::SessionRevoked(None)),
    }
}

/// Why an access token of an ended session is refused.
pub fn access_refused(reason: EndReason) -> Reason {
    match reason {
        EndReason::Inactivity => Reason::SessionInactivity,
        EndReason::Lifetime => Reason::SessionRevoked(Some(reason)),
        _ => Reason::AccessTokenRevoked(reason),
    }
}

/// Why a refresh token of an ended session is refused.
pub fn refresh_refused(reason: EndReason) -> Reason {
    match reason {
        EndReason::Inactivity => Reason::SessionInactivity,
        _ => Reason::SessionRevoked(Some(reason)),
    }
}

impl Caller {
    pub fn has_role(&self, role: &str) -> bool {
        self.account.roles.iter().any(|r| r == role)
    }

    /// Refuses whoever has not proved who they are within so long, with what is asked for (RFC 9470). In whole seconds, as tokens say
    /// it; where nobody can say when, it was too long ago.
    pub fn authenticated_within(&self, max_age_seconds: u64, now: Timestamp) -> Result<(), Reason> {
        let age = self.authenticated_at.map(|at| now.seconds().saturating_sub(at.seconds()));
        if age.is_some_and(|age| age <= max_age_seconds) {
            Ok(())
        } else {
            Err(Reason::InsufficientUserAuthentication { max_age_seconds })
        }
    }

    /// As `RECENT_LOGIN_MINUTES` asks for; zero asks for nothing.
    pub fn recently_authenticated(&self, within: Duration, now: Timestamp) -> Result<(), Reason> {
        if within.is_zero() { Ok(()) } else { self.authenticated_within(within.as_secs(), now) }
    }
}

impl LiveCaller {
    pub fn admin(self) -> Result<Admin, Reason> {
        if self.caller.has_role(ADMIN) { Ok(Admin(self.caller)) } else { Err(Reason::Forbidden) }
    }

    pub fn recent_admin(self, within: Duration, now: Timestamp) -> Result<RecentAdmin, Reason> {
        let admin = self.admin()?;
        admin.0.recently_authenticated(within, now)?;
        Ok(RecentAdmin(admin))
    }
}

/// `GET /auth/profile`.
pub fn profile(caller: &Caller) -> Reply {
    let account = &caller.account;
    // Disabling a user ends the sessions, so whoever gets here is active.
    let body = User {
        id: account.user(),
        username: &account.username,
        roles: &account.roles,
        is_active: true,
        created_at: Time::utc(account.created_at),
        must_change_password: false,
    };
    Reply::json(200, &body)
}

/// `GET /api/v1/protected`.
pub fn protected(caller: &Caller) -> Reply {
    Reply::json(200, &Greeting { message: format!("Hello {}!", caller.account.username) })
}

/// `/auth/verify`: the caller in headers, for a proxy to pass on. `?role=` asks for a role; given twice, for both. `?max_age=` asks
/// for a login that is at most so many seconds ago; given twice, the shorter time counts.
pub fn verify(caller: &Caller, head: &RequestHead) -> Result<Reply, Reason> {
    if !query_values(&head.query, "role").all(|role| caller.has_role(&role)) {
        return Err(Reason::Forbidden);
    }
    let max_age = max_age_seconds(&head.query)?;
    if let Some(seconds) = max_age {
        caller.authenticated_within(seconds, head.started)?;
    }
    // Headers hold ASCII only, so a name in another script travels percent-encoded.
    let username = utf8_percent_encode(&caller.account.username, NON_ALPHANUMERIC);
    let reply = Reply::empty(200)
        .with("x-auth-user", caller.account.subject())
        .with("x-auth-username", username.to_string())
        .with("x-auth-session", caller.session_id.as_str())
        .with("x-auth-roles", caller.account.roles.join(","))
        .with("x-auth-expires", caller.token_expires_at.rfc3339());
    Ok(match caller.authenticated_at.filter(|_| max_age.is_some()) {
        Some(at) => reply.with("x-auth-time", at.rfc3339()),
        None => reply,
    })
}

/// What is no number of seconds is refused: whoever asks for a recent login must not get less.
fn max_age_seconds(query: &str) -> Result<Option<u64>, Reason> {
    let mut shortest: Option<u64> = None;
    for text in query_values(query, "max_age") {
        let digits = Some(&text).filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        let seconds = digits.and_then(|text| text.parse().ok());
        let seconds: u64 = seconds.ok_or_else(|| Reason::field("max_age", FieldFault::NotAllowed))?;
        shortest = Some(shortest.map_or(seconds, |other| other.min(seconds)));
    }
    Ok(shortest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f15_f16_reads_one_bearer_token_or_none() {
        for (header, token) in [
            (Some("Bearer abc"), Ok("abc")),
            (Some("bearer abc"), Ok("abc")),
            (None, Err(Reason::NotAuthenticated)),
            (Some(""), Err(Reason::NotAuthenticated)),
            (Some("Basic abc"), Err(Reason::NotAuthenticated)),
            // One space or more; a scheme alone is nothing.
            (Some("Bearer  abc"), Ok("abc")),
            (Some("Bearer     abc  "), Ok("abc")),
            (Some("Bearer"), Err(Reason::NotAuthenticated)),
            (Some("Bearer  "), Err(Reason::NotAuthenticated)),
            (Some("Bearer\tabc"), Err(Reason::NotAuthenticated)),
            (Some("Bearer a, Bearer b"), Err(Reason::InvalidRequest)),
            (Some("Bearer  a  b"), Err(Reason::InvalidRequest)),
            (Some("Bearer a b"), Err(Reason::InvalidRequest)),
        ] {
            assert_eq!(bearer(header), token, "{header:?}");
        }
    }

    #[test]
    fn a_max_age_is_a_number_of_seconds_and_of_several_the_shortest_counts() {
        for (query, read) in [
            ("", Ok(None)),
            ("role=a", Ok(None)),
            ("max_age=0", Ok(Some(0))),
            ("max_age=300&role=a&max_age=60", Ok(Some(60))),
            ("max%5Fage=7", Ok(Some(7))),
            ("max_age=18446744073709551615", Ok(Some(u64::MAX))),
        ] {
            assert_eq!(max_age_seconds(query), read, "{query}");
        }
        for wrong in ["", "x", "-1", "%2B5", "1.0", "1e3", " 5", "18446744073709551616", "\u{661}"] {
            for query in [format!("max_age={wrong}"), format!("max_age=5&max_age={wrong}")] {
                let refused = Reason::field("max_age", FieldFault::NotAllowed);
                assert_eq!(max_age_seconds(&query), Err(refused), "{query}");
            }
        }
    }

    #[test]
    fn f15_reads_one_service_key_wherever_it_stands_and_no_foreign_bearer_beside_it() {
        let [good, other] = ["a", "b"].map(|c| format!("sp_{}_{}", c.repeat(12), "A".repeat(43)));
        let bearer = format!("Bearer {good}");
        for (authorization, api_key, key) in [
            (None, None, Err(Reason::NotAuthenticated)),
            (Some("Basic abc"), None, Err(Reason::NotAuthenticated)),
            (Some(""), Some(""), Err(Reason::NotAuthenticated)),
            (Some("Bearer"), None, Err(Reason::NotAuthenticated)),
            (Some("Bearer k"), None, Ok("k")),
            (None, Some("k"), Ok("k")),
            (Some("Basic abc"), Some("k"), Ok("k")),
            (Some("Bearer"), Some("k"), Ok("k")),
            (Some(&*bearer), Some(&*format!("{good}, {good}")), Ok(&*good)),
            (Some(&*bearer), Some(&*other), Err(Reason::InvalidRequest)),
            (None, Some("k,j"), Err(Reason::InvalidRequest)),
            (Some("Bearer k, Bearer k"), None, Err(Reason::InvalidRequest)),
            // Somebody else's, whatever is wrong with it.
            (Some("Bearer x.y.z"), Some(&*good), Ok(&*good)),
            (Some("Bearer a, Bearer b"), Some(&*good), Ok(&*good)),
            (Some("Bearer x.y.z"), Some("k,j"), Err(Reason::InvalidRequest)),
        ] {
            let header = |name: &str| match name {
                "authorization" => authorization.map(str::to_owned),
                "x-api-key" => api_key.map(str::to_owned),
                _ => None,
            };
            let head = RequestHead::new("GET", "http://h/", &header, &String::new, Timestamp::default());
            assert_eq!(service_key(&head), key, "{authorization:?} {api_key:?}");
        }
    }
}

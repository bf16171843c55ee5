//! Upstreams in a few lines each, as `docs/keeper.md` says that they behave. They answer at once and never fail: what may
//! happen to an answer on its way is up to the world around them.

use base::call::Call;
use base::clock::Timestamp;
use base::secret::Secret;
use base64ct::{Base64UrlUnpadded, Encoding};
use keeper::schedule::upstox_end;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub trait Fake {
    fn serve(&mut self, call: &Call, now: Timestamp) -> (u16, String);
    /// Until when it would accept the access token, as far as time ends it.
    fn end_of(&self, access: &str) -> Timestamp {
        self.issued().end_of(access)
    }
    /// What it has issued.
    fn issued(&self) -> &Issued;
    /// Whether it would accept the access token.
    fn accepts(&self, access: &str, now: Timestamp) -> bool {
        self.issued().accepts(access, now)
    }
    /// From now on it refuses the configured credentials, or no longer.
    fn refuse(&mut self, refuses: bool);
    /// Ends the newest token before its time, if that can happen.
    fn revoke(&mut self) {}
    /// A new grant by the user, where there is such a thing: the seed.
    fn reseed(&mut self) -> Option<String> {
        None
    }
    /// The newest token, where one can be had without asking for it.
    fn newest(&self) -> Option<String> {
        None
    }
    /// A good token of another user, where tokens have one.
    fn of_a_stranger(&mut self, _now: Timestamp) -> Option<String> {
        None
    }
    /// A good token that lives longer than the day, where there is such a thing.
    fn extended(&mut self, _now: Timestamp) -> Option<String> {
        None
    }
    /// Whether an account need not have a token at this time of day.
    fn is_night(&self, _now: Timestamp) -> bool {
        false
    }
}

/// A JWT that nobody has signed.
fn jwt(name: &str, issued_at: Timestamp, expires_at: Timestamp) -> String {
    let claims =
        format!(r#"{{"jti":"{name}","iat":{},"exp":{}}}"#, issued_at.seconds(), expires_at.seconds());
    format!("h.{}.hidden", Base64UrlUnpadded::encode_string(claims.as_bytes()))
}

pub fn header<'a>(call: &'a Call, name: &str) -> &'a str {
    call.headers.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value.expose())
}

pub fn body(call: &Call) -> &str {
    call.body.as_ref().map_or("", Secret::expose)
}

/// Access tokens, when they end, and whether they were ended before.
#[derive(Default)]
pub struct Issued {
    /// Before their numbers, so that no two upstreams issue the same.
    name: String,
    number: u64,
    tokens: BTreeMap<String, (Timestamp, bool)>,
    last: String,
}

impl Issued {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn issue(&mut self, now: Timestamp, end: Timestamp) -> String {
        self.number += 1;
        let token = jwt(&format!("{}t{}", self.name, self.number), now, end);
        self.tokens.insert(token.clone(), (end, true));
        self.last.clone_from(&token);
        token
    }

    pub fn has(&self, token: &str) -> bool {
        self.tokens.contains_key(token)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.number
    }

    fn end(&mut self, token: &str) {
        if let Some((_, good)) = self.tokens.get_mut(token) {
            *good = false;
        }
    }

    fn end_of(&self, token: &str) -> Timestamp {
        self.tokens[token].0
    }

    fn accepts(&self, token: &str, now: Timestamp) -> bool {
        self.tokens.get(token).is_some_and(|(end, good)| *good && *end > now)
    }
}

/// Short tokens for the key, long ones for a token; a change may end the old one.
#[derive(Default)]
pub struct FakeFacturify {
    pub kills_old: bool,
    pub refuses: bool,
    pub issued: Issued,
}

pub const SHORT: Duration = Duration::from_mins(4);
pub const LONG: Duration = Duration::from_hours(12);

impl Fake for FakeFacturify {
    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn serve(&mut self, call: &Call, now: Timestamp) -> (u16, String) {
        let refused = || (401, r#"{"message":"no","code":null}"#.to_owned());
        let life = if call.url.ends_with("/token/refresh") {
            let token = header(call, "authorization").trim_start_matches("Bearer ").to_owned();
            if !self.issued.accepts(&token, now) {
                return refused();
            }
            if self.kills_old {
                self.issued.end(&token);
            }
            LONG
        } else if self.refuses {
            return refused();
        } else {
            SHORT
        };
        let token = self.issued.issue(now, now.plus(life));
        (200, format!(r#"{{"message":"ok","jwt":{{"token":"{token}","expires_in":{}}}}}"#, life.as_secs()))
    }

    fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
        // A long token must not carry it over: who is refused has nothing left.
        if refuses {
            let last = self.issued.last.clone();
            self.issued.end(&last);
        }
    }
}

/// The user of an account at Upstox is U1.
pub const STRANGER: &str = "U2";

/// The internal service and Upstox behind it: every token ends at 03:30 IST.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // Switches.
pub struct FakeUpstox {
    /// The service has nothing new from 03:30 to 08:00.
    pub opens_at_eight: bool,
    /// A new token ends the one before.
    pub kills_old: bool,
    /// It says when its tokens end, a day too late.
    pub lies: bool,
    pub refuses: bool,
    /// Tokens of another user, who is nobody's business here.
    pub strangers: BTreeSet<String>,
    pub issued: Issued,
}

impl Fake for FakeUpstox {
    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn serve(&mut self, call: &Call, now: Timestamp) -> (u16, String) {
        if call.url.ends_with("/v2/user/profile") {
            let token = header(call, "authorization").trim_start_matches("Bearer ");
            return if self.issued.accepts(token, now) {
                let user = if self.strangers.contains(token) { STRANGER } else { "U1" };
                (200, format!(r#"{{"status":"success","data":{{"user_id":"{user}"}}}}"#))
            } else {
                (401, r#"{"status":"error","errors":[{"errorCode":"UDAPI100050"}]}"#.to_owned())
            };
        }
        if call.url.ends_with("/v2/login/authorization/token") {
            let extended = self.extended(now).unwrap_or_default();
            let token = self.issued.issue(now, upstox_end(now));
            let text =
                format!(r#"{{"user_id":"U1","access_token":"{token}","extended_token":"{extended}"}}"#);
            return (200, text);
        }
        if self.refuses {
            return (401, r#"{"success":false,"error":"not this account"}"#.to_owned());
        }
        if call.url.ends_with("/refresh") {
            if !self.opens_at_eight || !self.is_night(now) {
                let last = self.issued.last.clone();
                if self.kills_old {
                    self.issued.end(&last);
                }
                self.issued.issue(now, upstox_end(now));
            }
            return (200, String::new());
        }
        let last = &self.issued.last;
        if last.is_empty() {
            return (200, r#"{"success":false}"#.to_owned());
        }
        let said = self.issued.end_of(last).plus(Duration::from_hours(if self.lies { 24 } else { 0 }));
        (200, format!(r#"{{"success":true,"access_token":"{last}","expires_at":"{}"}}"#, said.rfc3339_ist()))
    }

    fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
    }

    fn revoke(&mut self) {
        let last = self.issued.last.clone();
        self.issued.end(&last);
    }

    fn newest(&self) -> Option<String> {
        Some(self.issued.last.clone()).filter(|last| !last.is_empty())
    }

    fn of_a_stranger(&mut self, now: Timestamp) -> Option<String> {
        // The service has the one before still.
        let last = self.issued.last.clone();
        let token = self.issued.issue(now, upstox_end(now));
        self.strangers.insert(token.clone());
        self.issued.last = last;
        Some(token)
    }

    fn extended(&mut self, now: Timestamp) -> Option<String> {
        let last = self.issued.last.clone();
        let (issued_at, end) = (now.minus(Duration::from_hours(240)), now.plus(Duration::from_hours(8_500)));
        let token = self.issued.issue(issued_at, end);
        self.issued.last = last;
        Some(token)
    }

    fn is_night(&self, now: Timestamp) -> bool {
        // 03:30 and 08:00 IST are 22:00 and 02:30 UTC.
        now.last_daily(22 * 3600) > now.last_daily(2 * 3600 + 1800)
    }
}

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// It stays the one.
    #[default]
    Off,
    /// Its successor takes its place.
    Plain,
    /// It is good until its successor is used.
    Lenient,
    /// Using it again ends the whole grant.
    Detecting,
}

#[derive(Default)]
pub struct FakeOAuth {
    pub rotation: Rotation,
    /// Whether it says how long a token lives.
    pub says_life: bool,
    pub refuses: bool,
    pub issued: Issued,
    pub grants: u64,
    pub used: u64,
    /// The grant was ended because of a reuse.
    pub ended: bool,
}

impl FakeOAuth {
    fn token(&self, n: u64) -> String {
        format!("{}r{}.{n}", self.issued.name, self.grants)
    }
}

impl Fake for FakeOAuth {
    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn serve(&mut self, call: &Call, now: Timestamp) -> (u16, String) {
        if self.refuses {
            return (401, r#"{"error":"invalid_client"}"#.to_owned());
        }
        let presented = body(call).split("refresh_token=").nth(1).unwrap_or_default().to_owned();
        let current = presented == self.token(self.used);
        let before = self.used > 0 && presented == self.token(self.used - 1);
        let good = !self.ended && (current || (before && self.rotation == Rotation::Lenient));
        if !good {
            self.ended |= self.rotation == Rotation::Detecting;
            return (400, r#"{"error":"invalid_grant"}"#.to_owned());
        }
        self.used += u64::from(current && self.rotation != Rotation::Off);
        let access = self.issued.issue(now, now.plus(Duration::from_hours(1)));
        let life = if self.says_life { r#","expires_in":3600"# } else { "" };
        let rotated = match self.rotation {
            Rotation::Off => String::new(),
            _ => format!(r#","refresh_token":"{}""#, self.token(self.used)),
        };
        (200, format!(r#"{{"access_token":"{access}"{life}{rotated}}}"#))
    }

    fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
    }

    fn reseed(&mut self) -> Option<String> {
        self.grants += 1;
        (self.used, self.ended) = (0, false);
        Some(self.token(0))
    }
}

/// A server that gives tokens for a client's own credentials.
#[derive(Default)]
pub struct FakeClient {
    pub refuses: bool,
    pub issued: Issued,
}

impl Fake for FakeClient {
    fn issued(&self) -> &Issued {
        &self.issued
    }

    fn serve(&mut self, _: &Call, now: Timestamp) -> (u16, String) {
        if self.refuses {
            return (401, r#"{"error":"invalid_client"}"#.to_owned());
        }
        let access = self.issued.issue(now, now.plus(Duration::from_hours(1)));
        (200, format!(r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600}}"#))
    }

    fn refuse(&mut self, refuses: bool) {
        self.refuses = refuses;
    }
}

//! Alerts: what they say, and how they are signed.

use super::call::Code;
use base::clock::Timestamp;
use base::event::EventType;
use base::ids::AccountName;
use base::secret::Secret;
use base::webhook;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

base::words! {
    /// What an alert is about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Kind {
        /// the immediate retries are used up; later retries go on, minutes apart
        Failing = "failing",
        /// a final refusal, which is not retried until something changes; or, with `code` `approval_pending`, the owner was
        /// asked for approval
        NeedsAttention = "needs_attention",
        /// renewal works again after one of these two. Not after `approval_pending`
        Recovered = "recovered",
        /// the token is about to expire, and no renewal is in sight or the immediate retries are used up:
        /// `ALERT_EXPIRY_WARNING_MINUTES` before it expires, or half its lifetime if that is less. Not for short tokens
        Expiring = "expiring",
        /// a token of [another user](keeper.md#token-owner) arrived and was refused. Not sent again while one such alert is
        /// undelivered
        OtherUser = "other_user",
    }
}

impl From<Kind> for EventType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Failing => Self::TokenFailing,
            Kind::NeedsAttention => Self::TokenNeedsAttention,
            Kind::Recovered => Self::TokenRecovered,
            Kind::Expiring => Self::TokenExpiring,
            Kind::OtherUser => Self::TokenOtherUser,
        }
    }
}

/// One that has not been delivered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Counts the account's alerts; with the account's name it is the same at each attempt.
    pub number: u64,
    pub kind: Kind,
    pub at: Timestamp,
    pub code: Option<Code>,
    pub expires_at: Option<Timestamp>,
    pub attempts: u32,
    pub try_at: Timestamp,
}

/// Undelivered ones that are kept; the oldest is dropped for a newer one.
pub const OUTBOX_MAX: usize = 20;
/// After this many attempts, about a day, it is given up.
pub const ATTEMPTS_MAX: u32 = 30;
const AGAIN_FIRST: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_hours(1);

/// How long after the n-th failed attempt the next one comes.
pub fn again(attempts: u32) -> Duration {
    (AGAIN_FIRST * (1 << attempts.saturating_sub(1).min(10))).min(AGAIN_MAX)
}

/// Accounts that a message names; of more it has the number.
const NAMED_MAX: usize = 50;

/// What is sent: the alerts of one cause.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The same at each attempt.
    pub id: String,
    pub provider: String,
    /// The first is the one that began it. There is one at least.
    pub accounts: Vec<AccountName>,
    pub kind: Kind,
    pub code: Option<Code>,
    /// Of the first.
    pub at: Timestamp,
    /// The earliest.
    pub expires_at: Option<Timestamp>,
    /// What is wrong with the settings of the first, if that is the cause.
    pub detail: Option<String>,
}

/// What an alert is known by.
pub fn id(provider: &str, account: &AccountName, alert: &Alert) -> String {
    format!("{provider}-{account}-{}-{}", alert.number, alert.at.millis())
}

impl Batch {
    pub fn of_one(provider: &str, account: AccountName, alert: &Alert, detail: Option<String>) -> Self {
        Self {
            id: id(provider, &account, alert),
            provider: provider.to_owned(),
            accounts: vec![account],
            kind: alert.kind,
            code: alert.code,
            at: alert.at,
            expires_at: alert.expires_at,
            detail: detail.filter(|_| alert.code == Some(Code::Misconfigured)),
        }
    }

    /// One more of the same cause.
    pub fn add(&mut self, account: AccountName, alert: &Alert) {
        if !self.accounts.contains(&account) {
            self.accounts.push(account);
        }
        self.expires_at = [self.expires_at, alert.expires_at].into_iter().flatten().min();
    }

    /// The headers and the body.
    pub fn message(&self, keys: &[&[u8]], now: Timestamp) -> Option<(Vec<(&'static str, Secret)>, Secret)> {
        let mut data = json!({
            "provider": self.provider,
            "account_id": self.accounts.first(),
            "count": self.accounts.len(),
            "account_ids": self.accounts.get(..NAMED_MAX).unwrap_or(&self.accounts),
            "code": self.code.map(Code::as_str),
            "expires_at": self.expires_at.map(Timestamp::rfc3339),
        });
        if let (Some(data), Some(detail)) = (data.as_object_mut(), &self.detail) {
            data.insert("detail".to_owned(), detail.as_str().into());
        }
        let body = json!({
            "type": format!("token.{}", self.kind.as_str()),
            "timestamp": self.at.rfc3339(),
            "data": data,
        });
        let body = body.to_string();
        let headers = webhook::headers(&self.id, &body, keys, now)?;
        Some((headers, Secret::new(body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_signed_over_id_time_and_body() {
        let alert = Alert {
            number: 3,
            kind: Kind::NeedsAttention,
            at: Timestamp::from_seconds(1_763_719_200),
            code: Some(Code::CredentialsRefused),
            expires_at: None,
            attempts: 0,
            try_at: Timestamp::default(),
        };
        let now = Timestamp::from_seconds(1_763_719_205);
        let (headers, body) = Batch::of_one("upstox", base::ids::AccountName::issued("a1"), &alert, None)
            .message(&[b"key"], now)
            .unwrap();
        let header = |name| headers.iter().find(|(n, _)| *n == name).unwrap().1.expose();
        assert_eq!(header("webhook-id"), "upstox-a1-3-1763719200000");
        assert_eq!(header("webhook-timestamp"), "1763719205");
        assert_eq!(
            body.expose(),
            r#"{"data":{"account_id":"a1","account_ids":["a1"],"code":"upstream_credentials_refused","count":1,"expires_at":null,"provider":"upstox"},"timestamp":"2025-11-21T10:00:00.000Z","type":"token.needs_attention"}"#
        );
        // By OpenSSL: printf '%s' "$id.$timestamp.$body" | openssl dgst -sha256 -hmac key -binary | base64
        assert_eq!(header("webhook-signature"), "v1,5Dv787j8xnDTonj+lDjXFUIuAWkB+UJaHlPlvK89Wis=");
    }

    #[test]
    fn each_kind_is_an_event_of_its_name() {
        for kind in Kind::ALL {
            assert_eq!(EventType::from(*kind).as_str(), format!("token.{}", kind.as_str()));
        }
    }

    #[test]
    fn comes_again_ever_more_slowly_for_about_a_day() {
        assert_eq!(again(1), AGAIN_FIRST);
        assert_eq!(again(2), AGAIN_FIRST * 2);
        assert_eq!(again(u32::MAX), AGAIN_MAX);
        let total: Duration = (1..ATTEMPTS_MAX).map(again).sum();
        assert!(total > Duration::from_hours(20) && total < Duration::from_hours(28), "{total:?}");
    }
}

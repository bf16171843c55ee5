//! Messages to a receiver: signed as Standard Webhooks (`id.timestamp.body` under HMAC-SHA256), and sent again when they fail.

use crate::call::RETRY_AFTER_MAX;
use crate::clock::Timestamp;
use crate::jitter::Jitter;
use crate::secret::Secret;
use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::time::Duration;

/// How the standard's keys begin; what follows is base64.
const PREFIX: &str = "whsec_";
/// Bytes that a key may have, by the standard.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What signs messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Key {
    /// `whsec_` and 24 to 64 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Base64::decode_vec(text.strip_prefix(PREFIX)?).ok()?;
        KEY_BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// A key that is its own text.
    pub fn of_text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The headers of a message, with a signature by each key.
pub fn headers(id: &str, body: &str, keys: &[&[u8]], now: Timestamp) -> Option<Vec<(&'static str, Secret)>> {
    let at = now.seconds().to_string();
    let mut signatures = String::new();
    for key in keys {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        for part in [id, ".", &at, ".", body] {
            mac.update(part.as_bytes());
        }
        if !signatures.is_empty() {
            signatures.push(' ');
        }
        signatures.push_str("v1,");
        signatures.push_str(&Base64::encode_string(&mac.finalize().into_bytes()));
    }
    Some(vec![
        ("content-type", Secret::new("application/json")),
        ("webhook-id", Secret::new(id)),
        ("webhook-timestamp", Secret::new(at)),
        ("webhook-signature", Secret::new(signatures)),
    ])
}

const AGAIN_FIRST: Duration = Duration::from_secs(5);
const AGAIN_MAX: Duration = Duration::from_mins(30);
/// A message is given up that is so old, and was tried so often: a clock that was set forward is no reason.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(72);
const ATTEMPTS_MIN: u32 = 8;

/// How long after the n-th failed attempt the next one comes: half of it for certain, so that not all come back at once.
pub fn again(attempts: u32, retry_after: Option<Duration>, jitter: Jitter) -> Duration {
    let most = (AGAIN_FIRST * (1 << attempts.saturating_sub(1).min(10))).min(AGAIN_MAX);
    let wait = most / 2 + jitter.up_to(most / 2);
    wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_MAX))
}

/// Whether a message of this age has failed for the last time.
pub fn is_given_up(age: Duration, attempts: u32) -> bool {
    age >= GIVEN_UP_AFTER && attempts >= ATTEMPTS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_the_standards_form() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!((key.bytes().len(), format!("{key:?}").as_str()), (24, "[secret]"));
        for bad in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-",
            "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }

    /// The example of the standard's own libraries.
    #[test]
    fn is_signed_as_the_standard_says_by_each_key() {
        let key = Key::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let now = Timestamp::from_seconds(1_614_265_330);
        let signed = |keys: &[&[u8]]| {
            let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#, keys, now);
            let (_, value) =
                headers.unwrap().into_iter().find(|(name, _)| *name == "webhook-signature").unwrap();
            value.expose().to_owned()
        };
        let one = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signed(&[key.bytes()]), one);
        let two = signed(&[b"another", key.bytes()]);
        let (first, second) = two.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != one && second == one, "{two}");
    }

    #[test]
    fn comes_again_ever_more_slowly_and_never_at_once() {
        const MOST: Jitter = Jitter(u32::MAX);
        for (attempts, seconds) in [(1, 5), (2, 10), (3, 20), (9, 1280), (10, 1800), (u32::MAX, 1800)] {
            let most = Duration::from_secs(seconds);
            assert_eq!(again(attempts, None, MOST), most);
            assert_eq!(again(attempts, None, Jitter(0)), most / 2);
        }
        let hour = Some(Duration::from_hours(1));
        assert_eq!(again(1, hour, MOST), Duration::from_hours(1));
        assert_eq!(again(10, Some(Duration::from_secs(1)), MOST), AGAIN_MAX);
        assert_eq!(again(1, Some(Duration::MAX), MOST), RETRY_AFTER_MAX);
    }

    #[test]
    fn is_given_up_after_three_days() {
        assert!(is_given_up(GIVEN_UP_AFTER, ATTEMPTS_MIN));
        assert!(!is_given_up(Duration::from_secs(GIVEN_UP_AFTER.as_secs() - 1), 1_000));
        assert!(!is_given_up(GIVEN_UP_AFTER * 100, ATTEMPTS_MIN - 1));
    }
}

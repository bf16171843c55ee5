//! Hints from somebody else's JWT. Its signature cannot be checked here, so nothing is believed because of it.

use base::clock::Timestamp;
use base::secret::Secret;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Claims {
    iat: Option<f64>,
    exp: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    pub issued_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// Longest payload that is looked at, in bytes.
const PAYLOAD_BYTES_MAX: usize = 8192;

/// `iat` and `exp` of a JWT; nothing of what is none.
pub fn hints(token: &Secret) -> Hints {
    let payload = token.expose().split('.').nth(1).filter(|p| p.len() <= PAYLOAD_BYTES_MAX);
    let claims = payload
        .and_then(|p| Base64UrlUnpadded::decode_vec(p).ok())
        .and_then(|bytes| base::json::read_bytes::<Claims>(&bytes).ok())
        .unwrap_or_default();
    Hints { issued_at: claims.iat.and_then(moment), expires_at: claims.exp.and_then(moment) }
}

/// RFC 7519 `NumericDate`, within a range in which it makes sense.
fn moment(seconds: f64) -> Option<Timestamp> {
    const LAST: f64 = 32_503_680_000.0; // The year 3000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Within the range just checked.
    (1.0..LAST).contains(&seconds).then(|| Timestamp::from_seconds(seconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> Secret {
        Secret::new(format!("h.{}.s", Base64UrlUnpadded::encode_string(payload.as_bytes())))
    }

    #[test]
    fn reads_what_is_there() {
        let both = hints(&token(r#"{"iat":1763719200,"exp":1763762400.5,"sub":"x"}"#));
        assert_eq!(both.issued_at, Some(Timestamp::from_seconds(1_763_719_200)));
        assert_eq!(both.expires_at, Some(Timestamp::from_seconds(1_763_762_400)));
        assert_eq!(hints(&token("{}")), Hints::default());
    }

    #[test]
    fn nonsense_is_no_hint() {
        for payload in [r#"{"exp":"soon"}"#, r#"{"exp":-1}"#, r#"{"exp":1e300}"#, "[]", "x", ""] {
            assert_eq!(hints(&token(payload)), Hints::default(), "{payload}");
        }
        for text in ["", "opaque", "a.b", "a.%.c"] {
            assert_eq!(hints(&Secret::new(text)), Hints::default());
        }
    }
}

//! The compact form of JWS (RFC 7515): base64url, signing, verifying, by HS256, ES256 and `EdDSA`. It knows nothing of what is
//! signed.
//!
//! A crate of its own because it is all arithmetic: it is compiled for speed, whatever the code around it is compiled for,
//! and generic code of the libraries is compiled where it is used.

mod key;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64_URL;
pub use key::{Algorithm, Key, PublicKey};

/// A token divided at its points; nothing of it is decoded or verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    pub header: &'a str,
    pub payload: &'a str,
    /// What the signature is of: header, point, payload.
    signed: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of a token. `None` if it has not exactly three.
    pub fn of(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // A fourth part would be in the payload, and no base64url.
        Some(Self { header, payload, signed, signature })
    }
}

/// Base64url without padding (RFC 7515 §2).
pub fn encode(bytes: &[u8]) -> String {
    BASE64_URL.encode(bytes)
}

/// Strict: no padding, no other alphabet, no stray bits. By tables: what is decoded here is known to whoever sent it, and a
/// decoder in constant time takes as long as the signature.
pub fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL.decode(part).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.1.
    const SECRET: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn key() -> Key {
        Key::hs256(&decode(SECRET).unwrap())
    }

    #[test]
    fn signs_and_verifies_the_example_of_the_standard() {
        let parts = Parts::of(TOKEN).unwrap();
        assert!(key().has_signed(&parts));
        assert_eq!(key().sign(parts.header, &decode(parts.payload).unwrap()), TOKEN);
    }

    #[test]
    fn any_other_letter_is_another_token() {
        for at in (0..TOKEN.len()).filter(|at| TOKEN.as_bytes()[*at] != b'.') {
            for other in ["A", "g", "_"] {
                let mut token = TOKEN.to_owned();
                token.replace_range(at..=at, other);
                if token != TOKEN {
                    assert!(!key().has_signed(&Parts::of(&token).unwrap()), "{at} {other}");
                }
            }
        }
        assert!(!Key::hs256(b"another").has_signed(&Parts::of(TOKEN).unwrap()));
    }

    #[test]
    fn a_signature_has_all_its_bytes_and_no_more() {
        let (signed, _) = TOKEN.rsplit_once('.').unwrap();
        for signature in ["", "dA", &TOKEN[signed.len() + 1..TOKEN.len() - 2], "dBjf=", "dBj\n"] {
            let token = format!("{signed}.{signature}");
            assert!(!key().has_signed(&Parts::of(&token).unwrap()), "{signature}");
        }
        let longer = format!("{TOKEN}AAAA");
        assert!(!key().has_signed(&Parts::of(&longer).unwrap()));
    }

    #[test]
    fn a_token_has_three_parts() {
        assert_eq!((Parts::of(""), Parts::of("a"), Parts::of("a.b")), (None, None, None));
        let four = Parts::of("a.b.c.d").unwrap();
        assert_eq!(decode(four.payload), None);
    }

    #[test]
    fn decoding_is_strict() {
        assert_eq!(decode("AQID"), Some(vec![1, 2, 3]));
        for odd in ["AQID=", "AQ==", "AQ+/", "AR", "A", "AQ ID", "AQID\n"] {
            assert_eq!(decode(odd), None, "{odd}");
        }
    }
}

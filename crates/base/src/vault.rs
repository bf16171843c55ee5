//! Sealing at rest: AES-256-GCM under a key id, so that keys can be rotated.
//!
//! A sealed record is `kid.base64url(nonce ‖ ciphertext ‖ tag)`. The associated data are the purpose and the record's
//! own key, so a record that is moved to another place does not open there.

use crate::settings::NamedKey;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key};
use base64ct::{Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;

/// Twelve random bytes, never used twice: NIST SP 800-38D §8.2.2.
#[derive(Clone, Copy, Debug)]
pub struct Nonce(pub [u8; 12]);

/// Separates these keys from anything else that might be derived from the same secret.
const DERIVATION: &[u8] = b"sallyport/seal/aes-256-gcm/1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultError {
    /// Sealed under a key that is not configured.
    UnknownKey,
    /// Not a sealed record, changed since, or from another place.
    Unreadable,
}

/// The sealing keys. The first seals; all open.
pub struct Vault {
    keys: Vec<(String, Aes256Gcm)>,
    /// Derive fingerprints, one from each key.
    fingerprints: Vec<Hkdf<Sha256>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(kid, _)| kid)).finish()
    }
}

impl Vault {
    pub fn new(keys: &[NamedKey]) -> Self {
        let cipher = |named: &NamedKey| {
            let mut key = [0_u8; 32];
            let derived = Hkdf::<Sha256>::new(None, named.secret.expose().as_bytes());
            // 32 bytes is within HKDF's 255 blocks, so this cannot fail; if it did, the key would not be made.
            derived.expand(DERIVATION, &mut key).ok()?;
            Some((named.kid.clone(), Aes256Gcm::new(&Key::<Aes256Gcm>::from(key))))
        };
        let fingerprints =
            keys.iter().map(|k| Hkdf::<Sha256>::new(None, k.secret.expose().as_bytes())).collect();
        Self { keys: keys.iter().filter_map(cipher).collect(), fingerprints }
    }

    /// The key that seals.
    pub fn first_kid(&self) -> Option<&str> {
        self.keys.first().map(|(kid, _)| kid.as_str())
    }

    /// The ids of all keys.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(kid, _)| kid.as_str())
    }

    /// A short keyed hash, for telling values apart without keeping them. It changes when the first key does.
    pub fn fingerprint(&self, purpose: &str, value: &str) -> String {
        self.fingerprints(purpose, value).into_iter().next().unwrap_or_default()
    }

    /// The same by each key, the first key's first: a rotation makes no other value of it.
    pub fn fingerprints(&self, purpose: &str, value: &str) -> Vec<String> {
        self.derived::<12>(purpose, value)
    }

    /// A full keyed SHA-256 (HKDF-Expand is HMAC) by each key, the first key's first: for values that name something.
    pub fn names(&self, purpose: &str, value: &str) -> Vec<String> {
        self.derived::<32>(purpose, value)
    }

    fn derived<const N: usize>(&self, purpose: &str, value: &str) -> Vec<String> {
        let derive = |key: &Hkdf<Sha256>| {
            let mut out = [0_u8; N];
            // At most 32 bytes, which always fit.
            let _ = key.expand(&associated(purpose, value), &mut out);
            Base64UrlUnpadded::encode_string(&out)
        };
        self.fingerprints.iter().map(derive).collect()
    }

    /// Seals `plain` for one purpose and one record.
    pub fn seal(
        &self,
        purpose: &str,
        record: &str,
        plain: &[u8],
        nonce: Nonce,
    ) -> Result<String, VaultError> {
        let (kid, cipher) = self.keys.first().ok_or(VaultError::UnknownKey)?;
        let aad = associated(purpose, record);
        let sealed = cipher
            .encrypt(&nonce.0.into(), Payload { msg: plain, aad: &aad })
            .map_err(|_| VaultError::Unreadable)?;
        let mut bytes = nonce.0.to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(format!("{kid}.{}", Base64UrlUnpadded::encode_string(&bytes)))
    }

    /// Opens what was sealed for the same purpose and record.
    pub fn open(&self, purpose: &str, record: &str, sealed: &str) -> Result<Vec<u8>, VaultError> {
        let (kid, body) = sealed.split_once('.').ok_or(VaultError::Unreadable)?;
        let (_, cipher) = self.keys.iter().find(|(k, _)| k == kid).ok_or(VaultError::UnknownKey)?;
        let bytes = Base64UrlUnpadded::decode_vec(body).map_err(|_| VaultError::Unreadable)?;
        let (nonce, body) = bytes.split_first_chunk::<12>().ok_or(VaultError::Unreadable)?;
        let aad = associated(purpose, record);
        cipher.decrypt(&(*nonce).into(), Payload { msg: body, aad: &aad }).map_err(|_| VaultError::Unreadable)
    }
}

/// Length first, so that no two pairs of purpose and record give the same bytes.
fn associated(purpose: &str, record: &str) -> Vec<u8> {
    format!("{}:{purpose}:{record}", purpose.len()).into_bytes()
}

#[cfg(test)]
pub mod test_support {
    use super::Vault;
    use crate::secret::Secret;
    use crate::settings::NamedKey;

    /// With keys of these ids.
    pub fn vault(kids: &[&str]) -> Vault {
        let key = |kid: &&str| NamedKey {
            kid: (*kid).to_owned(),
            secret: Secret::new(format!("{kid}-0123456789abcdefghijklmnopqrstuv")),
        };
        Vault::new(&kids.iter().map(key).collect::<Vec<_>>())
    }
}

#[cfg(test)]
#[path = "vault_pins_tests.rs"]
mod pins_tests;

#[cfg(test)]
mod tests {
    use super::test_support::vault;
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_only_there() {
        let v = vault(&["s1"]);
        let sealed = v.seal("pair", "a", b"token", Nonce([7; 12])).unwrap();
        assert_eq!(v.open("pair", "a", &sealed).unwrap(), b"token");
        for (purpose, record) in [("pair", "b"), ("pai", "r:a"), ("other", "a")] {
            assert_eq!(v.open(purpose, record, &sealed), Err(VaultError::Unreadable));
        }
    }

    #[test]
    fn a_changed_byte_does_not_open() {
        let v = vault(&["s1"]);
        let sealed = v.seal("pair", "a", b"token", Nonce([7; 12])).unwrap();
        for index in 3..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(v.open("pair", "a", &String::from_utf8(bytes).unwrap()).is_err(), "byte {index}");
        }
        for broken in ["", "s1", "s1.", "s1.AAAA", "s1.====", "s9.AAAA"] {
            assert!(v.open("pair", "a", broken).is_err());
        }
    }

    #[test]
    fn fingerprints_tell_values_and_purposes_apart() {
        let v = vault(&["s1"]);
        assert_eq!(v.fingerprint("address", "192.0.2.1"), v.fingerprint("address", "192.0.2.1"));
        assert_ne!(v.fingerprint("address", "192.0.2.1"), v.fingerprint("address", "192.0.2.2"));
        assert_ne!(v.fingerprint("address", "192.0.2.1"), v.fingerprint("other", "192.0.2.1"));
        assert_ne!(v.fingerprint("address", "192.0.2.1"), vault(&["s2"]).fingerprint("address", "192.0.2.1"));
    }

    #[test]
    fn a_fingerprint_is_known_again_after_a_rotation() {
        let before = vault(&["s1"]).fingerprint("settings", "value");
        let both = vault(&["s2", "s1"]);
        assert_eq!(both.fingerprints("settings", "value"), [both.fingerprint("settings", "value"), before]);
    }

    #[test]
    fn keys_rotate() {
        let old = vault(&["s1"]).seal("pair", "a", b"token", Nonce([7; 12])).unwrap();
        let both = vault(&["s2", "s1"]);
        assert_eq!(both.open("pair", "a", &old).unwrap(), b"token");
        assert!(both.seal("pair", "a", b"token", Nonce([8; 12])).unwrap().starts_with("s2."));
        assert_eq!(vault(&["s2"]).open("pair", "a", &old), Err(VaultError::UnknownKey));
    }
}

//! Keys, by the algorithm that each is for.

use crate::{Parts, decode, encode};
use ed25519_dalek::Signer as _;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm as _, AlgorithmSignature};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// Bytes of an HMAC with SHA-256.
const HMAC_BYTES: usize = 32;

/// `alg` of a header (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Hs256,
    /// With Ed25519, and no other curve.
    EdDsa,
    Es256,
}

impl Algorithm {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// The one whose keys are pairs, by its name.
    pub fn of_pairs(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256].into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key that signs and verifies, by one algorithm only. Of a pair it holds the private key.
pub struct Key(Kind);

enum Kind {
    Hs256(Hs256Key),
    EdDsa(ed25519_dalek::SigningKey),
    Es256(p256::ecdsa::SigningKey),
}

/// What others verify with (RFC 7517); nothing private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `kty` and `crv`.
    pub family: &'static str,
    pub curve: &'static str,
    /// The coordinates, encoded. An `OKP` has only one.
    pub x: String,
    pub y: Option<String>,
}

impl PublicKey {
    /// RFC 7638: the hash of the required members, in their order.
    pub fn thumbprint(&self) -> String {
        let mut json = format!(r#"{{"crv":"{}","kty":"{}","x":"{}""#, self.curve, self.family, self.x);
        if let Some(y) = &self.y {
            json.push_str(r#","y":""#);
            json.push_str(y);
            json.push('"');
        }
        json.push('}');
        encode(&Sha256::digest(json))
    }
}

impl Key {
    /// A key of HS256 (RFC 7518 §3.2).
    pub fn hs256(secret: &[u8]) -> Self {
        Self(Kind::Hs256(Hs256Key::new(secret)))
    }

    /// Whether this is a private key of the algorithm: 32 bytes in base64url, `d` of a JWK.
    pub fn is_private(algorithm: Algorithm, d: &str) -> bool {
        match (algorithm, private(d)) {
            (Algorithm::EdDsa, Some(_)) => true,
            // Not zero, and below the order of the curve.
            (Algorithm::Es256, Some(d)) => p256::NonZeroScalar::try_from(d.as_slice()).is_ok(),
            (Algorithm::Hs256, _) | (_, None) => false,
        }
    }

    /// The pair of a private key. None, where it is [none](Self::is_private).
    pub fn pair(algorithm: Algorithm, d: &str) -> Option<Self> {
        let d = private(d)?;
        let kind = match algorithm {
            Algorithm::Hs256 => return None,
            Algorithm::EdDsa => Kind::EdDsa(ed25519_dalek::SigningKey::from_bytes(&d)),
            Algorithm::Es256 => Kind::Es256(p256::ecdsa::SigningKey::from_slice(&d).ok()?),
        };
        Some(Self(kind))
    }

    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Hs256(_) => Algorithm::Hs256,
            Kind::EdDsa(_) => Algorithm::EdDsa,
            Kind::Es256(_) => Algorithm::Es256,
        }
    }

    /// None of HS256: whoever could verify could sign.
    pub fn public(&self) -> Option<PublicKey> {
        match &self.0 {
            Kind::Hs256(_) => None,
            Kind::EdDsa(key) => {
                let x = encode(key.verifying_key().as_bytes());
                Some(PublicKey { family: "OKP", curve: "Ed25519", x, y: None })
            }
            Kind::Es256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = (point.x().map(|x| encode(x)), point.y().map(|y| encode(y)));
                Some(PublicKey { family: "EC", curve: "P-256", x: x?, y })
            }
        }
    }

    /// A token of an encoded header and a payload. The same of the same, to the byte.
    pub fn sign(&self, header: &str, payload: &[u8]) -> String {
        let payload = encode(payload);
        // Two points, and 86 letters of the longest signature.
        let mut token = String::with_capacity(header.len() + payload.len() + 88);
        token.push_str(header);
        token.push('.');
        token.push_str(&payload);
        let signature = match &self.0 {
            Kind::Hs256(key) => encode(&Hs256.sign(key, token.as_bytes()).as_bytes()),
            Kind::EdDsa(key) => encode(&ed25519(key, token.as_bytes())),
            Kind::Es256(key) => encode(&p256(key, token.as_bytes())),
        };
        token.push('.');
        token.push_str(&signature);
        token
    }

    /// Whether this key has signed the token. A pair signs once more, as an HMAC is made once more: that is cheaper than to
    /// verify with the public key, and only the signature that we make is accepted, not the others that would be good.
    /// Compares in constant time.
    pub fn has_signed(&self, parts: &Parts) -> bool {
        let Some(given) = decode(parts.signature) else { return false };
        let signed = parts.signed.as_bytes();
        match &self.0 {
            Kind::Hs256(key) => {
                given.len() == HMAC_BYTES
                    && AlgorithmSignature::try_from_slice(&given)
                        .is_ok_and(|given| Hs256.verify_signature(&given, key, signed))
            }
            Kind::EdDsa(key) => ed25519(key, signed).ct_eq(given.as_slice()).into(),
            Kind::Es256(key) => p256(key, signed).ct_eq(given.as_slice()).into(),
        }
    }
}

fn private(d: &str) -> Option<[u8; 32]> {
    decode(d)?.try_into().ok()
}

/// Deterministic (RFC 8032 §5.1.6).
fn ed25519(key: &ed25519_dalek::SigningKey, signed: &[u8]) -> Vec<u8> {
    key.sign(signed).to_bytes().into()
}

/// Deterministic (RFC 6979).
fn p256(key: &p256::ecdsa::SigningKey, signed: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign(signed);
    signature.to_bytes().to_vec()
}

/// Never what is secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.algorithm().as_str())
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;

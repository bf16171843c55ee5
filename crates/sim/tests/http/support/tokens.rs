//! Tokens read and forged. The signing key is the test's own.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};

pub const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A setting of the deployment.
pub fn setting(name: &str) -> &'static str {
    sim::SETTINGS.iter().find(|(n, _)| *n == name).unwrap().1
}

/// The secret of the key that signs.
pub fn signing_secret() -> &'static str {
    setting("TOKEN_SIGNING_KEYS").split_once(':').unwrap().1
}

/// The id of that key.
pub fn kid() -> &'static str {
    setting("TOKEN_SIGNING_KEYS").split_once(':').unwrap().0
}

/// Bytes as a part of a token.
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub fn part(token: &str, n: usize) -> &str {
    token.split('.').nth(n).unwrap()
}

fn decoded(token: &str, n: usize) -> String {
    String::from_utf8(Base64UrlUnpadded::decode_vec(part(token, n)).unwrap()).unwrap()
}

pub fn header_of(token: &str) -> Value {
    serde_json::from_str(&decoded(token, 0)).unwrap()
}

/// The claims of a token as text, unverified.
pub fn claims_text(token: &str) -> String {
    decoded(token, 1)
}

pub fn claims_of(token: &str) -> Value {
    serde_json::from_str(&claims_text(token)).unwrap()
}

/// The session that a token belongs to.
pub fn session_of(token: &str) -> String {
    claims_of(token)["sid"].as_str().unwrap().to_owned()
}

/// Signs the two parts as they are.
pub fn sign_text(signed: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

pub fn sign_text_384(signed: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

pub fn sign_text_512(signed: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

/// Header and claims as the two parts that are signed.
pub fn parts(header: &str, claims: &str) -> String {
    format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()))
}

/// Signs header and claims, given as text, with our key.
pub fn sign(header: &str, claims: &str) -> String {
    sign_text(&parts(header, claims), signing_secret())
}

/// Some members of an object put in place of those of the same name.
pub fn merged(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

/// A token like `token`, with some of its header and claims changed, rightly signed.
pub fn forge(token: &str, header: &Value, claims: &Value) -> String {
    forge_with(token, header, claims, signing_secret())
}

pub fn forge_with(token: &str, header: &Value, claims: &Value, secret: &str) -> String {
    let header = merged(header_of(token), header).to_string();
    sign_text(&parts(&header, &merged(claims_of(token), claims).to_string()), secret)
}

/// A token like `token`, its claims put together anew as text.
pub fn with_claims_text(token: &str, claims: &str) -> String {
    sign(&header_of(token).to_string(), claims)
}

/// The claims without one.
pub fn without(token: &str, name: &str) -> String {
    let mut claims = claims_of(token);
    claims.as_object_mut().unwrap().remove(name).unwrap();
    with_claims_text(token, &claims.to_string())
}

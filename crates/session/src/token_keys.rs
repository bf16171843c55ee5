//! The keys of tokens, as the settings have them: `kid:secret` of HS256, `EdDSA:…` and `ES256:…` of pairs.

use base::settings::NamedKey;
pub use jws::Algorithm;
use jws::{Key, PublicKey};
use serde::{Deserialize, Serialize};

pub const ACCESS: &str = "at+jwt";
pub const REFRESH: &str = "rt+jwt";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header<'a> {
    pub alg: &'a str,
    pub kid: &'a str,
    pub typ: &'a str,
}

/// A key of ours, by which tokens name it and what they begin with.
#[derive(Debug)]
pub struct TokenKey {
    pub kid: String,
    pub jws: Key,
    /// Of a pair.
    pub public: Option<PublicTokenKey>,
    /// The headers of our two types, encoded.
    access: String,
    refresh: String,
}

/// What others verify our tokens with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicTokenKey {
    pub kid: String,
    pub algorithm: Algorithm,
    pub key: PublicKey,
}

impl TokenKey {
    /// None: a private key that is none, which the settings were refused for.
    pub fn new(named: &NamedKey) -> Option<Self> {
        let secret = named.secret.expose();
        let jws = match Algorithm::of_pairs(&named.kid) {
            Some(algorithm) => Key::pair(algorithm, secret)?,
            None => Key::hs256(secret.as_bytes()),
        };
        let algorithm = jws.algorithm();
        let public = jws.public().map(|key| PublicTokenKey { kid: key.thumbprint(), algorithm, key });
        let kid = public.as_ref().map_or(&named.kid, |public| &public.kid).clone();
        let (access, refresh) = (header(algorithm, &kid, ACCESS), header(algorithm, &kid, REFRESH));
        Some(Self { kid, jws, public, access, refresh })
    }

    /// A header of another type than these two, encoded.
    pub fn header_of(&self, typ: &str) -> String {
        header(self.jws.algorithm(), &self.kid, typ)
    }

    pub fn header(&self, typ: &str) -> &str {
        if typ == ACCESS { &self.access } else { &self.refresh }
    }
}

/// A header of ours, encoded. The members have an order, so that tokens do not change with a release.
fn header(algorithm: Algorithm, kid: &str, typ: &str) -> String {
    let header = Header { alg: algorithm.as_str(), kid, typ };
    // Three texts can always be written as JSON. An empty header is none that anybody takes.
    jws::encode(&serde_json::to_vec(&header).unwrap_or_default())
}

/// Of an entry of the setting whose name is that of an algorithm: whether what follows is a private key of it. Nothing of any other.
pub fn is_private_key(name: &str, d: &str) -> Option<bool> {
    Algorithm::of_pairs(name).map(|algorithm| Key::is_private(algorithm, d))
}

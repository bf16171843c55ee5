//! Reads settings one by one and keeps every fault, so that all are reported together.

use super::{Kind, Setting};
use crate::ids::AccountName;
use crate::json;
use crate::secret::Secret;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Shortest secret that is accepted, in bytes: the output of SHA-256, as RFC 7518 §3.2 asks for HS256.
pub const SECRET_BYTES_MIN: usize = 32;
const SECRET_BYTES_MAX: usize = 1024;
const KID_BYTES_MAX: usize = 32;
/// A random secret of 32 characters or more has far more different ones than this.
pub(super) const DIFFERENT_BYTES_MIN: usize = 12;
/// Words of sample files and tutorials. A random secret has one of them about once in 10^12.
const SAMPLE_WORDS: [&str; 8] =
    ["change", "example", "sample", "secret", "password", "replace", "placeholder", "your-"];

/// A secret with the id that tokens and sealed records name it by.
#[derive(Clone, Debug)]
pub struct NamedKey {
    pub kid: String,
    pub secret: Secret,
}

pub struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub faults: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, faults: Vec::new() }
    }

    /// What is set. A value of white space counts as not set.
    fn own(&self, setting: &Setting) -> Option<String> {
        (self.lookup)(setting.name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    }

    /// What is set, else the default, else nothing.
    pub(super) fn value(&self, setting: &Setting) -> Option<String> {
        self.own(setting).or_else(|| Some(setting.default.to_owned()).filter(|v| !v.is_empty()))
    }

    /// Whether somebody has set it, to whatever.
    pub fn is_set(&self, setting: &Setting) -> bool {
        self.own(setting).is_some()
    }

    pub(super) fn fault(&mut self, setting: &Setting, what: &str) {
        self.faults.push(format!("{} {what}", setting.name));
    }

    /// A number that may be left out.
    fn optional_number(&mut self, setting: &Setting) -> Option<u64> {
        let Kind::Number { min, max } = setting.kind else { return None };
        let value = self.value(setting)?;
        match value.parse::<u64>() {
            Ok(n) if (min..=max).contains(&n) => Some(n),
            _ => {
                self.fault(setting, &format!("must be a whole number from {min} to {max}"));
                None
            }
        }
    }

    pub fn number(&mut self, setting: &Setting) -> u64 {
        self.optional_number(setting).unwrap_or_default()
    }

    pub fn number32(&mut self, setting: &Setting) -> u32 {
        u32::try_from(self.number(setting)).unwrap_or(u32::MAX)
    }

    /// A duration given in a coarse unit of `unit_seconds`, or in seconds by the `finer` setting, which wins.
    pub fn duration(&mut self, coarse: &Setting, unit_seconds: u64, finer: &Setting) -> Duration {
        let coarse = self.number(coarse).saturating_mul(unit_seconds);
        Duration::from_secs(self.optional_number(finer).unwrap_or(coarse))
    }

    pub fn word(&mut self, setting: &Setting) -> String {
        let Kind::Word(words) = setting.kind else { return String::new() };
        let value = self.value(setting).unwrap_or_default();
        if !words.contains(&value.as_str()) {
            self.fault(setting, &format!("must be one of: {}", words.join(", ")));
        }
        value
    }

    pub fn text(&mut self, setting: &Setting) -> String {
        let value = self.value(setting).unwrap_or_default();
        if value.chars().count() > 200 || value.chars().any(char::is_control) {
            self.fault(setting, "must be text of 1 to 200 characters");
        }
        value
    }

    pub fn secret(&mut self, setting: &Setting) -> Option<Secret> {
        let value = self.value(setting)?;
        self.check_secret(setting, "", &value);
        Some(Secret::new(value))
    }

    /// A secret that somebody else made.
    pub fn credential(&mut self, setting: &Setting) -> Option<Secret> {
        let value = self.value(setting)?;
        if value.len() > SECRET_BYTES_MAX || value.chars().any(char::is_control) {
            self.fault(setting, "must be text of 1 to 1024 bytes");
        }
        Some(Secret::new(value))
    }

    /// An address without a slash at its end.
    pub fn url(&mut self, setting: &Setting) -> Option<String> {
        let otherwise = "must be https://… without a query or credentials (http:// for loopback only)";
        self.url_within(setting, false, otherwise)
    }

    /// The same, `plain`: in a network where nobody else is. `otherwise` is what to say of another one.
    pub fn url_within(&mut self, setting: &Setting, plain: bool, otherwise: &str) -> Option<String> {
        let value = self.value(setting)?;
        let secured = value.strip_prefix("http://").filter(|_| plain).map(|rest| format!("https://{rest}"));
        if !is_base_url(secured.as_ref().unwrap_or(&value)) {
            self.fault(setting, otherwise);
        }
        Some(value.trim_end_matches('/').to_owned())
    }

    /// A number such as 2.0, in thousandths.
    pub fn base_thousandths(&mut self, setting: &Setting) -> u32 {
        let value = self.value(setting).unwrap_or_default();
        match value.parse::<f64>() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // From 1,000 to 10,000.
            Ok(base) if (1.0..=10.0).contains(&base) => (base * 1000.0).round() as u32,
            _ => {
                self.fault(setting, "must be a number from 1.0 to 10.0");
                0
            }
        }
    }

    /// In millionths. Nothing for `off`, and all for `on`.
    pub fn share(&mut self, setting: &Setting) -> Option<u32> {
        match self.value(setting).unwrap_or_default().as_str() {
            "on" => Some(1_000_000),
            "off" => None,
            value => match value.parse::<f64>() {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // From 0 to 1,000,000.
                Ok(share) if (0.0..=1.0).contains(&share) => Some((share * 1_000_000.0).round() as u32),
                _ => {
                    self.fault(setting, "must be on, off, or a number from 0.0 to 1.0");
                    None
                }
            },
        }
    }

    /// Account ids, each once.
    pub fn accounts(&mut self, setting: &Setting) -> Vec<AccountName> {
        let value = self.value(setting).unwrap_or_default();
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<Option<AccountName>> = names.map(AccountName::parse).collect();
        if names.contains(&None) {
            self.fault(
                setting,
                "must be account ids of 1 to 64 letters, digits, -, _ or ., separated by commas",
            );
        }
        names.into_iter().flatten().collect()
    }

    /// A JSON object with a member for each account.
    pub fn json<T: DeserializeOwned>(&mut self, setting: &Setting) -> BTreeMap<AccountName, T> {
        let Some(members) = self.members(setting) else { return BTreeMap::new() };
        let mut read = BTreeMap::new();
        for (name, value) in members {
            match (AccountName::parse(&name), json::exact(value)) {
                (None, _) => self.fault(setting, "must have account ids as names"),
                (Some(name), Ok(value)) => {
                    read.insert(name, value);
                }
                (Some(name), Err(error)) => {
                    self.fault(setting, &format!("is not of the right shape: {name}: {error}"));
                }
            }
        }
        read
    }

    /// The members of a JSON object, no name twice.
    pub fn members(&mut self, setting: &Setting) -> Option<Map<String, Value>> {
        match json::value(&self.value(setting)?) {
            Ok(Value::Object(members)) => return Some(members),
            Ok(_) => self.fault(setting, "must be a JSON object"),
            Err(error) => self.fault(setting, &format!("is {error}")),
        }
        None
    }

    /// Where it is wrong, never what stands there.
    fn json_fault(&mut self, setting: &Setting, error: &serde_json::Error) {
        self.fault(setting, &format!("is no JSON at line {}, column {}", error.line(), error.column()));
    }

    /// A JSON object whose members are read one by one, so that what is wrong with one of them is its own fault. A name that
    /// stands there twice is there once more as `name (twice)`.
    pub fn document(&mut self, setting: &Setting) -> Option<Map<String, Value>> {
        let value = self.value(setting)?;
        match json::document(&value) {
            Ok(Value::Object(members)) => Some(members),
            Ok(_) => {
                self.fault(setting, "must be a JSON object");
                None
            }
            Err(error) => {
                self.json_fault(setting, &error);
                None
            }
        }
    }

    /// A JSON object of a fixed shape.
    pub fn object<T: DeserializeOwned>(&mut self, setting: &Setting) -> Option<T> {
        let members = self.members(setting)?;
        match json::exact(Value::Object(members)) {
            Ok(object) => Some(object),
            Err(error) => {
                self.fault(setting, &format!("is not of the right shape: {error}"));
                None
            }
        }
    }

    /// Host names, as the authority of a URL has them.
    pub fn hosts(&mut self, setting: &Setting) -> Vec<String> {
        let value = self.value(setting).unwrap_or_default();
        let hosts: Vec<String> =
            value.split(',').map(|host| host.trim().to_lowercase()).filter(|host| !host.is_empty()).collect();
        let name = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        if hosts.iter().any(|host| !host.bytes().all(name)) {
            self.fault(
                setting,
                "must be host names, with a port where it is not the usual one, separated by commas",
            );
        }
        hosts
    }

    pub fn keys(&mut self, setting: &Setting) -> Vec<NamedKey> {
        self.keys_and_pairs(setting, &|_, _| None)
    }

    /// The same, where a name may be that of an algorithm, which any number of entries may have. `is_private_key` says then
    /// whether what follows is a private key of it.
    pub fn keys_and_pairs(
        &mut self,
        setting: &Setting,
        is_private_key: &dyn Fn(&str, &str) -> Option<bool>,
    ) -> Vec<NamedKey> {
        let Some(value) = self.value(setting) else {
            self.fault(setting, "is required: kid:secret, several separated by commas");
            return Vec::new();
        };
        let mut keys: Vec<NamedKey> = Vec::new();
        for (index, entry) in value.split(',').map(str::trim).enumerate() {
            let place = format!("entry {}", index + 1);
            let Some((kid, secret)) = entry.split_once(':') else {
                self.fault(setting, &format!("{place} is not kid:secret"));
                continue;
            };
            let kid_ok = !kid.is_empty()
                && kid.len() <= KID_BYTES_MAX
                && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            if !kid_ok {
                self.fault(setting, &format!("{place}: the kid must be 1 to 32 letters, digits, - or _"));
                continue;
            }
            let pair = is_private_key(kid, secret);
            if pair.is_none() && keys.iter().any(|k| k.kid == kid) {
                self.fault(setting, &format!("has the kid {kid} twice"));
            }
            if pair == Some(false) {
                let what = "a private key is 32 bytes in base64url; `npm run key -- signing` makes one";
                self.fault(setting, &format!("{place}: no private key of {kid}: {what}"));
                continue;
            }
            self.check_secret(setting, &format!("{place}: "), secret);
            keys.push(NamedKey { kid: kid.to_owned(), secret: Secret::new(secret) });
        }
        keys
    }

    fn check_secret(&mut self, setting: &Setting, place: &str, secret: &str) {
        if secret.len() < SECRET_BYTES_MIN || secret.len() > SECRET_BYTES_MAX {
            self.fault(
                setting,
                &format!("{place}the secret must have {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"),
            );
        }
        let mut different: Vec<u8> = secret.bytes().collect();
        different.sort_unstable();
        different.dedup();
        let lower = secret.to_lowercase();
        if different.len() < DIFFERENT_BYTES_MIN || SAMPLE_WORDS.iter().any(|w| lower.contains(w)) {
            self.fault(
                setting,
                &format!("{place}the secret is a sample or easily guessed; make a random one"),
            );
        }
    }
}

/// The same with a query, which the address of a token endpoint may have (RFC 6749 §3.2).
pub fn is_url_with_query(url: &str) -> bool {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    is_base_url(base)
        && query.len() <= 1_500
        && query.bytes().all(|b| b.is_ascii_graphic() && !b"#\\\"<>".contains(&b))
}

/// Whether credentials may be sent there: by TLS, or on this machine.
pub fn is_base_url(url: &str) -> bool {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = ["127.0.0.1", "localhost", "::1"].contains(&host);
    url.len() <= 500
        && !host.is_empty()
        && url.bytes().all(|b| b.is_ascii_graphic() && !b"?#@\\\"<>".contains(&b))
        && (scheme == "https" || (scheme == "http" && loopback))
}

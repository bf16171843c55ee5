//! Externally authenticated users: which channels they come by, and who is asked whether the system that authenticated
//! them still vouches for them. A verifier is one file here and one row in [`VerifierName`].

mod held_off;
pub mod settings;
mod sme;

pub use held_off::HeldOff;
pub use sme::{PATH as MOCK_PATH, Sme, SmeSettings};

use base::call::{Answer, Call, Failure};
use base::secret::{self, Secret};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Longest channel id, customer number and external token, in bytes. A token travels in a header.
pub const CHANNEL_BYTES_MAX: usize = 64;
pub const CIF_BYTES_MAX: usize = 64;
pub const TOKEN_BYTES_MAX: usize = 8192;
const BUSINESS_UNIT_BYTES_MAX: usize = 16;

/// What vouches for a user, on its way to the session's object. That keeps the channel in its state, and the token beside
/// it, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalToken {
    pub channel: String,
    #[serde(with = "secret::wire")]
    pub token: Secret,
}

/// The subject of such a session, `VPB-{BU}-{CIF}`. A business unit has no hyphen, so no two pairs make the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub business_unit: String,
    pub cif: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VPB-{}-{}", self.business_unit, self.cif)
    }
}

impl Subject {
    /// `None` for what is no such subject, such as a user's id.
    pub fn parse(text: &str) -> Option<Self> {
        let (business_unit, cif) = text.strip_prefix("VPB-")?.split_once('-')?;
        let subject = Self { business_unit: business_unit.to_owned(), cif: cif.to_owned() };
        (is_business_unit(business_unit) && is_cif(cif)).then_some(subject)
    }
}

/// Capital letters, digits and `_`.
pub fn is_business_unit(text: &str) -> bool {
    (1..=BUSINESS_UNIT_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Letters, digits, `-` and `_`.
pub fn is_cif(text: &str) -> bool {
    (1..=CIF_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Visible ASCII: what a header can hold.
pub fn is_token(text: &str) -> bool {
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What the other system said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    Expired,
    /// Not a token of this customer, or none at all.
    Refused,
}

/// Whose token is asked about.
pub struct Question<'a> {
    pub cif: &'a str,
    pub token: &'a Secret,
    pub request_id: &'a str,
}

/// Somebody who knows whether an external token still holds.
pub trait Verifier {
    fn call(&self, question: &Question<'_>) -> Call;

    /// What the answer means. A failure is no verdict: nothing follows from it.
    fn read(&self, question: &Question<'_>, answer: Answer) -> Result<Verdict, Failure>;
}

/// The verifiers that a channel can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerifierName {
    Sme,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Channel {
    pub business_unit: String,
    #[serde(default)]
    pub verifier: Option<VerifierName>,
    /// Where its verifier is, if not where the settings of that verifier say.
    #[serde(default)]
    pub verify_base_url: Option<String>,
}

/// Who verifies for a channel.
pub enum Found {
    Verifier(Box<dyn Verifier>),
    /// The channel has none.
    None,
    /// It has one whose settings are missing.
    NotSetUp,
}

/// The settings of post-login sessions.
#[derive(Clone, Debug)]
pub struct PostLogin {
    pub channels: BTreeMap<String, Channel>,
    pub sme: SmeSettings,
    pub verify_at_init: bool,
    pub mock_routes: bool,
}

impl PostLogin {
    pub fn verifier(&self, channel: &Channel) -> Found {
        match channel.verifier {
            None => Found::None,
            Some(VerifierName::Sme) => match self.sme.of(channel) {
                Some(sme) => Found::Verifier(Box::new(sme)),
                None => Found::NotSetUp,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_one_reading() {
        let subject = Subject::parse("VPB-SME-1-2").unwrap();
        assert_eq!((subject.business_unit.as_str(), subject.cif.as_str()), ("SME", "1-2"));
        assert_eq!(subject.to_string(), "VPB-SME-1-2");
        for none in [
            "",
            "7",
            "VPB",
            "VPB-SME",
            "VPB-SME-",
            "VPB--1",
            "VPB-sme-1",
            "vpb-SME-1",
            "VPB-S/E-1",
            "VPB-SME-1/2",
        ] {
            assert_eq!(Subject::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_customer_number_is_plain() {
        for good in ["1234567890", "a", "A-b_9", &"x".repeat(64)] {
            assert!(is_cif(good), "{good}");
        }
        for bad in ["", " ", "1 2", "1/2", "1:2", "1\n", "\u{e9}", "..", &"x".repeat(65)] {
            assert!(!is_cif(bad), "{bad}");
        }
        assert!(is_token("a.b-c_d~e+/=") && !is_token("a b") && !is_token("a\r\nb") && !is_token(""));
    }
}

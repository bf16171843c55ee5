//! Password hashes: Argon2id with OWASP's parameters, kept as PHC strings, so that each names its own parameters.
//!
//! What is hashed is the password as RFC 8265 (`OpaqueString`) maps it, so that it is the same one whatever the keyboard
//! makes of an accent or of a wide space.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::Rules as _;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Shortest password that can be set, in characters (ASVS 5.0, 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest, in bytes. Every byte counts; nothing is cut off.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Bytes of salt: RFC 9106 §3.1.
pub const SALT_BYTES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashParams {
    pub memory_kib: u32,
    pub iterations: u32,
}

impl HashParams {
    /// The work of a hash, by which the parameters are compared.
    pub fn cost(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.iterations)
    }

    /// These, or the other ones if they cost more.
    #[must_use]
    pub fn or_dearer(self, other: Option<Self>) -> Self {
        other.filter(|other| other.cost() > self.cost()).unwrap_or(self)
    }
}

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    TooShort,
    /// It is one of those that are tried first: of the list, the user's own name, or this program's.
    Common,
}

/// Passwords that are tried first, in small letters: those of lists of leaked ones that are long enough to be set.
const COMMON: &str = include_str!("common_passwords.txt");

/// Whether a password may not be set (NIST SP 800-63B, 3.1.1.2: its length, and a list; nothing else).
pub fn weakness(password: &str, username: &str) -> Option<Weakness> {
    let password = mapped(password);
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Some(Weakness::TooShort);
    }
    let small = password.to_lowercase();
    let common = small == username || small == "sallyport" || COMMON.lines().any(|common| common == small);
    common.then_some(Weakness::Common)
}

/// Whether two passwords are the same one.
pub fn same(one: &str, other: &str) -> bool {
    mapped(one) == mapped(other)
}

/// What comparing a password with a stored hash showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Match,
    /// It matches, and the hash was made with other parameters than those wanted now, or of the password as it was typed.
    MatchOutdated,
    Mismatch,
}

fn params(wanted: HashParams) -> Option<Params> {
    Params::new(wanted.memory_kib, wanted.iterations, 1, Some(32)).ok()
}

/// The password as RFC 8265 §4.2.2 maps it: wide and other spaces become ordinary ones, and all is put into NFC. What the
/// profile would refuse beside that is a password here all the same.
fn mapped(password: &str) -> Cow<'_, str> {
    let profile = OpaqueString::new();
    let spaced = profile.additional_mapping_rule(password);
    spaced.and_then(|text| profile.normalization_rule(text)).unwrap_or(Cow::Borrowed(password))
}

/// Hashes a password. `None` if the parameters are impossible or memory is out: then nothing is to be stored.
pub fn hash(password: &str, wanted: HashParams, salt: [u8; SALT_BYTES]) -> Option<String> {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(wanted)?);
    let hash: PasswordHash = hasher.hash_password_with_salt(mapped(password).as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// What a stored hash was made with.
pub fn made_with(stored: &str) -> Option<HashParams> {
    let made = Params::try_from(&PasswordHash::new(stored).ok()?).ok()?;
    Some(HashParams { memory_kib: made.m_cost(), iterations: made.t_cost() })
}

/// Compares a password with a stored hash. A mismatch costs at least what `refusal` does, as [`verify_nobody`] does, also while
/// the stored hash is cheaper.
pub fn verify(password: &str, stored: &str, wanted: HashParams, refusal: HashParams) -> Verdict {
    let Ok(hash) = PasswordHash::new(stored) else { return verify_nobody(password, refusal) };
    let made_with = Params::try_from(&hash).ok();
    let matches = |text: &str| Argon2::default().verify_password(text.as_bytes(), &hash).is_ok();
    let mapped = mapped(password);
    if matches(&mapped) {
        let wanted = params(wanted);
        let same = made_with.zip(wanted).is_some_and(|(made, wanted)| {
            (made.m_cost(), made.t_cost()) == (wanted.m_cost(), wanted.t_cost())
        });
        return if same { Verdict::Match } else { Verdict::MatchOutdated };
    }
    // A hash of a release before is one of the password as it was typed.
    if mapped != password && matches(password) {
        return Verdict::MatchOutdated;
    }
    if let Some(rest) = made_with.and_then(|made| missing(&made, refusal)) {
        works(password, rest);
    }
    Verdict::Mismatch
}

/// What is left of the wanted work once a hash with these parameters was made.
fn missing(made: &Params, wanted: HashParams) -> Option<HashParams> {
    let made = HashParams { memory_kib: made.m_cost(), iterations: made.t_cost() };
    let rest = wanted.cost().checked_sub(made.cost())?;
    let memory_kib = u32::try_from(rest / u64::from(wanted.iterations.max(1))).ok()?;
    (memory_kib >= Params::MIN_M_COST).then_some(HashParams { memory_kib, ..wanted })
}

/// Does the work of [`verify`] where there is no user, so that the answer takes as long.
pub fn verify_nobody(password: &str, wanted: HashParams) -> Verdict {
    works(password, wanted);
    Verdict::Mismatch
}

/// Does the work of comparing a password, for the time that it takes.
fn works(password: &str, wanted: HashParams) {
    let mapped = mapped(password);
    let texts = [Some(&*mapped), Some(password).filter(|typed| mapped != *typed)];
    for text in texts.into_iter().flatten() {
        let mut out = [0_u8; 32];
        if let Some(params) = params(wanted) {
            let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let _ = hasher.hash_password_into(text.as_bytes(), &[0; SALT_BYTES], &mut out);
        }
        std::hint::black_box(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(password: &str, stored: &str, wanted: HashParams) -> Verdict {
        super::verify(password, stored, wanted, wanted)
    }

    const FAST: HashParams = HashParams { memory_kib: 64, iterations: 1 };
    const OTHER: HashParams = HashParams { memory_kib: 128, iterations: 1 };

    #[test]
    fn a_hash_names_its_parameters_and_verifies() {
        let stored = hash("correct horse", FAST, [1; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{stored}");
        assert_eq!(verify("correct horse", &stored, FAST), Verdict::Match);
        assert_eq!(verify("correct horse", &stored, OTHER), Verdict::MatchOutdated);
        assert_eq!(verify("correct horsf", &stored, FAST), Verdict::Mismatch);
        assert_eq!(verify("anything", "not a hash", FAST), Verdict::Mismatch);
        assert_eq!(verify_nobody("anything", FAST), Verdict::Mismatch);
    }

    /// What was real: a user who had set a password on one keyboard could not log in on another.
    #[test]
    fn f15_a_password_typed_on_another_keyboard_is_the_same_one() {
        let spellings =
            ["cl\u{e9} du caf\u{e9}", "cle\u{301} du cafe\u{301}", "cl\u{e9}\u{a0}du\u{3000}cafe\u{301}"];
        for set in spellings {
            let stored = hash(set, FAST, [1; 16]).unwrap();
            for typed in spellings {
                assert_eq!(verify(typed, &stored, FAST), Verdict::Match, "{set} {typed}");
            }
            for other in
                ["cle du cafe", "cl\u{e9}du caf\u{e9}", "CL\u{c9} DU CAF\u{c9}", "cl\u{e9} du caf\u{e9} "]
            {
                assert_eq!(verify(other, &stored, FAST), Verdict::Mismatch, "{set} {other}");
            }
        }
        // Letters that only look alike, and full-width ones, are others.
        let stored = hash("\u{ff21}bcdefgh", FAST, [1; 16]).unwrap();
        assert_eq!(verify("Abcdefgh", &stored, FAST), Verdict::Mismatch);
    }

    /// As the release before made them: of the bytes as they came.
    #[test]
    fn f15_an_old_hash_still_opens_and_is_then_made_anew() {
        let typed = "cle\u{301} du cafe\u{301}";
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(FAST).unwrap());
        let old: PasswordHash = hasher.hash_password_with_salt(typed.as_bytes(), &[1; 16]).unwrap();
        let old = old.to_string();
        assert_eq!(verify(typed, &old, FAST), Verdict::MatchOutdated);
        assert_eq!(verify("cle\u{301} du cafe", &old, FAST), Verdict::Mismatch);
        let new = hash(typed, FAST, [2; 16]).unwrap();
        assert_eq!(verify(typed, &new, FAST), Verdict::Match);
        assert_eq!(verify("cl\u{e9} du caf\u{e9}", &new, FAST), Verdict::Match);
        // One of nothing but ASCII is as it was.
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(FAST).unwrap());
        let old: PasswordHash = hasher.hash_password_with_salt(b"correct horse", &[1; 16]).unwrap();
        assert_eq!(verify("correct horse", &old.to_string(), FAST), Verdict::Match);
    }

    /// After the parameters were raised, a name that exists would else be known by how little its refusal costs.
    #[test]
    fn f10_a_mismatch_costs_as_much_as_an_unknown_name_while_hashes_are_cheaper() {
        let made = |memory_kib, iterations| params(HashParams { memory_kib, iterations }).unwrap();
        let wanted = HashParams { memory_kib: 19_456, iterations: 2 };
        for (memory_kib, iterations) in [(12_288, 3), (19_456, 1), (7_168, 5), (64, 1)] {
            let rest = missing(&made(memory_kib, iterations), wanted).unwrap();
            assert_eq!(rest.iterations, 2);
            let (done, all) = (memory_kib * iterations + rest.memory_kib * rest.iterations, 19_456 * 2);
            assert!((all - 1..=all).contains(&done), "{memory_kib} {iterations}: {done}");
            assert!(params(rest).is_some());
        }
        for (memory_kib, iterations) in [(19_456, 2), (47_104, 1), (38_911, 1)] {
            assert_eq!(missing(&made(memory_kib, iterations), wanted), None);
        }
        assert_eq!(
            verify("another", &hash("correct horse", FAST, [1; 16]).unwrap(), OTHER),
            Verdict::Mismatch
        );
    }

    #[test]
    fn f12_what_is_tried_first_cannot_be_set_and_there_are_no_other_rules() {
        for common in
            ["password", "Password1", "12345678", "QWERTYUIOP", "p@ssw0rd", "sallyport", "Alice-Smith"]
        {
            assert_eq!(weakness(common, "alice-smith"), Some(Weakness::Common), "{common}");
        }
        for short in ["", "1234567", "pass", "cafe\u{301}123", "\u{1f510}\u{1f510}"] {
            assert_eq!(weakness(short, "alice"), Some(Weakness::TooShort), "{short}");
        }
        for fine in [
            "cafe\u{301}1234",
            "correct horse battery",
            "aaaaaaab",
            "        ",
            "alice-smith1",
            "\u{1f510}12345678",
        ] {
            assert_eq!(weakness(fine, "alice-smith"), None, "{fine}");
        }
        assert!(same("caf\u{e9}", "cafe\u{301}") && !same("caf\u{e9}", "cafe"));
    }

    #[test]
    fn f12_the_list_has_only_what_would_else_be_accepted_each_once() {
        let list: Vec<&str> = COMMON.lines().collect();
        assert!((300..1000).contains(&list.len()));
        assert!(list.is_sorted_by(|a, b| a < b));
        for word in list {
            assert!(word.chars().count() >= PASSWORD_CHARS_MIN && word == word.to_lowercase(), "{word}");
        }
    }

    #[test]
    fn every_byte_counts() {
        let long = "A".repeat(72);
        let stored = hash(&format!("{long}x"), FAST, [1; 16]).unwrap();
        assert_eq!(verify(&format!("{long}y"), &stored, FAST), Verdict::Mismatch);
        for odd in ["nul\0byte", " spaces ", "emoji \u{1f510}"] {
            let stored = hash(odd, FAST, [2; 16]).unwrap();
            assert_eq!(verify(odd, &stored, FAST), Verdict::Match);
            assert_eq!(verify(odd.trim(), &stored, FAST) == Verdict::Match, odd.trim() == odd);
        }
    }
}

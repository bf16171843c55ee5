//! Password hashes: Argon2id with OWASP's parameters, kept as PHC strings, so that each names its own parameters.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Shortest password that can be set, in characters (ASVS 5.0, 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest, in bytes. Every byte counts; nothing is cut off.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Bytes of salt: RFC 9106 §3.1.
pub const SALT_BYTES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashParams {
    pub memory_kib: u32,
    pub iterations: u32,
}

/// What comparing a password with a stored hash showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Match,
    /// It matches, and the hash was made with other parameters than those wanted now.
    MatchOutdated,
    Mismatch,
}

fn params(wanted: HashParams) -> Option<Params> {
    Params::new(wanted.memory_kib, wanted.iterations, 1, Some(32)).ok()
}

/// Hashes a password. `None` if the parameters are impossible or memory is out: then nothing is to be stored.
pub fn hash(password: &str, wanted: HashParams, salt: [u8; SALT_BYTES]) -> Option<String> {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params(wanted)?);
    let hash: PasswordHash = hasher.hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Compares a password with a stored hash.
pub fn verify(password: &str, stored: &str, wanted: HashParams) -> Verdict {
    let Ok(hash) = PasswordHash::new(stored) else { return Verdict::Mismatch };
    if Argon2::default().verify_password(password.as_bytes(), &hash).is_err() {
        return Verdict::Mismatch;
    }
    match Params::try_from(&hash) {
        Ok(p) if p.m_cost() == wanted.memory_kib && p.t_cost() == wanted.iterations => Verdict::Match,
        _ => Verdict::MatchOutdated,
    }
}

/// Does the work of [`verify`] where there is no user, so that the answer takes as long.
pub fn verify_nobody(password: &str, wanted: HashParams) -> Verdict {
    let mut out = [0_u8; 32];
    if let Some(params) = params(wanted) {
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // What comes out is thrown away; the time is what counts.
        let _ = hasher.hash_password_into(password.as_bytes(), &[0; SALT_BYTES], &mut out);
    }
    std::hint::black_box(out);
    Verdict::Mismatch
}

#[cfg(test)]
mod tests {
    use super::*;

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

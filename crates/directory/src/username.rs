//! Canonical user names: the PRECIS profile `UsernameCaseMapped` (RFC 8265 §3.3).
//!
//! Full-width letters become ordinary ones, capitals become small, text is put into NFC. What a name may not hold: white
//! space, control and invisible characters, symbols, mixed directions. Two spellings are one user exactly if they become
//! the same canonical name.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;

/// Longest canonical name, in bytes of UTF-8.
pub const USERNAME_BYTES_MAX: usize = 128;

/// The canonical form, or nothing if there can be no such user.
pub fn canonical(name: &str) -> Option<String> {
    // Looked at before mapping, so that a long text costs nothing. No character maps to less than a third of its bytes.
    if name.is_empty() || name.len() > USERNAME_BYTES_MAX * 3 {
        return None;
    }
    // The profile asks for Unicode's toLowerCase (RFC 8264 §5.2.3), which ends a Greek word in a final sigma; the crate
    // maps one character at a time, which does not, so it is given small letters.
    let name = UsernameCaseMapped::enforce(name.to_lowercase()).ok()?;
    let visible = name.chars().any(char::is_alphanumeric);
    (visible && name.len() <= USERNAME_BYTES_MAX).then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_become_one() {
        for (spelling, name) in [
            ("ADMIN", "admin"),
            ("\u{ff41}\u{ff44}\u{ff4d}\u{ff49}\u{ff4e}", "admin"),
            ("Ren\u{e9}", "ren\u{e9}"),
            ("rene\u{301}", "ren\u{e9}"),
            ("o.neil-2_x", "o.neil-2_x"),
            ("\u{39d}\u{399}\u{39a}\u{39f}\u{3a3}", "\u{3bd}\u{3b9}\u{3ba}\u{3bf}\u{3c2}"),
        ] {
            assert_eq!(canonical(spelling).as_deref(), Some(name), "{spelling}");
        }
    }

    #[test]
    fn lookalikes_stay_apart() {
        assert_ne!(canonical("\u{430}dmin"), canonical("admin"));
    }

    #[test]
    fn impossible_names_are_refused() {
        let long = "a".repeat(USERNAME_BYTES_MAX + 1);
        for name in [
            "",
            " ",
            "a b",
            "admin ",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\nb",
            "a\0b",
            ".",
            "..",
            "-_-",
            "\u{1f600}",
            &long,
        ] {
            assert_eq!(canonical(name), None, "{name:?}");
        }
    }

    #[test]
    fn the_longest_name_may_be_spelt_in_three_times_as_many_bytes() {
        let (wide, name) = ("\u{ff41}".repeat(USERNAME_BYTES_MAX), "a".repeat(USERNAME_BYTES_MAX));
        assert_eq!(canonical(&wide), Some(name.clone()));
        assert_eq!(canonical(&name), Some(name));
    }
}

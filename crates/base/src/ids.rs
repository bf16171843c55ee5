//! Names that callers and settings give.

/// Longest account id, in bytes. With its prefix it stays far under the 512 bytes of a KV key.
pub const ACCOUNT_BYTES_MAX: usize = 64;

/// Letters, digits, `-`, `_` and `.`, and not a dot first: nothing that could leave a path or a key.
pub fn is_account_id(id: &str) -> bool {
    (1..=ACCOUNT_BYTES_MAX).contains(&id.len())
        && !id.starts_with('.')
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_plain() {
        for id in ["a", "agnidata001", "A-b_c.d", &"x".repeat(64)] {
            assert!(is_account_id(id), "{id}");
        }
        for id in ["", ".", "..", ".a", "a:b", "a/b", "*", "a b", "a\n", "\u{e9}", "%3A", &"x".repeat(65)] {
            assert!(!is_account_id(id), "{id}");
        }
    }
}

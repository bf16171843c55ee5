//! Which upstream accounts a service key is for: `upstox/agnidata001`, or by the beginning of their names, `upstox/agnidata*`.

use base::ids::AccountName;

/// Most patterns of a key.
pub const PATTERNS_MAX: usize = 50;
/// Stands at the end, for anything.
const ANY: char = '*';

/// Whether a key may be given this. `is_provider` knows the providers.
pub fn is_pattern(text: &str, is_provider: impl Fn(&str) -> bool) -> bool {
    let Some((provider, account)) = text.split_once('/') else { return false };
    let name = account.strip_suffix(ANY).unwrap_or(account);
    is_provider(provider)
        && (AccountName::parse(name).is_some() || (name.is_empty() && account.ends_with(ANY)))
}

/// Whether the pattern is for this account.
pub fn covers(pattern: &str, provider: &str, account: &str) -> bool {
    let Some((of, name)) = pattern.split_once('/') else { return false };
    let named = match name.strip_suffix(ANY) {
        Some(beginning) => account.starts_with(beginning),
        None => account == name,
    };
    of == provider && named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_provider_and_an_account_or_the_beginning_of_its_name() {
        let known = |name: &str| ["upstox", "facturify"].contains(&name);
        for good in
            ["upstox/agnidata001", "upstox/agnidata*", "upstox/*", "facturify/default", "upstox/a.b-c_d*"]
        {
            assert!(is_pattern(good, known), "{good}");
        }
        for bad in [
            "",
            "*",
            "upstox",
            "upstox/",
            "/a",
            "*/a",
            "*/*",
            "nobody/a",
            "Upstox/a",
            "upstox/a*b",
            "upstox/**",
            "upstox/*a",
            "upstox/a b",
            "upstox/a,b",
            "upstox/a@b",
            "upstox/a/b",
            "upstox/a\n",
            " upstox/a",
            &format!("upstox/{}", "a".repeat(65)),
        ] {
            assert!(!is_pattern(bad, known), "{bad:?}");
        }
    }

    #[test]
    fn it_covers_its_accounts_and_no_other() {
        for (pattern, account, covered) in [
            ("upstox/agnidata001", "agnidata001", true),
            ("upstox/agnidata001", "agnidata0010", false),
            ("upstox/agnidata*", "agnidata001", true),
            ("upstox/agnidata*", "agnidata", true),
            ("upstox/agnidata*", "agnidat", false),
            ("upstox/*", "", true),
            ("facturify/*", "agnidata001", false),
            ("upstox", "agnidata001", false),
            ("", "", false),
        ] {
            assert_eq!(covers(pattern, "upstox", account), covered, "{pattern} {account}");
        }
    }
}

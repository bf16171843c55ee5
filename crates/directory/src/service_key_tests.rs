//! Service keys: who is let in by one, and with what rights.

use super::service_key::{NOTED_EVERY, PresentedKey, Scope, ServiceKey, is_name, mark};
use base::clock::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

/// What was real: made-up keys all reached the one object of the directory.
#[test]
fn f06_a_made_up_key_has_not_our_mark_and_one_of_ours_has() {
    let hashes = |key: u8| {
        move |text: &str| {
            Base64UrlUnpadded::encode_string(&Sha256::digest([&[key], text.as_bytes()].concat()))
        }
    };
    let mut secret = [9; 32];
    mark(7, &mut secret, hashes(1));
    assert_eq!(secret[..24], [9; 24]);
    let shown = ServiceKey::new(7, &secret, "a".into(), &[], None, Timestamp::default()).1;
    let presented = PresentedKey::parse(shown.expose()).unwrap();
    assert!(presented.is_marked(|text| vec![hashes(2)(text), hashes(1)(text)]), "by an older key, too");
    assert!(!presented.is_marked(|text| vec![hashes(2)(text)]));
    assert!(!presented.is_marked(|_| vec![String::new(), "AAAA".into()]));
    // Of another id, with another secret, or without a mark as the first release made them.
    for (random, change) in [(8, 0), (7, 1)] {
        let mut other = secret;
        other[0] ^= change;
        let shown = ServiceKey::new(random, &other, "a".into(), &[], None, Timestamp::default()).1;
        let presented = PresentedKey::parse(shown.expose()).unwrap();
        assert!(!presented.is_marked(|text| vec![hashes(1)(text)]));
    }
}

const NOW: Timestamp = Timestamp::from_seconds(1000);

fn made(secret: u8, expires_at: Option<Timestamp>) -> (ServiceKey, String) {
    let scopes = [Scope::TokensRead, Scope::Portal];
    let (key, text) = ServiceKey::new(7, &[secret; 32], "a".to_owned(), &scopes, expires_at, NOW);
    (key, text.expose().to_owned())
}

fn admits(key: &ServiceKey, text: &str, now: Timestamp) -> bool {
    PresentedKey::parse(text).is_some_and(|shown| key.admits(&shown, now))
}

#[test]
fn a_key_is_admitted_by_its_text_and_the_text_is_not_kept() {
    // 0xff gives a secret of underscores.
    for secret in [0, 1, 0xff] {
        let (key, text) = made(secret, None);
        assert!(admits(&key, &text, NOW), "{text}");
        let kept = format!("{key:?}{}", serde_json::to_string(&key).unwrap());
        assert!(!kept.contains(text.rsplit_once(key.id.as_str()).unwrap().1), "{kept}");
        assert!(text.ends_with(&key.last4) && key.last4.len() == 4);
    }
    // sha256(32 zero bytes), computed elsewhere.
    assert_eq!(made(0, None).0.hash, "Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU");
}

#[test]
fn another_secret_or_id_is_not_admitted() {
    let (key, text) = made(1, None);
    assert!(!admits(&key, &made(2, None).1, NOW));
    assert!(!admits(&key, &text.replace("7_", "8_"), NOW));
}

#[test]
fn only_one_spelling_is_read() {
    let (_, text) = made(1, None);
    assert!(PresentedKey::parse(&text).is_some());
    let secret = &text[3 + 12 + 1..];
    for bad in [
        String::new(),
        "sp_".to_owned(),
        "eyJhbGciOiJIUzI1NiJ9.e30.AAAA".to_owned(),
        text.to_uppercase(),
        text.replace("sp_", "SP_"),
        text.replace("7_", "g_"),
        text.replace("7_", "7"),
        text.replace("sp_0", "sp_00"),
        text.replace("sp_0", "sp_+"),
        text.replace("sp_0", "sp_A"),
        format!("{text}="),
        format!("{text}A"),
        format!("{text}\n"),
        format!(" {text}"),
        format!("sp_{secret}"),
        text[..text.len() - 1].to_owned(),
        // Stray bits in the last character.
        format!("{}F", &text[..text.len() - 1]),
        "sp_000000000007_".to_owned(),
        format!("sp_000000000007_{}", "A".repeat(100_000)),
    ] {
        assert_eq!(PresentedKey::parse(&bad), None, "{}", &bad[..bad.len().min(80)]);
    }
}

#[test]
fn a_key_ends_at_its_time_or_when_it_is_revoked() {
    let expires = NOW.plus(std::time::Duration::from_mins(1));
    let (mut key, text) = made(1, Some(expires));
    let before = Timestamp::from_millis(expires.millis() - 1);
    assert!(admits(&key, &text, before));
    assert!(!admits(&key, &text, expires));
    assert_eq!((key.status(before), key.status(expires)), ("active", "expired"));
    key.revoked_at = Some(NOW);
    assert!(!admits(&key, &text, NOW));
    assert_eq!(key.status(expires), "revoked");
}

#[test]
fn a_key_allows_its_scopes_and_no_other() {
    let (mut key, _) = made(1, None);
    let allowed: Vec<_> = Scope::ALL.into_iter().filter(|s| key.allows(*s)).collect();
    assert_eq!(allowed, [Scope::TokensRead, Scope::Portal]);
    key.scopes = "tokens:readwrite tokens portals".to_owned();
    assert!(!Scope::ALL.into_iter().any(|s| key.allows(s)));
    for scope in Scope::ALL {
        assert_eq!(Scope::from_name(scope.as_str()), Some(scope));
    }
    assert_eq!(Scope::from_name("Portal"), None);
}

#[test]
fn a_key_for_some_accounts_is_for_no_other_and_the_release_before_takes_it_for_none() {
    let (mut key, _) = made(1, None);
    assert!(key.accounts().next().is_none() && key.allows_account("upstox", "any"));
    key.restrict(&[]);
    assert_eq!(key.scopes, "tokens:read portal");
    key.restrict(&["upstox/agnidata*".to_owned(), "facturify/default".to_owned()]);
    assert_eq!(key.scopes, "tokens:read@upstox/agnidata*,facturify/default portal");
    assert_eq!(key.scopes().collect::<Vec<_>>(), ["tokens:read", "portal"]);
    assert_eq!(key.accounts().collect::<Vec<_>>(), ["upstox/agnidata*", "facturify/default"]);
    assert!(key.allows(Scope::TokensRead) && key.allows(Scope::Portal) && !key.allows(Scope::TokensWrite));
    for (provider, account, allowed) in [
        ("upstox", "agnidata001", true),
        ("upstox", "other", false),
        ("facturify", "default", true),
        ("oauth2", "a", false),
    ] {
        assert_eq!(key.allows_account(provider, account), allowed, "{provider}/{account}");
    }
    // A list that was lost is for none, not for all.
    key.scopes = "tokens:read@".to_owned();
    assert!(!key.allows_account("upstox", "agnidata001"));
}

#[test]
fn a_key_for_its_own_portal_logins_is_let_in_as_its_line_and_the_release_before_takes_it_for_none() {
    let own = |id: u64| {
        let scopes = [Scope::TokensRead, Scope::PortalOwn];
        ServiceKey::new(id, &[1; 32], "a".to_owned(), &scopes, None, NOW).0
    };
    let mut key = own(7);
    assert!(key.lets_in(Scope::Portal) && !key.lets_in(Scope::TokensWrite) && !key.lets_in(Scope::Metrics));
    // All that the release before asks.
    assert!(!key.allows(Scope::Portal));
    assert_eq!(key.opener(), Some(&key.id));
    key.restrict(&["upstox/*".to_owned()]);
    assert_eq!(key.scopes, "tokens:read@upstox/* portal:own");
    assert!(key.accounts().eq(["upstox/*"]) && key.allows(Scope::PortalOwn));
    let rotated = ServiceKey { origin: Some(key.id.clone()), ..own(8) };
    assert_eq!(rotated.opener(), key.opener());
    let full = made(1, None).0;
    assert!(full.lets_in(Scope::Portal) && full.opener().is_none());
    // Whoever may do neither is nobody's opener where it would be let in by mistake.
    key.scopes = "metrics".to_owned();
    assert!(!key.lets_in(Scope::Portal) && key.opener().is_some());
}

#[test]
fn a_use_is_news_every_ten_minutes() {
    let (mut key, _) = made(1, None);
    assert!(key.is_use_news(NOW));
    key.last_used_at = Some(NOW);
    let later = NOW.plus(NOTED_EVERY);
    assert!(!key.is_use_news(Timestamp::from_millis(later.millis() - 1)) && key.is_use_news(later));
    // A clock that was put back.
    assert!(!key.is_use_news(Timestamp::default()));
}

#[test]
fn a_name_is_visible_text_on_one_line() {
    for name in ["a", "nightly job", "ví dụ", &"é".repeat(64)] {
        assert!(is_name(name), "{name}");
    }
    for name in ["", " ", " a", "a\n", "a\nb", "a\0b", &"é".repeat(65)] {
        assert!(!is_name(name), "{name:?}");
    }
}

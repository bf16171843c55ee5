//! What was sealed under a key opens, and what was named by a key has the same name: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::Nonce;
use super::test_support::vault;
use support::{line, section};

/// Each purpose that something is sealed for, with its record.
const RECORDS: [(&str, &str); 7] = [
    ("session-external", "0123456789abcdef"),
    ("upstream", "facturify/default"),
    ("kv", "facturify_access_token:default"),
    ("portal-credentials", "emodal/h"),
    ("portal-jar", "emodal/h"),
    ("portal-wizards", "emodal/h"),
    ("portal-username", "emodal/h"),
];

#[test]
fn sealed_texts() {
    let vault = vault(&["s1"]);
    let seal = |(purpose, record)| vault.seal(purpose, record, b"a secret", Nonce([7; 12])).unwrap();
    let sealed = RECORDS.map(seal).to_vec();
    assert_eq!(sealed, section("sealing", "sealed"));
    for ((purpose, record), text) in RECORDS.into_iter().zip(sealed) {
        assert_eq!(vault.open(purpose, record, &text).unwrap(), b"a secret");
    }
}

/// By two keys, of each purpose.
#[test]
fn fingerprints_and_names() {
    let vault = vault(&["s2", "s1"]);
    let purposes = ["settings", "address", "customer", "captcha-key"];
    let prints = purposes.map(|purpose| vault.fingerprints(purpose, "a value").join(" "));
    assert_eq!(prints.to_vec(), section("sealing", "fingerprints"));
    assert_eq!(vault.names("portal-login", "a value").join(" "), line("sealing", "names"));
}

//! Tokens that are dead before their time, and callers who say so.

use super::{BATCH, FACTURIFY, FIRST, Fault, Keeper, refused};
use crate::account::secs;
use sha2::{Digest, Sha256};
use sim::{Answered, Request};
use std::collections::BTreeSet;

fn access(answer: &Answered) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// The address of a read that says that a token was refused.
fn not(account: &str, token: &str) -> String {
    let digest = base::ports::hex(&Sha256::digest(token.as_bytes()));
    format!("/api/v1/tokens/{account}?not={}", &digest[..16])
}

/// A token that is revoked during the day is not served until 03:30: it is found out within 25 minutes.
#[test]
fn f24_a_revoked_token_is_found_out() {
    let keeper = Keeper::new();
    let dead = access(&keeper.read(FIRST));
    keeper.pass(secs(3600));
    assert_eq!(access(&keeper.read(FIRST)), dead);
    keeper.fake(FIRST, |fake| fake.revoke());
    keeper.pass(secs(25 * 60 + 60));
    let new = access(&keeper.read(FIRST));
    assert_ne!(new, dead);
    let now = keeper.now();
    keeper.fake(FIRST, |fake| assert!(fake.accepts(&new, now)));
}

/// The recipe of a client, on 401 read again and say which one, ends with the first time; and what many say is checked once.
#[test]
fn f24_what_was_refused_is_checked_once_and_replaced() {
    let keeper = Keeper::new();
    let dead = access(&keeper.read(FIRST));
    keeper.pass(secs(60));
    // It is good after all: one check, and none again for a minute.
    keeper.clear_calls();
    for _ in 0..3 {
        assert_eq!(access(&keeper.send("GET", &not(FIRST, &dead))), dead);
    }
    assert_eq!(keeper.calls(FIRST), ["profile"]);
    keeper.pass(secs(60));
    keeper.fake(FIRST, |fake| fake.revoke());
    keeper.clear_calls();
    let answers = keeper.at_once(50, || Request::new("GET", not(FIRST, &dead)));
    let told: BTreeSet<_> = answers.iter().map(access).collect();
    assert_eq!(told.len(), 1);
    assert!(!told.contains(&dead));
    let profiles = keeper.calls(FIRST).iter().filter(|leaf| *leaf == "profile").count();
    // The check; what the service has is the same one; and the new one.
    assert!(profiles <= 3, "{:?}", keeper.calls(FIRST));
    // Who has the new one and says that the old one was refused gets the new one.
    keeper.clear_calls();
    assert_eq!(access(&keeper.send("GET", &not(FIRST, &dead))), *told.first().unwrap());
    assert_eq!(keeper.count(FIRST), 0);
    // While Upstox cannot say, it is given out: unknown is not invalid.
    let held = told.first().unwrap();
    keeper.pass(secs(120));
    keeper.down(FIRST, Fault::Status(503, ""));
    for _ in 0..5 {
        assert_eq!(access(&keeper.send("GET", &not(FIRST, held))), *held);
    }
}

/// Where the upstream cannot be asked, the caller's word is taken, at most once in a tenth of the token's life.
#[test]
fn f24_elsewhere_it_is_renewed_once_in_a_tenth_of_its_life() {
    for (account, tenth) in [(BATCH, 360), (FACTURIFY, 4320)] {
        let keeper = Keeper::new();
        access(&keeper.read(account));
        keeper.pass(secs(20));
        let first = access(&keeper.read(account));
        keeper.clear_calls();
        assert_eq!(access(&keeper.send("GET", &not(account, &first))), first, "{account}: too soon");
        assert_eq!(keeper.count(account), 0);
        keeper.pass(secs(tenth));
        let answers = keeper.at_once(20, || Request::new("GET", not(account, &first)));
        let told: BTreeSet<_> = answers.iter().map(access).collect();
        assert!(told.len() == 1 && !told.contains(&first), "{account}");
        assert_eq!(keeper.count(account), 1, "{account}");
    }
}

#[test]
fn f24_only_a_part_of_a_hash_is_one() {
    let keeper = Keeper::new();
    access(&keeper.read(BATCH));
    for not in ["", "0123abc", "0123456z", &"0".repeat(65)] {
        let answer = keeper.send("GET", &format!("/api/v1/tokens/{BATCH}?not={not}"));
        refused(&answer, 422, "validation_error");
    }
    for not in ["0123ABCD", &"0".repeat(64)] {
        assert_eq!(keeper.send("GET", &format!("/api/v1/tokens/{BATCH}?not={not}")).status, 200);
    }
}

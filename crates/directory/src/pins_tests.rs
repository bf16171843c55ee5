//! What users and service keys store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::password::{self, HashParams, Verdict};
use super::service_key::{Scope, ServiceKey, Shown};
use super::{Activity, Command, Found, Profile, Reply, Slot, Task, User};
use base::clock::Timestamp;
use support::{check, line, shows};

const NOW: Timestamp = Timestamp::from_millis(1_763_719_200_123);

#[test]
fn commands_and_replies() {
    check::<Command>("directory", "command");
    shows::<Activity>("directory", "command");
    shows::<Found>("directory", "command");
    check::<Reply>("directory", "reply");
    shows::<Profile>("directory", "reply");
    shows::<Task>("directory", "reply");
}

#[test]
fn the_stored_user() {
    check::<User>("directory", "user");
    shows::<super::state::Stored>("directory", "user");
    shows::<Slot>("directory", "user");
    shows::<super::state::Pending>("directory", "user");
    shows::<Task>("directory", "user");
    shows::<super::Throttle>("directory", "user");
}

#[test]
fn service_keys() {
    check::<ServiceKey>("directory", "service key");
    let (kept, shown) = ServiceKey::new(7, &[1; 32], "a service".to_owned(), &Scope::ALL, None, NOW);
    assert_eq!(serde_json::to_string(&kept).unwrap(), line("directory", "service key of ones"));
    assert_eq!(shown.expose(), line("directory", "service key as shown"));
    assert!(
        Shown::parse(line("directory", "service key as shown")).is_some_and(|key| kept.admits(&key, NOW))
    );
}

#[test]
fn password_hashes() {
    let params = HashParams { memory_kib: 64, iterations: 1 };
    let stored = line("directory", "password of ones");
    assert_eq!(password::hash("correct horse", params, [1; 16]).as_deref(), Some(stored));
    assert_eq!(password::verify("correct horse", stored, params), Verdict::Match);
}

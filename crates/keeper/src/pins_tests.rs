//! What upstream accounts store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::history::Entry;
use super::protocol::{self, Issued, Operation, Refusal, Status};
use super::providers::{FACTURIFY, OAUTH2, UPSTOX};
use super::state::{Check, Due, Flight, Health, Trouble, Untold};
use super::test_support::{facturify, oauth2, oauth2_rotating, upstox, upstox_app, upstox_manual};
use super::{Account, AccountKey, By, Code, Command, Held, Reply, Source, Task, Tokens, alert};
use support::{check, section, shows};

#[test]
fn commands_and_replies() {
    check::<protocol::Asked>("keeper", "asked");
    check::<Command>("keeper", "command");
    shows::<By>("keeper", "command");
    check::<Task>("keeper", "task");
    check::<Reply>("keeper", "reply");
    shows::<Refusal>("keeper", "reply");
    shows::<protocol::Fault>("keeper", "status");
    check::<Status>("keeper", "status");
}

#[test]
fn words() {
    check::<Operation>("keeper", "operation");
    check::<Source>("keeper", "source");
    check::<Code>("keeper", "code");
    check::<Health>("keeper", "health");
    check::<alert::Kind>("keeper", "alert kind");
}

#[test]
fn the_stored_account() {
    check::<Account>("keeper", "account");
    shows::<Held>("keeper", "account");
    shows::<Flight>("keeper", "account");
    shows::<Trouble>("keeper", "account");
    shows::<Check>("keeper", "account");
    shows::<Due>("keeper", "account");
    shows::<Untold>("keeper", "account");
    shows::<alert::Alert>("keeper", "account");
    check::<Tokens>("keeper", "tokens");
    check::<Vec<Entry>>("keeper", "history");
    shows::<Entry>("keeper", "history");
}

/// What lies sealed in KV.
#[test]
fn the_copy_of_a_token() {
    check::<Issued>("keeper", "issued");
}

#[test]
fn names_of_accounts() {
    let name = |provider, account: &str| AccountKey { provider, account: account.to_owned() }.to_string();
    let names = [name(FACTURIFY, "default"), name(UPSTOX, "a1"), name(OAUTH2, "o1")];
    assert_eq!(names.to_vec(), section("keeper", "names of accounts"));
}

/// A hash of these is stored with an account, and the lineage with its tokens: were they written in another way, each
/// account would take its settings for changed.
#[test]
fn settings_and_lineages_as_they_are_compared() {
    let providers = [
        facturify(),
        upstox(),
        upstox_app(),
        upstox_manual(),
        oauth2(r#""grant":"client_credentials""#),
        oauth2(r#""grant":"client_credentials","client_auth":"body","scope":"a b""#),
        oauth2_rotating("seed"),
    ];
    let settings = providers.iter().map(|p| serde_json::to_string(&p.settings()).unwrap());
    assert_eq!(settings.collect::<Vec<_>>(), section("keeper", "settings"));
    let lineages = providers.iter().filter_map(|p| p.lineage());
    let lineages = lineages.map(|lineage| serde_json::to_string(lineage.expose()).unwrap());
    assert_eq!(lineages.collect::<Vec<_>>(), section("keeper", "lineage"));
}

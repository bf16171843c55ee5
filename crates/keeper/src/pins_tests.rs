//! What upstream accounts store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::history::Entry;
use super::protocol::{
    self, Adopt, AnyCommand, CheckNow, Envelope, Exchange, GetHistory, GetStatus, GetToken, HistoryReply,
    Issued, NewToken, Operation, Order, OrderReply, Reconcile, Refusal, RequestApproval, Sent, Status,
    StatusReply, TokenReply,
};
use super::providers::{FACTURIFY, OAUTH2, UPSTOX};
use super::state::{Check, Due, Extended, Health, PendingSync, Published, RetryState, TaskInFlight};
use super::test_support::{facturify, oauth2, oauth2_rotating, upstox, upstox_app, upstox_manual};
use super::upstream_index::{
    Counts, CountsReply, Done, GetCounts, GetKeyUsage, Keep, KeyUsageReply, Row, Seen, StartSweep,
    StartSweepReply, Sweep, SweepReply, Sweeping, Swept, index_address, sweeper_address,
};
use super::{Account, AccountKey, Actor, Code, Held, Source, Task, Tokens, address, alert, upstream_index};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::rpc::{self, Name};
use base::secret::Secret;
use support::{check, check_of, section, shows};

#[test]
fn commands_and_replies() {
    check::<Envelope>("keeper", "asked");
    check::<AnyCommand>("keeper", "command");
    shows::<Actor>("keeper", "command");
    check::<Task>("keeper", "task");
    shows::<Adopt>("keeper", "task");
    shows::<Exchange>("keeper", "task");
    check_of::<TokenReply>("keeper", "reply", &["token", "refused", "no_account"]);
    check_of::<OrderReply>("keeper", "reply", &["done", "refused", "no_account"]);
    check_of::<StatusReply>("keeper", "reply", &["status", "no_account"]);
    check_of::<HistoryReply>("keeper", "reply", &["history", "no_account"]);
    shows::<Refusal>("keeper", "reply");
    shows::<protocol::Fault>("keeper", "status");
    check::<Status>("keeper", "status");
}

/// Each command is sent as the object reads it.
#[test]
fn commands_in_their_envelopes() {
    fn sent<C: protocol::AccountCommand>(command: C) -> Envelope {
        let json =
            rpc::Command::to_json(&Sent::new(FACTURIFY, &AccountName::issued("default"), command)).unwrap();
        serde_json::from_str(&json).unwrap()
    }
    let by = || Actor { who: "w".to_owned(), request_id: "r1".to_owned() };
    let envelope = |command| Envelope {
        provider: FACTURIFY.to_owned(),
        account: AccountName::issued("default"),
        command,
    };
    let order = |task| envelope(AnyCommand::Order(Order { task, by: by() }));
    let token = GetToken { min_ttl_seconds: 60, rewrite: true, not: None, extended: false, by: by() };
    let look = Reconcile { daily: true, spread_millis: 40 };
    let adopt = Adopt {
        token: Secret::new("t"),
        expires_at: None,
        source: Source::Manual,
        user_id: None,
        new_owner: false,
    };
    let exchange = Exchange { code: Secret::new("c"), redirect_uri: None };
    assert_eq!(sent(token.clone()), envelope(AnyCommand::Token(token)));
    assert_eq!(sent(GetStatus), envelope(AnyCommand::Status));
    assert_eq!(sent(GetHistory), envelope(AnyCommand::History));
    assert_eq!(sent(look), envelope(AnyCommand::Look(look)));
    assert_eq!(sent(Order { task: NewToken::Obtain, by: by() }), order(Task::Obtain));
    assert_eq!(sent(Order { task: NewToken::Refresh, by: by() }), order(Task::Refresh));
    assert_eq!(sent(Order { task: CheckNow, by: by() }), order(Task::Check));
    assert_eq!(sent(Order { task: RequestApproval, by: by() }), order(Task::Request));
    assert_eq!(sent(Order { task: adopt.clone(), by: by() }), order(Task::Adopt(adopt)));
    assert_eq!(sent(Order { task: exchange.clone(), by: by() }), order(Task::Exchange(exchange)));
}

#[test]
fn the_index_and_the_sweepers() {
    fn sent(command: &impl rpc::Command) -> upstream_index::Envelope {
        serde_json::from_str(&command.to_json().unwrap()).unwrap()
    }
    check::<upstream_index::Envelope>("keeper", "index command");
    shows::<Row>("keeper", "index command");
    check::<Sweep>("keeper", "index sweep");
    check_of::<Done>("keeper", "index reply", &["done"]);
    check_of::<CountsReply>("keeper", "index reply", &["counts"]);
    shows::<Counts>("keeper", "index reply");
    check_of::<KeyUsageReply>("keeper", "index reply", &["kids"]);
    check_of::<StartSweepReply>("keeper", "index reply", &["start"]);
    check_of::<upstream_index::BeginReply>("keeper", "index reply", &["wait_millis"]);
    check_of::<SweepReply>("keeper", "index reply", &["swept"]);
    shows::<Swept>("keeper", "index reply");
    let (now, rows, names) = (Timestamp::from_millis(1), Vec::new(), Vec::new());
    let (seen, keep) = (Seen { rows, idle: false }, Keep { names });
    assert_eq!(sent(&seen), upstream_index::Envelope::Seen(seen));
    assert_eq!(sent(&GetCounts { now }), upstream_index::Envelope::Counts(GetCounts { now }));
    assert_eq!(sent(&GetKeyUsage), upstream_index::Envelope::Kids);
    assert_eq!(sent(&keep), upstream_index::Envelope::Keep(keep));
    assert_eq!(sent(&StartSweep { now }), upstream_index::Envelope::Start(StartSweep { now }));
    assert_eq!(sent(&Sweeping { now }), upstream_index::Envelope::Sweeping(Sweeping { now }));
    let names =
        [index_address().name, sweeper_address(2).name, address(UPSTOX, &AccountName::issued("a1")).name];
    assert_eq!(names, ["roster", "sweep/2", "upstox/a1"].map(|name| Name::Name(name.to_owned())));
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
    shows::<TaskInFlight>("keeper", "account");
    shows::<RetryState>("keeper", "account");
    shows::<Check>("keeper", "account");
    shows::<Due>("keeper", "account");
    shows::<PendingSync>("keeper", "account");
    shows::<Extended>("keeper", "account");
    shows::<Published>("keeper", "account");
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
    let name =
        |provider, account: &str| AccountKey { provider, account: AccountName::issued(account) }.to_string();
    let names = [name(FACTURIFY, "default"), name(UPSTOX, "a1"), name(OAUTH2, "o1")];
    assert_eq!(names.to_vec(), section("keeper", "names of accounts"));
}

/// What only some accounts have.
const BESIDES: &str = r#""grant":"client_credentials","audience":"a","resource":"r","parameters":{"tenant":"t"},"headers":{"x-tenant":"t"}"#;

/// A hash of these is stored with an account and with KV's copies, where a token of another identity is not given out.
#[test]
fn identities_as_they_are_compared() {
    let providers = [
        facturify(),
        upstox(),
        upstox_app(),
        upstox_manual(),
        oauth2(r#""grant":"client_credentials""#),
        oauth2(BESIDES),
    ];
    let identities = providers.iter().map(|p| serde_json::to_string(&p.identity()).unwrap());
    assert_eq!(identities.collect::<Vec<_>>(), section("keeper", "identity"));
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
        oauth2(BESIDES),
    ];
    let settings = providers.iter().map(|p| serde_json::to_string(&p.settings()).unwrap());
    assert_eq!(settings.collect::<Vec<_>>(), section("keeper", "settings"));
    let lineages = providers.iter().filter_map(|p| p.lineage());
    let lineages = lineages.map(|lineage| serde_json::to_string(lineage.expose()).unwrap());
    assert_eq!(lineages.collect::<Vec<_>>(), section("keeper", "lineage"));
}

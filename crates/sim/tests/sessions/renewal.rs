//! The renewal of post-login sessions in their object: one call for all who ask at once, and nothing follows from an outage.

use super::support::*;
use base::account::{Account, EndReason};
use base::call::Code;
use base::clock::Timestamp;
use base::ids::SessionId;
use base::ports::Clock as _;
use base::rpc::Class;
use session::{OpenReply, RenewReply, Renewal, Revoke, Revoked};
use sim::World;
use std::time::Duration;

fn renewal(generation: u64) -> Renewal {
    Renewal { generation, subject: SUBJECT.into(), request_id: "r".into(), change_id: None }
}

fn session(settings: &[(&str, &str)]) -> (World, Bank, SessionId) {
    let world = world(settings);
    let (bank, id) = (Bank::of(&world), fresh_id(&world));
    open(&world, &id, customer());
    (world, bank, id)
}

fn reply(heard: &Heard) -> RenewReply {
    let text = heard.borrow_mut().take().expect("no answer").expect("an answer");
    serde_json::from_str(&text).unwrap()
}

fn renewed(world: &World, bank: &Bank, id: &SessionId, generation: u64) -> session::Pair {
    let heard = begin(world, id, &renewal(generation));
    world.settle();
    bank.says(&valid());
    world.settle();
    match reply(&heard) {
        RenewReply::Tokens(tokens) => tokens.pair,
        other => panic!("not renewed: {other:?}"),
    }
}

#[test]
fn everybody_who_asks_meanwhile_gets_the_same_answer_for_one_call() {
    let (world, bank, id) = session(&[]);
    let callers: Vec<Heard> = (0..20).map(|_| begin(&world, &id, &renewal(0))).collect();
    world.settle();
    assert_eq!(bank.calls(), 1);
    assert!(callers.iter().all(|heard| heard.borrow().is_none()));
    bank.says(&valid());
    world.settle();
    let replies: Vec<String> =
        callers.iter().map(|heard| heard.borrow_mut().take().unwrap().unwrap()).collect();
    assert!(replies.iter().all(|text| *text == replies[0]));
    assert!(matches!(serde_json::from_str(&replies[0]).unwrap(), RenewReply::Tokens(_)));
    assert_eq!(peek(&world, &id).generation, 1);
    // The next one is a new call.
    renewed(&world, &bank, &id, 1);
    assert_eq!(bank.calls(), 2);
}

#[test]
fn a_repeated_renewal_gets_the_same_pair_and_calls_nobody() {
    let (world, bank, id) = session(&[]);
    let pair = renewed(&world, &bank, &id, 0);
    world.evict(Class::Session, id.as_str());
    let heard = begin(&world, &id, &renewal(0));
    world.settle();
    assert!(matches!(reply(&heard), RenewReply::Tokens(tokens) if tokens.pair == pair));
    assert_eq!(bank.calls(), 1);
}

#[test]
fn an_outage_and_a_slow_answer_change_nothing() {
    let (world, bank, id) = session(&[]);
    for (answer, code) in [(Some(outage()), Code::ServerError), (None, Code::Timeout)] {
        let heard = begin(&world, &id, &renewal(0));
        world.settle();
        match &answer {
            Some(answer) => bank.says(answer),
            None => world.advance(Duration::from_secs(5)),
        }
        world.settle();
        let reply = reply(&heard);
        assert!(matches!(&reply, RenewReply::Unverified(refusal) if refusal.code == code), "{reply:?}");
        bank.says(&valid());
        world.settle();
        assert_eq!(peek(&world, &id).generation, 0, "an answer that comes too late makes nothing");
    }
    renewed(&world, &bank, &id, 0);
}

/// The first step of its event is decided by memory; what comes after a call is decided by what is stored then.
#[test]
fn an_instance_that_is_replaced_while_it_waits_decides_nothing_by_what_it_knew() {
    let (world, bank, id) = session(&[]);
    let before = world.row(Class::Session, id.as_str(), "session").unwrap();
    let external = world.row(Class::Session, id.as_str(), "external").unwrap();
    revoke(&world, &id, EndReason::Admin);
    let after = world.row(Class::Session, id.as_str(), "session").unwrap();
    world.put_row(Class::Session, id.as_str(), "session", &before);
    world.put_row(Class::Session, id.as_str(), "external", &external);
    let heard = begin(&world, &id, &renewal(0));
    world.settle();
    world.put_row_by_another(Class::Session, id.as_str(), "session", &after);
    bank.says(&valid());
    world.settle();
    assert!(matches!(reply(&heard), RenewReply::Ended(ended) if ended.reason == EndReason::Admin));
    assert_eq!(world.row(Class::Session, id.as_str(), "session"), Some(after));
}

#[test]
fn a_verdict_against_it_ends_it_and_its_token_goes_with_it() {
    for (answer, expired) in [(expired(), true), (refused(), false)] {
        let (world, bank, id) = session(&[]);
        assert!(world.rows(Class::Session, id.as_str()).contains_key("external"));
        let heard = begin(&world, &id, &renewal(0));
        world.settle();
        bank.says(&answer);
        world.settle();
        let RenewReply::ExternalTokenRejected { ended, expired: said } = reply(&heard) else { panic!() };
        assert_eq!((ended.reason, ended.now, said), (EndReason::External, true, expired));
        assert!(!world.rows(Class::Session, id.as_str()).contains_key("external"));
        world.advance(Duration::from_mins(5));
        assert_eq!(stored(&world, &id), None);
    }
}

#[test]
fn an_opening_that_is_refused_leaves_the_token_of_the_one_before() {
    let (world, _bank, id) = session(&[]);
    let external = || world.rows(Class::Session, id.as_str())["external"].clone();
    let before = external();
    let stranger = Account::post_login("VPB-SME-2".into(), Timestamp::default());
    assert_eq!(tell(&world, &id, open_command(stranger)), OpenReply::Unknown);
    assert_eq!(external(), before);
}

#[test]
fn what_happens_while_the_other_system_is_asked_is_seen_in_the_second_step() {
    let (world, bank, id) = session(&[]);
    let heard = begin(&world, &id, &renewal(0));
    world.settle();
    let Revoked { ended, .. } = tell(&world, &id, Revoke { reason: EndReason::Logout, token: None });
    assert!(ended.now);
    bank.says(&valid());
    world.settle();
    assert!(matches!(reply(&heard), RenewReply::Ended(e) if e.reason == EndReason::Logout));
}

#[test]
fn who_is_killed_while_it_asks_asks_again() {
    let (world, bank, id) = session(&[]);
    let heard = begin(&world, &id, &renewal(0));
    world.settle();
    world.kill(Class::Session, id.as_str());
    world.settle();
    assert!(heard.borrow_mut().take().unwrap().is_err());
    bank.says(&valid());
    world.settle();
    assert_eq!(peek(&world, &id).generation, 0);
    renewed(&world, &bank, &id, 0);
    assert_eq!(bank.calls(), 2);
}

#[test]
fn a_second_step_that_is_lost_is_made_again_and_gives_one_successor() {
    let (world, bank, id) = session(&[]);
    let heard = begin(&world, &id, &renewal(0));
    world.settle();
    broken_before_write(&world, &id, || bank.says(&valid()));
    assert!(heard.borrow_mut().take().unwrap().is_err());
    assert_eq!(peek(&world, &id).generation, 0);
    let pair = renewed(&world, &bank, &id, 0);
    // The answer of the one that was written is lost; the same pair again.
    let again = begin(&world, &id, &renewal(0));
    world.settle();
    assert!(matches!(reply(&again), RenewReply::Tokens(tokens) if tokens.pair == pair));
}

#[test]
fn the_token_is_kept_sealed_and_under_the_newest_key() {
    let (world, bank, id) = session(&[]);
    let external = || world.rows(Class::Session, id.as_str())["external"].clone();
    let first = external();
    assert!(first.starts_with("k1.") && !first.contains("outside"));
    renewed(&world, &bank, &id, 0);
    assert_eq!(external(), first);
    world.deploy(&[(
        "SEALING_KEYS",
        "k2:another-sealing-key-0123456789abcdef,k1:sealing-key-of-the-simulation-0123456789abcdef",
    )]);
    renewed(&world, &bank, &id, 1);
    assert!(external().starts_with("k2."), "{}", external());
    renewed(&world, &bank, &id, 2);
    // The key that it is sealed under is gone: the other system cannot be asked, and the session is not ended for that.
    world.deploy(&[("SEALING_KEYS", "k3:a-third-sealing-key-0123456789abcdef")]);
    let calls = bank.calls();
    let heard = begin(&world, &id, &renewal(3));
    world.settle();
    let reply = reply(&heard);
    assert!(
        matches!(&reply, RenewReply::Unverified(refusal) if refusal.code == Code::Unreadable),
        "{reply:?}"
    );
    assert_eq!((bank.calls(), peek(&world, &id).generation), (calls, 3));
}

#[test]
fn a_channel_that_is_not_set_up_any_more_is_named() {
    let (world, bank, id) = session(&[]);
    let ask = || {
        let heard = begin(&world, &id, &renewal(0));
        world.settle();
        reply(&heard)
    };
    world.deploy(&[("CHANNELS", r#"{"1":{"business_unit":"SME"}}"#)]);
    assert_eq!(ask(), RenewReply::NoChannel("sme".into()));
    world.deploy(&[("CHANNELS", r#"{"sme":{"business_unit":"SME"}}"#)]);
    assert_eq!(ask(), RenewReply::NoVerifier);
    world.deploy(&[("CHANNELS", ""), ("SME_VERIFY_BASE_URL", ""), ("SME_VERIFY_TOKEN_KEY", "")]);
    assert_eq!(ask(), RenewReply::NotSetUp);
    assert_eq!(bank.calls(), 0);
    assert!(peek(&world, &id).last_activity <= world.host().now());
}

#[test]
fn a_users_session_keeps_no_external_token_and_is_not_renewed_so() {
    let world = world(&[]);
    let (bank, id) = (Bank::of(&world), fresh_id(&world));
    open(&world, &id, asha());
    assert!(!world.rows(Class::Session, id.as_str()).contains_key("external"));
    let heard = begin(&world, &id, &Renewal { subject: "7".into(), ..renewal(0) });
    world.settle();
    assert_eq!((reply(&heard), bank.calls()), (RenewReply::Unknown, 0));
}

//! Post-login sessions: what differs from those of users, at its edges.

use super::test_support::*;
use super::*;
use base::ids::UserId;
use std::time::Duration;

fn renewal_ended(start: &RenewStart, reason: EndReason) -> bool {
    matches!(start, RenewStart::Reply(RenewReply::Ended(e)) if e.reason == reason)
}

#[test]
fn its_time_to_live_is_counted_anew_at_each_renewal() {
    let mut s = Harness::external();
    s.open();
    for generation in 0..3 {
        s.advance(POLICY.external_ttl.checked_sub(MS).unwrap());
        s.renewed(generation);
    }
    s.advance(POLICY.external_ttl);
    assert!(renewal_ended(&s.renew(3), EndReason::Lifetime));
}

#[test]
fn it_says_when_it_ends_if_nobody_renews_it() {
    let mut s = Harness::external();
    s.open();
    let end = s.now.plus(POLICY.external_ttl);
    assert_eq!(s.peek().expires_at(), end.min(s.now.plus(POLICY.idle)));
    s.advance(POLICY.external_ttl.checked_sub(MS).unwrap());
    s.renewed(0);
    assert_eq!(s.peek().expires_at(), s.now.plus(POLICY.external_ttl.min(POLICY.idle)));
    // Of an object of the release before, which does not say it.
    let old = Live { lifetime_ends_at: None, ..s.peek() };
    assert_eq!(old.expires_at(), old.idle_expires_at.min(old.absolute_expires_at));
}

#[test]
fn no_token_outlives_it() {
    let mut s = Harness::with(Policy { access_ttl: POLICY.absolute, ..POLICY });
    s.kind = Kind::External;
    assert_eq!(s.open().access_expires_at, s.now.plus(POLICY.external_ttl));
}

#[test]
fn the_absolute_lifetime_ends_it_whatever_the_other_system_says() {
    let mut s = Harness::external();
    s.open();
    let end = s.now.plus(POLICY.absolute);
    let mut generation = 0;
    while s.now.plus(POLICY.external_ttl / 2) < end {
        s.advance(POLICY.external_ttl / 2);
        s.renewed(generation);
        generation += 1;
    }
    s.now = end;
    assert!(renewal_ended(&s.renew(generation), EndReason::Lifetime));
}

#[test]
fn a_renewal_asks_first_and_a_repeated_one_does_not() {
    let mut s = Harness::external();
    s.open();
    assert_eq!(s.renew(0), verify());
    let pair = s.verified(0, Verdict::Valid);
    let RenewReply::Tokens(Tokens { pair, .. }) = pair else { panic!("{pair:?}") };
    s.recover();
    assert!(
        matches!(s.renew(0), RenewStart::Reply(RenewReply::Tokens(t)) if t.pair == pair),
        "the same pair, unasked"
    );
    assert_eq!(s.renew(1), verify());
}

#[test]
fn an_older_refresh_token_is_reuse_whatever_is_under_way() {
    let mut s = Harness::external();
    s.open();
    s.renewed(0);
    s.renewed(1);
    assert_eq!(s.renew(2), verify());
    assert!(matches!(s.renew(0), RenewStart::Reply(RenewReply::Reused(_))));
    assert!(matches!(s.verified(2, Verdict::Valid), RenewReply::Ended(e) if e.reason == EndReason::Reuse));
}

#[test]
fn an_outage_costs_nothing_but_time() {
    let mut s = Harness::with(Policy { external_ttl: POLICY.absolute, ..POLICY });
    s.kind = Kind::External;
    s.open();
    // Nobody says anything, again and again; being asked for is activity.
    for _ in 0..3 {
        s.advance(POLICY.idle.checked_sub(MS).unwrap());
        assert_eq!(s.renew(0), verify());
        s.recover();
    }
    assert_eq!(s.peek().generation, 0);
    s.renewed(0);
}

#[test]
fn a_bad_verdict_ends_it_also_when_it_comes_late() {
    for (verdict, expired) in [(Verdict::Expired, true), (Verdict::Refused, false)] {
        let mut s = Harness::external();
        s.open();
        s.renewed(0);
        let reply = s.verified(0, verdict);
        assert!(
            matches!(&reply, RenewReply::ExternalTokenRejected { ended, expired: e } if ended.reason == EndReason::External && *e == expired && ended.now),
            "{reply:?}"
        );
        assert!(renewal_ended(&s.renew(1), EndReason::External));
        assert!(matches!(s.touch(1), Presence::Ended(e) if e.reason == EndReason::External));
        assert!(
            matches!(s.verified(1, Verdict::Valid), RenewReply::Ended(e) if e.reason == EndReason::External)
        );
    }
}

#[test]
fn a_good_verdict_that_comes_late_makes_nothing() {
    let mut s = Harness::external();
    s.open();
    s.renewed(0);
    assert_eq!(s.verified(0, Verdict::Valid), RenewReply::Unknown);
    assert_eq!(s.peek().generation, 1);
    s.revoke(EndReason::Logout);
    assert!(matches!(s.verified(1, Verdict::Valid), RenewReply::Ended(e) if e.reason == EndReason::Logout));
}

#[test]
fn neither_kind_is_renewed_as_the_other() {
    let mut s = Harness::external();
    s.open();
    for user_id in [0, 7].map(UserId::issued) {
        assert_eq!(s.run(Rotate { generation: 0, user_id, change_id: None }), RotateReply::Unknown);
    }
    assert_eq!(
        s.run(Renew { generation: 0, subject: "VPB-SME-2".into(), change_id: None }),
        RenewStart::Reply(RenewReply::Unknown)
    );
    assert_eq!(s.renew(0), verify());
    let mut s = Harness::new();
    s.open();
    for subject in ["7", "VPB-SME-1"] {
        assert_eq!(
            s.run(Renew { generation: 0, subject: subject.into(), change_id: None }),
            RenewStart::Reply(RenewReply::Unknown)
        );
    }
    s.tokens(0);
}

#[test]
fn a_mint_that_fails_after_the_verdict_changes_nothing() {
    let mut s = Harness::external();
    s.open();
    assert_eq!(s.renew(0), verify());
    s.mint_fails = true;
    assert_eq!(
        s.try_run(Verified { generation: 0, verdict: Verdict::Valid, change_ids: vec![] }),
        Err(Fault)
    );
    s.mint_fails = false;
    s.advance(Duration::from_secs(1));
    s.renewed(0);
}

#[test]
fn an_account_says_which_kind_it_is() {
    let (user, external) = (account(), external_account());
    assert_eq!((user.user(), external.user()), (Some(UserId::issued(7)), None));
    assert_eq!((&*user.subject(), &*external.subject()), ("7", "VPB-SME-1"));
    assert_eq!(user.owner().object(), "user/u");
    assert_eq!(external.owner().object(), "postlogin/VPB-SME-1");
}

/// What older releases have stored and sent must be read by every newer one.
#[test]
fn stored_and_sent_forms_are_pinned() {
    let live = r#"{"state":"live","account":{"user_id":0,"username":"VPB-SME-1","roles":[],"created_at":1},"device":{"name":null,"user_agent":null},"created_at":1,"absolute_expires_at":9,"last_activity":2,"grant":{"generation":3,"issued_at":2,"access_expires_at":5,"refresh_expires_at":8},"rotation":null,"channel":"sme"}"#;
    let state: State = serde_json::from_str(live).unwrap();
    assert_eq!(serde_json::to_string(&state).unwrap(), live);
    let open = r#"{"open":{"account":{"user_id":7,"username":"u","roles":["user"],"created_at":0},"device":{"name":null,"user_agent":null}}}"#;
    assert_eq!(serde_json::from_str::<Envelope>(open).unwrap(), Envelope::Open(open_command()));
    assert_eq!(
        base::rpc::Command::to_json(&open_command()).unwrap(),
        open,
        "an old object reads what a new Worker sends"
    );
    let renewal = r#"{"generation":1,"subject":"VPB-SME-1","request_id":"r"}"#;
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Renewal>(renewal).unwrap()).unwrap(), renewal);
    for own in
        [r#"{"verified":{"generation":0,"verdict":"valid"}}"#, r#"{"renew":{"generation":0,"subject":"x"}}"#]
    {
        assert!(serde_json::from_str::<Envelope>(own).is_err(), "a verdict comes from nobody outside: {own}");
    }
}

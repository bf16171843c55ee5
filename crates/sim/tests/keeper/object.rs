//! The object of an account: what it stores and when, whom it tells, and what becomes of it when it is interrupted.

use crate::account::{AccountWorld, at, secs};
use crate::lives::{facturify, oauth2, settings, upstox};
use base::call::{Actor, Code};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::ports::{Kv as _, Log as _};
use base::rpc::{Class, Method, Name, Peers as _};
use config::Settings as _;
use keeper::history::{ENTRIES_MAX, Entry};
use keeper::protocol::{
    AccountCommand, Adopt, CheckNow, GetHistory, GetStatus, GetToken, HistoryReply, NewToken, Order,
    OrderReply, Reconcile, Sent, StatusReply, TokenReply,
};
use keeper::state::Health;
use keeper::upstream_index::GetKeyUsage;
use keeper::{AccountKey, Source};
use sim::fakes::accounts::Rotation;
use std::cell::RefCell;
use std::rc::Rc;
use store::{Store, TokenCopy};

const LOOK: Reconcile = Reconcile { daily: false, spread_millis: 0 };

pub fn by(who: &str) -> Actor {
    Actor { who: who.to_owned(), request_id: "r1".to_owned() }
}

pub fn token() -> GetToken {
    GetToken { min_ttl_seconds: 0, rewrite: false, not: None, extended: false, by: by("ask") }
}

/// The reply to a command; time goes by only as far as it must.
pub fn tell<C: AccountCommand + Clone + 'static>(w: &AccountWorld, command: C) -> C::Reply
where
    C::Reply: 'static,
{
    let sent = Sent::new(w.provider, &w.account(), command);
    w.world.send(&keeper::address(w.provider, &w.account()), &sent).expect("it can be reached")
}

pub fn history(w: &AccountWorld) -> Vec<Entry> {
    match tell(w, GetHistory) {
        HistoryReply::History(entries) => entries,
        HistoryReply::NoAccount => panic!("it is configured"),
    }
}

fn copy(w: &AccountWorld) -> TokenCopy {
    let (host, key) = (w.world.host(), AccountKey { provider: w.provider, account: w.account() });
    w.world.run_until(async move {
        let app = host.app().unwrap();
        Store(&host).token(&app.vault, &key).await.unwrap()
    })
}

pub fn copied(w: &AccountWorld) -> String {
    match copy(w) {
        TokenCopy::Good(issued) => issued.token.expose().to_owned(),
        TokenCopy::None | TokenCopy::Broken => panic!("KV has no copy of the token"),
    }
}

pub fn got(reply: &TokenReply) -> String {
    match reply {
        TokenReply::Token(issued) => issued.token.expose().to_owned(),
        other => panic!("no token: {other:?}"),
    }
}

#[test]
fn an_account_that_is_not_configured_leaves_nothing_behind() {
    let w = upstox(1);
    let stranger = Sent::new("upstox", &AccountName::issued("stranger"), GetStatus);
    assert_eq!(
        w.world.send(&keeper::address("upstox", &AccountName::issued("stranger")), &stranger),
        Ok(StatusReply::NoAccount)
    );
    assert!(w.world.rows(Class::Upstream, "upstox/stranger").is_empty());
    // Nor does one object answer for another.
    assert!(matches!(tell(&w, GetStatus), StatusReply::Status(_)));
    assert_eq!(
        w.world.send(&keeper::address("upstox", &AccountName::issued("a1")), &stranger),
        Ok(StatusReply::NoAccount)
    );
    // One that is not configured any more is not served, and nothing of it is lost.
    let token_before = got(&tell(&w, token()));
    w.world.deploy(&[("UPSTOX_ACCOUNT_IDS", "a2")]);
    assert_eq!(tell(&w, token()), TokenReply::NoAccount);
    w.world.deploy(&[("UPSTOX_ACCOUNT_IDS", "a1")]);
    assert_eq!(got(&tell(&w, token())), token_before);
}

#[test]
fn the_history_keeps_the_last_hundred_and_no_secret() {
    let mut w = facturify(1);
    for _ in 0..=ENTRIES_MAX {
        got(&tell(&w, Order { task: NewToken::Obtain, by: by("key:k") }));
        w.world.advance(secs(1));
    }
    let entries = history(&w);
    assert_eq!(entries.len(), ENTRIES_MAX);
    let last = entries.iter().rfind(|e| e.who == "key:k").unwrap();
    assert_eq!((last.outcome.as_str(), last.request_id.as_str(), last.calls), ("ok", "r1", 1));
    assert!(entries.is_sorted_by_key(|entry| entry.at));
    w.run(secs(600));
    w.check_peace();
}

#[test]
fn kv_knows_of_an_order_before_its_caller_does() {
    let w = facturify(1);
    // Also where KV takes its time.
    w.world.weather().rough(sim::weather::Odds { kv_slow: 1000, ..sim::weather::Odds::default() });
    for _ in 0..3 {
        let token = got(&tell(&w, Order { task: NewToken::Refresh, by: by("key:k") }));
        assert_eq!(copied(&w), token);
    }
    // Of a token that was asked for as soon as may be.
    let mut w = upstox(7);
    let token = got(&tell(&w, token()));
    w.run(secs(1));
    assert_eq!(copied(&w), token);
}

#[test]
fn an_order_that_shares_in_a_task_is_written_down_too() {
    let w = facturify(1);
    let host = w.world.host();
    let orders = ["one", "two", "three"].map(|who| {
        let host = host.clone();
        async move {
            let order = Order { task: NewToken::Obtain, by: by(who) };
            keeper::send(&host, "facturify", &AccountName::issued("default"), order).await.unwrap()
        }
    });
    let replies = w.world.run_until(futures_util::future::join_all(orders));
    let tokens: Vec<_> = replies.iter().map(got).collect();
    assert!(tokens.iter().all(|t| *t == tokens[0]));
    assert_eq!(w.line.calls.borrow().len(), 1);
    let logs: Vec<_> = w.world.take_logs().into_iter().map(|line| line.text).collect();
    for (who, calls) in [("one", 1), ("two", 0), ("three", 0)] {
        let (who, calls) = (format!("\"service\":\"{who}\""), format!("\"calls\":{calls}"));
        assert!(logs.iter().any(|line| line.contains(&who) && line.contains(&calls)), "{who}: {logs:?}");
    }
    let audits = logs.iter().filter(|line| line.contains("\"event\":\"audit\""));
    assert_eq!(audits.count(), 3, "each is written down once");
    assert_eq!(history(&w).len(), 1);
}

#[test]
fn an_order_of_another_kind_waits_for_its_turn() {
    let w = upstox(7);
    let host = w.world.host();
    let work = async move {
        let given = || Adopt {
            token: base::secret::Secret::new("not-one-of-theirs"),
            expires_at: None,
            source: Source::Manual,
            user_id: None,
            new_owner: false,
        };
        let a1 = AccountName::issued("a1");
        let get = keeper::send(&host, "upstox", &a1, token());
        let check = keeper::send(&host, "upstox", &a1, Order { task: CheckNow, by: by("c") });
        let adopt = keeper::send(&host, "upstox", &a1, Order { task: given(), by: by("a") });
        futures_util::future::join3(get, check, adopt).await
    };
    // The line itself fails where two calls overlap.
    let (get, check, adopt) = w.world.run_until(work);
    got(&get.unwrap());
    assert!(matches!(check.unwrap(), OrderReply::Done(status) if status.health == Health::Valid));
    assert!(matches!(adopt.unwrap(), OrderReply::Refused(refusal) if refusal.code == Code::TokenRefused));
}

#[test]
fn whoever_died_in_the_middle_is_written_down_and_followed() {
    let mut w = facturify(1);
    w.ask(0);
    // The call is on its way.
    while w.line.calls.borrow().is_empty() {
        assert!(w.world.step(w.now().plus(secs(1))));
    }
    let stored = w.stored();
    let task = stored.task.expect("the intent is stored before the call");
    assert_eq!(task.who, "ask");
    w.die();
    // Nobody has to ask: whoever comes next finds it.
    assert!(matches!(tell(&w, LOOK), StatusReply::Status(_)));
    let entry = history(&w).remove(0);
    assert_eq!((entry.outcome.as_str(), entry.who.as_str()), ("upstream_outcome_unknown", "ask"));
    w.run(secs(60));
    assert!(w.live());
    w.run(secs(600));
    w.check_peace();
}

#[test]
fn a_copy_that_cannot_be_read_is_written_anew() {
    let mut w = upstox(7);
    let token_given = got(&tell(&w, token()));
    w.run(secs(5));
    let host = w.world.host();
    w.world.run_until(async move {
        host.kv_put("upstox_access_token:a1", "k1.damaged", secs(3600), None).await.unwrap();
    });
    assert!(matches!(copy(&w), TokenCopy::Broken));
    assert_eq!(got(&tell(&w, GetToken { rewrite: true, ..token() })), token_given);
    assert_eq!(copied(&w), token_given);
}

#[test]
fn a_lost_alarm_is_set_again_and_a_failing_one_comes_again() {
    let mut w = facturify(1);
    got(&tell(&w, token()));
    w.run(secs(20));
    let (object, due) = ("facturify/default", w.world.alarm(Class::Upstream, "facturify/default"));
    assert_eq!(due, w.stored().due.map(|due| due.at));
    w.no_cron_until = Timestamp::from_millis(u64::MAX);
    w.world.lose_alarm(Class::Upstream, object);
    tell(&w, LOOK);
    assert_eq!(w.world.alarm(Class::Upstream, object), due);
    // What is stored cannot be read: it is tried again every half minute, and goes on when it can be.
    let account = w.world.row(Class::Upstream, object, "account").unwrap();
    w.world.put_row(Class::Upstream, object, "account", "{");
    w.world.advance(due.unwrap().since(w.now()) + secs(90));
    let faults = w.world.take_logs().into_iter().filter(|line| line.error);
    let faults: Vec<_> = faults.map(|line| line.text).collect();
    assert!((3..=4).contains(&faults.len()), "{faults:?}");
    assert!(faults.iter().all(|text| text.contains("upstream alarm")), "{faults:?}");
    w.world.put_row(Class::Upstream, object, "account", &account);
    w.world.advance(secs(60));
    assert!(w.live());
}

#[test]
fn tokens_are_sealed_anew_with_the_first_key_and_wait_for_a_key_that_is_gone() {
    const OLD: &str = "k1:sealing-key-of-the-simulation-0123456789abcdef";
    const NEW: &str = "k2:another-sealing-key-of-the-simulation-0123456789";
    let mut w = upstox(7);
    let token_given = got(&tell(&w, token()));
    w.run(secs(5));
    let usage = |w: &AccountWorld| {
        let reply = w.world.send(&keeper::index_address(), &GetKeyUsage).unwrap();
        reply.kids.into_iter().collect::<Vec<_>>()
    };
    let sealed = |w: &AccountWorld| w.world.row(Class::Upstream, "upstox/a1", "tokens").unwrap();
    assert!(sealed(&w).starts_with("k1."));
    assert_eq!(usage(&w), [("k1".to_owned(), 1)]);
    w.deploy(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    w.run(secs(120));
    assert!(sealed(&w).starts_with("k2."));
    assert_eq!(usage(&w), [("k2".to_owned(), 1)]);
    assert_eq!((got(&tell(&w, token())), copied(&w)), (token_given.clone(), token_given.clone()));
    assert!(w.stored().trouble.is_none(), "a rotation is no change of settings");
    // Without the key nothing is given out, nothing is overwritten, and somebody is told.
    let before = sealed(&w);
    w.deploy(&[("SEALING_KEYS", OLD)]);
    w.run(secs(600));
    assert!(matches!(tell(&w, token()), TokenReply::Refused(refusal) if refusal.code == Code::Unreadable));
    assert_eq!((sealed(&w), w.alerts()), (before, vec!["needs_attention".to_owned()]));
    w.deploy(&[("SEALING_KEYS", NEW)]);
    w.run(secs(120));
    assert_eq!(got(&tell(&w, token())), token_given);
    assert_eq!(w.alerts(), ["needs_attention", "recovered"]);
}

#[test]
fn a_new_client_secret_does_not_cost_the_refresh_token() {
    let mut w = oauth2(Rotation::Plain, 4);
    got(&tell(&w, token()));
    w.line.fake.borrow_mut().refuse(true);
    let order = Order { task: NewToken::Refresh, by: by("order") };
    assert!(
        matches!(tell(&w, order), TokenReply::Refused(refusal) if refusal.code == Code::CredentialsRefused)
    );
    w.run(secs(600));
    assert!(w.alerts().is_empty() && w.live(), "the order failed; the token is well, and so is its plan");
    w.run(secs(3600));
    assert_eq!(w.alerts(), ["needs_attention"]);
    // The same seed, which was used long ago: the server would refuse it.
    w.line.fake.borrow_mut().refuse(false);
    let settings = settings("oauth2", 1, "r1.0");
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    w.deploy(&settings);
    w.run(secs(120));
    assert!(w.live());
    assert_eq!(w.alerts(), ["needs_attention", "recovered"]);
    w.check_peace();
}

#[test]
fn what_an_earlier_release_has_stored_is_gone_on_with() {
    // As the release before the engines has written it.
    const ACCOUNT: &str = r#"{"held":{"obtained_at":1763526600000,"expires_at":1763589600000,"expires_in":null,"source":"cron","provisional":false,"verified":true,"user_id":"U1","updated_by":null,"generation":4},"flight":{"operation":"check","started_at":1763526900000,"deadline":1763526960000,"who":"key:k","request_id":"r1"},"trouble":null,"due":{"at":1763606000000,"operation":"refresh","source":"refresh"},"check":{"at":1763526600000,"code":null},"calls":[],"generation":4,"settings":"","untold":{"change":3,"try_at":1763526630000,"attempts":1},"outbox":[],"alerts":0,"warned":null,"approval_asked_at":null,"approval_until":null}"#;
    let w = upstox(7);
    let host = w.world.host();
    let app = host.app().unwrap();
    let plain = r#"{"access":"theirs","refresh":null,"lineage":null}"#.as_bytes();
    let sealed = app.vault.seal("upstream", "upstox/a1", plain, base::vault::Nonce([7; 12])).unwrap();
    for (row, value) in [("name", "upstox/a1"), ("account", ACCOUNT), ("tokens", &sealed)] {
        w.world.put_row(Class::Upstream, "upstox/a1", row, value);
    }
    assert_eq!(at("2025-11-19T10:00:00+05:30"), w.now());
    assert_eq!(got(&tell(&w, token())), "theirs");
    w.world.advance(secs(60));
    let account = w.stored();
    assert_eq!((account.task, account.pending_sync, account.generation), (None, None, 4));
    assert_eq!(copied(&w), "theirs");
    assert_eq!(history(&w)[0].outcome, "upstream_outcome_unknown");
}

#[test]
fn what_is_no_command_is_a_fault_and_changes_nothing() {
    let w = facturify(1);
    let host = w.world.host();
    let answers = Rc::new(RefCell::new(Vec::new()));
    let said = answers.clone();
    w.world.run_until(async move {
        for json in ["", "{}", r#"{"provider":"facturify","account":"default","command":"unheard_of"}"#] {
            let name = Name::Name("facturify/default".to_owned());
            let answer = host.attempt(Class::Upstream, &name, Method::Ask, json).await;
            said.borrow_mut().push(answer.is_err());
            let answer = host.attempt(Class::Upstream, &name, Method::Command, json).await;
            said.borrow_mut().push(answer.is_err());
        }
        host.info("done");
    });
    assert_eq!(*answers.borrow(), [true; 6]);
    assert!(w.world.rows(Class::Upstream, "facturify/default").is_empty());
}

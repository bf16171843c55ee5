//! The limit of live sessions, case by case, and what becomes of a place while its login is under way.

use super::limit::{Logins, MAX};
use super::support::*;
use base::account::EndReason;
use base::ids::SessionId;
use base::rpc::Class;
use base::secret::Secret;
use directory::{Displaced, Login, LoginReply, Opened, OpenedReply, Reserved, Task, next_alarm};
use session::{Open, OpenReply, State};
use std::time::Duration;

/// As many as may be live, a second apart.
fn full(policy: &str) -> (Logins, Vec<SessionId>) {
    let mut logins = Logins::new(policy);
    let ids = (0..MAX)
        .map(|_| {
            let id = logins.login(true, true).unwrap();
            logins.world.advance(Duration::from_secs(1));
            id
        })
        .collect();
    (logins, ids)
}

#[test]
fn the_session_idle_longest_goes() {
    let (mut logins, ids) = full("evict_oldest");
    // The oldest is used, so the second is idle longest.
    logins.touch(&ids[0]);
    let newest = logins.login(true, true).unwrap();
    assert_eq!(logins.live(), [&ids[0], &ids[2], &newest]);
}

#[test]
fn a_session_that_ended_unheard_gives_its_place_before_a_live_one_does() {
    for policy in ["evict_oldest", "reject"] {
        let (mut logins, ids) = full(policy);
        logins.end(&ids[1], EndReason::Logout, false);
        let newest = logins.login(true, true).unwrap();
        assert_eq!(logins.live(), [&ids[0], &ids[2], &newest]);
    }
}

#[test]
fn without_eviction_the_login_is_refused_and_is_no_failed_one() {
    let (mut logins, ids) = full("reject");
    for _ in 0..50 {
        assert_eq!(logins.login(true, true), None);
    }
    assert_eq!(logins.live(), ids.iter().collect::<Vec<_>>());
    let user = stored_user(&logins.world);
    assert_eq!(directory::throttled(&user, "net", logins.world.now()), None);
    assert_eq!(user.throttle.forgotten_at(), None);
}

#[test]
fn a_reserved_place_whose_session_never_opened_is_free_again() {
    for confirms in [true, false] {
        let mut logins = Logins::new("reject");
        logins.confirms = confirms;
        for _ in 0..MAX {
            logins.login(false, true).unwrap();
        }
        assert_eq!(logins.login(true, true), None);
        logins.world.advance(Duration::from_secs(31));
        let user = stored_user(&logins.world);
        assert!(user.slots.is_empty());
        assert_eq!(next_alarm(&user), None);
        assert!(logins.login(true, true).is_some());
        // An opening may still be on its way.
        logins.world.advance(Duration::from_secs(11));
        let sessions = logins.sessions.clone();
        let ends = sessions.iter().filter(|id| matches!(stored(&logins.world, id), Some(State::Ended(_))));
        assert_eq!(ends.count(), MAX);
    }
}

/// What a login has reserved is gone with the instance that knew of it: the session opens, and nobody gets its tokens.
#[test]
fn f02_a_login_whose_place_was_forgotten_does_not_get_it() {
    let mut logins = Logins::new("evict_oldest");
    let first = logins.login(true, true).unwrap();
    let (id, LoginReply::Reserved(reserved)) = logins.ask() else { panic!("no place") };
    let before = logins.world.rows(Class::User, ASHA_OBJECT);
    logins.world.evict(Class::User, ASHA_OBJECT);
    open(&logins.world, &id, reserved.account);
    let opened = Opened { session_id: id, account_version: reserved.account_version, unrecorded: false };
    assert_eq!(user(&logins.world, ASHA, opened), OpenedReply::Gone);
    assert_eq!(logins.world.rows(Class::User, ASHA_OBJECT), before);
    assert_eq!(logins.world.alarm(Class::User, ASHA_OBJECT), None);
    let listed: Vec<SessionId> = profile(&logins.world).slots.into_iter().map(|s| s.session_id).collect();
    assert_eq!(listed, [first]);
}

/// A login whose place was reserved is written once, when its session is open.
#[test]
fn a_login_writes_its_user_s_row_once() {
    let logins = Logins::new("evict_oldest");
    let before = logins.world.rows(Class::User, ASHA_OBJECT);
    let (id, LoginReply::Reserved(reserved)) = logins.ask() else { panic!("no place") };
    assert_eq!(logins.world.rows(Class::User, ASHA_OBJECT), before);
    assert_eq!(logins.world.alarm(Class::User, ASHA_OBJECT), None);
    open(&logins.world, &id, reserved.account);
    let opened = Opened { session_id: id, account_version: reserved.account_version, unrecorded: false };
    assert!(matches!(user(&logins.world, ASHA, opened), OpenedReply::Kept { .. }));
    assert_ne!(logins.world.rows(Class::User, ASHA_OBJECT), before);
    assert_eq!(logins.world.alarm(Class::User, ASHA_OBJECT), None);
}

/// A message that comes after its place was free opens nothing, whoever knows of it.
#[test]
fn f02_an_opening_that_comes_late_opens_nothing() {
    let logins = Logins::new("evict_oldest");
    let (id, LoginReply::Reserved(reserved)) = logins.ask() else { panic!("no place") };
    logins.world.evict(Class::User, ASHA_OBJECT);
    logins.world.advance(Duration::from_secs(30));
    let late = Open { until: reserved.until, ..open_command(reserved.account) };
    assert_eq!(tell(&logins.world, &id, late.clone()), OpenReply::Unknown);
    assert_eq!(stored(&logins.world, &id), None);
    let in_time = Open { until: Some(logins.world.now().plus(MS)), ..late.clone() };
    assert!(matches!(tell(&logins.world, &id, in_time), OpenReply::Tokens(_)));
    // Once it is open, the same message gets the same answer.
    assert!(matches!(tell(&logins.world, &id, late), OpenReply::Tokens(_)));
}

#[test]
fn sessions_past_their_lifetime_free_their_places() {
    let (mut logins, ids) = full("reject");
    // Their own alarms and their user's are lost.
    for id in &ids {
        logins.world.lose_alarm(Class::Session, id.as_str());
    }
    logins.world.lose_alarm(Class::User, ASHA_OBJECT);
    logins.world.advance(Duration::from_mins(50));
    let newest = logins.login(true, true).unwrap();
    let listed: Vec<SessionId> = profile(&logins.world).slots.into_iter().map(|s| s.session_id).collect();
    assert_eq!(listed, [newest]);
}

#[test]
fn a_lower_limit_evicts_as_many_as_it_takes() {
    let (mut logins, _) = full("evict_oldest");
    logins.world.deploy(&[("MAX_CONCURRENT_SESSIONS_PER_USER", "1")]);
    let newest = logins.login(true, true).unwrap();
    assert_eq!(logins.live(), [&newest]);
}

#[test]
fn the_reasons_of_promised_ends_are_kept() {
    let (mut logins, ids) = full("evict_oldest");
    logins.confirms = false;
    // Whoever logged in died before it ended the session that it displaced; the alarm ends it.
    logins.login(true, false).unwrap();
    assert!(
        stored_user(&logins.world).pending.is_empty(),
        "nobody has to leave before it is known to be open"
    );
    logins.world.advance(Duration::from_secs(30));
    let user = stored_user(&logins.world);
    assert_eq!(user.pending.len(), 1);
    assert_eq!(user.pending[0].task, Task::End(EndReason::Evicted));
    assert!(logins.live().contains(&&ids[0]));
    logins.world.advance(Duration::from_secs(11));
    let Some(State::Ended(tombstone)) = stored(&logins.world, &ids[0]) else { panic!("it lives on") };
    assert_eq!(tombstone.reason, EndReason::Evicted);
    assert!(stored_user(&logins.world).pending.is_empty());
}

#[test]
fn a_login_that_replaces_a_session_takes_its_place_and_no_other() {
    for policy in ["evict_oldest", "reject"] {
        let (logins, ids) = full(policy);
        let place = |replaces: &SessionId| {
            let (password, session_id) = (Secret::new(PASSWORD), fresh_id(&logins.world));
            let replaces = Some(replaces.to_owned());
            let (id, address) = (session_id.clone(), "net".into());
            let command = Login {
                password,
                address,
                session_id: id,
                replaces,
                device: None,
                nobody: None,
                refusal: None,
                confirms: true,
            };
            (session_id, user(&logins.world, ASHA, command))
        };
        let (id, reply) = place(&ids[1]);
        let LoginReply::Reserved(reserved) = reply else { panic!("no place: {reply:?}") };
        assert_eq!(stored_user(&logins.world).pending, [], "nobody has left yet");
        let Reserved { account, account_version, .. } = reserved;
        open(&logins.world, &id, account);
        let reply =
            user(&logins.world, ASHA, Opened { session_id: id.clone(), account_version, unrecorded: false });
        let old = Displaced { session_id: ids[1].clone(), reason: EndReason::Logout };
        assert_eq!(reply, OpenedReply::Kept { displaced: vec![old] });
        let user = stored_user(&logins.world);
        let listed: Vec<&SessionId> = user.slots.iter().map(|s| &s.session_id).collect();
        assert_eq!(listed, [&ids[0], &ids[2], &id]);
        assert_eq!(user.pending.len(), 1, "the end of the old one is promised");
        // Somebody else's session is not on the list, and frees nothing.
        assert!(matches!(place(&fresh_id(&logins.world)).1, LoginReply::AtLimit(_)));
    }
}

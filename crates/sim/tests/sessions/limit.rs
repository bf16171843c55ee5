//! The limit of live sessions under random logins, ends, kills and bad weather, against what must always hold: real objects
//! of a user and of the sessions.

use super::support::*;
use base::account::EndReason;
use base::ids::SessionId;
use base::ports::Clock as _;
use base::rpc::Class;
use base::secret::Secret;
use directory::{
    Activity, AtLimit, Displaced, Found, Login, LoginReply, Opened, OpenedReply, Reserve, ReserveReply,
    Reserved, Task, next_alarm,
};
use proptest::prelude::*;
use session::{Open, OpenReply, Peek, Presence, State, Touch};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;

const SEQUENCES: u32 = 3_000;
const MAX: usize = 3;

const SETTINGS: &[(&str, &str)] = &[
    ("MAX_CONCURRENT_SESSIONS_PER_USER", "3"),
    ("SESSION_ABSOLUTE_LIFETIME_SECONDS", "3000"),
    ("SESSION_INACTIVITY_TIMEOUT_SECONDS", "3000"),
    ("REFRESH_TOKEN_EXPIRE_SECONDS", "3000"),
    ("SESSION_LIMIT_POLICY", "evict_oldest"),
];

#[derive(Clone, Copy, Debug)]
enum Action {
    /// A login that gets this far: asks, reserves, opens, and ends those that it evicts.
    Login {
        opens: bool,
        evicts: bool,
        /// Of this release, which says that a session is open before anybody has its tokens; or of the one before, which may die
        /// before it says so.
        confirms: bool,
    },
    /// One that learned how active the sessions are, and reserves only later.
    Ask,
    ReserveLater,
    /// The user does something in one of the live sessions.
    Use(usize),
    /// One of the live sessions is ended, and its user's object is told at once or by an alarm.
    End {
        which: usize,
        told: bool,
    },
    /// The user's object loses its memory and what is under way in it.
    Kill,
    /// Time goes by; messages get lost in it, or KV is down, or nothing is wrong.
    Advance {
        by: u64,
        rough: bool,
    },
}

fn action() -> impl Strategy<Value = Action> {
    let by = prop_oneof![0_u64..500, 9_000_u64..12_000, 30_000_u64..70_000];
    prop_oneof![
        6 => (prop::bool::weighted(0.8), prop::bool::weighted(0.7), any::<bool>())
            .prop_map(|(opens, evicts, confirms)| Action::Login { opens, evicts, confirms }),
        2 => Just(Action::Ask),
        2 => Just(Action::ReserveLater),
        3 => any::<usize>().prop_map(Action::Use),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, told)| Action::End { which, told }),
        1 => Just(Action::Kill),
        8 => (by, prop::bool::weighted(0.3)).prop_map(|(by, rough)| Action::Advance { by, rough }),
    ]
}

/// A user and the sessions around them.
struct Logins {
    world: World,
    sessions: Vec<SessionId>,
    /// Those whose tokens somebody has.
    given: Vec<SessionId>,
    waiting: Vec<(u64, Vec<Activity>)>,
    /// Whether the Workers of the moment are of this release.
    confirms: bool,
}

impl Logins {
    fn new(policy: &str) -> Self {
        let mut settings = SETTINGS.to_vec();
        settings.push(("SESSION_LIMIT_POLICY", policy));
        let world = world(&settings);
        create_asha(&world);
        Self { world, sessions: Vec::new(), given: Vec::new(), waiting: Vec::new(), confirms: true }
    }

    /// The sessions that are live, as their objects have stored it, the oldest first.
    fn live(&self) -> Vec<&SessionId> {
        let live = |id: &&SessionId| {
            let rows = self.world.rows(Class::Session, id.as_str());
            rows.get("session").is_some_and(|text| text.starts_with(r#"{"state":"live""#))
        };
        self.sessions.iter().filter(live).collect()
    }

    fn nth_live(&self, n: usize) -> Option<SessionId> {
        let live = self.live();
        live.get(n % live.len().max(1)).map(|id| (*id).clone())
    }

    fn activity(&self, sessions: &[SessionId]) -> Vec<Activity> {
        let found = |id: &SessionId| match tell(&self.world, id, Peek) {
            Presence::Live(live) => Found::Live(live.last_activity),
            Presence::Ended(_) => Found::Ended,
            Presence::Unknown => Found::Unknown,
        };
        sessions.iter().map(|id| Activity { session_id: id.clone(), found: found(id) }).collect()
    }

    fn ask(&self) -> (SessionId, LoginReply) {
        let id = fresh_id(&self.world);
        let reply = login_of(&self.world, &id, PASSWORD, self.confirms);
        (id, reply)
    }

    fn reserve(&self, id: &SessionId, version: u64, activity: Vec<Activity>) -> Option<Reserved> {
        let (session_id, confirms) = (id.to_owned(), self.confirms);
        match user(&self.world, ASHA, Reserve { session_id, version, activity, replaces: None, confirms }) {
            ReserveReply::Reserved(reserved) => Some(reserved),
            ReserveReply::LimitExceeded { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    fn login(&mut self, opens: bool, evicts: bool) -> Option<SessionId> {
        let (id, reply) = self.ask();
        let reserved = match reply {
            LoginReply::Reserved(reserved) => Some(reserved),
            LoginReply::AtLimit(AtLimit { version, sessions, .. }) => {
                let activity = self.activity(&sessions);
                self.reserve(&id, version, activity)
            }
            other => panic!("{other:?}"),
        };
        self.reserved(&id, reserved?, opens, evicts);
        Some(id)
    }

    fn reserved(&mut self, id: &SessionId, reserved: Reserved, opens: bool, evicts: bool) {
        self.sessions.push(id.to_owned());
        let Reserved { account, account_version, .. } = reserved;
        if opens {
            open(&self.world, id, account);
            if !self.confirms {
                self.given.push(id.to_owned());
            }
        }
        if opens && evicts {
            let opened = Opened { session_id: id.clone(), account_version, unrecorded: false };
            let OpenedReply::Kept { displaced } = user(&self.world, ASHA, opened) else { return };
            self.given.push(id.to_owned());
            for Displaced { session_id, reason } in displaced {
                self.end(&session_id, reason, true);
            }
        }
    }

    fn end(&self, id: &SessionId, reason: EndReason, told: bool) {
        let ended = revoke(&self.world, id, reason);
        if told {
            let (host, id) = (self.world.host(), id.to_owned());
            let now = host.now();
            let propagated =
                self.world.run_until(async move { store::propagate_end(&host, &id, &ended, now).await });
            propagated.unwrap();
        }
    }

    fn touch(&self, id: &SessionId) {
        tell(&self.world, id, Touch { generation: 0, passive: false });
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Login { opens, evicts, confirms } => {
                self.confirms = confirms;
                self.login(opens, evicts);
            }
            Action::Ask => {
                if let (_, LoginReply::AtLimit(AtLimit { version, sessions, .. })) = self.ask() {
                    let activity = self.activity(&sessions);
                    self.waiting.push((version, activity));
                }
            }
            Action::ReserveLater => {
                let Some((version, activity)) = self.waiting.pop() else { return };
                let id = fresh_id(&self.world);
                if let Some(reserved) = self.reserve(&id, version, activity) {
                    self.reserved(&id, reserved, true, true);
                }
            }
            Action::Use(n) => {
                if let Some(id) = self.nth_live(n) {
                    self.touch(&id);
                }
            }
            Action::End { which, told } => {
                if let Some(id) = self.nth_live(which) {
                    self.end(&id, EndReason::Logout, told);
                }
            }
            Action::Kill => {
                self.world.kill(Class::User, ASHA_OBJECT);
                // The platform sees that an alarm was cut off, and sets it again.
                self.world.settle();
            }
            Action::Advance { by, rough } => {
                if rough {
                    let odds =
                        Odds { lost: 300, kill: 30, flush: 200, kv_down: 200, slow: 200, ..Odds::default() };
                    self.world.weather().rough(odds);
                }
                self.world.advance(Duration::from_millis(by));
                self.world.weather().clear();
                self.world.settle();
            }
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let user = stored_user(&self.world);
        prop_assert!(user.slots.iter().filter(|s| s.reserved_until.is_none()).count() <= MAX);
        // Whoever is live, and whose tokens somebody has, has a place, or its end is promised.
        for id in self.live() {
            if !self.given.contains(id) {
                continue;
            }
            let listed = user.slots.iter().any(|s| s.session_id == *id);
            let promised = user.pending.iter().any(|p| p.session_id == *id && p.task != Task::Sync);
            prop_assert!(listed || promised, "{} is live and forgotten", id);
            prop_assert!(!(listed && promised));
        }
        if !user.pending.is_empty() {
            prop_assert!(self.world.alarm(Class::User, ASHA_OBJECT).is_some());
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_limit_holds_and_everything_is_finished(
        evict in any::<bool>(),
        actions in proptest::collection::vec(action(), 1..60)
    ) {
        let mut logins = Logins::new(if evict { "evict_oldest" } else { "reject" });
        for action in actions {
            logins.act(action);
            logins.check()?;
        }
        // Left alone, the alarms finish everything.
        logins.world.advance(Duration::from_mins(15));
        let user = stored_user(&logins.world);
        prop_assert!(user.pending.is_empty());
        prop_assert!(user.slots.iter().all(|s| s.reserved_until.is_none()));
        let live = logins.live().into_iter().filter(|id| logins.given.contains(id)).count();
        prop_assert!(live <= MAX);
        prop_assert_eq!(live, user.slots.len());
        for id in &logins.sessions {
            if let Some(State::Ended(tombstone)) = stored(&logins.world, id) {
                prop_assert!(tombstone.end_propagated || tombstone.account.is_none());
                let key = format!("session:{id}");
                prop_assert!(!logins.world.kv().contains_key(&key));
            }
        }
        // Also a session that is on no list ends, since nobody has its tokens.
        logins.world.advance(Duration::from_mins(55));
        prop_assert!(logins.live().is_empty());
    }
}

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
        let mut logins = Logins { confirms, ..Logins::new("reject") };
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

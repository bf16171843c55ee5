//! The limit of live sessions under random logins, ends, kills and bad weather, against what must always hold: real objects
//! of a user and of the sessions.

use super::support::*;
use base::account::EndReason;
use base::ids::SessionId;
use base::ports::Clock as _;
use base::rpc::Class;
use directory::{
    Activity, AtLimit, Displaced, Found, LoginReply, Opened, OpenedReply, Reserve, ReserveReply, Reserved,
    Task,
};
use proptest::prelude::*;
use session::{Peek, Presence, Touch};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;

const SEQUENCES: u32 = 3_000;
pub const MAX: usize = 3;

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
pub struct Logins {
    pub world: World,
    pub sessions: Vec<SessionId>,
    /// Those whose tokens somebody has.
    pub given: Vec<SessionId>,
    waiting: Vec<(u64, Vec<Activity>)>,
    /// Whether the Workers of the moment are of this release.
    pub confirms: bool,
}

impl Logins {
    pub fn new(policy: &str) -> Self {
        let mut settings = SETTINGS.to_vec();
        settings.push(("SESSION_LIMIT_POLICY", policy));
        let world = world(&settings);
        create_asha(&world);
        Self { world, sessions: Vec::new(), given: Vec::new(), waiting: Vec::new(), confirms: true }
    }

    /// The sessions that are live, as their objects have stored it, the oldest first.
    pub fn live(&self) -> Vec<&SessionId> {
        let live = |id: &&SessionId| {
            let rows = self.world.rows(Class::Session, id.as_str());
            rows.get("session").is_some_and(|text| text.starts_with(r#"{"state":"live""#))
        };
        self.sessions.iter().filter(live).collect()
    }

    pub fn nth_live(&self, n: usize) -> Option<SessionId> {
        let live = self.live();
        live.get(n % live.len().max(1)).map(|id| (*id).clone())
    }

    pub fn activity(&self, sessions: &[SessionId]) -> Vec<Activity> {
        let found = |id: &SessionId| match tell(&self.world, id, Peek) {
            Presence::Live(live) => Found::Live(live.last_activity),
            Presence::Ended(_) => Found::Ended,
            Presence::Unknown => Found::Unknown,
        };
        sessions.iter().map(|id| Activity { session_id: id.clone(), found: found(id) }).collect()
    }

    pub fn ask(&self) -> (SessionId, LoginReply) {
        let id = fresh_id(&self.world);
        let reply = login_of(&self.world, &id, PASSWORD, self.confirms);
        (id, reply)
    }

    pub fn reserve(&self, id: &SessionId, version: u64, activity: Vec<Activity>) -> Option<Reserved> {
        let (session_id, confirms) = (id.to_owned(), self.confirms);
        match user(&self.world, ASHA, Reserve { session_id, version, activity, replaces: None, confirms }) {
            ReserveReply::Reserved(reserved) => Some(reserved),
            ReserveReply::LimitExceeded { .. } => None,
            other => panic!("{other:?}"),
        }
    }

    pub fn login(&mut self, opens: bool, evicts: bool) -> Option<SessionId> {
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

    pub fn reserved(&mut self, id: &SessionId, reserved: Reserved, opens: bool, evicts: bool) {
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

    pub fn end(&self, id: &SessionId, reason: EndReason, told: bool) {
        let ended = revoke(&self.world, id, reason);
        if told {
            let (host, id) = (self.world.host(), id.to_owned());
            let now = host.now();
            let propagated =
                self.world.run_until(async move { store::propagate_end(&host, &id, &ended, now).await });
            propagated.unwrap();
        }
    }

    pub fn touch(&self, id: &SessionId) {
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
        let live: Vec<_> = logins.live().into_iter().filter(|id| logins.given.contains(id)).collect();
        prop_assert!(live.len() <= MAX);
        // Where whoever has ended a session has not said so, its own alarm does.
        let placed = |id: &&SessionId| user.slots.iter().any(|slot| slot.session_id == **id);
        prop_assert!(live.iter().all(placed));
        let untold = |id: &SessionId| {
            stored(&logins.world, id).is_some() && logins.world.alarm(Class::Session, id.as_str()).is_some()
        };
        prop_assert!(user.slots.iter().all(|slot| live.contains(&&slot.session_id) || untold(&slot.session_id)));
        // Also a session that is on no list ends, since nobody has its tokens.
        logins.world.advance(Duration::from_mins(55));
        prop_assert!(logins.live().is_empty());
        prop_assert!(stored_user(&logins.world).slots.is_empty());
        prop_assert!(logins.sessions.iter().all(|id| stored(&logins.world, id).is_none()));
        let kv = logins.world.kv();
        prop_assert!(!kv.values().any(|entry| entry.value.contains("username")), "{:?}", kv);
    }
}

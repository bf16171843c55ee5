//! The limit under random logins, ends and crashes, against what must always hold.

use super::password::Verdict;
use super::*;
use base::account::EndReason;
use base::clock::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const SEQUENCES: u32 = 3_000;
const MAX: usize = 3;

fn policy(evict: bool) -> UserPolicy {
    UserPolicy {
        limit: LimitPolicy { max: MAX, evict },
        throttle: ThrottlePolicy { max_failures: 10, block_max: Duration::from_mins(15) },
        session_lifetime: Duration::from_mins(50),
    }
}

#[derive(Clone, Copy, Debug)]
enum Action {
    /// A login that gets this far: asks, reserves, opens, and ends those that it evicts.
    Login {
        opens: bool,
        evicts: bool,
    },
    /// One that learned how active the sessions are, and reserves only later.
    Ask,
    ReserveLater,
    /// The user does something in one of the live sessions.
    Use(usize),
    /// One of the live sessions ends by itself, and says so or not.
    End {
        which: usize,
        told: bool,
    },
    Alarm {
        works: bool,
    },
    Advance(u64),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (prop::bool::weighted(0.8), prop::bool::weighted(0.7))
            .prop_map(|(opens, evicts)| Action::Login { opens, evicts }),
        2 => Just(Action::Ask),
        2 => Just(Action::ReserveLater),
        3 => any::<usize>().prop_map(Action::Use),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, told)| Action::End { which, told }),
        4 => prop::bool::weighted(0.8).prop_map(|works| Action::Alarm { works }),
        4 => prop_oneof![0_u64..500, 9_000_u64..12_000, 30_000_u64..70_000].prop_map(Action::Advance),
    ]
}

/// A user's object and the sessions around it, without the platform.
struct World {
    user: User,
    policy: UserPolicy,
    now: Timestamp,
    next_id: u32,
    /// The live sessions and their last activity.
    live: BTreeMap<String, Timestamp>,
    ended: BTreeSet<String>,
    waiting: Vec<(u64, Vec<Activity>)>,
}

impl World {
    fn new(evict: bool) -> Self {
        let mut world = Self {
            user: User::default(),
            policy: policy(evict),
            now: Timestamp::from_seconds(1_800_000_000),
            next_id: 0,
            live: BTreeMap::new(),
            ended: BTreeSet::new(),
            waiting: Vec::new(),
        };
        let (username, roles, hash) = ("u".into(), vec![], "hash".into());
        world.step(Step::Create { user_id: 1, username, roles, hash });
        world
    }

    fn step(&mut self, step: Step) -> Reply {
        // Through the stored form each time: an object may lose its memory at any moment.
        let text = serde_json::to_string(&self.user).unwrap();
        self.user = serde_json::from_str(&text).unwrap();
        decide(&mut self.user, step, &self.policy, self.now).reply
    }

    fn plain(&mut self, command: Command) -> Reply {
        self.step(Step::Plain(command))
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("s{}", self.next_id)
    }

    fn ask(&mut self, session_id: String) -> Reply {
        let (verdict, rehashed, address) = (Verdict::Match, None, "a".into());
        let place = Place { session_id, replaces: None };
        self.step(Step::Login { verdict, rehashed, address, place })
    }

    fn activity(&self, sessions: &[String]) -> Vec<Activity> {
        let found = |id: &String| match self.live.get(id) {
            Some(at) => Found::Live(*at),
            None if self.ended.contains(id) => Found::Ended,
            None => Found::Unknown,
        };
        sessions.iter().map(|id| Activity { session_id: id.clone(), found: found(id) }).collect()
    }

    fn login(&mut self, opens: bool, evicts: bool) {
        let id = self.id();
        let mut reply = self.ask(id.clone());
        if let Reply::AtLimit { version, sessions } = reply {
            let activity = self.activity(&sessions);
            reply =
                self.plain(Command::Reserve { session_id: id.clone(), version, activity, replaces: None });
        }
        self.reserved(id, reply, opens, evicts);
    }

    fn reserved(&mut self, id: String, reply: Reply, opens: bool, evicts: bool) {
        let Reply::Reserved { evicted, .. } = reply else { return };
        if opens {
            self.live.insert(id, self.now);
        }
        if evicts {
            for id in evicted {
                self.end(&id, true);
            }
        }
    }

    fn end(&mut self, id: &str, told: bool) {
        self.live.remove(id);
        self.ended.insert(id.to_owned());
        if told {
            self.plain(Command::Close { session_id: id.to_owned() });
        }
    }

    fn alarm(&mut self, works: bool) {
        for work in begin_due(&mut self.user, self.now) {
            if !works {
                continue;
            }
            match work {
                Work::Check { session_id } => {
                    let found = self.live.get(&session_id).map_or(Found::Unknown, |at| Found::Live(*at));
                    self.step(Step::Checked { session_id, found });
                }
                Work::Do { session_id, task: Task::End(_) } => self.end(&session_id, true),
                Work::Do { .. } => {}
            }
        }
    }

    fn nth_live(&self, n: usize) -> Option<String> {
        self.live.keys().nth(n % self.live.len().max(1)).cloned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: SEQUENCES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_limit_holds_and_everything_is_finished(
        evict in any::<bool>(),
        actions in proptest::collection::vec(action(), 1..60)
    ) {
        let mut w = World::new(evict);
        for action in actions {
            match action {
                Action::Login { opens, evicts } => w.login(opens, evicts),
                Action::Ask => {
                    let id = w.id();
                    if let Reply::AtLimit { version, sessions } = w.ask(id) {
                        let activity = w.activity(&sessions);
                        w.waiting.push((version, activity));
                    }
                }
                Action::ReserveLater => {
                    if let Some((version, activity)) = w.waiting.pop() {
                        let id = w.id();
                        let reply = w.plain(Command::Reserve { session_id: id.clone(), version, activity, replaces: None });
                        w.reserved(id, reply, true, true);
                    }
                }
                Action::Use(n) => {
                    if let Some(id) = w.nth_live(n) {
                        let now = w.now;
                        w.live.insert(id, now);
                    }
                }
                Action::End { which, told } => {
                    if let Some(id) = w.nth_live(which) {
                        w.end(&id, told);
                    }
                }
                Action::Alarm { works } => w.alarm(works),
                Action::Advance(by) => w.now = w.now.plus(Duration::from_millis(by)),
            }
            prop_assert!(w.user.slots.len() <= MAX);
            // Whoever is live has a place, or its end is promised.
            for id in w.live.keys() {
                let listed = w.user.slots.iter().any(|s| s.session_id == *id);
                let promised = w.user.pending.iter().any(|p| p.session_id == *id);
                prop_assert!(listed || promised, "{} is live and forgotten", id);
                prop_assert!(!(listed && promised));
            }
            if !w.user.pending.is_empty() {
                prop_assert!(next_alarm(&w.user).is_some());
            }
        }
        // Left alone, the alarm finishes everything.
        for _ in 0..100 {
            w.now = next_alarm(&w.user).unwrap_or(w.now).max(w.now);
            w.alarm(true);
        }
        prop_assert!(w.user.pending.is_empty());
        prop_assert!(w.user.slots.iter().all(|s| s.reserved_until.is_none()));
        prop_assert!(w.live.len() <= MAX);
    }
}

#[test]
fn the_session_idle_longest_goes() {
    let mut w = World::new(true);
    for _ in 0..MAX {
        w.login(true, true);
        w.now = w.now.plus(Duration::from_secs(1));
    }
    // The oldest is used, so the second is idle longest.
    w.live.insert("s1".into(), w.now);
    w.login(true, true);
    assert_eq!(w.live.keys().collect::<Vec<_>>(), ["s1", "s3", "s4"]);
}

#[test]
fn a_session_that_ended_unheard_gives_its_place_before_a_live_one_does() {
    for evict in [true, false] {
        let mut w = World::new(evict);
        for _ in 0..MAX {
            w.login(true, true);
        }
        w.end("s2", false);
        w.login(true, true);
        assert_eq!(w.live.keys().collect::<Vec<_>>(), ["s1", "s3", "s4"]);
    }
}

#[test]
fn without_eviction_the_login_is_refused_and_is_no_failed_one() {
    let mut w = World::new(false);
    for _ in 0..MAX + 50 {
        w.login(true, true);
    }
    assert_eq!(w.live.len(), MAX);
    assert_eq!(wait(&w.user, "a", w.now), None);
    assert_eq!(w.user.throttle.forgotten_at(), None);
}

#[test]
fn a_reserved_place_whose_session_never_opened_is_free_again() {
    let mut w = World::new(false);
    for _ in 0..MAX {
        w.login(false, true);
    }
    w.login(true, true);
    assert!(w.live.is_empty());
    w.now = next_alarm(&w.user).unwrap();
    w.alarm(true);
    assert!(w.user.slots.is_empty());
    assert_eq!(next_alarm(&w.user), None);
    w.login(true, true);
    assert_eq!(w.live.len(), 1);
}

#[test]
fn sessions_past_their_lifetime_free_their_places() {
    let mut w = World::new(false);
    for _ in 0..MAX {
        w.login(true, true);
    }
    w.now = w.now.plus(w.policy.session_lifetime);
    w.live.clear();
    w.login(true, true);
    assert_eq!(w.live.len(), 1);
}

#[test]
fn a_lower_limit_evicts_as_many_as_it_takes() {
    let mut w = World::new(true);
    for _ in 0..MAX {
        w.login(true, true);
        w.now = w.now.plus(Duration::from_secs(1));
    }
    w.policy.limit.max = 1;
    w.login(true, true);
    assert_eq!(w.live.keys().collect::<Vec<_>>(), ["s4"]);
}

#[test]
fn the_reasons_of_promised_ends_are_kept() {
    let mut w = World::new(true);
    w.login(true, true);
    w.plain(Command::End { only: None, keep: None, reason: EndReason::Admin });
    let work = {
        w.now = next_alarm(&w.user).unwrap();
        begin_due(&mut w.user, w.now)
    };
    assert_eq!(work, [Work::Do { session_id: "s1".into(), task: Task::End(EndReason::Admin) }]);
}

#[test]
fn a_login_that_replaces_a_session_takes_its_place_and_no_other() {
    for evict in [true, false] {
        let mut w = World::new(evict);
        for _ in 0..MAX {
            w.login(true, true);
        }
        let place =
            |id: &str, replaces: &str| Place { session_id: id.into(), replaces: Some(replaces.into()) };
        let step =
            |place| Step::Login { verdict: Verdict::Match, rehashed: None, address: "a".into(), place };
        let Reply::Reserved { evicted, replaced, .. } = w.step(step(place("new", "s2"))) else {
            panic!("no place")
        };
        assert_eq!((evicted, replaced.as_deref()), (vec![], Some("s2")));
        let listed: Vec<&str> = w.user.slots.iter().map(|s| s.session_id.as_str()).collect();
        assert_eq!(listed, ["s1", "s3", "new"]);
        assert_eq!(w.user.pending.len(), 1, "the end of the old one is promised");
        // Somebody else's session is not on the list, and frees nothing.
        assert!(matches!(w.step(step(place("newer", "stranger"))), Reply::AtLimit { .. }));
    }
}

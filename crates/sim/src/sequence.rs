//! Random sequences: a plan of steps and a weather, both by seed; what is found, and the smallest case that still shows it.

use crate::rng::Rng;
use crate::weather::{Kind, Odds};
use std::collections::BTreeSet;
use std::fmt;

/// What never may be. Each names what is wrong when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A session shows other roles than an admin was told that its user has.
    RolesComeBack,
    /// A session has other roles than its user, when all is quiet.
    RolesDiffer,
    /// A live session is not on its owner's list, when all is quiet: nobody can find it to end it.
    SessionOnNoList,
    /// A user has the id that another one had.
    IdGivenTwice,
    /// The directory counts somebody as an admin who is not one, or the other way round.
    DirectoryWrong,
    /// Nobody is an active admin any more.
    NoAdmin,
    /// A session was displaced by a login that failed.
    LoggedOutByFailedLogin,
    /// A session is gone, and nobody and no rule has ended it.
    SessionLost,
    /// A session that was opened after a change is ended by that change, whose message came a second time.
    EndedByLateRepeat,
    /// A session is used after somebody was told that it has ended.
    EndedSessionLives,
    /// Somebody logs in after an admin was told that they are disabled or removed.
    DisabledLogsIn,
    /// A refresh token has two successors.
    TwoSuccessors,
    /// A user has more live sessions than allowed, when all is quiet.
    TooManySessions,
    /// An end is not told everywhere, when all is quiet.
    EndNotPropagated,
    /// A user's list has a place for a session that is not live, when all is quiet.
    PlaceOfNobody,
    /// Something is still to be done, when all is quiet.
    WorkLeft,
    /// KV has a live record of a session that has ended and was told of, when all is quiet.
    KvRecordLeft,
    /// KV does not list a live session, when all is quiet.
    KvRecordMissing,
    /// KV does not say that a session has ended while a token of it is good, when all is quiet.
    BlacklistMissing,
    /// A request was answered with a status that no fault explains.
    UnexpectedAnswer,
    /// A token was given out that the upstream had not issued, or an older one after a newer one was stored.
    OldToken,
    /// KV's copy of a token is not the one that the account's object holds, when all is quiet.
    KvTokenOld,
    /// An account made more calls than its budget allows.
    OverBudget,
    /// An account has no good token long after its upstream is well again.
    NotRecovered,
    /// A token that the upstream gave was thrown away.
    TokenThrownAway,
    /// A token of the identity before the settings changed is given out.
    OldIdentity,
    /// An account has given up for good, and it was not its upstream that refused.
    GaveUp,
    /// Reads have a token renewed more often than once in a tenth of its life.
    RenewedTooOften,
    /// A change of a user who is being removed is an internal error.
    UpdateMeetsRemoval,
    /// A session that another login displaces, or whose end another change has begun, is not ended with the others, and
    /// lives for a while after an admin was told that all have ended.
    EndMissesEnding,
    /// Something is due, and no alarm is set for it.
    AlarmNotSet,
    /// What nobody can mend; no finding.
    Excused,
    /// The index has another health of an account than its object, when all is quiet.
    IndexWrong,
    /// A token that its upstream has ended is given out long after.
    DeadTokenServed,
    /// A token of another user of the upstream was taken over in silence.
    OwnerChanged,
    /// A caller was told that its upstream had failed, and a quick retry of the same task succeeded.
    RetryNotAwaited,
    /// The end of a session that cannot be told is tried without end.
    EndRetriedForEver,
    /// An externally authenticated session was renewed, and its external token was not verified.
    RenewedUnverified,
    /// A portal was logged in to while its session was live.
    SecondPortalLogin,
    /// Credentials were tried again sooner than a refusal allows.
    PortalNotLeftAlone,
    /// A live session at a portal is not known to anybody who could end it.
    PortalSessionForgotten,
    /// Credentials or cookies are stored for nothing, or are missing where they are needed.
    PortalSecretsWrong,
    /// Credentials or cookies of a portal stay where a write has failed, with nothing that they are for: the session there is
    /// forgotten.
    PortalSecretsLeft,
    /// A portal session is not kept alive, or not ended, when it should be; or nobody is served though the portal is well.
    PortalNotReconciled,
    /// The registry and the logins do not agree, when all is quiet.
    RegistryWrong,
    /// A session that is kept alive, and that nobody uses, is logged in again after a day.
    AbandonedLoggedIn,
    /// An event is not signed, comes in another order than it happened in, or says something else when it comes again.
    EventWrong,
    /// A session has another life than was told, when all is quiet: a beginning and, if it is over, one end.
    EventsDiffer,
}

/// The faults that are known and not mended yet, by the number in the list of what breaks in real use. A run counts them;
/// anything else fails it.
pub const KNOWN: &[(Invariant, &str)] = &[];

impl Invariant {
    pub fn known(self) -> Option<&'static str> {
        KNOWN.iter().find(|(invariant, _)| *invariant == self).map(|(_, what)| *what)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    pub detail: String,
}

/// What random sequences are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    Users,
    Tokens,
    Portals,
    /// As users, and a receiver of events that is as unreliable as everything else.
    Events,
}

impl Scenario {
    pub const ALL: &[Self] = &[Self::Users, Self::Tokens, Self::Portals, Self::Events];

    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Tokens => "tokens",
            Self::Portals => "portals",
            Self::Events => "events",
        }
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scenario| scenario.name() == name)
    }
}

/// One run: a seed, and which of its steps and faults are left in. Without a choice, all are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub scenario: Scenario,
    pub seed: u64,
    pub steps: Option<BTreeSet<usize>>,
    pub faults: Option<BTreeSet<u32>>,
}

#[derive(Debug)]
pub struct Outcome {
    pub violation: Option<Violation>,
    /// How many steps the plan has.
    pub steps: usize,
    pub faults: Vec<(u32, Kind, u64)>,
    /// What happened, if that was asked for.
    pub trace: Vec<String>,
}

impl Case {
    pub fn new(scenario: Scenario, seed: u64) -> Self {
        Self { scenario, seed, steps: None, faults: None }
    }

    pub fn run(&self) -> Outcome {
        self.run_traced(false)
    }

    pub fn run_traced(&self, trace: bool) -> Outcome {
        let mut outcome = match self.scenario {
            Scenario::Users | Scenario::Events => crate::users::run(self, trace),
            Scenario::Tokens => crate::tokens::run(self, trace),
            Scenario::Portals => crate::portals::run(self, trace),
        };
        outcome.violation = outcome.violation.filter(|v| v.invariant != Invariant::Excused);
        outcome
    }

    /// Whether a step of the plan is left in.
    pub fn has(&self, step: usize) -> bool {
        self.steps.as_ref().is_none_or(|steps| steps.contains(&step))
    }

    /// The smallest case that still breaks the same invariant, within `tries` runs.
    #[must_use]
    pub fn shrink(&self, invariant: Invariant, tries: usize) -> Self {
        let first = self.run();
        let fails = |case: &Self| case.run().violation.is_some_and(|v| v.invariant == invariant);
        let mut left = tries;
        let mut best = self.clone();
        let steps: Vec<usize> = (0..first.steps).filter(|step| self.has(*step)).collect();
        let steps = minimal(&steps, &mut left, &|kept: &[usize]| {
            fails(&Self { steps: Some(kept.iter().copied().collect()), ..best.clone() })
        });
        best.steps = Some(steps.into_iter().collect());
        let faults: Vec<u32> = best.run().faults.iter().map(|(number, ..)| *number).collect();
        let faults = minimal(&faults, &mut left, &|kept: &[u32]| {
            fails(&Self { faults: Some(kept.iter().copied().collect()), ..best.clone() })
        });
        let fewer = Self { faults: Some(faults.into_iter().collect()), ..best.clone() };
        if fails(&fewer) { fewer } else { best }
    }
}

/// What is left when nothing more can be taken away: halves first, then single ones.
fn minimal<T: Copy>(all: &[T], tries: &mut usize, fails: &dyn Fn(&[T]) -> bool) -> Vec<T> {
    let mut kept = all.to_vec();
    let mut size = kept.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        let mut smaller = false;
        while at < kept.len() && *tries > 0 {
            *tries -= 1;
            let end = (at + size).min(kept.len());
            let without: Vec<T> = kept[..at].iter().chain(&kept[end..]).copied().collect();
            if fails(&without) {
                kept = without;
                smaller = true;
            } else {
                at = end;
            }
        }
        if *tries == 0 || (size == 1 && !smaller) {
            return kept;
        }
        size = if size == 1 { 1 } else { size.div_ceil(2) };
    }
}

impl fmt::Display for Case {
    /// The arguments that run it again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list =
            |numbers: Vec<String>| if numbers.is_empty() { "none".to_owned() } else { numbers.join(",") };
        write!(f, "--scenario {} --seed {}", self.scenario.name(), self.seed)?;
        if let Some(steps) = &self.steps {
            write!(f, " --steps {}", list(steps.iter().map(ToString::to_string).collect()))?;
        }
        if let Some(faults) = &self.faults {
            write!(f, " --faults {}", list(faults.iter().map(ToString::to_string).collect()))?;
        }
        Ok(())
    }
}

/// A weather by seed: some kinds of faults, each from rare to frequent; now and then none at all.
pub fn odds(rng: &mut Rng) -> Odds {
    let share = rng.below(60);
    let mut draw = |often: &[u32]| if rng.below(100) < share { *rng.pick(often) } else { 0 };
    Odds {
        lost: draw(&[5, 20, 60]),
        stray: draw(&[5, 20]),
        slow: draw(&[50, 200, 500]),
        very_slow: draw(&[5, 20, 60]),
        write: draw(&[2, 10, 30]),
        flush: draw(&[50, 300]),
        kill: draw(&[2, 8, 20]),
        alarm: draw(&[100, 500]),
        kv_down: draw(&[20, 100, 500]),
        kv_slow: draw(&[50, 200]),
        kv_stale: draw(&[200, 800]),
        upstream: draw(&[50, 200, 500]),
        answer_lost: draw(&[20, 100]),
    }
}

//! Seeds that have found something, kept; and a number of others. `npm run simulate` tries new ones.
//!
//! The faults of [`KNOWN`] are in the product today and are to be mended by themselves. Until then each is found here, so that
//! it is known that the simulation sees it: whoever mends one takes it off that list and turns its test round.

use sim::sequence::{Case, Invariant, KNOWN, Scenario};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many sequences of each scenario are tried: the same ones each time, so that what a change breaks is that change's.
const SEQUENCES: u64 = 2_000;
/// Seeds after the kept one that are tried before it counts as not found: a change of the product moves what a seed does.
const HUNT: u64 = 10_000;

const KEPT: &[(Invariant, Scenario, u64)] = &[];

/// What these seeds found has been mended. What has moved since does not show what it did, so others of each kind are below.
const MENDED: &[(Invariant, Scenario, u64)] = &[
    (Invariant::RolesComeBack, Scenario::Users, 4321),
    (Invariant::RolesDiffer, Scenario::Users, 108),
    (Invariant::SessionOnNoList, Scenario::Users, 40),
    (Invariant::IdGivenTwice, Scenario::Users, 22),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 1250),
    (Invariant::EndMissesEnding, Scenario::Users, 2770),
    (Invariant::AlarmNotSet, Scenario::Users, 75),
    (Invariant::UpdateMeetsRemoval, Scenario::Users, 878),
    (Invariant::NotRecovered, Scenario::Tokens, 94),
    (Invariant::RetryNotAwaited, Scenario::Tokens, 14),
    (Invariant::TokenThrownAway, Scenario::Tokens, 18),
    (Invariant::OldIdentity, Scenario::Tokens, 22),
    (Invariant::KvTokenOld, Scenario::Tokens, 531),
    (Invariant::RenewedTooOften, Scenario::Tokens, 384),
    (Invariant::DeadTokenServed, Scenario::Tokens, 108),
    (Invariant::OwnerChanged, Scenario::Tokens, 3),
    (Invariant::GaveUp, Scenario::Tokens, 4),
    // Found while it was mended: weather after a final refusal.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 3108),
    // A caller of a failed try that came out of it after another one's retry had succeeded.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 47687),
    // What was looked for was wrong: a token that was brought is no renewal; an upstream that is down cannot say that a token is
    // dead; what could not be written down is got once more; a clock that is set ahead; a stranger who was first; a write
    // that outlives its instance, before the sweep; a token with an odd life counted as none.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 13265),
    (Invariant::DeadTokenServed, Scenario::Tokens, 19544),
    (Invariant::RenewedTooOften, Scenario::Tokens, 28991),
    (Invariant::KvTokenOld, Scenario::Tokens, 35117),
    (Invariant::OwnerChanged, Scenario::Tokens, 37545),
    (Invariant::KvTokenOld, Scenario::Tokens, 50962),
    (Invariant::OverBudget, Scenario::Tokens, 92767),
    // A token that ended before its upstream said whose it was names nobody.
    (Invariant::OwnerChanged, Scenario::Tokens, 231_879),
    // Nor does one whose account was never written down as its holder.
    (Invariant::OwnerChanged, Scenario::Tokens, 257_787),
    (Invariant::OwnerChanged, Scenario::Tokens, 296_744),
    (Invariant::OwnerChanged, Scenario::Tokens, 296_805),
    // Renewals that failed kept a token that nobody had confirmed from its check.
    (Invariant::DeadTokenServed, Scenario::Tokens, 297_687),
    // An alarm that asks for its turn decided before that; two changes at once had KV's second refusal waited for.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 250_253),
    // A short token had come, and the long one was five seconds away.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 301_294),
    // What was brought by hand is no renewal.
    (Invariant::RetryNotAwaited, Scenario::Tokens, 326_410),
    (Invariant::KvTokenOld, Scenario::Tokens, 274_582),
    // Mistyped settings had an alarm come to nothing, and the sweep that finds that comes each minute.
    (Invariant::KvTokenOld, Scenario::Tokens, 330_364),
    // KV's next try waited for an index that was slow; and its alarm was late.
    (Invariant::KvTokenOld, Scenario::Tokens, 8_007_750),
    (Invariant::AbandonedLoggedIn, Scenario::Portals, 16),
    (Invariant::PortalSecretsLeft, Scenario::Portals, 19),
    (Invariant::PortalSecretsLeft, Scenario::Portals, 493),
    // A login that was held back just before its password was sent had paid for a captcha.
    (Invariant::OverBudget, Scenario::Portals, 104_876),
    // An alarm that waits in the queue is one that comes.
    (Invariant::PortalNotReconciled, Scenario::Portals, 122_393),
    // The registry was looked at in the moment in which a session ended idle.
    (Invariant::RegistryWrong, Scenario::Portals, 49_179),
    // Found while these were mended: a place that is asked for too early, a late opening, a stale look at a session.
    (Invariant::SessionOnNoList, Scenario::Users, 542),
    (Invariant::SessionOnNoList, Scenario::Users, 2348),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 134),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 492),
    (Invariant::IdGivenTwice, Scenario::Users, 1058),
    (Invariant::AlarmNotSet, Scenario::Users, 242),
    // The first without the directory's agreement, the others without the versions and names of changes.
    (Invariant::NoAdmin, Scenario::Users, 32),
    (Invariant::NoAdmin, Scenario::Users, 388),
    (Invariant::DirectoryWrong, Scenario::Users, 4),
    (Invariant::EndedByLateRepeat, Scenario::Users, 1758),
    (Invariant::EndedByLateRepeat, Scenario::Users, 244_652),
    (Invariant::EndedByLateRepeat, Scenario::Users, 212_171),
    (Invariant::EndedByLateRepeat, Scenario::Users, 258_936),
    // A removal that was answered 503 came 11 s late.
    (Invariant::EndedByLateRepeat, Scenario::Users, 7_100_397),
    (Invariant::DirectoryWrong, Scenario::Users, 308_819),
    (Invariant::DirectoryWrong, Scenario::Users, 413_950),
    (Invariant::DirectoryWrong, Scenario::Users, 440_935),
    (Invariant::KvRecordMissing, Scenario::Users, 372_002),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 341_271),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 344_231),
    (Invariant::LoggedOutByFailedLogin, Scenario::Users, 355_599),
    (Invariant::EndRetriedForEver, Scenario::Users, 148),
    (Invariant::KvRecordMissing, Scenario::Users, 43),
    (Invariant::KvRecordLeft, Scenario::Users, 60),
];

fn found(case: &Case) -> Option<Invariant> {
    case.run().violation.map(|violation| violation.invariant)
}

/// The faults of one scenario are found, each by its seed, or soon after.
fn finds(scenario: Scenario) {
    let kept = KEPT.iter().filter(|(_, of, _)| *of == scenario);
    let mut moved = Vec::new();
    for (invariant, _, seed) in kept {
        if found(&Case::new(scenario, *seed)) != Some(*invariant) {
            moved.push(*invariant);
        }
    }
    for seed in 1..=HUNT {
        if moved.is_empty() {
            return;
        }
        if let Some(invariant) = found(&Case::new(scenario, seed)) {
            moved.retain(|other| *other != invariant);
        }
    }
    assert!(moved.is_empty(), "mended, or not seen any more: {moved:?}");
}

#[test]
fn known_faults_of_users_are_found() {
    finds(Scenario::Users);
}

#[test]
fn known_faults_of_tokens_are_found() {
    finds(Scenario::Tokens);
}

#[test]
fn what_is_mended_stays_so() {
    for (invariant, scenario, seed) in MENDED {
        let case = Case::new(*scenario, *seed);
        assert_ne!(found(&case), Some(*invariant), "{case}");
        assert_eq!(invariant.known(), None, "{invariant:?}");
    }
}

#[test]
fn every_known_fault_has_a_seed() {
    for (invariant, what) in KNOWN {
        assert!(KEPT.iter().any(|(kept, ..)| kept == invariant), "{what}");
    }
}

/// The same seed gives the same run.
#[test]
fn a_case_is_repeatable() {
    for scenario in Scenario::ALL {
        let case =
            (1..=HUNT).map(|seed| Case::new(*scenario, seed)).find(|case| !case.run().faults.is_empty());
        let case = case.expect("some seed has weather");
        let (first, again) = (case.run_traced(true), case.run_traced(true));
        assert_eq!((&first.violation, &first.faults), (&again.violation, &again.faults), "{case}");
        assert_eq!(first.trace, again.trace, "{case}");
        let nothing = Case { steps: Some([].into()), ..case };
        assert_eq!(found(&nothing), None);
    }
}

/// What is found is found with fewer steps, too.
#[test]
fn a_known_fault_shrinks() {
    for (_, scenario, seed) in KEPT {
        let case = Case::new(*scenario, *seed);
        let Some(invariant) = found(&case) else { continue };
        let small = case.shrink(invariant, 400);
        assert_eq!(found(&small), Some(invariant), "{small}");
        assert!(small.steps.as_ref().is_some_and(|steps| steps.len() < case.run().steps), "{small}");
    }
}

#[test]
fn random_sequences_find_nothing_new() {
    let first = std::env::var("SIMULATE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1_000_000);
    let (next, new) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + SEQUENCES {
                return;
            }
            for scenario in Scenario::ALL {
                let case = Case::new(*scenario, seed);
                let violation = case.run().violation.filter(|v| v.invariant.known().is_none());
                if let Some(violation) = violation {
                    new.lock().unwrap().push(format!("npm run simulate -- {case} --once: {violation:?}"));
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let new = new.into_inner().unwrap();
    assert!(new.is_empty(), "{new:#?}");
}

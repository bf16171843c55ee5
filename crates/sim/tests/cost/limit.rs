//! A login at the limit asks a handful of sessions, and the one idle longest goes all the same.

use crate::world::{Deployment, Tokens, minutes};
use std::time::Duration;

const LIMIT: usize = 30;

/// As many sessions as may be, all of them active but one.
fn all_but(idle: usize) -> (Deployment, Vec<Tokens>) {
    let d = Deployment::new(&[("MAX_CONCURRENT_SESSIONS_PER_USER", &LIMIT.to_string())]);
    let sessions: Vec<Tokens> = (0..LIMIT)
        .map(|_| {
            let tokens = d.log_in("asha");
            d.world.advance(Duration::from_secs(3));
            tokens
        })
        .collect();
    d.world.advance(minutes(10));
    for (number, tokens) in sessions.iter().enumerate() {
        if number != idle {
            d.validate(&tokens.access);
        }
    }
    // It learns what a refusal costs.
    d.log_in("root");
    (d, sessions)
}

fn is_live(d: &Deployment, tokens: &Tokens) -> bool {
    let headers = [("authorization", &*format!("Bearer {}", tokens.access)), ("x-session-passive", "1")];
    d.world.request("GET", "/auth/verify", &headers, None).status == 200
}

/// Calls of sessions to ask how active they are, beside those of any login at the limit: the address, the user three times,
/// the new session, and the end of another one.
fn asked(d: &Deployment) -> u64 {
    d.uses(|| drop(d.log_in("asha"))).object_requests - 8
}

#[test]
fn the_session_idle_longest_goes_and_a_handful_is_asked() {
    for (idle, most) in [(0, 5), (3, 5), (7, 10), (17, 20)] {
        let (d, sessions) = all_but(idle);
        assert_eq!(asked(&d), most, "{idle}");
        assert!(!is_live(&d, &sessions[idle]), "{idle}");
        assert_eq!(sessions.iter().filter(|s| is_live(&d, s)).count(), LIMIT - 1);
    }
}

/// Of those that were asked the one idle longest goes; those that were not are asked first by the next login.
#[test]
fn one_that_is_behind_many_active_ones_goes_next() {
    let (d, sessions) = all_but(27);
    assert_eq!(asked(&d), 20);
    assert!(is_live(&d, &sessions[27]));
    assert_eq!(asked(&d), 10);
    assert!(!is_live(&d, &sessions[27]));
    assert_eq!(sessions.iter().filter(|s| is_live(&d, s)).count(), LIMIT - 2);
}

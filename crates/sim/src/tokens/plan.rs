//! What services want of upstream accounts, and what happens meanwhile.

use super::upstream::{MOODS, Mood};
use crate::rng::Rng;

/// The accounts: one with a refresh token that rotates, one with client credentials, Facturify's, one at Upstox.
pub const ACCOUNTS: [&str; 4] = ["oauth2/rotating", "oauth2/plain", "facturify/default", "upstox/trader"];
/// Places in that list.
pub const OAUTH2: [usize; 2] = [0, 1];
pub const AT_UPSTOX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Read {
        account: usize,
        min_ttl: u64,
    },
    Order {
        account: usize,
    },
    /// A client that asks for a new token once a second.
    Insist {
        account: usize,
        seconds: u64,
    },
    /// Has the held token checked, where there is a way.
    Check,
    /// Brings a token by hand: the upstream's newest, or a stranger's.
    Bring {
        stranger: bool,
    },
    /// The upstream ends the newest token before its time.
    Revoke,
    Mood(Mood),
    /// Other credentials for all accounts: from a sandbox to production.
    Deploy,
    /// A deploy with a typing error in the settings of an account.
    Mistype {
        account: usize,
        how: Mistype,
    },
    /// A deploy without it.
    Mend,
    Cron,
    Restart,
    Kill {
        account: usize,
    },
    Jump {
        seconds: u64,
    },
}

/// What is wrong then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistype {
    /// A member that says nothing of whose token it is.
    Auth,
    /// One that does, so that nobody knows.
    Address,
    /// One that nobody knows.
    Unknown,
    /// The setting of all accounts behind OAuth 2.0.
    Json,
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub after: u64,
    pub action: Action,
}

/// The two accounts that a sequence is about, and its steps.
pub fn plan(rng: &mut Rng) -> ([usize; 2], Vec<Step>) {
    let dangers = rng.chance(400);
    let moods = rng.below(80);
    let accounts = match rng.below(10) {
        0..=4 => OAUTH2,
        5..=6 => [2, 0],
        _ => [AT_UPSTOX, 1],
    };
    let deploys = accounts == OAUTH2 && rng.chance(300);
    let first = rng.index(2);
    let steps = rng.between(3, 10);
    let steps = (0..steps)
        .map(|_| {
            let after = match rng.below(10) {
                0..=4 => 0,
                5..=6 => rng.below(2_000),
                7 => rng.below(30_000),
                8 => rng.below(300_000),
                _ => rng.below(2_400_000),
            };
            let account = accounts[if rng.chance(800) { first } else { 1 - first }];
            let action = match rng.below(if dangers { 100 } else { 92 }) {
                0..=29 if account == AT_UPSTOX && rng.chance(400) => match rng.below(4) {
                    0 => Action::Revoke,
                    1 => Action::Check,
                    other => Action::Bring { stranger: other == 2 },
                },
                0..=29 => Action::Read { account, min_ttl: if rng.chance(250) { 86_400 } else { 0 } },
                30..=57 => Action::Order { account },
                58..=59 => Action::Insist { account, seconds: rng.between(5, 20) },
                60..=84 if rng.below(100) < moods => Action::Mood(*rng.pick(MOODS)),
                60..=84 => Action::Mood(Mood::Well),
                85..=87 if deploys => Action::Deploy,
                85..=91 => Action::Cron,
                92..=94 => Action::Restart,
                95..=97 => Action::Kill { account },
                _ => Action::Jump { seconds: rng.between(1, 120) },
            };
            Step { after, action }
        })
        .collect();
    (accounts, steps)
}

/// In some sequences somebody mistypes a setting, and mends it some steps later. By lots of its own, so that the other sequences
/// stay what they are.
pub fn mistype(seed: u64, accounts: [usize; 2], steps: &mut Vec<Step>) {
    let mut rng = Rng::new(seed ^ 0x6d69_7374_7970_6564);
    let behind_oauth2: Vec<usize> = accounts.into_iter().filter(|account| OAUTH2.contains(account)).collect();
    if !rng.chance(80) || behind_oauth2.is_empty() {
        return;
    }
    let how = *rng.pick(&[Mistype::Auth, Mistype::Address, Mistype::Unknown, Mistype::Json]);
    let at = rng.index(steps.len());
    let mend = at + 1 + rng.index(steps.len() - at);
    let after = rng.below(60_000);
    steps.insert(mend, Step { after, action: Action::Mend });
    steps.insert(at, Step { after, action: Action::Mistype { account: *rng.pick(&behind_oauth2), how } });
}

//! What users and admins do, and when.

use crate::rng::Rng;

/// Users are numbers: 0 is the admin who administers, 1 another admin, the others plain users.
pub const USERS: usize = 3;
/// Somebody externally authenticated, in the same numbering.
pub const CUSTOMER: usize = USERS;
/// Clients that keep a session each. Behind them are those of the admins.
pub const CLIENTS: usize = 6;
/// Users who administer.
pub const ADMINS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Login {
        user: usize,
        client: usize,
        replaces: bool,
    },
    WrongPassword {
        user: usize,
    },
    /// The other system begins a session of the customer.
    Init {
        client: usize,
        replaces: bool,
    },
    /// What that system says of external tokens from now on.
    Bank(Mood),
    /// With the newest refresh token, or once more with the one before.
    Refresh {
        client: usize,
        again: bool,
    },
    Use {
        client: usize,
    },
    Logout {
        client: usize,
    },
    LogoutAll {
        client: usize,
        keep: bool,
    },
    Roles {
        user: usize,
        kind: usize,
    },
    Active {
        user: usize,
        on: bool,
    },
    Password {
        user: usize,
    },
    Remove {
        user: usize,
    },
    Create {
        user: usize,
    },
    /// One admin, who may be one no more, makes somebody an admin or takes that away.
    Admin {
        user: usize,
        by: usize,
        change: AdminChange,
    },
    EndAll {
        user: usize,
    },
    EndOne {
        client: usize,
    },
    Cleanup,
    /// KV is down, for all and for long, or up again.
    Kv {
        up: bool,
    },
    Restart,
    KillSession {
        client: usize,
    },
    KillUser {
        user: usize,
    },
    KillDirectory,
    Jump {
        seconds: u64,
        back: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminChange {
    Promote,
    Demote,
    Enable,
    Disable,
    Remove,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds after the one before.
    pub after: u64,
    pub action: Action,
}

/// How the system is that external tokens are verified at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Well,
    Expired,
    Refused,
    Down,
    Garbage,
    /// It answers after the caller's patience.
    Slow,
}

const MOODS: &[Mood] = &[Mood::Well, Mood::Expired, Mood::Refused, Mood::Down, Mood::Garbage, Mood::Slow];

/// What a sequence is about.
pub struct Plan {
    pub steps: Vec<Step>,
    /// `SESSION_CHECK`.
    pub check: &'static str,
    /// `SESSION_LIMIT_POLICY`.
    pub limit: &'static str,
    /// In the end KV is down for hours.
    pub outage: bool,
    /// The second admin administers, too.
    pub admins: bool,
}

impl Action {
    /// Whether it breaks something, or moves the clock.
    pub const fn disturbs(self) -> bool {
        matches!(
            self,
            Self::Restart
                | Self::KillSession { .. }
                | Self::KillUser { .. }
                | Self::KillDirectory
                | Self::Jump { .. }
                | Self::Kv { .. }
        )
    }

    /// The user whom it is about, if it names one.
    pub fn user(self) -> Option<usize> {
        match self {
            Self::Login { user, .. }
            | Self::WrongPassword { user }
            | Self::Roles { user, .. }
            | Self::Active { user, .. }
            | Self::Password { user }
            | Self::Remove { user }
            | Self::Create { user }
            | Self::EndAll { user }
            | Self::Admin { user, .. }
            | Self::KillUser { user } => Some(user),
            _ => None,
        }
    }
}

pub fn plan(rng: &mut Rng) -> Plan {
    let admins = rng.chance(150);
    let steps = if admins { steps_of_admins(rng) } else { steps(rng) };
    let check = match rng.below(10) {
        0..=5 => "strict",
        6..=7 => "edge",
        _ => "local",
    };
    let limit = if rng.chance(800) { "evict_oldest" } else { "reject" };
    let outage = rng.chance(10);
    Plan { steps, check, limit, outage, admins }
}

fn steps(rng: &mut Rng) -> Vec<Step> {
    // One user or two, so that what happens meets.
    let user = 1 + rng.index(USERS - 1);
    let other = 1 + rng.index(USERS - 1);
    let dangers = rng.chance(500);
    let theme = rng.below(5);
    let steps = rng.between(3, 12);
    (0..steps)
        .map(|_| {
            let after = after(rng);
            let user = if rng.chance(750) { user } else { other };
            let action = match theme {
                0 => about_roles(rng, user),
                1 => about_ends(rng, user),
                2 => about_a_customer(rng),
                _ => action(rng, user, dangers),
            };
            Step { after, action }
        })
        .collect()
}

fn after(rng: &mut Rng) -> u64 {
    match rng.below(10) {
        0..=4 => 0,
        5..=6 => rng.below(50),
        7 => rng.below(2_000),
        8 => rng.below(15_000),
        _ => rng.below(45_000),
    }
}

/// Two admins make others admins, and take that from each other.
fn steps_of_admins(rng: &mut Rng) -> Vec<Step> {
    let dangers = rng.chance(300);
    (0..rng.between(3, 12))
        .map(|_| {
            let after = after(rng);
            let (user, by) = (rng.index(USERS), rng.index(ADMINS));
            let change = |change| Action::Admin { user, by, change };
            let action = match rng.below(if dangers { 22 } else { 20 }) {
                0..=7 => change(AdminChange::Demote),
                8..=11 => change(AdminChange::Promote),
                12..=13 => change(AdminChange::Disable),
                14..=15 => change(AdminChange::Enable),
                16 => change(AdminChange::Remove),
                17 => Action::Create { user: 1 },
                18..=19 => Action::Login { user: by, client: CLIENTS + by, replaces: false },
                20 => Action::KillUser { user },
                _ => Action::KillDirectory,
            };
            Step { after, action }
        })
        .collect()
}

/// Logins while roles change.
fn about_roles(rng: &mut Rng, user: usize) -> Action {
    let client = rng.index(CLIENTS);
    match rng.below(10) {
        0..=3 => Action::Login { user, client, replaces: rng.chance(200) },
        4..=6 => Action::Roles { user, kind: rng.index(ROLES.len()) },
        _ => Action::Use { client },
    }
}

/// Logins in place of others while sessions are ended.
fn about_ends(rng: &mut Rng, user: usize) -> Action {
    let client = rng.index(2);
    match rng.below(10) {
        0..=4 => Action::Login { user, client, replaces: rng.chance(600) },
        5 => Action::EndAll { user },
        6 => match rng.below(4) {
            0 => Action::Active { user, on: false },
            1 => Action::Active { user, on: true },
            2 => Action::Password { user },
            _ => Action::LogoutAll { client, keep: rng.chance(500) },
        },
        _ => Action::Use { client },
    }
}

/// Externally authenticated sessions, and others beside them.
fn about_a_customer(rng: &mut Rng) -> Action {
    let client = rng.index(CLIENTS);
    match rng.below(20) {
        0..=6 => Action::Init { client, replaces: rng.chance(250) },
        7..=12 => Action::Refresh { client, again: rng.chance(150) },
        13..=15 => Action::Use { client },
        16..=17 => Action::Bank(*rng.pick(MOODS)),
        18 if rng.chance(500) => Action::LogoutAll { client, keep: rng.chance(500) },
        18 => Action::EndOne { client },
        _ if rng.chance(300) => Action::KillSession { client },
        _ => Action::Logout { client },
    }
}

fn action(rng: &mut Rng, user: usize, dangers: bool) -> Action {
    let client = rng.index(CLIENTS);
    match rng.below(if dangers { 100 } else { 94 }) {
        0..=24 => Action::Login { user, client, replaces: rng.chance(250) },
        25..=26 => Action::WrongPassword { user },
        27..=38 => Action::Refresh { client, again: rng.chance(150) },
        39..=58 => Action::Use { client },
        59..=63 => Action::Logout { client },
        64..=65 => Action::LogoutAll { client, keep: rng.chance(500) },
        66..=77 => Action::Roles { user, kind: rng.index(ROLES.len()) },
        78..=80 => Action::Active { user, on: rng.chance(600) },
        81..=82 => Action::Password { user },
        83..=85 => Action::Remove { user },
        86..=89 => Action::Create { user },
        90..=91 => Action::EndAll { user },
        92 => Action::EndOne { client },
        93 if rng.chance(300) => Action::Kv { up: rng.chance(500) },
        93 => Action::Cleanup,
        94 => Action::Restart,
        95..=96 => Action::KillSession { client },
        97 => Action::KillUser { user },
        98 => Action::KillDirectory,
        _ => Action::Jump { seconds: rng.between(1, 60), back: rng.chance(500) },
    }
}

pub const ROLES: &[&[&str]] = &[&["user"], &["admin", "user"], &["auditor"], &["user"]];

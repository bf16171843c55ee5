//! What portal clients want, and what happens at the portal meanwhile.

use crate::fakes::portal::Down;
use crate::rng::Rng;

pub const DRIVERS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Get {
        driver: usize,
        keep_alive: bool,
    },
    /// An operation, by the id of the session or by the credentials.
    Run {
        driver: usize,
        by_id: bool,
    },
    Close {
        driver: usize,
    },
    List,
    /// The portal is down, or well again.
    Portal(Option<Down>),
    /// The portal ends all sessions.
    Kick,
    /// It refuses the password from now on, or no longer.
    Refuse(bool),
    /// The same in words that nobody knows.
    Mumble(bool),
    Captcha(bool),
    /// How long a call takes, in seconds.
    Slow(u64),
    /// The next call of a kind is done, and nobody lives to hear of it.
    Crash(&'static str),
    Cron,
    Restart,
    Kill {
        driver: usize,
        /// Its alarm is lost with it.
        alarm: bool,
    },
    KillRegistry,
    Jump {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Milliseconds after the one before.
    pub after: u64,
    pub action: Action,
}

pub struct Plan {
    /// One login, of which everything is watched; or several, with fewer places than that.
    pub alone: bool,
    /// In the end nobody uses the sessions for more than a day.
    pub abandons: bool,
    pub settings: Vec<(&'static str, &'static str)>,
    pub logins_per_hour: usize,
    pub steps: Vec<Step>,
}

pub fn plan(rng: &mut Rng) -> Plan {
    let alone = rng.chance(700);
    let abandons = alone && rng.chance(30);
    let dangers = rng.chance(400);
    let trouble = rng.below(60);
    let few = rng.chance(200);
    let mut settings = vec![
        ("EMODAL_BASE_URL", "https://portal.example.com/portal"),
        ("EMODAL_HOSTS", "id.example.com"),
        ("CAPTCHA_BASE_URL", "https://captcha.example.com"),
        ("CAPTCHA_POLL_MILLISECONDS", "1000"),
        ("REQUEST_LOG", "off"),
        ("PORTAL_RELOGIN", if rng.chance(800) { "on" } else { "off" }),
        ("PORTAL_LOGINS_PER_HOUR", if few { "2" } else { "6" }),
        ("PORTAL_KEEP_ALIVE_SECONDS", if abandons { "7200" } else { "300" }),
    ];
    if !alone {
        settings.push(("PORTAL_SESSIONS_MAX", "2"));
    }
    let steps = rng.between(3, 8);
    let steps = (0..steps)
        .map(|_| {
            let after = match rng.below(10) {
                0..=3 => 0,
                4..=6 => rng.below(12_000),
                7..=8 => rng.below(60_000),
                _ => rng.below(700_000),
            };
            let driver = if alone { 0 } else { rng.index(DRIVERS) };
            Step { after, action: action(rng, driver, trouble, dangers) }
        })
        .collect();
    Plan { alone, abandons, settings, logins_per_hour: if few { 2 } else { 6 }, steps }
}

/// Parts of the addresses of pages.
const CRASHES: &[&str] =
    &["/", "in.php", "identity/login", "callback", "signin-oidc", "containers", "logout"];

fn action(rng: &mut Rng, driver: usize, trouble: u64, dangers: bool) -> Action {
    match rng.below(if dangers { 100 } else { 90 }) {
        0..=29 => Action::Get { driver, keep_alive: rng.chance(500) },
        30..=54 => Action::Run { driver, by_id: rng.chance(600) },
        55..=59 => Action::Close { driver },
        60 => Action::List,
        61..=62 => Action::Cron,
        63..=68 => Action::Kick,
        69..=89 if rng.below(100) < trouble => match rng.below(8) {
            0..=2 => Action::Portal(Some(down(rng))),
            3 => Action::Refuse(rng.chance(600)),
            4 => Action::Mumble(rng.chance(600)),
            5 => Action::Captcha(rng.chance(600)),
            6 => Action::Slow(rng.between(1, 5)),
            _ => Action::Portal(None),
        },
        69..=89 => Action::Get { driver, keep_alive: true },
        90..=91 => Action::Restart,
        92..=93 => Action::Kill { driver, alarm: rng.chance(300) },
        94 => Action::KillRegistry,
        95..=98 => Action::Crash(CRASHES[rng.index(CRASHES.len())]),
        _ => Action::Jump { seconds: rng.between(1, 120) },
    }
}

fn down(rng: &mut Rng) -> Down {
    match rng.below(5) {
        0 => Down::Unreachable,
        1 => Down::Silent,
        2 => Down::Limited(rng.between(1, 120)),
        3 => Down::Error(*rng.pick(&[502, 503])),
        _ => Down::Error(500),
    }
}

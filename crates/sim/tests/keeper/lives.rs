//! Days of an account's life with random faults, for each provider. What must hold is asserted by the world around it.

use crate::account::{AccountWorld, secs};
use crate::line::{Crash, Down, Outage};
use keeper::protocol::{CheckNow, NewToken};
use proptest::prelude::*;
use sim::fakes::accounts::{Fake as _, FakeFacturify, FakeOAuth, FakeUpstox, Rotation};

/// Random lives for each of the three providers.
const LIVES: u32 = 150;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// So many at the same instant.
    Asks(u8, u64),
    Order(NewToken),
    Check,
    /// How, of what part, and for how many minutes.
    Outage(Down, u8, u64),
    Crash(Crash),
    Die,
    LoseAlarm,
    NoCron(u64),
    /// For so many minutes it refuses the credentials.
    Refuse(u64),
    NewSettings,
    Revoke,
    Daily,
}

fn down() -> impl Strategy<Value = Down> {
    prop_oneof![
        Just(Down::Unreachable),
        Just(Down::Silent),
        Just(Down::Mute),
        Just(Down::Half),
        Just(Down::Error),
        Just(Down::Html),
        prop_oneof![Just(None), (0_u64..600).prop_map(Some)].prop_map(Down::Limited),
        Just(Down::Redirects),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let order = prop_oneof![
        Just(Action::Order(NewToken::Obtain)),
        Just(Action::Order(NewToken::Refresh)),
        Just(Action::Check)
    ];
    let crash = prop_oneof![Just(Crash::BeforeCall), Just(Crash::BeforeWrite), Just(Crash::AfterWrite)];
    prop_oneof![
        4 => (1_u8..20, prop_oneof![Just(0), 0_u64..50_000]).prop_map(|(n, ttl)| Action::Asks(n, ttl)),
        2 => order,
        5 => (down(), 0_u8..3, 1_u64..200).prop_map(|(how, of, minutes)| Action::Outage(how, of, minutes)),
        3 => crash.prop_map(Action::Crash),
        1 => Just(Action::Die),
        2 => Just(Action::LoseAlarm),
        1 => (1_u64..60).prop_map(Action::NoCron),
        1 => (1_u64..300).prop_map(Action::Refuse),
        1 => Just(Action::NewSettings),
        1 => Just(Action::Revoke),
        1 => Just(Action::Daily),
    ]
}

/// Parts of Facturify that are down.
const FACTURIFY_PARTS: [&str; 3] = ["", "", "/token/refresh"];

/// Found by lot: a reply was late, and the token in it replaced meanwhile.
#[test]
fn a_reply_that_a_renewal_overtakes_gives_no_dead_token() {
    let actions = vec![
        (39_611, Action::Die),
        (78, Action::Outage(Down::Unreachable, 0, 70)),
        (5_231, Action::NoCron(46)),
        (3_297, Action::NewSettings),
        (27_322, Action::Asks(1, 12_537)),
        (1, Action::Asks(17, 0)),
        (0, Action::Asks(1, 0)),
    ];
    live(&mut facturify(8_063_277_027_502_495_644).rough(), actions, &FACTURIFY_PARTS, false);
}

/// What there is, and the seconds until it.
fn life() -> impl Strategy<Value = (u64, bool, Vec<(u64, Action)>)> {
    let gap = prop_oneof![3 => 0_u64..20, 3 => 0_u64..600, 2 => 0_u64..8_000, 1 => 0_u64..40_000];
    (any::<u64>(), any::<bool>(), proptest::collection::vec((gap, action()), 1..25))
}

fn act(world: &mut AccountWorld, action: Action, parts: &[&'static str; 3]) {
    let now = world.now();
    match action {
        Action::Asks(n, min_ttl) => (0..n).for_each(|_| world.ask(min_ttl)),
        Action::Order(task) => world.order(task),
        Action::Check => world.order(CheckNow),
        Action::Outage(how, of, minutes) => {
            let until = now.plus(secs(minutes * 60));
            let outage = Outage { how, of: parts[usize::from(of)], until, calls: Vec::new() };
            world.line.outage.replace(Some(outage));
            world.disturbed(until);
        }
        Action::Crash(at) => world.line.crash.set(Some(at)),
        Action::Die => {
            world.disturbed(now);
            world.die();
        }
        Action::LoseAlarm => world.lose_alarm(),
        Action::NoCron(minutes) => {
            world.no_cron_until = now.plus(secs(minutes * 60));
            world.disturbed(world.no_cron_until);
        }
        Action::Refuse(minutes) => {
            world.line.fake.borrow_mut().refuse(true);
            world.note_revoked();
            world.refused_until = Some(now.plus(secs(minutes * 60)));
            world.disturbed(now.plus(secs(minutes * 60)));
        }
        Action::NewSettings => new_settings(world),
        Action::Revoke => {
            world.line.fake.borrow_mut().revoke();
            world.note_revoked();
        }
        Action::Daily => (0..5).for_each(|_| world.trigger("30 2 * * *")),
    }
}

/// The settings of an account, and others that mean the same upstream.
pub fn settings(provider: &str, n: u32, seed: &str) -> Vec<(&'static str, String)> {
    match provider {
        "facturify" => vec![
            ("FACTURIFY_API_KEY", "fy-key".to_owned()),
            ("FACTURIFY_API_SECRET", format!("fy-secret-{n}")),
        ],
        "upstox" => vec![
            ("UPSTOX_ACCOUNT_IDS", "a1".to_owned()),
            ("TOKEN_REFRESH_SERVICE_URL", format!("https://service/v{n}")),
        ],
        _ => {
            let account = format!(
                r#"{{"o1":{{"token_url":"https://as/token","client_id":"cid","client_secret":"c-secret-{n}","grant":"refresh_token","refresh_token":"{seed}"}}}}"#
            );
            vec![("OAUTH2_ACCOUNTS", account)]
        }
    }
}

/// A deployment with other settings.
fn new_settings(world: &mut AccountWorld) {
    // Somebody logged in anew, and gave the grant to the settings.
    let seed = world.line.fake.borrow_mut().reseed().unwrap_or_default();
    let settings = settings(world.provider, world.deaths + 1, &seed);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.deploy(&settings);
}

/// A life, and then peace: it ends with a token.
fn live(world: &mut AccountWorld, actions: Vec<(u64, Action)>, parts: &[&'static str; 3], asks: bool) {
    world.next_ask = asks.then(|| world.now());
    world.run(secs(60));
    for (gap, action) in actions {
        world.run(secs(gap));
        act(world, action, parts);
    }
    world.world.weather().clear();
    world.line.outage.replace(None);
    world.line.crash.set(None);
    world.no_cron_until = world.now();
    world.line.fake.borrow_mut().refuse(false);
    world.refused_until = None;
    let now = world.now();
    world.disturbed(now);
    world.run(world.bound + secs(60));
    if world.is_final() {
        new_settings(world);
        world.run(secs(300));
    }
    let now = world.now();
    let night = |at| world.line.fake.borrow().is_night(at);
    if [now, now.minus(world.bound), now.plus(secs(600))].into_iter().any(night) {
        world.run_until(now.next_daily(3 * 3600 + 2400));
    }
    assert!(world.live() && !world.stored().has_failed(), "{:?}", world.stored());
    world.next_ask = None;
    world.run(secs(300));
    world.check_peace();
}

fn world(
    provider: &'static str,
    fake: Box<dyn sim::fakes::accounts::Fake>,
    first: &str,
    seed: u64,
) -> AccountWorld {
    let settings = settings(provider, 0, first);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (account, hosts): (_, &[&str]) = match provider {
        "facturify" => ("default", &["api-sandbox.facturify.com"]),
        "upstox" => ("a1", &["service", "api.upstox.com"]),
        _ => ("o1", &["as"]),
    };
    AccountWorld::new(provider, account, &settings, hosts, fake, seed)
}

pub fn facturify(seed: u64) -> AccountWorld {
    let fake = FakeFacturify { kills_old: seed & 1 == 0, ..FakeFacturify::default() };
    world("facturify", Box::new(fake), "", seed)
}

pub fn upstox(seed: u64) -> AccountWorld {
    let fake = FakeUpstox {
        opens_at_eight: seed & 1 == 0,
        kills_old: seed & 2 == 0,
        lies: seed & 4 == 0,
        ..FakeUpstox::default()
    };
    world("upstox", Box::new(fake), "", seed)
}

pub fn oauth2(rotation: Rotation, seed: u64) -> AccountWorld {
    let mut fake = FakeOAuth { rotation, says_life: seed & 4 == 0, ..FakeOAuth::default() };
    let first = fake.reseed().unwrap();
    world("oauth2", Box::new(fake), &first, seed)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LIVES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn facturify_lives((seed, asks, actions) in life()) {
        live(&mut facturify(seed).rough(), actions, &FACTURIFY_PARTS, asks);
    }

    #[test]
    fn upstox_lives((seed, asks, actions) in life()) {
        live(&mut upstox(seed).rough(), actions, &["", "https://service", "https://api.upstox.com"], asks);
    }

    #[test]
    fn oauth2_lives((seed, asks, actions) in life()) {
        let rotations = [Rotation::Off, Rotation::Plain, Rotation::Lenient, Rotation::Detecting];
        let rotation = rotations[usize::try_from(seed & 3).unwrap()];
        let mut world = oauth2(rotation, seed).rough();
        let refuses = actions.iter().any(|(_, a)| matches!(a, Action::Refuse(_)));
        live(&mut world, actions, &[""; 3], asks);
        // A refresh token is lost only where an answer was, and where the server does not forgive that.
        let forgives = matches!(rotation, Rotation::Off | Rotation::Lenient);
        if (forgives || world.line.lost.get() == 0) && !refuses {
            let alerts = world.alerts();
            prop_assert!(!alerts.iter().any(|a| a == "needs_attention"), "{:?} {:?}", rotation, alerts);
        }
    }
}

#[test]
fn facturify_turns_240_seconds_into_43200_after_five() {
    let mut world = facturify(0);
    let started = world.now();
    world.run(secs(4));
    let held = world.stored().held.unwrap();
    assert_eq!((held.expires_in, held.provisional), (Some(240), true));
    world.run_until(held.obtained_at.plus(secs(10)));
    let long = world.stored().held.unwrap();
    assert_eq!((long.expires_in, long.provisional), (Some(43_200), false));
    let changed_after = long.obtained_at.since(held.obtained_at);
    assert!(changed_after >= secs(5) && changed_after < secs(9), "{changed_after:?}");
    assert!(long.obtained_at < started.plus(secs(14)));
    // Then one call a life, the buffer before its end.
    world.run(secs(7 * 86_400));
    let lives = 7 * 86_400 / 43_140 + 1;
    let calls = world.line.calls.borrow().len();
    assert!((2 + lives - 1..=2 + lives + 1).contains(&calls), "{calls} calls");
    assert_eq!(world.alerts(), Vec::<String>::new());
    world.check_peace();
}

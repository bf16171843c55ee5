//! Hours of a login's life at a portal with random faults. What must hold is looked at after every turn.

use super::play::{Play, credentials, secs};
use base::ids::PortalId;
use portal::{End, GetReply, Login};
use proptest::prelude::*;
use sim::fakes::portal::Down;
use sim::weather::Odds;

const LIVES: u32 = 150;

#[derive(Clone, Copy, Debug)]
enum Action {
    /// So many at the same instant.
    Get(u8, bool),
    Run(u8),
    Close(End),
    /// How, and for how many minutes.
    Outage(Down, u64),
    Kick,
    /// Credentials are refused from now on, or not.
    Refuse(bool),
    /// The same, in words that nobody knows.
    Mumble(bool),
    Captcha(bool),
    /// How long a call takes, in seconds.
    Slow(u64),
    Die,
    /// The answer to the next call of a kind is lost, and the object with it.
    Crash(&'static str),
    LoseAlarm,
    /// Messages between objects are lost or late from now on, or not.
    Messages(bool),
}

fn down() -> impl Strategy<Value = Down> {
    prop_oneof![
        Just(Down::Unreachable),
        Just(Down::Silent),
        (1_u64..600).prop_map(Down::Limited),
        prop_oneof![Just(500), Just(502), Just(503)].prop_map(Down::Error),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let crash = prop_oneof![
        Just("/"),
        Just("in.php"),
        Just("identity/login"),
        Just("callback"),
        Just("signin-oidc"),
        Just("containers"),
        Just("logout"),
    ];
    prop_oneof![
        6 => (1_u8..5, any::<bool>()).prop_map(|(n, keep_alive)| Action::Get(n, keep_alive)),
        5 => (1_u8..4).prop_map(Action::Run),
        2 => prop_oneof![Just(End::Closed), Just(End::Evicted)].prop_map(Action::Close),
        3 => (down(), 1_u64..90).prop_map(|(how, minutes)| Action::Outage(how, minutes)),
        4 => Just(Action::Kick),
        1 => any::<bool>().prop_map(Action::Refuse),
        1 => any::<bool>().prop_map(Action::Mumble),
        1 => any::<bool>().prop_map(Action::Captcha),
        1 => (1_u64..6).prop_map(Action::Slow),
        3 => Just(Action::Die),
        4 => crash.prop_map(Action::Crash),
        2 => Just(Action::LoseAlarm),
        1 => any::<bool>().prop_map(Action::Messages),
    ]
}

fn life() -> impl Strategy<Value = (u64, u32, bool, Vec<(u64, Action)>)> {
    let gap = prop_oneof![3 => Just(0), 4 => 0_u64..30, 3 => 0_u64..600, 1 => 0_u64..8_000];
    (any::<u64>(), 1_u32..8, any::<bool>(), proptest::collection::vec((gap, action()), 1..25))
}

/// Every id that a session ever had.
fn current(play: &Play) -> PortalId {
    let login = play.login();
    let ended = login.ended.map(|ended| ended.session_id);
    login.session.map(|live| live.session_id).or(ended).unwrap_or(PortalId::issued("none"))
}

fn act(play: &Play, action: Action) {
    let set_password = |password: &str| {
        play.site.state().passwords.insert("driver".to_owned(), password.to_owned());
    };
    match action {
        Action::Get(n, keep_alive) => {
            for _ in 0..n {
                play.start_get(credentials("driver", "ck"), keep_alive);
            }
        }
        Action::Run(n) => (0..n).for_each(|_| drop(play.start_run(&current(play)))),
        Action::Close(reason) => {
            play.start(play.name.clone(), Play::close_command(&current(play), reason));
        }
        Action::Outage(how, minutes) => {
            play.site.state().down = Some(how);
            play.run_for(secs(minutes * 60));
            play.site.state().down = None;
            play.watch.borrow_mut().calm_since = play.now();
        }
        Action::Kick => play.site.kick(),
        Action::Refuse(refuses) => set_password(if refuses { "another" } else { "driver-pass" }),
        Action::Mumble(mumbles) => play.site.state().mumbles = mumbles,
        Action::Captcha(fails) => play.site.state().captcha_fails = fails,
        Action::Slow(seconds) => play.site.state().call_time = secs(seconds),
        Action::Die => play.die(),
        Action::Crash(at) => play.site.state().crash = Some(at),
        Action::LoseAlarm => {
            play.world.lose_alarm(base::rpc::Class::Portal, &play.name);
            let mut watch = play.watch.borrow_mut();
            (watch.alarm_lost, watch.calm_since) = (true, play.now().plus(secs(60)));
        }
        Action::Messages(rough) if rough => {
            play.world.weather().rough(Odds { lost: 200, slow: 300, very_slow: 50, ..Odds::default() });
        }
        Action::Messages(_) => play.world.weather().clear(),
    }
}

fn live(play: &Play, actions: Vec<(u64, Action)>) {
    for (gap, action) in actions {
        play.run_for(secs(gap));
        act(play, action);
    }
    // Then peace. A wanted session lives after the longest cool-down, and is the only one at the portal.
    act(play, Action::Refuse(false));
    play.world.weather().clear();
    {
        let mut state = play.site.state();
        (state.mumbles, state.captcha_fails, state.crash) = (false, false, None);
        state.call_time = secs(1);
    }
    play.watch.borrow_mut().calm_since = play.now();
    play.run_for(secs(4 * 3600 + 100));
    let session = play.get(true);
    play.run_for(secs(700));
    assert_eq!(play.session_id().as_ref(), Some(&session.live.session_id));
    assert_eq!(play.site.live_sessions().len(), 1, "{:?}", play.login());
    let listed: Vec<_> = play.listed().into_iter().map(|row| row.session_id).collect();
    assert_eq!(listed, [session.live.session_id.as_str()]);
    // And an end that leaves nothing behind.
    play.close(&session.live.session_id);
    play.run_for(secs(120));
    assert!(play.is_quiet() && play.site.live_sessions().is_empty(), "{:?}", play.login());
    assert!(play.listed().is_empty());
    play.without_cron();
    // Not even that it was there, once nobody can want to know.
    play.run_for(secs(25 * 3600));
    assert_eq!((play.login(), play.row_names()), (Login::default(), Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: LIVES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_login_lives((seed, logins_per_hour, relogin, actions) in life()) {
        let most = logins_per_hour.to_string();
        let relogin = if relogin { "on" } else { "off" };
        let play = Play::seeded(seed, &[("PORTAL_LOGINS_PER_HOUR", &most), ("PORTAL_RELOGIN", relogin)]);
        play.watch.borrow_mut().logins_per_hour = usize::try_from(logins_per_hour).unwrap();
        live(&play, actions);
    }
}

#[test]
fn what_is_asked_is_answered() {
    // Whatever the queue has before it.
    let play = Play::new(&[]);
    let gets: Vec<_> = (0..5).map(|n| play.start_get(credentials("driver", "ck"), n % 2 == 0)).collect();
    play.run_for(secs(60));
    assert!(gets.iter().all(|get| matches!(get.now(), Some(Some(GetReply::Session(_))))));
}

//! Logins that fail: what it is called at each step, how long everybody waits, and how often anybody is asked.

use super::play::{Play, credentials, secs};
use base::ids::PortalId;
use base::page::{Answer, Fetch};
use base::ports::Timer as _;
use portal::{Code, Credentials, GetReply, Refusal};
use sim::SimHost;
use sim::fakes::portal::{Door, HOSTS, Site};
use sim::fakes::portal_pages::{page, to, with};
use sim::net::{Answering, Upstream};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const COOLDOWN: u64 = 900;
const LOGINS_MAX: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Status(u16, &'static str),
    Later(u16, u64),
    Redirect(&'static str),
    Unreachable,
    Hangs,
}

/// Where in a login something can go wrong: the method, and a part of the address.
const STEPS: [(&str, &str); 4] = [
    ("GET", "/portal/login"),
    ("POST", "/identity/login"),
    ("GET", "/identity/callback"),
    ("", "/portal/signin-oidc"),
];

/// The portal, and what one of its steps says instead.
struct Broken {
    site: Rc<Site>,
    fault: Cell<Option<((&'static str, &'static str), Fault)>>,
    calls: RefCell<Vec<String>>,
    timer: SimHost,
}

struct Way(Rc<Broken>);

impl Upstream for Way {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Answering<'a, Answer> {
        Box::pin(async move {
            self.0.calls.borrow_mut().push(format!("{} {}", fetch.method, fetch.url));
            let hit = |(method, part): (&str, &str)| {
                (method.is_empty() || method == fetch.method) && fetch.url.contains(part)
            };
            let Some((_, fault)) = self.0.fault.get().filter(|(step, _)| hit(*step)) else {
                return Door(self.0.site.clone()).fetch(fetch).await;
            };
            match fault {
                Fault::Status(status, body) => page(status, body),
                Fault::Later(status, seconds) => {
                    with(page(status, ""), |page| page.retry_after = Some(secs(seconds)))
                }
                Fault::Redirect(location) => to(location),
                Fault::Unreachable => Answer::Unreachable,
                Fault::Hangs => {
                    self.0.timer.sleep(fetch.timeout * 2).await;
                    Answer::TimedOut
                }
            }
        })
    }
}

fn play() -> (Play, Rc<Broken>) {
    let play = Play::of_many(&[]);
    let broken = Rc::new(Broken {
        site: play.site.clone(),
        fault: Cell::default(),
        calls: RefCell::default(),
        timer: play.world.host(),
    });
    for host in HOSTS {
        play.world.upstream(host, Way(broken.clone()));
    }
    (play, broken)
}

impl Broken {
    fn count(&self, what: &str) -> usize {
        self.calls.borrow().iter().filter(|call| call.contains(what)).count()
    }

    /// How often the password was sent, and captchas were ordered.
    fn sent(&self) -> (usize, usize) {
        (self.count("POST https://id.example.com/identity/login"), self.count("/in.php"))
    }

    fn calls(&self) -> usize {
        self.calls.borrow().len()
    }
}

fn get(play: &Play, credentials: Credentials) -> Result<PortalId, Refusal> {
    match play.wait(&play.start_get(credentials, true)).unwrap() {
        GetReply::Session(session) => Ok(session.live.session_id),
        GetReply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

fn driver() -> Credentials {
    credentials("driver", "ck")
}

fn with_password(password: &str) -> Credentials {
    Credentials { password: base::secret::Secret::new(password), ..driver() }
}

/// Refused; in how many seconds to come again.
#[track_caller]
fn refused(play: &Play, credentials: Credentials, code: Code) -> Option<u64> {
    let refusal = get(play, credentials).unwrap_err();
    assert_eq!(refusal.code, code, "{refusal:?}");
    refusal.retry_after_seconds
}

#[test]
fn at_each_step_each_failure_is_told_and_waited_for_without_a_call() {
    let rows: [(Fault, Code, std::ops::RangeInclusive<u64>); 8] = [
        (Fault::Later(503, 240), Code::ServerError, 240..=240),
        (Fault::Later(429, 240), Code::RateLimited, 240..=240),
        (Fault::Status(503, "<p>Oh no</p>"), Code::ServerError, 15..=19),
        (Fault::Later(503, 1_000_000), Code::ServerError, 3600..=3600),
        (Fault::Unreachable, Code::Unreachable, 15..=19),
        (Fault::Hangs, Code::Timeout, 15..=19),
        (Fault::Status(200, "<p>Something else</p>"), Code::UnexpectedResponse, 15..=COOLDOWN),
        (Fault::Status(200, r#"{"ok":true}"#), Code::UnexpectedResponse, 15..=COOLDOWN),
    ];
    for step in STEPS {
        for (fault, code, waits) in &rows {
            let (play, broken) = play();
            broken.fault.set(Some((step, *fault)));
            let wait = refused(&play, driver(), *code).unwrap();
            assert!(waits.contains(&wait), "{step:?} {fault:?}: {wait} s");
            let calls = broken.calls();
            assert_eq!(refused(&play, driver(), *code), Some(wait), "{step:?} {fault:?}");
            play.run_for(secs(wait - 1));
            assert_eq!(refused(&play, driver(), *code), Some(1), "{step:?} {fault:?}");
            assert_eq!(broken.calls(), calls, "{step:?} {fault:?}");
            broken.fault.set(None);
            play.run_for(secs(1));
            get(&play, driver()).unwrap();
        }
    }
}

#[test]
fn wrong_credentials_are_tried_once_in_a_quarter_of_an_hour_then_more_seldom() {
    let (play, broken) = play();
    let wrong = || with_password("wrong");
    assert_eq!(refused(&play, wrong(), Code::CredentialsRefused), Some(COOLDOWN));
    assert_eq!(broken.sent(), (1, 1));
    for wait in [1, 599, 299] {
        play.run_for(secs(wait));
        refused(&play, wrong(), Code::CredentialsRefused);
    }
    assert_eq!(broken.sent(), (1, 1));
    play.run_for(secs(1));
    // Whoever asks again and again waits longer each time.
    assert_eq!(refused(&play, wrong(), Code::CredentialsRefused), Some(2 * COOLDOWN));
    assert_eq!(broken.sent(), (2, 2));
    assert!(play.listed().is_empty());
    // Another password is another login, and waits for nobody.
    get(&play, driver()).unwrap();
    refused(&play, with_password("other"), Code::CredentialsRefused);
    assert_eq!((broken.sent(), play.site.live_sessions().len()), ((4, 4), 1));
}

#[test]
fn two_hundred_at_once_with_a_wrong_password_send_it_once() {
    let (play, broken) = play();
    let waiting: Vec<_> = (0..200).map(|_| play.start_get(with_password("wrong"), true)).collect();
    for get in &waiting {
        let GetReply::Refused(refusal) = play.wait(get).unwrap() else { panic!() };
        assert_eq!(refusal.code, Code::CredentialsRefused);
    }
    assert_eq!(broken.sent(), (1, 1));
}

/// A day of callers, one every five minutes: how often the password was sent in the first hour, and in all.
fn day(play: &Play, broken: &Broken, credentials: &Credentials) -> (usize, usize) {
    let mut first = 0;
    for n in 0..24 * 12 {
        get(play, credentials.clone()).unwrap_err();
        if n < 12 {
            first = broken.sent().0;
        }
        play.run_for(secs(300));
    }
    (first, broken.sent().0)
}

#[test]
fn a_day_of_callers_does_not_lock_the_account() {
    let (play, broken) = play();
    let (_, sent) = day(&play, &broken, &with_password("wrong"));
    assert!(sent > 1 && sent <= 10, "{sent}");
    assert_eq!(broken.sent().1, sent);
    // Whatever comes in answer to the password may be a refusal.
    for fault in [
        Fault::Status(200, "<p>Something else</p>"),
        Fault::Status(200, r#"{"ok":true}"#),
        Fault::Status(403, "<p>No</p>"),
        Fault::Redirect("https://elsewhere.test/login"),
    ] {
        let (play, broken) = self::play();
        broken.fault.set(Some((STEPS[1], fault)));
        let (first, sent) = day(&play, &broken, &driver());
        // 0, 15 and 45 minutes after the first, then each hour.
        assert!(first > 1 && first <= 3 && sent <= 27, "{fault:?}: {first} and {sent}");
        assert_eq!(broken.sent().1, sent, "{fault:?}");
        broken.fault.set(None);
        play.run_for(secs(3600));
        get(&play, driver()).unwrap();
    }
}

#[test]
fn a_locked_account_is_told_so_and_left_alone() {
    let (play, broken) = play();
    play.site.state().locked = true;
    assert_eq!(refused(&play, driver(), Code::AccountLocked), Some(COOLDOWN));
    let calls = broken.calls();
    play.run_for(secs(COOLDOWN - 1));
    assert_eq!(refused(&play, driver(), Code::AccountLocked), Some(1));
    assert_eq!(broken.calls(), calls);
    play.run_for(secs(1));
    refused(&play, driver(), Code::AccountLocked);
    assert!(broken.calls() > calls);
}

#[test]
fn a_portal_that_leads_elsewhere_gets_no_credentials_nor_does_whoever_is_there() {
    let (play, broken) = play();
    broken.fault.set(Some((STEPS[0], Fault::Redirect("https://elsewhere.test/login"))));
    let wait = refused(&play, driver(), Code::Redirected).unwrap();
    assert_eq!(refused(&play, driver(), Code::Redirected), Some(wait));
    assert_eq!((broken.calls(), broken.sent()), (1, (0, 0)));
    broken.fault.set(None);
    play.run_for(secs(wait));
    get(&play, driver()).unwrap();
    for location in
        ["https://elsewhere.test/login", "http://127.0.0.1:1/", "javascript:alert(1)", "//elsewhere.test"]
    {
        let (play, broken) = self::play();
        broken.fault.set(Some((STEPS[1], Fault::Redirect(location))));
        let refusal = get(&play, driver()).unwrap_err();
        assert!([Code::Redirected, Code::UnexpectedResponse].contains(&refusal.code), "{refusal:?}");
        assert!(broken.calls.borrow().last().unwrap().contains("POST https://id.example.com/identity/login"));
        assert!(play.listed().is_empty());
    }
}

#[test]
fn six_logins_of_an_hour_that_cost_something_then_none() {
    let (play, broken) = play();
    play.site.state().captcha_fails = true;
    let begin = play.now();
    for _ in 0..LOGINS_MAX {
        let wait = refused(&play, driver(), Code::CaptchaUnsolved).unwrap();
        play.run_for(secs(wait));
    }
    let (calls, paid) = (broken.calls(), broken.sent().1);
    let wait = refused(&play, driver(), Code::LoginBudgetExhausted).unwrap();
    let free_at = play.now().plus(secs(wait));
    let left = begin.plus(secs(3600)).since(play.now()).as_secs();
    assert!(wait.abs_diff(left) <= 2 && paid <= 2 * LOGINS_MAX, "{wait} s of {left}, {paid} captchas");
    // Nobody else's.
    play.site.state().captcha_fails = false;
    get(&play, credentials("driver2", "ck2")).unwrap();
    assert!(broken.calls() > calls && broken.sent().1 == paid + 1);
    play.run_until(free_at.minus(secs(2)));
    refused(&play, driver(), Code::LoginBudgetExhausted);
    play.run_until(free_at);
    get(&play, driver()).unwrap();
}

#[test]
fn an_hour_in_which_the_password_is_never_answered_costs_an_hours_captchas() {
    let (play, broken) = play();
    broken.fault.set(Some((STEPS[1], Fault::Status(503, ""))));
    let end = play.now().plus(secs(3600));
    while play.now() < end {
        get(&play, driver()).unwrap_err();
        play.run_for(secs(40));
    }
    let (sent, paid) = broken.sent();
    assert!(sent > 1 && paid <= LOGINS_MAX, "{sent} times, {paid} captchas");
    assert_eq!(play.site.live_sessions().len(), 0);
}

#[test]
fn a_portal_that_is_down_before_anything_is_paid_for_takes_none_of_an_hours_logins() {
    let (play, broken) = play();
    broken.fault.set(Some((STEPS[0], Fault::Status(503, ""))));
    for _ in 0..8 {
        let wait = refused(&play, driver(), Code::ServerError).unwrap();
        play.run_for(secs(wait));
    }
    broken.fault.set(None);
    get(&play, driver()).unwrap();
    assert_eq!(broken.sent(), (1, 1));
}

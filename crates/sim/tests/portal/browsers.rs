//! Places for browsers: as many as the setting says, in the order in which they were asked for, and never lost with who had them.

use super::play::{Pending, Play, credentials, get_of, secs};
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::fault::Fault;
use base::rpc::Class;
use engine::host::DurableObject;
use engine::portal_registry::PortalRegistry;
use portal::registry::{
    BrowserReply, BrowserTime, BrowserUse, Count, Counted, GiveBrowser, Removed, TakeBrowser,
};
use portal::{Code, GetReply, Refusal};
use sim::net::{Answering, Upstream};
use sim::{SimHost, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

const SETTINGS: [(&str, &str); 3] = [
    ("EMODAL_DRIVER", "browser"),
    ("PORTAL_BROWSER_URL", "https://chromium.example.com"),
    ("PORTAL_BROWSERS_MAX", "1"),
];

/// A browser that takes its time to say that it is none.
struct Chromium {
    host: SimHost,
    takes: Duration,
    /// When each was asked for, and how many of them were at once.
    asked: Rc<RefCell<Asked>>,
}

#[derive(Default)]
struct Asked {
    at: Vec<Timestamp>,
    now: usize,
    most: usize,
}

impl Upstream for Chromium {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        assert_eq!(call.url, "https://chromium.example.com/json/version");
        Box::pin(async {
            use base::ports::{Clock as _, Timer as _};
            {
                let mut asked = self.asked.borrow_mut();
                asked.at.push(self.host.now());
                asked.now += 1;
                asked.most = asked.most.max(asked.now);
            }
            self.host.sleep(self.takes).await;
            self.asked.borrow_mut().now -= 1;
            Answer::Unreachable
        })
    }
}

fn play(takes: u64, settings: &[(&str, &str)]) -> (Play, Rc<RefCell<Asked>>) {
    let play = Play::of_many(&[&SETTINGS, settings].concat());
    let asked = Rc::new(RefCell::new(Asked::default()));
    let (host, takes) = (play.world.host(), secs(takes));
    play.world.upstream("chromium.example.com", Chromium { host, takes, asked: asked.clone() });
    (play, asked)
}

fn start(play: &Play, username: &str) -> Pending<Option<GetReply>> {
    let credentials = credentials(username, "ck");
    let name = play.name_of(&credentials);
    play.start(name, get_of(credentials, false))
}

fn refused(play: &Play, pending: &Pending<Option<GetReply>>) -> Refusal {
    match play.wait(pending).expect("the object answers") {
        GetReply::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// The places that are taken.
fn taken(world: &World) -> usize {
    world.sql(Class::PortalRegistry, "registry", "SELECT place FROM browsers").len()
}

#[test]
fn browsers_are_had_one_after_the_other_in_the_order_in_which_they_were_asked_for() {
    let (play, asked) = play(8, &[]);
    let began = play.now();
    let logins: Vec<_> = ["driver1", "driver2", "driver3"]
        .map(|username| {
            let login = start(&play, username);
            play.world.advance(secs(1));
            login
        })
        .into();
    let ends: Vec<_> = logins
        .iter()
        .map(|login| {
            assert_eq!(refused(&play, login).code, Code::NoBrowser);
            assert!(taken(&play.world) <= 1);
            play.now().since(began).as_secs()
        })
        .collect();
    assert_eq!(ends, [8, 16, 24]);
    assert_eq!((asked.borrow().most, asked.borrow().at.len()), (1, 3));
    assert_eq!(taken(&play.world), 0, "each is given back");
    let login = play.login_of(&play.name_of(&credentials("driver2", "ck")));
    assert!(login.logins.is_empty(), "the portal has not heard of it");
}

#[test]
fn as_many_as_the_setting_says_are_had_at_once() {
    let (play, asked) = play(8, &[("PORTAL_BROWSERS_MAX", "3")]);
    let logins: Vec<_> = (0..7).map(|n| start(&play, &format!("driver{n}"))).collect();
    for login in &logins {
        assert_eq!(refused(&play, login).code, Code::NoBrowser);
    }
    assert_eq!((asked.borrow().most, asked.borrow().at.len(), taken(&play.world)), (3, 7, 0));
}

#[test]
fn who_finds_none_free_in_time_is_told_so_and_waits_no_longer() {
    let (play, asked) = play(15, &[("PORTAL_BROWSER_WAIT_SECONDS", "5")]);
    let first = start(&play, "driver1");
    play.world.advance(secs(1));
    let began = play.now();
    let busy = refused(&play, &start(&play, "driver2"));
    assert_eq!((busy.code, play.now().since(began)), (Code::BrowsersBusy, secs(5)));
    assert!(busy.retry_after_seconds.is_some_and(|wait| (10..60).contains(&wait)), "{busy:?}");
    // Its turn is not kept: the next one gets the place.
    refused(&play, &first);
    refused(&play, &start(&play, "driver3"));
    assert_eq!((asked.borrow().at.len(), asked.borrow().most, taken(&play.world)), (2, 1, 0));
}

#[test]
fn a_place_ends_by_itself_when_who_had_it_is_gone() {
    let (play, asked) =
        play(15, &[("PORTAL_OPERATION_TIMEOUT_SECONDS", "20"), ("PORTAL_BROWSER_WAIT_SECONDS", "20")]);
    let _gone = start(&play, "driver1");
    play.world.advance(secs(5));
    play.world.kill(Class::Portal, &play.name_of(&credentials("driver1", "ck")));
    // What is taken outlives the registry's memory, and so does who waits.
    let waiting = start(&play, "driver2");
    play.world.advance(secs(5));
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.advance(secs(5));
    assert_eq!((waiting.is_there(), taken(&play.world)), (false, 1));
    assert_eq!(refused(&play, &waiting).code, Code::BrowsersBusy);
    play.world.advance(secs(10));
    let begun = asked.borrow().at.len();
    assert_eq!(refused(&play, &start(&play, "driver3")).code, Code::NoBrowser);
    assert_eq!((asked.borrow().at.len(), taken(&play.world)), (begun + 1, 0));
}

#[test]
fn the_registry_may_hear_of_a_browser_twice_late_or_never() {
    let (play, _) = play(1, &[]);
    let until = play.now().plus(secs(60));
    let send = |place: &str| {
        let take = TakeBrowser { place: place.to_owned(), until };
        play.world.send(&portal::registry_address(), &take).unwrap()
    };
    let give = |place: &str| {
        let (name, work) = (play.name.clone(), "operation".to_owned());
        let used = Some(BrowserUse { name, work, milliseconds: 1_500, session: None });
        let give = GiveBrowser { place: place.to_owned(), used };
        assert_eq!(play.world.send(&portal::registry_address(), &give).unwrap(), Removed::Done);
    };
    assert_eq!((send("a"), send("a")), (BrowserReply::Taken, BrowserReply::Taken));
    assert!(matches!(send("b"), BrowserReply::Waits { .. }));
    give("nobody's");
    assert!(matches!(send("b"), BrowserReply::Waits { .. }));
    give("a");
    give("a");
    assert!(matches!(send("d"), BrowserReply::Waits { .. }), "b was there before");
    assert_eq!(send("b"), BrowserReply::Taken);
    let counts = || {
        let Counted::Counts(counts) = play.world.send(&portal::registry_address(), &Count).unwrap();
        counts.browsers
    };
    let of = |milliseconds| {
        let (portal, work) = ("emodal".to_owned(), "operation".to_owned());
        vec![BrowserTime { portal, work, milliseconds }]
    };
    assert_eq!(counts(), of(1_500), "what was nobody's is not counted, and what came twice is counted once");
    play.world.advance(secs(61));
    assert!(matches!(send("d"), BrowserReply::Taken), "nobody has said that b is over");
    give("d");
    assert_eq!(counts(), of(3_000));
}

/// A registry that gives no places.
#[derive(Clone)]
struct NoPlaces(PortalRegistry<SimHost>);

impl DurableObject<SimHost> for NoPlaces {
    fn new(host: SimHost) -> Self {
        Self(PortalRegistry::new(host))
    }

    fn command(&self, json: &str) -> Result<engine::host::Answer, Fault> {
        if json.contains("browser") { Err("broken".into()) } else { self.0.command(json) }
    }
}

#[test]
fn where_nobody_can_say_whether_one_is_free_none_is_opened() {
    let (play, asked) = play(1, &[]);
    play.world.register::<NoPlaces>(Class::PortalRegistry);
    assert_eq!(refused(&play, &start(&play, "driver1")).code, Code::NoBrowser);
    assert!(asked.borrow().at.is_empty());
}

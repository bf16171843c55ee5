//! A portal behind `OpenID` Connect: its tokens are renewed before they are over, and whatever is lost on the way costs a login at
//! most.

use super::play::{Play, secs};
use base::page::{Answer, Fetch};
use base::ports::Timer as _;
use portal::{CloseReply, RunReply};
use serde_json::{Value, json};
use sim::SimHost;
use sim::fakes::portal_pages::{page, to};
use sim::net::{Answering, Upstream};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const SETTINGS: [(&str, &str); 4] = [
    ("EMODAL_DRIVER", "api"),
    ("EMODAL_BASE_URL", "https://api.example.com"),
    ("EMODAL_ISSUER", "https://sso.example.com"),
    ("EMODAL_HOSTS", ""),
];
const AUTHORIZE: &str = "GET /connect/authorize";
const TOKEN: &str = "POST /connect/token";
const LIST: &str = "POST /Container/SearchContainers";
const LIFE: u64 = 3600;

/// The provider and the API. Refresh tokens are good once.
struct Chain {
    host: SimHost,
    state: RefCell<State>,
    takes: Cell<Duration>,
    down: Cell<bool>,
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    asked: String,
    generation: u32,
    /// Whether the tokens of the last generation are good.
    good: bool,
    refreshes: usize,
}

struct Door(Rc<Chain>);

impl Upstream for Door {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Answering<'a, Answer> {
        Box::pin(async {
            if self.0.down.get() {
                return Answer::Unreachable;
            }
            let answer = self.0.state.borrow_mut().answer(fetch);
            self.0.host.sleep(self.0.takes.get()).await;
            answer
        })
    }
}

fn json_page(status: u16, json: &Value) -> Answer {
    page(status, &json.to_string())
}

impl State {
    fn answer(&mut self, fetch: &Fetch) -> Answer {
        let rest = fetch.url.split_once(".example.com").unwrap().1;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let body = fetch.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
        let call = format!("{} {path}", fetch.method);
        self.calls.push(call.clone());
        let bearer = format!("Bearer a{}", self.generation);
        let is_known =
            fetch.headers.iter().any(|(name, value)| *name == "authorization" && value.expose() == bearer);
        match call.as_str() {
            AUTHORIZE => {
                query.split('&').find(|pair| pair.starts_with("state=")).unwrap().clone_into(&mut self.asked);
                page(
                    200,
                    "<form method=post action=/login><input name=Username><input type=password name=Password></form>",
                )
            }
            "POST /login" if body.contains("Password=driver-pass") => {
                to(&format!("https://api.example.com/signin-oidc?code=c&{}", self.asked))
            }
            TOKEN if body.contains("grant_type=refresh_token") => {
                self.refreshes += 1;
                if self.good && body.ends_with(&format!("refresh_token=r{}", self.generation)) {
                    self.tokens()
                } else {
                    json_page(400, &json!({ "error": "invalid_grant" }))
                }
            }
            TOKEN => self.tokens(),
            "POST /connect/revocation" => {
                self.good = false;
                json_page(200, &json!({}))
            }
            _ if !is_known || !self.good => json_page(401, &json!({})),
            "GET /identity/userinfo" => json_page(200, &json!({ "sub": "u" })),
            LIST => json_page(200, &json!({ "data": [] })),
            other => panic!("{other}"),
        }
    }

    fn tokens(&mut self) -> Answer {
        self.generation += 1;
        self.good = true;
        let (access, refresh) = (format!("a{}", self.generation), format!("r{}", self.generation));
        json_page(200, &json!({ "access_token": access, "refresh_token": refresh, "expires_in": LIFE }))
    }
}

fn play() -> (Play, Rc<Chain>) {
    let play = Play::of_many(&SETTINGS);
    let host = play.world.host();
    let chain = Chain {
        host,
        state: RefCell::default(),
        takes: Cell::new(Duration::from_millis(100)),
        down: Cell::new(false),
    };
    let chain = Rc::new(chain);
    for name in ["sso.example.com", "api.example.com"] {
        play.world.upstream(name, Door(chain.clone()));
    }
    (play, chain)
}

impl Chain {
    fn count(&self, call: &str) -> usize {
        self.state.borrow().calls.iter().filter(|made| *made == call).count()
    }

    fn logins(&self) -> usize {
        self.count("POST /login")
    }

    fn refreshes(&self) -> usize {
        self.state.borrow().refreshes
    }
}

/// Time goes by, with the Cron Trigger every minute. The watch of other tests counts pages.
fn pass(play: &Play, time: Duration) {
    let end = play.now().plus(time);
    while play.now() < end {
        play.world.advance(secs(60).min(end.since(play.now())));
        play.look();
    }
}

/// Until a refresh has come to the provider, which takes its time to answer.
fn until_refreshed(play: &Play, chain: &Chain) {
    chain.takes.set(secs(2));
    let before = chain.refreshes();
    let end = play.now().plus(secs(2 * LIFE));
    while chain.refreshes() == before {
        assert!(play.turn(end), "none comes");
    }
}

fn is_served(play: &Play, id: &base::ids::PortalId) -> bool {
    matches!(play.run(id), RunReply::Done(done) if done.result.is_ok())
}

#[test]
fn tokens_are_renewed_at_two_thirds_of_their_life_and_nothing_else_is_called() {
    let (play, chain) = play();
    let id = play.get(true).live.session_id;
    let calls = chain.state.borrow().calls.len();
    let began = play.now();
    let due = play.login().session.unwrap().refresh_at;
    assert!(due.since(began) > secs(LIFE * 2 / 3 - 5) && due.since(began) <= secs(LIFE * 2 / 3));
    pass(&play, secs(10 * LIFE));
    assert_eq!((chain.refreshes(), chain.state.borrow().calls.len() - calls), (15, 15));
    assert!(is_served(&play, &id));
    assert_eq!((chain.logins(), chain.refreshes()), (1, 15));
    // One that is used is not renewed sooner for that.
    assert_eq!(play.session_id(), Some(id));
}

#[test]
fn an_instance_that_dies_with_the_new_token_costs_a_login_and_the_session_stays() {
    let (play, chain) = play();
    let id = play.get(true).live.session_id;
    until_refreshed(&play, &chain);
    play.world.kill(base::rpc::Class::Portal, &play.name);
    chain.takes.set(Duration::from_millis(100));
    pass(&play, secs(300));
    assert_eq!((chain.logins(), play.session_id().as_ref()), (2, Some(&id)));
    assert!(is_served(&play, &id));
    assert_eq!(chain.logins(), 2);
}

#[test]
fn a_provider_that_is_down_is_asked_again_and_nobody_is_logged_out() {
    let (play, chain) = play();
    let id = play.get(true).live.session_id;
    pass(&play, secs(LIFE / 3));
    chain.down.set(true);
    pass(&play, secs(LIFE / 2));
    assert_eq!(play.session_id().as_ref(), Some(&id));
    chain.down.set(false);
    pass(&play, secs(LIFE / 2));
    assert_eq!((chain.logins(), chain.refreshes()), (1, 1));
    assert!(is_served(&play, &id));
}

#[test]
fn tokens_that_the_provider_has_ended_mean_a_login_for_whoever_comes_next() {
    let (play, chain) = play();
    let id = play.get(true).live.session_id;
    chain.state.borrow_mut().good = false;
    assert!(is_served(&play, &id));
    assert_eq!((chain.logins(), chain.refreshes(), chain.count(LIST)), (2, 1, 2));
    let CloseReply::Closed = play.close(&id) else { panic!() };
    pass(&play, secs(60));
    assert_eq!(chain.count("POST /connect/revocation"), 1);
    assert!(!chain.state.borrow().good);
}

#[test]
fn one_that_is_not_kept_alive_is_renewed_when_it_is_used() {
    let (play, chain) = play();
    let id = play.get(false).live.session_id;
    pass(&play, secs(1000));
    assert!(is_served(&play, &id));
    assert_eq!(chain.refreshes(), 0);
    chain.state.borrow_mut().generation += 1;
    assert!(is_served(&play, &id));
    assert_eq!((chain.logins(), chain.refreshes()), (2, 1));
}

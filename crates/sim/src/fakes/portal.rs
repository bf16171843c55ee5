//! A portal with its identity service, whose sessions expire and which is up or down, and a captcha service beside it.

use super::portal_pages::{
    LOGGED_OUT, callback, confirmed, containers, first, inside, login_form, page, second, third, to, with,
    with_cookie,
};
use crate::SimHost;
use crate::net::{Answering, Upstream};
use base::clock::Timestamp;
use base::page::{Answer, Fetch};
use base::ports::{Clock as _, Timer as _};
use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

pub const HOSTS: [&str; 3] = ["portal.example.com", "id.example.com", "captcha.example.com"];

/// How a portal that is down shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    Unreachable,
    Silent,
    Limited(u64),
    Error(u16),
}

impl Down {
    /// What a single operation answers with 500 may be the operation's fault.
    pub fn is_surely_down(self) -> bool {
        self != Self::Error(500)
    }
}

/// A login as the portal sees it, from the first of its pages.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub began_at: Timestamp,
    /// The captcha key that has paid for it.
    pub paid_by: Option<String>,
}

/// One call, as it came.
#[derive(Clone, Debug)]
pub struct Called {
    pub at: Timestamp,
    pub what: String,
}

#[allow(clippy::struct_excessive_bools)] // Each is a way to be wrong that tests choose.
pub struct State {
    /// When each was last seen.
    pub sessions: BTreeMap<u32, Timestamp>,
    pub idle: Duration,
    pub down: Option<Down>,
    pub passwords: BTreeMap<String, String>,
    pub locked: bool,
    /// It refuses credentials in words that nobody knows.
    pub mumbles: bool,
    /// What the captcha service says of a key, if that is not a number.
    pub keys: BTreeMap<String, &'static str>,
    pub captcha_fails: bool,
    /// How long each call takes.
    pub call_time: Duration,
    /// A path that takes longer.
    pub slow: Option<(&'static str, Duration)>,
    /// The next call whose path this is in is done, and nobody lives to hear of it.
    pub crash: Option<&'static str>,
    pub crashed: bool,
    pub slots: usize,
    /// Each page gives a session another cookie, and the one before is good for nothing from then on.
    pub rotates: bool,
    /// What the odd page says.
    pub echoes: Option<&'static str>,
    pub calls: Vec<Called>,
    pub attempts: Vec<Attempt>,
    /// When a password was refused.
    pub refused_at: Option<Timestamp>,
    /// Calls other than logouts that found it down since it last answered.
    pub in_vain: Vec<Timestamp>,
    /// When a session last saw a page of its own.
    pub last_contact: Timestamp,
    pub bookings: u32,
    pub logouts: u32,
    /// How many calls are under way, and were at most.
    pub at_once: (u32, u32),
    ids: u32,
    /// Sessions of the identity service.
    identities: BTreeSet<u32>,
    wizards: BTreeMap<u32, u32>,
}

pub struct Site {
    state: RefCell<State>,
    host: SimHost,
}

/// Under each of its host names.
pub struct Door(pub Rc<Site>);

impl Site {
    pub fn new(host: SimHost) -> Rc<Self> {
        let state = State {
            sessions: BTreeMap::new(),
            idle: Duration::from_mins(10),
            down: None,
            passwords: BTreeMap::new(),
            locked: false,
            mumbles: false,
            keys: BTreeMap::new(),
            captcha_fails: false,
            call_time: Duration::from_secs(1),
            slow: None,
            crash: None,
            crashed: false,
            slots: 3,
            rotates: false,
            echoes: None,
            calls: Vec::new(),
            attempts: Vec::new(),
            refused_at: None,
            in_vain: Vec::new(),
            last_contact: host.now(),
            bookings: 0,
            logouts: 0,
            at_once: (0, 0),
            ids: 0,
            identities: BTreeSet::new(),
            wizards: BTreeMap::new(),
        };
        Rc::new(Self { state: RefCell::new(state), host })
    }

    pub fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// It ends all sessions.
    pub fn kick(&self) {
        let mut state = self.state();
        state.sessions.clear();
        state.identities.clear();
    }

    /// How often something was called.
    pub fn count(&self, what: &str) -> usize {
        self.state().calls.iter().filter(|call| call.what == what).count()
    }

    pub fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// How many logins were begun.
    pub fn logins(&self) -> usize {
        self.state().attempts.len()
    }

    pub fn live_sessions(&self) -> Vec<u32> {
        let now = self.host.now();
        let state = self.state();
        let live = state.sessions.iter().filter(|(_, seen)| now <= seen.plus(state.idle));
        live.map(|(id, _)| *id).collect()
    }
}

impl Upstream for Door {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Answering<'a, Answer> {
        Box::pin(self.0.serve(fetch))
    }
}

fn cookie(fetch: &Fetch, name: &str) -> Option<u32> {
    let (_, cookies) = fetch.headers.iter().find(|(header, _)| *header == "cookie")?;
    let prefix = format!("{name}=");
    cookies.expose().split("; ").find_map(|pair| pair.strip_prefix(&prefix)?.parse().ok())
}

fn field(fetch: &Fetch, name: &str) -> String {
    let body = fetch.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
    let mut fields = form_urlencoded::parse(body.as_bytes());
    fields.find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

impl Site {
    async fn serve(&self, fetch: &Fetch) -> Answer {
        let rest = fetch.url.split_once("://").unwrap().1;
        let path = rest.find('/').map_or("/", |at| &rest[at..]).split('?').next().unwrap().to_owned();
        let is_portals = path != "/in.php" && path != "/res.php";
        let time = {
            let mut state = self.state();
            let what = format!("{} {path}", fetch.method);
            state.calls.push(Called { at: self.host.now(), what });
            state.at_once.0 += 1;
            state.at_once.1 = state.at_once.1.max(state.at_once.0);
            match state.slow {
                Some((slow, time)) if path.contains(slow) => time,
                _ => state.call_time,
            }
        };
        self.host.sleep(time).await;
        let down = self.state().down.filter(|_| is_portals);
        let answer = match down {
            Some(down) => self.refuse(down, &path, fetch.timeout).await,
            None => self.answer(fetch, &path),
        };
        let crashes = self.state().crash.is_some_and(|at| path.contains(at));
        self.state().at_once.0 -= 1;
        if crashes {
            // Whoever drives the world kills the object.
            self.state().crash = None;
            self.state().crashed = true;
            self.host.sleep(Duration::from_hours(1)).await;
        }
        answer
    }

    async fn refuse(&self, down: Down, path: &str, timeout: Duration) -> Answer {
        if !path.contains("logout") {
            let now = self.host.now();
            self.state().in_vain.push(now);
        }
        match down {
            Down::Unreachable => Answer::Unreachable,
            Down::Silent => {
                self.host.sleep(timeout * 2).await;
                Answer::TimedOut
            }
            Down::Limited(n) => with(page(429, ""), |page| page.retry_after = Some(Duration::from_secs(n))),
            Down::Error(status) => page(status, "<p>Oh no</p>"),
        }
    }

    fn answer(&self, fetch: &Fetch, path: &str) -> Answer {
        let now = self.host.now();
        let mut state = self.state();
        if path == "/in.php" {
            return state.puzzle(&field(fetch, "key"));
        }
        if path == "/res.php" {
            let body = if state.captcha_fails {
                "ERROR_CAPTCHA_UNSOLVABLE"
            } else {
                r#"{"status":1,"request":"s"}"#
            };
            return page(200, body);
        }
        state.in_vain.clear();
        let identity = cookie(fetch, "idsrv").filter(|id| state.identities.contains(id));
        match (fetch.method, path) {
            ("GET", "/portal/login") => {
                state.attempts.push(Attempt { began_at: now, paid_by: None });
                to("https://id.example.com/identity/login")
            }
            ("GET", "/identity/login") => login_form(""),
            ("POST", "/identity/login") => state.sign_in(fetch, now),
            ("GET", "/identity/authorize") => match identity {
                Some(id) => to(&format!("https://portal.example.com/portal/signin-oidc?code={id}")),
                None => login_form(""),
            },
            ("GET", "/identity/callback") => callback(identity.unwrap_or_default()),
            // The portal's session has the number of the identity service's.
            (_, "/portal/signin-oidc") => {
                let id = fetch
                    .url
                    .split_once("code=")
                    .map_or_else(|| field(fetch, "code"), |(_, id)| id.to_owned());
                let id = id.parse().unwrap();
                state.sessions.insert(id, now);
                with_cookie(to("/portal/containers"), &format!("sid={id}; HttpOnly; path=/portal"))
            }
            ("GET", "/portal/logout") => {
                state.logouts += 1;
                match cookie(fetch, "sid") {
                    Some(id) => {
                        state.sessions.remove(&id);
                        state.identities.remove(&id);
                        to("https://id.example.com/identity/logout")
                    }
                    None => to("https://id.example.com/identity/logout"),
                }
            }
            ("GET", "/identity/logout") => {
                if let Some(id) = identity {
                    state.identities.remove(&id);
                    state.sessions.remove(&id);
                }
                page(200, "<p>You are now logged out</p>")
            }
            (method, path) => match cookie(fetch, "sid") {
                Some(id) if state.is_live(id, now) => {
                    state.sessions.insert(id, now);
                    state.last_contact = now;
                    let answer = state.page(method, path, fetch, id);
                    if state.rotates { state.rotate(id, now, answer) } else { answer }
                }
                Some(_) => page(200, LOGGED_OUT),
                None => to("https://id.example.com/identity/authorize"),
            },
        }
    }
}

impl State {
    fn is_live(&self, id: u32, now: Timestamp) -> bool {
        self.sessions.get(&id).is_some_and(|seen| now <= seen.plus(self.idle))
    }

    fn rotate(&mut self, id: u32, now: Timestamp, answer: Answer) -> Answer {
        self.ids += 1;
        self.sessions.remove(&id);
        self.sessions.insert(self.ids, now);
        with_cookie(answer, &format!("sid={}; HttpOnly; path=/portal", self.ids))
    }

    fn puzzle(&mut self, key: &str) -> Answer {
        if let Some(error) = self.keys.get(key) {
            return page(200, error);
        }
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.paid_by = Some(key.to_owned());
        }
        page(200, r#"{"status":1,"request":"1"}"#)
    }

    fn sign_in(&mut self, fetch: &Fetch, now: Timestamp) -> Answer {
        if self.mumbles {
            self.refused_at = Some(now);
            return page(200, "<p>Something is not as it should be</p>");
        }
        if self.locked {
            self.refused_at = Some(now);
            return login_form("Your account has been locked");
        }
        let password = self.passwords.get(&field(fetch, "Username")).cloned();
        if password.is_none() || password != Some(field(fetch, "Password")) {
            self.refused_at = Some(now);
            return login_form("Invalid username or password");
        }
        self.refused_at = None;
        self.ids += 1;
        self.identities.insert(self.ids);
        let cookie = format!("idsrv={}; HttpOnly; path=/identity", self.ids);
        with_cookie(to("/identity/callback"), &cookie)
    }

    fn page(&mut self, method: &str, path: &str, fetch: &Fetch, id: u32) -> Answer {
        let number = field(fetch, "WizardId").parse().unwrap_or_default();
        if method == "POST" && self.wizards.get(&number) != Some(&id) {
            return inside("<p>Your appointment session has expired</p>");
        }
        match (method, path) {
            ("GET", "/portal/containers") => containers(2),
            ("GET", "/portal/containers/MSCU1000000") => inside(
                "<table id=timeline><tr><th>Milestone</th><th>Date</th><th>Status</th></tr><tr><td>Pregate</td>\
                 <td>N/A</td><td>Completed</td></tr></table>",
            ),
            ("GET", "/portal/containers/odd") => {
                inside(&format!("<p>{}</p>", self.echoes.unwrap_or("Under construction")))
            }
            ("GET", path) if path.starts_with("/portal/containers/") => page(404, "<p>No such container</p>"),
            ("GET", "/portal/appointments/new") => {
                let number = u32::try_from(self.wizards.len()).unwrap() + 1;
                self.wizards.insert(number, id);
                first(number, "")
            }
            ("POST", "/portal/appointments/1") => second(number, ""),
            ("POST", "/portal/appointments/2") if field(fetch, "TruckPlate") == "ABC123" => {
                third(number, "", self.slots)
            }
            ("POST", "/portal/appointments/2") => second(number, "Truck plate is not registered"),
            ("POST", "/portal/appointments/book") => {
                self.bookings += 1;
                self.wizards.remove(&number);
                confirmed()
            }
            _ => page(404, "<p>Nothing here</p>"),
        }
    }
}

//! Accounts by way of requests: what callers are told when an upstream fails, refuses or is slow.

mod blips;
mod daily;
mod dead;
mod faults;
mod faulty;
mod final_answers;
mod identity;
mod many;
mod outage;
mod owner;
mod refusals;
mod retry_after;
mod service;
mod single_flight;

use crate::account::secs;
use base::call::{Answer, Call};
use base::clock::Timestamp;
use base::ports::{Clock as _, Timer as _};
use base::secret::Secret;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sim::fakes::accounts::{Fake, FakeClient, FakeFacturify, FakeOAuth, FakeUpstox, header};
use sim::net::{Answering, Upstream, text};
use sim::{Answered, Request, SimHost, World};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

pub const FACTURIFY: &str = "facturify/default";
pub const FIRST: &str = "upstox/agnidata001";
pub const SECOND: &str = "upstox/agnidata002";
/// With a refresh token.
pub const CRM: &str = "oauth2/crm";
/// With the client's own credentials.
pub const BATCH: &str = "oauth2/batch";
const ACCOUNTS: [&str; 5] = [FACTURIFY, FIRST, SECOND, CRM, BATCH];

pub const MINUTELY: &str = "* * * * *";
pub const DAILY: &str = "30 2 * * *";

pub const OAUTH2: &str = r#"{
    "crm": {"token_url":"https://crm/token","client_id":"crm","client_secret":"c-secret","grant":"refresh_token","refresh_token":"r1.0"},
    "batch": {"token_url":"https://batch/token","client_id":"batch","client_secret":"b-secret","grant":"client_credentials"}
}"#;

const SETTINGS: &[(&str, &str)] = &[
    ("SERVICE_AUTH", "on"),
    ("FACTURIFY_API_KEY", "fy-key"),
    ("FACTURIFY_API_SECRET", "fy-secret"),
    ("UPSTOX_ACCOUNT_IDS", "agnidata001,agnidata002"),
    ("TOKEN_REFRESH_SERVICE_URL", "https://service"),
    ("OAUTH2_ACCOUNTS", OAUTH2),
    // Nobody waits for the quick tries, so that each failure is seen by itself.
    ("UPSTREAM_WAIT_SECONDS", "0"),
];

const HOSTS: [&str; 5] = ["api-sandbox.facturify.com", "service", "api.upstox.com", "crm", "batch"];

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Status(u16, &'static str),
    /// It says in how many seconds to come again.
    Later(u16, u64),
    Unreachable,
    /// It is done, and its answer does not come.
    Lost,
    /// The answer breaks off.
    Half,
    TooLong,
    Hangs,
}

/// The upstreams of all accounts.
pub struct Net {
    fakes: RefCell<BTreeMap<&'static str, Box<dyn Fake>>>,
    /// By account and a part of the address; each for so many calls.
    faults: RefCell<Vec<(&'static str, &'static str, Fault, u32)>>,
    calls: RefCell<Vec<(&'static str, String)>>,
    pub latency: Cell<Duration>,
    /// Calls for one account that are under way, and were at most.
    at_once: RefCell<BTreeMap<&'static str, u32>>,
    pub peak: Cell<u32>,
    timer: SimHost,
}

impl Net {
    fn account_of(&self, call: &Call) -> &'static str {
        let url = &call.url;
        let access = header(call, "authorization").trim_start_matches("Bearer ");
        match () {
            () if url.contains("facturify") => FACTURIFY,
            () if url.contains("//crm") => CRM,
            () if url.contains("//batch") => BATCH,
            () if url.contains("agnidata002") => SECOND,
            () if self.fakes.borrow()[SECOND].accepts(access, self.timer.now()) => SECOND,
            () => FIRST,
        }
    }

    fn fault(&self, account: &str, url: &str) -> Option<Fault> {
        let mut faults = self.faults.borrow_mut();
        let (.., fault, left) = faults
            .iter_mut()
            .find(|(of, part, _, left)| *of == account && url.contains(part) && *left > 0)?;
        *left -= 1;
        Some(*fault)
    }

    async fn answer(&self, call: &Call, account: &'static str) -> Answer {
        let fault = self.fault(account, &call.url);
        self.timer
            .sleep(if fault == Some(Fault::Hangs) { call.timeout * 2 } else { self.latency.get() })
            .await;
        let work = || self.fakes.borrow_mut().get_mut(account).unwrap().serve(call, self.timer.now());
        match fault {
            None => {
                let (status, body) = work();
                text(status, &body)
            }
            Some(Fault::Status(status, body)) => text(status, body),
            Some(Fault::Later(status, seconds)) => {
                Answer::Response { status, retry_after: Some(secs(seconds)), body: Secret::new("") }
            }
            Some(Fault::Unreachable) => Answer::Unreachable,
            Some(Fault::Lost) => {
                work();
                Answer::Unreachable
            }
            Some(Fault::Half) => {
                let (status, body) = work();
                text(status, &body[..body.len() / 2])
            }
            Some(Fault::TooLong) => Answer::TooLong,
            Some(Fault::Hangs) => Answer::TimedOut,
        }
    }
}

struct Door(Rc<Net>);

impl Upstream for Door {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        Box::pin(async move {
            let account = self.0.account_of(call);
            self.0.calls.borrow_mut().push((account, call.url.clone()));
            let now = {
                let mut at_once = self.0.at_once.borrow_mut();
                let now = at_once.entry(account).or_default();
                *now += 1;
                *now
            };
            self.0.peak.set(self.0.peak.get().max(now));
            let answer = self.0.answer(call, account).await;
            *self.0.at_once.borrow_mut().get_mut(account).unwrap() -= 1;
            answer
        })
    }
}

/// A deployment with accounts of each kind, none of which was ever asked for.
pub struct Keeper {
    pub world: World,
    pub net: Rc<Net>,
    /// A service key, which may read tokens and order them.
    key: String,
}

fn service_key(world: &World) -> String {
    let post = |path: &str, header: (&'static str, &str), body: Value| {
        let answer = world.request("POST", path, &[header], Some(&body));
        assert!(answer.status < 300, "{answer:?}");
        answer.json()
    };
    let bootstrap = sim::SETTINGS.iter().find(|(name, _)| *name == "BOOTSTRAP_KEY").unwrap().1;
    let root = json!({ "username": "root", "password": "correct horse battery", "roles": ["admin"] });
    post("/admin/users", ("x-bootstrap-key", bootstrap), root.clone());
    let login = post("/auth/login", ("accept", "*/*"), root);
    let bearer = format!("Bearer {}", login["access_token"].as_str().unwrap());
    let key = json!({ "name": "a service", "scopes": ["tokens:read", "tokens:write"] });
    post("/admin/service-keys", ("authorization", &bearer), key)["key"].as_str().unwrap().to_owned()
}

impl Keeper {
    pub fn new() -> Self {
        let world = World::complete(0, &[]);
        let key = service_key(&world);
        // The first request of a deployment has its accounts looked after: that is still to come.
        world.deploy(SETTINGS);
        let mut crm = FakeOAuth::default();
        crm.reseed();
        // So that no token of the one is a token of the other.
        let mut second = FakeUpstox::default();
        let call = Call {
            method: "POST",
            url: "https://service/accounts/agnidata002/refresh".to_owned(),
            headers: Vec::new(),
            body: None,
            binding: None,
            timeout: secs(1),
        };
        second.serve(&call, world.now().minus(secs(7 * 86_400)));
        let fakes: [(&str, Box<dyn Fake>); 5] = [
            (FACTURIFY, Box::new(FakeFacturify::default())),
            (FIRST, Box::new(FakeUpstox::default())),
            (SECOND, Box::new(second)),
            (CRM, Box::new(crm)),
            (BATCH, Box::new(FakeClient::default())),
        ];
        let net = Rc::new(Net {
            fakes: RefCell::new(fakes.into_iter().collect()),
            faults: RefCell::default(),
            calls: RefCell::default(),
            latency: Cell::new(Duration::from_millis(50)),
            at_once: RefCell::default(),
            peak: Cell::default(),
            timer: world.host(),
        });
        for host in HOSTS {
            world.upstream(host, Door(net.clone()));
        }
        Self { world, net, key }
    }

    /// As a deployment has it: callers wait for the quick tries.
    pub fn patient() -> Self {
        let keeper = Self::new();
        keeper.world.deploy(&[("UPSTREAM_WAIT_SECONDS", "")]);
        keeper
    }

    pub fn fail_at(&self, account: &'static str, part: &'static str, fault: Fault, times: u32) {
        self.net.faults.borrow_mut().push((account, part, fault, times));
    }

    pub fn fail(&self, account: &'static str, fault: Fault, times: u32) {
        self.fail_at(account, "", fault, times);
    }

    pub fn down(&self, account: &'static str, fault: Fault) {
        self.fail(account, fault, u32::MAX);
    }

    pub fn heal(&self) {
        self.net.faults.borrow_mut().clear();
    }

    pub fn fake(&self, account: &str, change: impl FnOnce(&mut dyn Fake)) {
        change(self.net.fakes.borrow_mut().get_mut(account).unwrap().as_mut());
    }

    /// The last parts of the addresses that were called for an account.
    pub fn calls(&self, account: &str) -> Vec<String> {
        let calls = self.net.calls.borrow();
        let its = calls.iter().filter(|(of, _)| *of == account);
        its.map(|(_, url)| url.rsplit('/').next().unwrap().to_owned()).collect()
    }

    pub fn count(&self, account: &str) -> usize {
        self.calls(account).len()
    }

    pub fn clear_calls(&self) {
        self.net.calls.borrow_mut().clear();
    }

    pub fn now(&self) -> Timestamp {
        self.world.now()
    }

    pub fn pass(&self, time: Duration) {
        self.world.advance(time);
    }

    // ---- requests

    pub fn send(&self, method: &'static str, path: &str) -> Answered {
        self.at_once(1, || Request::new(method, path)).remove(0)
    }

    /// So many of them at once.
    pub fn at_once(&self, n: usize, make: impl Fn() -> Request) -> Vec<Answered> {
        let sent: Vec<_> = (0..n).map(|_| make().header("x-api-key", self.key.clone())).collect();
        let host = self.world.host();
        let answers = self.world.run_until(async move {
            join_all(sent.into_iter().map(|request| sim::request(&host, request))).await
        });
        answers.into_iter().map(Option::unwrap).collect()
    }

    /// A request whose answer is waited for later.
    pub fn start(&self, method: &'static str, path: &str) -> Rc<RefCell<Option<Answered>>> {
        let (host, request) = (self.world.host(), Request::new(method, path.to_owned()));
        let request = request.header("x-api-key", self.key.clone());
        let slot = Rc::new(RefCell::new(None));
        let kept = slot.clone();
        self.world.spawn(async move {
            let answer = sim::request(&host, request).await;
            *kept.borrow_mut() = answer;
        });
        slot
    }

    pub fn read(&self, account: &str) -> Answered {
        self.send("GET", &format!("/api/v1/tokens/{account}"))
    }

    pub fn order(&self, account: &str) -> Answered {
        self.send("POST", &format!("/api/v1/tokens/{account}/refresh"))
    }

    pub fn status(&self, account: &str) -> Value {
        self.send("GET", &format!("/api/v1/tokens/{account}/status")).json()
    }

    /// The newest operation.
    pub fn last_operation(&self, account: &str) -> Value {
        self.send("GET", &format!("/api/v1/tokens/{account}/history")).json()["operations"][0].clone()
    }
}

/// Expects a refusal; says in how many seconds to come again.
#[track_caller]
pub fn refused(answer: &Answered, status: u16, code: &str) -> Option<u64> {
    assert_eq!((answer.status, &*answer.code()), (status, code), "{:?}", answer.body);
    let body = answer.body.as_deref().unwrap_or_default();
    assert!(!body.contains("elsewhere") && !body.contains("html") && !body.contains("http"), "{body}");
    answer.header("retry-after").map(|seconds| seconds.parse().unwrap())
}

/// Some members of an object.
pub fn members(object: &Value, names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| ((*name).to_owned(), object[name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn each_account_gives_a_token_for_the_asking() {
    let keeper = Keeper::new();
    for account in ACCOUNTS {
        let answer = keeper.read(account);
        assert_eq!(answer.status, 200, "{account}: {answer:?}");
        let told = members(&keeper.status(account), &["has_token", "status", "last_error"]);
        assert_eq!(told, json!({ "has_token": true, "status": "valid", "last_error": null }));
    }
}

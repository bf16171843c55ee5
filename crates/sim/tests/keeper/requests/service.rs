//! One Sallyport is another's token service. Both ends are real: each is a deployment of its own, and Upstox is the same for both.

use super::{FIRST, members, refused, service_key};
use crate::account::secs;
use base::call::{Answer, Call};
use base::ports::Clock as _;
use base::secret::Secret;
use serde_json::{Value, json};
use sim::fakes::accounts::{Fake as _, FakeUpstox};
use sim::net::{Answering, Upstream, text};
use sim::{Answered, SimHost, World};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const BINDING: &str = "TOKEN_SERVICE";
const ACCOUNTS: (&str, &str) = ("UPSTOX_ACCOUNT_IDS", "agnidata001");

/// Upstox, and where its tokens come from in the end.
#[derive(Clone)]
struct Origin {
    fake: Rc<RefCell<FakeUpstox>>,
    timer: SimHost,
}

impl Upstream for Origin {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        let (status, body) = self.fake.borrow_mut().serve(call, self.timer.now());
        Box::pin(async move { text(status, &body) })
    }
}

/// The other Sallyport, as whoever calls it sees it.
struct Behind {
    other: Rc<World>,
    calls: Rc<Cell<usize>>,
    timer: SimHost,
}

impl Upstream for Behind {
    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a, Answer> {
        self.calls.set(self.calls.get() + 1);
        self.other.at(self.timer.now().max(self.other.now()));
        let path =
            call.url.split("://").nth(1).and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap();
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (*name, value.expose())).collect();
        let answered = self.other.request(call.method, path, &headers, None);
        Box::pin(async move {
            let retry_after = answered.header("retry-after").map(|seconds| secs(seconds.parse().unwrap()));
            let body = Secret::new(answered.body.unwrap_or_default());
            Answer::Response { status: answered.status, retry_after, body }
        })
    }
}

struct Two {
    front: World,
    /// Of the one in front, for its callers.
    key: String,
    behind: Rc<World>,
    /// Of the one behind.
    their_key: String,
    calls: Rc<Cell<usize>>,
}

impl Two {
    /// The one in front with these settings besides.
    fn new(more: &[(&str, &str)]) -> Self {
        let (front, behind) = (World::complete(0, &[]), Rc::new(World::complete(1, &[])));
        let (key, their_key) = (service_key(&front), service_key(&behind));
        behind.deploy(&[("SERVICE_AUTH", "on"), ACCOUNTS, ("TOKEN_REFRESH_SERVICE_URL", "https://origin")]);
        let fake = Rc::new(RefCell::new(FakeUpstox { kills_old: true, ..FakeUpstox::default() }));
        for (world, host) in [(&front, "api.upstox.com"), (&behind, "api.upstox.com"), (&behind, "origin")] {
            world.upstream(host, Origin { fake: fake.clone(), timer: world.host() });
        }
        let two = Self { front, key, behind, their_key, calls: Rc::default() };
        two.front.bind(BINDING, two.door());
        two.deploy(more);
        two
    }

    fn door(&self) -> Behind {
        Behind { other: self.behind.clone(), calls: self.calls.clone(), timer: self.front.host() }
    }

    fn deploy(&self, more: &[(&str, &str)]) {
        let mut settings = vec![
            ("SERVICE_AUTH", "on"),
            ACCOUNTS,
            ("TOKEN_REFRESH_SERVICE_URL", "http://tokens.internal"),
            ("TOKEN_REFRESH_SERVICE_BINDING", BINDING),
            ("TOKEN_REFRESH_SERVICE_KEY", &self.their_key),
        ];
        settings.extend(more);
        self.front.deploy(&settings);
    }

    fn ask(&self, method: &'static str, path: &str) -> Answered {
        self.front.request(method, path, &[("x-api-key", &self.key)], None)
    }

    fn token(&self) -> Value {
        let answer = self.ask("GET", "/accounts/agnidata001/token");
        assert_eq!(answer.status, 200, "{answer:?}");
        members(&answer.json(), &["success", "access_token", "expires_at"])
    }

    fn their_token(&self) -> Value {
        let answer = self.behind.request(
            "GET",
            "/accounts/agnidata001/token",
            &[("x-api-key", &self.their_key)],
            None,
        );
        assert_eq!(answer.status, 200, "{answer:?}");
        members(&answer.json(), &["success", "access_token", "expires_at"])
    }

    fn status(&self) -> Value {
        self.ask("GET", "/accounts/agnidata001/token/status").json()
    }
}

#[test]
fn f26_one_sallyport_is_the_token_service_of_another() {
    for header in ["Authorization", "Apikey", "X-API-Key"] {
        let two = Two::new(&[("TOKEN_REFRESH_SERVICE_KEY_HEADER", header)]);
        let first = two.token();
        assert_eq!(first, two.their_token(), "{header}");
        // A new one is ordered there, and comes with the answer: what was read there before is dead.
        let calls = two.calls.get();
        assert_eq!(two.ask("POST", "/accounts/agnidata001/refresh").status, 200, "{header}");
        assert_eq!(two.calls.get() - calls, 1, "{header}");
        let second = two.token();
        assert!(second != first && second == two.their_token(), "{header}");
        let told = members(&two.status(), &["status", "user_id", "last_error"]);
        assert_eq!(told, json!({ "status": "valid", "user_id": "U1", "last_error": null }));
        // The next day, both have the day's.
        two.front.advance(secs(86_400));
        let third = two.token();
        assert!(third != second && third == two.their_token(), "{header}");
    }
}

/// What the other one refuses is understood as what it is, in its own words.
#[test]
fn f26_a_key_that_the_other_refuses_needs_attention() {
    let wrong = "sk_wrong";
    let two = Two::new(&[("TOKEN_REFRESH_SERVICE_KEY", wrong)]);
    let read = || two.ask("GET", &format!("/api/v1/tokens/{FIRST}"));
    refused(&read(), 502, "upstream_credentials_refused");
    assert_eq!(two.status()["status"], "needs_attention");
    // It is not tried again by itself.
    let calls = two.calls.get();
    two.front.advance(secs(3600));
    refused(&read(), 502, "upstream_credentials_refused");
    assert_eq!(two.calls.get(), calls);
    // With the right one it is, at once.
    two.deploy(&[]);
    assert_eq!(two.token(), two.their_token());
    // One that the other does not have is none, and not a wrong key.
    let two = Two::new(&[("UPSTOX_ACCOUNT_IDS", "another")]);
    refused(&two.ask("GET", "/accounts/another/token"), 502, "upstream_unintelligible");
}

/// Where a binding is set, nothing goes to the open internet: not even if it is not there.
#[test]
fn f26_without_the_binding_nothing_is_called() {
    let two = Two::new(&[("TOKEN_REFRESH_SERVICE_BINDING", "MISSPELT")]);
    two.front.upstream("tokens.internal", two.door());
    refused(&two.ask("GET", "/accounts/agnidata001/token"), 502, "upstream_unreachable");
    assert_eq!(two.calls.get(), 0);
    two.deploy(&[
        ("TOKEN_REFRESH_SERVICE_BINDING", ""),
        ("TOKEN_REFRESH_SERVICE_URL", "https://tokens.internal"),
    ]);
    two.token();
    assert!(two.calls.get() > 0, "by its address");
}

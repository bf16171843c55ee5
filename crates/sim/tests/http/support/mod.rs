//! A deployment in fair weather, its users, and requests as clients send them.

pub mod bodies;
pub mod browser;
pub mod guesses;
pub mod tokens;

use base::clock::Timestamp;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sim::{Answered, Request, World};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

pub const PASSWORD: &str = "correct horse battery";

/// As in a deployment. The channels are those of the legacy system.
const SETTINGS: &[(&str, &str)] = &[
    ("ENVIRONMENT", "production"),
    ("SERVICE_AUTH", "on"),
    // Requests without an address come from one, and many tests fail often.
    ("LOGIN_MAX_FAILURES_PER_ADDRESS", "10000"),
    ("CHANNELS", r#"{"sme":{"business_unit":"SME","verifier":"sme"},"retail":{"business_unit":"RETAIL"}}"#),
    ("SME_VERIFY_BASE_URL", "https://upstreams.test/sme"),
    ("SME_VERIFY_TOKEN_KEY", "sme-local"),
];

pub struct Server {
    pub world: World,
    count: Cell<u32>,
    root: OnceCell<()>,
    admin: OnceCell<String>,
}

/// Somebody who may log in.
#[derive(Clone, Debug)]
pub struct User {
    pub id: u64,
    pub username: String,
}

#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Server {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings beside the usual ones.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let world = World::complete(0, &[SETTINGS, settings].concat());
        Self { world, count: Cell::new(0), root: OnceCell::new(), admin: OnceCell::new() }
    }

    /// New settings, or the same ones: every instance is another one then.
    pub fn deploy(&self, settings: &[(&str, &str)]) {
        self.world.deploy(&[SETTINGS, settings].concat());
    }

    pub fn request(&self, method: &str, path: &str) -> Call<'_> {
        Call { server: self, request: Request::new(method.to_owned(), path) }
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.request("GET", path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.request("POST", path)
    }

    /// Many requests at once; the answers in the order of the requests.
    pub fn all(&self, calls: Vec<Call<'_>>) -> Vec<Answer> {
        let paths: Vec<String> = calls.iter().map(|call| call.request.path.clone()).collect();
        let answers = self.unread(calls);
        answers.into_iter().zip(paths).map(|(answer, path)| Answer::checked(&path, answer)).collect()
    }

    /// The same, as they came.
    pub fn unread(&self, calls: Vec<Call<'_>>) -> Vec<Answered> {
        let host = self.world.host();
        let requests: Vec<Request> = calls.into_iter().map(|call| call.request).collect();
        let answers = self.world.run_until(async move {
            let sent = requests.into_iter().map(|request| sim::request(&host, request));
            join_all(sent).await
        });
        answers.into_iter().map(Option::unwrap).collect()
    }

    /// The same, and something happens after some turns, while they are under way.
    pub fn all_while(&self, calls: Vec<Call<'_>>, turns: u32, happens: impl FnOnce()) -> Vec<Answer> {
        let host = self.world.host();
        let requests: Vec<Request> = calls.into_iter().map(|call| call.request).collect();
        let paths: Vec<String> = requests.iter().map(|request| request.path.clone()).collect();
        let answers = Rc::new(RefCell::new(None));
        let there = answers.clone();
        self.world.spawn(async move {
            let sent = requests.into_iter().map(|request| sim::request(&host, request));
            *there.borrow_mut() = Some(join_all(sent).await);
        });
        (0..turns).for_each(|_| _ = self.world.step(self.world.now()));
        assert!(answers.borrow().is_none(), "they are not under way any more");
        happens();
        while answers.borrow().is_none() {
            assert!(self.world.step(Timestamp::from_millis(u64::MAX)), "one is never answered");
        }
        let answers = answers.take().unwrap().into_iter().map(Option::unwrap);
        answers.zip(paths).map(|(answer, path)| Answer::checked(&path, answer)).collect()
    }

    /// A number that no other test of this deployment has.
    pub fn number(&self) -> u32 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    pub fn fresh_name(&self, prefix: &str) -> String {
        format!("{prefix}-{}", self.number())
    }

    /// The first admin, made by the bootstrap key.
    fn root(&self) {
        self.root.get_or_init(|| {
            let key = sim::SETTINGS.iter().find(|(name, _)| *name == "BOOTSTRAP_KEY").unwrap().1;
            let body = json!({ "username": "root", "password": PASSWORD, "roles": ["admin"] });
            let made = self.post("/admin/users").header("x-bootstrap-key", key).json(&body).send();
            assert_eq!(made.status, 201, "{}", made.text);
        });
    }

    /// A new session of the first admin.
    pub fn fresh_admin(&self) -> String {
        self.root();
        self.log_in("root").access
    }

    /// The access token of an admin who logs in only once.
    pub fn admin(&self) -> String {
        self.admin
            .get_or_init(|| {
                let user = self.make_user_with(&self.fresh_name("admin"), &["admin", "user"]);
                self.log_in(&user.username).access
            })
            .clone()
    }

    pub fn make_user(&self) -> User {
        self.make_user_with(&self.fresh_name("user"), &["user"])
    }

    pub fn make_user_with(&self, username: &str, roles: &[&str]) -> User {
        let body = json!({ "username": username, "password": PASSWORD, "roles": roles });
        let made = self.post("/admin/users").token(&self.fresh_admin()).json(&body).send();
        assert_eq!(made.status, 201, "{}", made.text);
        let username = made.json["username"].as_str().unwrap().to_owned();
        User { id: made.json["id"].as_u64().unwrap(), username }
    }

    pub fn try_log_in(&self, username: &str, password: &str) -> Answer {
        self.post("/auth/login").json(&json!({ "username": username, "password": password })).send()
    }

    pub fn log_in(&self, username: &str) -> Tokens {
        let answer = self.try_log_in(username, PASSWORD);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.tokens()
    }

    /// A new user, logged in.
    pub fn someone(&self) -> (User, Tokens) {
        let user = self.make_user();
        let tokens = self.log_in(&user.username);
        (user, tokens)
    }

    pub fn refresh(&self, token: &str) -> Answer {
        self.post("/auth/refresh").json(&json!({ "refresh_token": token })).send()
    }

    pub fn protected(&self, token: &str) -> Answer {
        self.get("/api/v1/protected").token(token).send()
    }

    /// Expects this access token to be refused, on the fast path and beside it.
    pub fn refused_token(&self, token: &str, status: u16, code: &str) {
        self.protected(token).refused(status, code);
        self.get("/auth/sessions").token(token).send().refused(status, code);
    }

    /// The time, in seconds.
    pub fn now(&self) -> u64 {
        self.world.now().millis() / 1000
    }
}

/// A request that is being made up.
pub struct Call<'a> {
    server: &'a Server,
    request: Request,
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name.to_owned(), value);
        self
    }

    pub fn headers(self, headers: &[(&str, &str)]) -> Self {
        headers.iter().fold(self, |call, (name, value)| call.header(name, value))
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn path(&self) -> String {
        self.request.path.clone()
    }

    /// Sent as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = Some(body.into());
        self
    }

    /// Sent piece by piece, as it is asked for.
    pub fn pieces(mut self, pieces: impl Iterator<Item = Vec<u8>> + 'static) -> Self {
        self.request = self.request.pieces(pieces);
        self
    }

    pub fn send(self) -> Answer {
        self.server.all(vec![self]).remove(0)
    }

    /// The answer where something is broken on purpose: it may be 5xx.
    pub fn unchecked(self) -> Answer {
        let host = self.server.world.host();
        let answer = self.server.world.run_until(async move { sim::request(&host, self.request).await });
        Answer::of(answer.unwrap())
    }
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Of several of one name the last.
    pub headers: BTreeMap<String, String>,
    /// Every `Set-Cookie`.
    pub cookies: Vec<String>,
    pub text: String,
    pub json: Value,
    /// A body that is no text.
    pub bytes: Option<Vec<u8>>,
}

impl Answer {
    fn of(answer: Answered) -> Self {
        let Answered { status, headers, body, bytes } = answer;
        let text = body.unwrap_or_default();
        let json = serde_json::from_str(&text).unwrap_or_default();
        let cookies = headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.clone());
        Self { status, cookies: cookies.collect(), headers: headers.into_iter().collect(), text, json, bytes }
    }

    /// Holds an answer against what must hold for all of them.
    fn checked(path: &str, answer: Answered) -> Self {
        let answer = Self::of(answer);
        let status = answer.status;
        assert!(status < 500, "{path}: {answer:?}");
        for leak in ["panicked", "wasm", "RuntimeError", "SqliteError", "KV PUT", ".rs:"] {
            assert!(!answer.text.contains(leak), "{path}: {answer:?}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let is_public = path.starts_with("/.well-known/") && status == 200;
        let kept = if is_public { "public, max-age=300" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), Some(kept));
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!((1..=128).contains(&id.len()), "{id}");
        assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:=+/-".contains(&b)), "{id}");
        if status >= 400 && !path.contains("/auth/verify") && !answer.text.is_empty() {
            assert!(answer.json["detail"].is_string(), "{path}: {answer:?}");
            assert!(answer.code().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{answer:?}");
            assert!(!answer.code().is_empty(), "{answer:?}");
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// Expects a refusal with this status and code, without a reason.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let reason = &self.json["reason"];
        assert_eq!((self.status, self.code(), reason), (status, code, &Value::Null), "{}", self.text);
    }

    /// Expects a refusal of fields, and names them.
    #[track_caller]
    pub fn wrong_fields(&self) -> Vec<&str> {
        self.refused(422, "validation_error");
        self.json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        let text =
            |name: &str| self.json[name].as_str().unwrap_or_else(|| panic!("{}", self.text)).to_owned();
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }
}

//! The callers: each does one thing, notes what it was told, and compares it with what it was told before.
//!
//! Over 400 lines: each action of the plan, and what its answer makes of the truth.

use super::bank;
use super::plan::{ADMINS, Action, CLIENTS, CUSTOMER, ROLES, USERS};
use super::quiet;
use super::truth::{Came, Life, Login, Session, Truth, User};
use crate::host::SimHost;
use crate::requests::{Answered, Request, request};
use crate::sequence::Invariant;
use crate::weather::Kind;
use base::ids::{SessionId, UserId};
use base::ports::Clock as _;
use config::Settings as _;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Those of the users, and the customer's subject.
pub const NAMES: [&str; USERS + 1] = ["root", "ann", "eve", "VPB-SME-1"];
const BOOTSTRAP_KEY: &str = "bootstrap-key-of-the-simulation-0123456789";

#[derive(Clone)]
pub struct Callers {
    pub host: SimHost,
    pub truth: Rc<RefCell<Truth>>,
    pub bank: Rc<bank::State>,
}

impl Callers {
    pub fn new(host: SimHost, strict: bool, trace: bool) -> Self {
        let users =
            (0..=CUSTOMER).map(|_| User { password: "password-0".to_owned(), ..User::default() }).collect();
        let clients = vec![None; CLIENTS + ADMINS];
        let truth = Truth { users, clients, trace: trace.then(Vec::new), strict, ..Truth::default() };
        Self { host, truth: Rc::new(RefCell::new(truth)), bank: Rc::default() }
    }

    /// The session that a client has.
    pub fn session_id(&self, client: usize) -> Option<SessionId> {
        let truth = self.truth.borrow();
        truth.clients[client].map(|at| truth.sessions[at].id.clone())
    }

    pub(super) async fn send(&self, sent: Request) -> Option<Answered> {
        let what = format!("{} {}", sent.method, sent.path);
        let answered = request(&self.host, sent).await;
        let now = self.host.now();
        self.truth.borrow_mut().note(now, || {
            let body = answered.as_ref().map(|a| format!("{} {}", a.status, a.body.as_deref().unwrap_or("")));
            format!("  {what} -> {}", body.unwrap_or_else(|| "no answer".to_owned()))
        });
        if let Some(answered) = &answered
            && answered.status == 500
        {
            let removal =
                what.starts_with("PATCH") && self.truth.borrow().users.iter().any(|u| u.removals > 0);
            let invariant = if removal { Invariant::UpdateMeetsRemoval } else { Invariant::UnexpectedAnswer };
            self.truth.borrow_mut().broken(invariant, format!("{what}: {answered:?}"));
        }
        answered
    }

    /// In fair weather: the users are made, and the admin logs in.
    pub async fn begin(self, users: BTreeSet<usize>, admins: bool) {
        let body = json!({ "username": NAMES[0], "password": "password-0", "roles": ["admin"] });
        let bootstrap = Request::new("POST", "/admin/users").header("x-bootstrap-key", BOOTSTRAP_KEY);
        let made = self.send(bootstrap.json(&body)).await;
        assert_eq!(made.map(|m| m.status), Some(201));
        self.truth.borrow_mut().ids.insert(UserId::issued(1), 1);
        self.truth.borrow_mut().users[0].roles = Some(vec!["admin".to_owned()]);
        self.login(0, CLIENTS, false).await;
        for user in users {
            self.create(user).await;
            assert_eq!(self.truth.borrow().users[user].exists, Some(true));
        }
        if admins {
            self.login(1, CLIENTS + 1, false).await;
        }
    }

    pub async fn act(&self, action: Action) {
        match action {
            Action::Login { user, client, replaces } => self.login(user, client, replaces).await,
            Action::WrongPassword { user } => {
                let body = json!({ "username": NAMES[user], "password": "wrong-password" });
                let answered = self.send(Request::new("POST", "/auth/login").json(&body)).await;
                if answered.is_some_and(|a| a.status == 200) {
                    self.truth.borrow_mut().broken(Invariant::UnexpectedAnswer, "a wrong password logs in");
                }
            }
            Action::Init { client, replaces } => self.init(client, replaces).await,
            Action::Refresh { client, again } => self.refresh(client, again).await,
            Action::Use { client } => self.make_use(client).await,
            Action::Logout { client } => self.logout(client).await,
            Action::LogoutAll { client, keep } => self.logout_all(client, keep).await,
            Action::Roles { user, kind } => {
                let body = json!({ "roles": ROLES[kind] });
                self.change(0, user, body).await;
            }
            Action::Active { user, on } => self.change(0, user, json!({ "is_active": on })).await,
            Action::Admin { user, by, change } => self.admin_changes(user, by, change).await,
            Action::Password { user } => {
                let password = {
                    let mut truth = self.truth.borrow_mut();
                    let user = &mut truth.users[user];
                    user.generation += 1;
                    user.password = format!("password-{}", user.generation);
                    user.password.clone()
                };
                self.change(0, user, json!({ "password": password })).await;
            }
            Action::Remove { user } => self.remove(0, user).await,
            Action::Create { user } => self.create(user).await,
            Action::EndAll { user } => self.end_all(user).await,
            Action::EndOne { client } => self.end_one(client).await,
            Action::Cleanup => {
                let _ = self.administer(Request::new("POST", "/admin/sessions/cleanup")).await;
            }
            Action::Bank(_)
            | Action::Kv { .. }
            | Action::Restart
            | Action::KillSession { .. }
            | Action::KillUser { .. }
            | Action::KillDirectory
            | Action::Jump { .. } => {}
        }
    }

    pub(super) async fn login(&self, user: usize, client: usize, replaces: bool) {
        let password = self.truth.borrow().users[user].password.clone();
        let body = json!({ "username": NAMES[user], "password": password });
        self.open(user, client, replaces, Request::new("POST", "/auth/login").json(&body), None).await;
    }

    /// The other system begins a session of its customer.
    async fn init(&self, client: usize, replaces: bool) {
        let external = format!("external-{}", self.truth.borrow().users[CUSTOMER].logins.len());
        let body = json!({ "data": {
            "cif": "1", "tokenKey": external, "basicCustomerInfo": {}, "payload": { "channelId": "sme" },
        }});
        let request = Request::new("POST", "/api/v1/postlogin/init-session").json(&body);
        self.open(CUSTOMER, client, replaces, request, Some(external)).await;
    }

    async fn open(
        &self,
        user: usize,
        client: usize,
        replaces: bool,
        mut request: Request,
        external: Option<String>,
    ) {
        let (login, beside, seen) = {
            let mut truth = self.truth.borrow_mut();
            let displaced = truth.clients[client].filter(|_| replaces);
            if let Some(at) = displaced {
                request = request.bearer(&truth.sessions[at].access.clone());
            }
            let account = &mut truth.users[user];
            let under_way = |(_, login): &(usize, &Login)| login.came == Came::UnderWay;
            let beside: Vec<usize> =
                account.logins.iter().enumerate().filter(under_way).map(|(number, _)| number).collect();
            account.logins.push(Login { replaces: displaced, came: Came::UnderWay });
            (account.logins.len() - 1, beside, account.clone())
        };
        let answered = self.send(request).await;
        let outcome = match answered.as_ref().map(|a| a.status) {
            Some(200) => Came::Ok,
            Some(401 | 403 | 429) => Came::Refused,
            Some(_) => Came::Failed,
            None => Came::Unknown,
        };
        let tokens = answered.map(|a| a.json()).unwrap_or_default();
        let (access, refresh) = pair_of(&tokens);
        let id = self.session_of(&access);
        let mut truth = self.truth.borrow_mut();
        truth.users[user].logins[login].came = outcome;
        let Some(id) = id.filter(|_| outcome == Came::Ok) else { return };
        let now = truth.users[user].clone();
        let unchanged = now.changes == seen.changes && seen.changing == 0 && !now.hazy;
        if unchanged && (seen.active == Some(false) || seen.exists == Some(false)) {
            truth.broken(Invariant::DisabledLogsIn, NAMES[user]);
        }
        let sure = now.ends == seen.ends && seen.ending == 0 && !now.end_on_its_way;
        if !quiet::is_listed(&self.host, &id, user) {
            truth.broken(Invariant::SessionOnNoList, format!("{id} of {}, just opened", NAMES[user]));
        }
        let external = external.map(|token| (token.clone(), self.bank.times_good(&token)));
        truth.sessions.push(Session {
            user,
            id,
            access,
            refresh,
            before: None,
            external,
            life: if sure { Life::Live } else { Life::Doubtful },
            login,
            beside,
            successors: std::collections::BTreeMap::new(),
            refreshing: false,
        });
        truth.clients[client] = Some(truth.sessions.len() - 1);
    }

    fn session_of(&self, access: &str) -> Option<SessionId> {
        let app = self.host.settings().ok()?;
        let token = app.keys.read_access(access, self.host.now()).ok()?;
        Some(token.session_id)
    }

    /// With the newest refresh token, or once more with the one before it, as a client does whose answer was lost.
    async fn refresh(&self, client: usize, again: bool) {
        let (at, seen, token) = {
            let mut truth = self.truth.borrow_mut();
            let Some(at) = truth.clients[client] else { return };
            let session = &mut truth.sessions[at];
            if session.refreshing {
                return;
            }
            let token = match session.before.clone().filter(|_| again) {
                Some(before) => {
                    // Too late, it is a reuse.
                    session.doubt();
                    before
                }
                None => session.refresh.clone(),
            };
            session.refreshing = true;
            (at, session.clone(), token)
        };
        let request = match &seen.external {
            None => Request::new("POST", "/auth/refresh").json(&json!({ "refresh_token": token })),
            Some(_) => Request::new("POST", "/api/v1/postlogin/renew-token")
                .json(&json!({ "data": { "refreshToken": token } })),
        };
        let answered = self.send(request).await;
        let mut truth = self.truth.borrow_mut();
        let session = &mut truth.sessions[at];
        session.refreshing = false;
        let rejected = |(token, _): &(String, usize)| self.bank.rejected.borrow().contains(token);
        if session.external.as_ref().is_some_and(rejected) {
            session.doubt();
        }
        let Some(answered) = answered else {
            // A message may still be on its way, and come when its tokens are old.
            session.doubt();
            return;
        };
        if answered.status != 200 {
            return;
        }
        let (access, next) = pair_of(&answered.json());
        session.access = access;
        if next != session.refresh {
            session.before = Some(std::mem::replace(&mut session.refresh, next.clone()));
        }
        let other = session.successors.insert(token, next.clone()).is_some_and(|before| before != next);
        let renewals = session.successors.len();
        let good = session.external.as_ref().map(|(token, before)| self.bank.times_good(token) - before);
        if other {
            truth.broken(Invariant::TwoSuccessors, "a refresh token was exchanged for two");
        }
        if good.is_some_and(|good| good < renewals) {
            let detail = format!("{renewals} renewals, verified {good:?} times");
            truth.broken(Invariant::RenewedUnverified, detail);
        }
        if seen.life == Life::Ended {
            self.used_when_ended(&mut truth, &seen);
        }
    }

    /// How much has gone wrong so far.
    fn disturbances(&self) -> u32 {
        self.host.faults() + self.truth.borrow().disturbed
    }

    /// Somebody was told before that the session has ended.
    fn used_when_ended(&self, truth: &mut Truth, session: &Session) {
        // One that another login displaces, or another change ends, is off the list already, and ended a little later.
        let ending = quiet::is_being_ended(&self.host, &session.id, session.user);
        let invariant = if ending { Invariant::EndMissesEnding } else { Invariant::EndedSessionLives };
        truth.broken(invariant, format!("{} of {}", session.id, NAMES[session.user]));
    }

    async fn make_use(&self, client: usize) {
        let seen = {
            let truth = self.truth.borrow();
            let Some(at) = truth.clients[client] else { return };
            let session = truth.sessions[at].clone();
            (at, truth.users[session.user].clone(), session)
        };
        let (at, user, session) = seen;
        let answered = self.send(Request::new("GET", "/auth/profile").bearer(&session.access)).await;
        let Some(answered) = answered else { return };
        if answered.status != 200 {
            return;
        }
        let mut truth = self.truth.borrow_mut();
        if !truth.strict {
            // An end and other roles take effect later: docs/session-check.md.
            return;
        }
        if session.life == Life::Ended {
            self.used_when_ended(&mut truth, &session);
        }
        let now = &truth.users[session.user];
        let unchanged = now.changes == user.changes && user.changing == 0 && !now.hazy;
        let shown: Vec<String> = serde_json::from_value(answered.json()["roles"].clone()).unwrap_or_default();
        if let Some(told) = user.roles.filter(|told| unchanged && *told != shown) {
            let detail = format!("{}: told {told:?}, shown {shown:?} by session {at}", NAMES[session.user]);
            truth.broken(Invariant::RolesComeBack, detail);
        }
    }

    async fn logout(&self, client: usize) {
        let (at, token) = {
            let mut truth = self.truth.borrow_mut();
            let Some(at) = truth.clients[client] else { return };
            let session = &mut truth.sessions[at];
            session.doubt();
            (at, session.access.clone())
        };
        let before = self.disturbances();
        let answered = self.send(Request::new("POST", "/auth/logout").bearer(&token)).await;
        if answered.is_some_and(|a| a.status == 200) {
            let mut truth = self.truth.borrow_mut();
            let Session { id, user, .. } = truth.sessions[at].clone();
            // Whoever was not disturbed has told everybody by now.
            if before == self.host.faults() + truth.disturbed && !quiet::is_told(&self.host, &id, user) {
                truth.broken(Invariant::EndNotPropagated, format!("{id}, just logged out"));
            }
            truth.ended(&[at]);
        }
    }

    async fn logout_all(&self, client: usize, keep: bool) {
        let Some((at, user, token)) = self.of(client) else { return };
        let meant = self.begin_end(user, keep.then_some(at));
        let request = Request::new("POST", "/auth/logout-all").bearer(&token);
        let answered = self.send(request.json(&json!({ "keep_current": keep }))).await;
        self.finish_end(user, &meant, answered.as_ref(), answered.as_ref().is_some_and(|a| a.status == 200));
    }

    pub(super) fn of(&self, client: usize) -> Option<(usize, usize, String)> {
        let truth = self.truth.borrow();
        let at = truth.clients[client]?;
        let session = &truth.sessions[at];
        Some((at, session.user, session.access.clone()))
    }

    pub(super) fn begin_end(&self, user: usize, keep: Option<usize>) -> Vec<usize> {
        let mut truth = self.truth.borrow_mut();
        truth.users[user].ends += 1;
        truth.users[user].ending += 1;
        truth.doubt(user, keep)
    }

    /// Without an answer, the end may still be on its way, and meet whoever logs in next.
    pub(super) fn finish_end(&self, user: usize, meant: &[usize], answered: Option<&Answered>, done: bool) {
        let mut truth = self.truth.borrow_mut();
        truth.users[user].end_on_its_way |= answered.is_none();
        truth.users[user].ending -= 1;
        if done {
            truth.ended(meant);
        }
    }

    /// When all is quiet: every session is asked for, and answers as it has to.
    pub async fn probe(self) {
        let count = self.truth.borrow().sessions.len();
        for at in 0..count {
            let session = self.truth.borrow().sessions[at].clone();
            // Strict whatever is set.
            let answered = self.send(Request::new("GET", "/auth/sessions").bearer(&session.access)).await;
            let Some(answered) = answered.filter(|a| a.code() != "token_expired") else { continue };
            let detail = format!("session {at} ({}) of {}: {answered:?}", session.id, NAMES[session.user]);
            let mut truth = self.truth.borrow_mut();
            match (session.life, answered.status) {
                (Life::Live, 401) => {
                    if session
                        .external
                        .as_ref()
                        .is_some_and(|(token, _)| self.bank.rejected.borrow().contains(token))
                    {
                        continue;
                    }
                    let reason = answered.json()["reason"].as_str().unwrap_or_default().to_owned();
                    let displaced = reason == "evicted" || reason == "logout";
                    if displaced && truth.displaceable(at, reason == "evicted") {
                        continue;
                    }
                    let invariant = match () {
                        () if displaced => Invariant::LoggedOutByFailedLogin,
                        () if self.host.has_happened(&[Kind::Stray]) => Invariant::EndedByLateRepeat,
                        () => Invariant::SessionLost,
                    };
                    truth.broken(invariant, detail);
                }
                (Life::Ended, 200) => truth.broken(Invariant::EndedSessionLives, detail),
                (_, 200 | 401) => {}
                _ => truth.broken(Invariant::UnexpectedAnswer, detail),
            }
        }
    }
}

/// An access and a refresh token, as either kind of session gives them.
fn pair_of(body: &Value) -> (String, String) {
    match body.get("token") {
        Some(_) => (text(body, "token"), text(body, "refreshToken")),
        None => (text(body, "access_token"), text(body, "refresh_token")),
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

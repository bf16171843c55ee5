//! The callers: each does one thing, notes what it was told, and compares it with what it was told before.
//!
//! Over 400 lines: each action of the plan, and what its answer makes of the truth.

use super::plan::{Action, CLIENTS, ROLES, USERS};
use super::quiet;
use super::truth::{Came, Life, Login, Session, Truth, User};
use crate::host::SimHost;
use crate::requests::{Answered, Request, request};
use crate::sequence::Invariant;
use base::ids::{SessionId, UserId};
use base::ports::Clock as _;
use config::Settings as _;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

pub const NAMES: [&str; USERS] = ["root", "ann", "eve"];
const BOOTSTRAP_KEY: &str = "bootstrap-key-of-the-simulation-0123456789";

#[derive(Clone)]
pub struct Callers {
    pub host: SimHost,
    pub truth: Rc<RefCell<Truth>>,
}

impl Callers {
    pub fn new(host: SimHost, trace: bool) -> Self {
        let users =
            (0..USERS).map(|_| User { password: "password-0".to_owned(), ..User::default() }).collect();
        let clients = vec![None; CLIENTS + 1];
        let truth = Truth { users, clients, trace: trace.then(Vec::new), ..Truth::default() };
        Self { host, truth: Rc::new(RefCell::new(truth)) }
    }

    /// The session that a client has.
    pub fn session_id(&self, client: usize) -> Option<SessionId> {
        let truth = self.truth.borrow();
        truth.clients[client].map(|at| truth.sessions[at].id.clone())
    }

    async fn send(&self, sent: Request) -> Option<Answered> {
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

    /// As the admin who administers.
    async fn administer(&self, request: Request) -> Option<Answered> {
        let token = {
            let truth = self.truth.borrow();
            truth.clients[CLIENTS].map(|at| truth.sessions[at].access.clone()).unwrap_or_default()
        };
        self.send(request.bearer(&token)).await
    }

    /// In fair weather: the users are made, and the admin logs in.
    pub async fn begin(self, users: BTreeSet<usize>) {
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
            Action::Refresh { client } => self.refresh(client).await,
            Action::Use { client } => self.make_use(client).await,
            Action::Logout { client } => self.logout(client).await,
            Action::LogoutAll { client, keep } => self.logout_all(client, keep).await,
            Action::Roles { user, kind } => {
                let body = json!({ "roles": ROLES[kind] });
                self.change(user, body).await;
            }
            Action::Active { user, on } => self.change(user, json!({ "is_active": on })).await,
            Action::Password { user } => {
                let password = {
                    let mut truth = self.truth.borrow_mut();
                    let user = &mut truth.users[user];
                    user.generation += 1;
                    user.password = format!("password-{}", user.generation);
                    user.password.clone()
                };
                self.change(user, json!({ "password": password })).await;
            }
            Action::Remove { user } => self.remove(user).await,
            Action::Create { user } => self.create(user).await,
            Action::EndAll { user } => self.end_all(user).await,
            Action::EndOne { client } => self.end_one(client).await,
            Action::Cleanup => {
                let _ = self.administer(Request::new("POST", "/admin/sessions/cleanup")).await;
            }
            Action::Restart
            | Action::KillSession { .. }
            | Action::KillUser { .. }
            | Action::KillDirectory
            | Action::Jump { .. } => {}
        }
    }

    async fn login(&self, user: usize, client: usize, replaces: bool) {
        let (request, login, beside, seen) = {
            let mut truth = self.truth.borrow_mut();
            let body = json!({ "username": NAMES[user], "password": truth.users[user].password });
            let mut request = Request::new("POST", "/auth/login").json(&body);
            let displaced = truth.clients[client].filter(|_| replaces);
            if let Some(at) = displaced {
                request = request.bearer(&truth.sessions[at].access.clone());
            }
            let account = &mut truth.users[user];
            let under_way = |(_, login): &(usize, &Login)| login.came == Came::UnderWay;
            let beside: Vec<usize> =
                account.logins.iter().enumerate().filter(under_way).map(|(number, _)| number).collect();
            account.logins.push(Login { replaces: displaced, came: Came::UnderWay });
            (request, account.logins.len() - 1, beside, account.clone())
        };
        let answered = self.send(request).await;
        let outcome = match answered.as_ref().map(|a| a.status) {
            Some(200) => Came::Ok,
            Some(401 | 403 | 429) => Came::Refused,
            Some(_) => Came::Failed,
            None => Came::Unknown,
        };
        let tokens = answered.map(|a| a.json()).unwrap_or_default();
        let id = self.session_of(&tokens);
        let mut truth = self.truth.borrow_mut();
        truth.users[user].logins[login].came = outcome;
        let Some(id) = id.filter(|_| outcome == Came::Ok) else { return };
        let now = truth.users[user].clone();
        let unchanged = now.changes == seen.changes && seen.changing == 0 && !now.hazy;
        if unchanged && (seen.active == Some(false) || seen.exists == Some(false)) {
            truth.broken(Invariant::DisabledLogsIn, NAMES[user]);
        }
        let sure = now.ends == seen.ends && seen.ending == 0 && !now.end_on_its_way;
        if !quiet::is_listed(&self.host, &id, NAMES[user]) {
            truth.broken(Invariant::SessionOnNoList, format!("{id} of {}, just opened", NAMES[user]));
        }
        truth.sessions.push(Session {
            user,
            id,
            access: text(&tokens, "access_token"),
            refresh: text(&tokens, "refresh_token"),
            life: if sure { Life::Live } else { Life::Doubtful },
            login,
            beside,
            successors: std::collections::BTreeMap::new(),
            refreshing: false,
        });
        truth.clients[client] = Some(truth.sessions.len() - 1);
    }

    fn session_of(&self, tokens: &Value) -> Option<SessionId> {
        let app = self.host.settings().ok()?;
        let token = app.keys.read_access(tokens["access_token"].as_str()?, self.host.now()).ok()?;
        Some(token.session_id)
    }

    async fn refresh(&self, client: usize) {
        let (at, token) = {
            let mut truth = self.truth.borrow_mut();
            let Some(at) = truth.clients[client] else { return };
            let session = &mut truth.sessions[at];
            if std::mem::replace(&mut session.refreshing, true) {
                return;
            }
            (at, session.refresh.clone())
        };
        let body = json!({ "refresh_token": token });
        let answered = self.send(Request::new("POST", "/auth/refresh").json(&body)).await;
        let mut truth = self.truth.borrow_mut();
        let session = &mut truth.sessions[at];
        session.refreshing = false;
        match answered {
            // A message may still be on its way, and come when its tokens are old.
            None if session.life == Life::Live => session.life = Life::Doubtful,
            Some(answered) if answered.status == 200 => {
                let tokens = answered.json();
                let next = text(&tokens, "refresh_token");
                session.access = text(&tokens, "access_token");
                session.refresh.clone_from(&next);
                let before = session.successors.insert(token, next.clone());
                if before.is_some_and(|before| before != next) {
                    truth.broken(Invariant::TwoSuccessors, "a refresh token was exchanged for two");
                }
            }
            _ => {}
        }
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
        if session.life == Life::Ended {
            // One that another login displaces, or another change ends, is off the list already, and ended a little later.
            let ending = quiet::is_being_ended(&self.host, &session.id, NAMES[session.user]);
            let invariant = if ending { Invariant::EndMissesEnding } else { Invariant::EndedSessionLives };
            truth.broken(invariant, format!("{} of {}", session.id, NAMES[session.user]));
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
            if session.life == Life::Live {
                session.life = Life::Doubtful;
            }
            (at, session.access.clone())
        };
        let answered = self.send(Request::new("POST", "/auth/logout").bearer(&token)).await;
        if answered.is_some_and(|a| a.status == 200) {
            self.truth.borrow_mut().ended(&[at]);
        }
    }

    async fn logout_all(&self, client: usize, keep: bool) {
        let Some((at, user, token)) = self.of(client) else { return };
        let meant = self.begin_end(user, keep.then_some(at));
        let request = Request::new("POST", "/auth/logout-all").bearer(&token);
        let answered = self.send(request.json(&json!({ "keep_current": keep }))).await;
        self.finish_end(user, &meant, answered.as_ref(), answered.as_ref().is_some_and(|a| a.status == 200));
    }

    fn of(&self, client: usize) -> Option<(usize, usize, String)> {
        let truth = self.truth.borrow();
        let at = truth.clients[client]?;
        let session = &truth.sessions[at];
        Some((at, session.user, session.access.clone()))
    }

    fn begin_end(&self, user: usize, keep: Option<usize>) -> Vec<usize> {
        let mut truth = self.truth.borrow_mut();
        truth.users[user].ends += 1;
        truth.users[user].ending += 1;
        truth.doubt(user, keep)
    }

    /// Without an answer, the end may still be on its way, and meet whoever logs in next.
    fn finish_end(&self, user: usize, meant: &[usize], answered: Option<&Answered>, done: bool) {
        let mut truth = self.truth.borrow_mut();
        truth.users[user].end_on_its_way |= answered.is_none();
        truth.users[user].ending -= 1;
        if done {
            truth.ended(meant);
        }
    }

    async fn end_all(&self, user: usize) {
        let meant = self.begin_end(user, None);
        let path = format!("/admin/users/{}/sessions", NAMES[user]);
        let answered = self.administer(Request::new("DELETE", path)).await;
        self.finish_end(user, &meant, answered.as_ref(), answered.as_ref().is_some_and(|a| a.status == 200));
    }

    async fn end_one(&self, client: usize) {
        let Some((at, user, _)) = self.of(client) else { return };
        if user == 0 {
            return;
        }
        let id = {
            let mut truth = self.truth.borrow_mut();
            let session = &mut truth.sessions[at];
            if session.life == Life::Live {
                session.life = Life::Doubtful;
            }
            session.id.clone()
        };
        let answered = self.administer(Request::new("DELETE", format!("/admin/sessions/{id}"))).await;
        if answered.is_some_and(|a| a.status == 204) {
            self.truth.borrow_mut().ended(&[at]);
        }
    }

    fn begin_change(&self, user: usize) -> User {
        let mut truth = self.truth.borrow_mut();
        let account = &mut truth.users[user];
        account.changes += 1;
        account.changing += 1;
        account.clone()
    }

    /// Whether what was told of a change holds from now on: nobody else has changed anything meanwhile.
    fn finish_change(&self, user: usize, begun: &User, answered: Option<&Answered>) -> bool {
        let mut truth = self.truth.borrow_mut();
        let account = &mut truth.users[user];
        account.changing -= 1;
        let alone = begun.changing == 1 && account.changes == begun.changes;
        if answered.is_none_or(|a| a.status >= 500) {
            account.hazy = true;
        }
        let good = answered.is_some_and(|a| a.status < 300);
        if !(alone && (good || answered.is_some_and(|a| a.status == 409 || a.status == 404))) {
            (account.roles, account.active, account.exists) = (None, None, None);
        }
        alone && good
    }

    async fn change(&self, user: usize, body: Value) {
        let ends = body.get("password").is_some() || body["is_active"] == false;
        let meant = if ends { self.begin_end(user, None) } else { Vec::new() };
        let begun = self.begin_change(user);
        let request = Request::new("PATCH", format!("/admin/users/{}", NAMES[user])).json(&body);
        let answered = self.administer(request).await;
        let done = answered.as_ref().is_some_and(|a| a.status == 200);
        if ends {
            // Where the user was disabled already, nothing is ended.
            self.finish_end(user, &meant, answered.as_ref(), done && begun.active == Some(true));
        }
        if self.finish_change(user, &begun, answered.as_ref()) {
            let mut truth = self.truth.borrow_mut();
            let account = &mut truth.users[user];
            account.exists = Some(true);
            if let Ok(roles) = serde_json::from_value(body["roles"].clone()) {
                account.roles = Some(roles);
            }
            if let Some(active) = body["is_active"].as_bool() {
                account.active = Some(active);
            }
        }
    }

    async fn remove(&self, user: usize) {
        let meant = self.begin_end(user, None);
        let begun = self.begin_change(user);
        self.truth.borrow_mut().users[user].removals += 1;
        let path = format!("/admin/users/{}", NAMES[user]);
        let answered = self.administer(Request::new("DELETE", path)).await;
        let done = answered.as_ref().is_some_and(|a| a.status == 204);
        self.finish_end(user, &meant, answered.as_ref(), done);
        if self.finish_change(user, &begun, answered.as_ref()) {
            let account = &mut self.truth.borrow_mut().users[user];
            (account.exists, account.active, account.roles) = (Some(false), None, None);
        }
    }

    async fn create(&self, user: usize) {
        let begun = self.begin_change(user);
        let roles = if user == 1 { ROLES[1] } else { ROLES[0] };
        let password = self.truth.borrow().users[user].password.clone();
        let body = json!({ "username": NAMES[user], "password": password, "roles": roles });
        let answered = self.administer(Request::new("POST", "/admin/users").json(&body)).await;
        let told = self.finish_change(user, &begun, answered.as_ref());
        let answered = match answered {
            Some(answered) if answered.status == 201 => answered,
            Some(answered) if answered.status == 409 => {
                // By somebody else, or by this very call, repeated after its answer was lost.
                let account = &mut self.truth.borrow_mut().users[user];
                (account.exists, account.active, account.roles) = (Some(true), None, None);
                return;
            }
            _ => return,
        };
        let mut truth = self.truth.borrow_mut();
        let id = UserId::issued(answered.json()["id"].as_u64().unwrap_or_default());
        let times = truth.ids.entry(id).or_default();
        *times += 1;
        if *times > 1 {
            truth.broken(Invariant::IdGivenTwice, format!("{id} for a second user named {}", NAMES[user]));
        }
        if told {
            let account = &mut truth.users[user];
            (account.exists, account.active) = (Some(true), Some(true));
            account.roles = Some(roles.iter().map(|r| (*r).to_owned()).collect());
        }
    }

    /// When all is quiet: every session is asked for, and answers as it has to.
    pub async fn probe(self) {
        let count = self.truth.borrow().sessions.len();
        for at in 0..count {
            let session = self.truth.borrow().sessions[at].clone();
            let answered = self.send(Request::new("GET", "/auth/profile").bearer(&session.access)).await;
            let Some(answered) = answered else { continue };
            let detail = format!("session {at} ({}) of {}: {answered:?}", session.id, NAMES[session.user]);
            let mut truth = self.truth.borrow_mut();
            match (session.life, answered.status) {
                (Life::Live, 401) => {
                    let reason = answered.json()["reason"].as_str().unwrap_or_default().to_owned();
                    let displaced = reason == "evicted" || reason == "logout";
                    if displaced && truth.displaceable(at, reason == "evicted") {
                        continue;
                    }
                    let invariant =
                        if displaced { Invariant::LoggedOutByFailedLogin } else { Invariant::SessionLost };
                    truth.broken(invariant, detail);
                }
                (Life::Ended, 200) => truth.broken(Invariant::EndedSessionLives, detail),
                (_, 200 | 401) => {}
                _ => truth.broken(Invariant::UnexpectedAnswer, detail),
            }
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

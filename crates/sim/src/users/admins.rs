//! What admins do to users and their sessions, and what its answer makes of the truth.

use super::callers::{Callers, NAMES};
use super::plan::{AdminChange, CLIENTS, ROLES};
use super::truth::User;
use crate::requests::{Answered, Request};
use crate::sequence::Invariant;
use base::ids::UserId;
use serde_json::{Value, json};

impl Callers {
    /// As the admin who administers.
    pub(super) async fn administer(&self, request: Request) -> Option<Answered> {
        self.administer_by(0, request).await
    }

    /// As one of the admins, or whoever was one.
    async fn administer_by(&self, admin: usize, request: Request) -> Option<Answered> {
        let token = {
            let truth = self.truth.borrow();
            truth.clients[CLIENTS + admin].map(|at| truth.sessions[at].access.clone()).unwrap_or_default()
        };
        self.send(request.bearer(&token)).await
    }

    pub(super) async fn admin_changes(&self, user: usize, by: usize, change: AdminChange) {
        match change {
            AdminChange::Promote => self.change(by, user, json!({ "roles": ROLES[1] })).await,
            AdminChange::Demote => self.change(by, user, json!({ "roles": ROLES[0] })).await,
            AdminChange::Enable => self.change(by, user, json!({ "is_active": true })).await,
            AdminChange::Disable => self.change(by, user, json!({ "is_active": false })).await,
            AdminChange::Remove => self.remove(by, user).await,
        }
    }

    pub(super) async fn end_all(&self, user: usize) {
        let meant = self.begin_end(user, None);
        let path = format!("/admin/users/{}/sessions", NAMES[user]);
        let answered = self.administer(Request::new("DELETE", path)).await;
        self.finish_end(user, &meant, answered.as_ref(), answered.as_ref().is_some_and(|a| a.status == 200));
    }

    pub(super) async fn end_one(&self, client: usize) {
        let Some((at, user, _)) = self.of(client) else { return };
        if user == 0 {
            return;
        }
        let id = {
            let mut truth = self.truth.borrow_mut();
            let session = &mut truth.sessions[at];
            session.doubt();
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

    pub(super) async fn change(&self, by: usize, user: usize, body: Value) {
        let ends = body.get("password").is_some() || body["is_active"] == false;
        let meant = if ends { self.begin_end(user, None) } else { Vec::new() };
        let begun = self.begin_change(user);
        let request = Request::new("PATCH", format!("/admin/users/{}", NAMES[user])).json(&body);
        let answered = self.administer_by(by, request).await;
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

    pub(super) async fn remove(&self, by: usize, user: usize) {
        let meant = self.begin_end(user, None);
        let begun = self.begin_change(user);
        self.truth.borrow_mut().users[user].removals += 1;
        let path = format!("/admin/users/{}", NAMES[user]);
        let answered = self.administer_by(by, Request::new("DELETE", path)).await;
        let done = answered.as_ref().is_some_and(|a| a.status == 204);
        self.finish_end(user, &meant, answered.as_ref(), done);
        if self.finish_change(user, &begun, answered.as_ref()) {
            let account = &mut self.truth.borrow_mut().users[user];
            (account.exists, account.active, account.roles) = (Some(false), None, None);
        }
    }

    pub(super) async fn create(&self, user: usize) {
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
}

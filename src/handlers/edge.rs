//! What a handler works with: the settings, the bindings, the request, and the calls to objects.

use crate::objects::{directory as index, rpc, settle::settle};
use crate::platform;
use crate::store::Kv;
use ::config::Check;
use ::directory;
use ::session::tokens::Verified;
use ::session::{self, Command, EndReason, Ended, Owner};
use config::App;
use futures_util::future::join_all;
use http::access::{Caller, access_token, admitted};
use http::context::Context;
use http::error::Reason;
use http::log::{self, Audit};
use std::rc::Rc;
use worker::Env;

pub struct Edge {
    pub app: Rc<App>,
    pub env: Env,
    pub worker: worker::Context,
    pub context: Context,
}

impl From<rpc::Unreachable> for Reason {
    fn from(_: rpc::Unreachable) -> Self {
        Self::Unavailable
    }
}

impl Edge {
    pub async fn session(&self, id: &str, command: &Command) -> Result<session::Reply, Reason> {
        Ok(rpc::session(&self.env, id, command).await?)
    }

    pub fn user<'a>(
        &'a self,
        username: &'a str,
        command: &'a directory::Command,
    ) -> impl Future<Output = Result<directory::Reply, Reason>> + 'a {
        self.owner(Owner::User(username), command)
    }

    /// A user, or somebody whom another system has logged in.
    pub async fn owner(
        &self,
        owner: Owner<'_>,
        command: &directory::Command,
    ) -> Result<directory::Reply, Reason> {
        Ok(rpc::owner(&self.env, owner, command).await?)
    }

    pub async fn directory(&self, command: &index::Command) -> Result<index::Reply, Reason> {
        Ok(rpc::directory(&self.env, command).await?)
    }

    pub fn kv(&self) -> Result<Kv, Reason> {
        Kv::open(&self.env).map_err(|error| self.fault("kv", &error))
    }

    /// Logs what went wrong inside and says to the caller no more than that it did.
    pub fn fault(&self, what: &str, error: &impl std::fmt::Display) -> Reason {
        platform::log_fault(what, &error.to_string(), Some(&self.context.request_id));
        Reason::Unavailable
    }

    pub fn audit(&self, record: &Audit) {
        platform::log(&log::audit(&self.context, record, platform::now()));
    }

    /// The caller, checked as strictly as `SESSION_CHECK` says.
    pub async fn caller(&self) -> Result<Caller, Reason> {
        let token = access_token(&self.app, &self.context, platform::now())?;
        let Some(account) = token.account.clone() else { return self.ask_session(token).await };
        match self.app.config.check {
            Check::Strict => return self.ask_session(token).await,
            Check::Local => {}
            Check::Edge => match self.kv()?.blacklisted(&token.session_id).await {
                Ok(None) => self.touch_later(&token),
                Ok(Some(reason)) => return Err(http::access::access_refused(reason)),
                Err(error) => {
                    // KV is down: the truth is asked instead.
                    self.fault("kv blacklist", &error);
                    return self.ask_session(token).await;
                }
            },
        }
        Ok(Caller { account, session_id: token.session_id, live: None })
    }

    /// The caller, with the session's object asked whatever the setting: for what changes sessions or users.
    pub async fn caller_strict(&self) -> Result<Caller, Reason> {
        match access_token(&self.app, &self.context, platform::now()) {
            Ok(token) => self.ask_session(token).await,
            Err(reason) => Err(self.no_user(reason).await),
        }
    }

    pub async fn admin(&self) -> Result<Caller, Reason> {
        let caller = self.caller_strict().await?;
        caller.require_admin()?;
        Ok(caller)
    }

    fn touch(&self, token: &Verified) -> Command {
        Command::Touch { generation: token.generation, passive: self.context.passive }
    }

    async fn ask_session(&self, token: Verified) -> Result<Caller, Reason> {
        let reply = self.session(&token.session_id, &self.touch(&token)).await?;
        admitted(&token.session_id, &token.subject, reply)
    }

    /// The touch follows after the answer.
    fn touch_later(&self, token: &Verified) {
        let (env, id, touch) = (self.env.clone(), token.session_id.clone(), self.touch(token));
        self.worker.wait_until(async move {
            // The call logs its own failure; the activity is then not counted.
            let _ = rpc::session(&env, &id, &touch).await;
        });
    }

    /// Ends one session: in its object first, then everywhere else.
    pub async fn end_session(&self, id: &str, reason: EndReason) -> Result<Option<Ended>, Reason> {
        match self.session(id, &Command::Revoke { reason }).await? {
            session::Reply::Ended(ended) => {
                self.settle(id, &ended).await;
                Ok(Some(ended))
            }
            _ => Ok(None),
        }
    }

    /// Ends sessions that the user's object has taken off its list. An error says that not all could be reached; the
    /// user's alarm ends those.
    pub async fn end_sessions(&self, ids: &[String], reason: EndReason) -> Result<(), Reason> {
        let ended = join_all(ids.iter().map(|id| self.end_session(id, reason))).await;
        ended.into_iter().try_for_each(|result| result.map(|_| ()))
    }

    /// The follow-ups of an end. What fails is done by the session's alarm, so the caller's answer does not depend on it.
    pub async fn settle(&self, id: &str, ended: &Ended) {
        if ended.settled {
            return;
        }
        if let Err(error) = settle(&self.env, id, ended, platform::now()).await {
            self.fault("settling an end", &error);
            return;
        }
        let (env, id) = (self.env.clone(), id.to_owned());
        self.worker.wait_until(async move {
            // If this is lost, the alarm does it all once more.
            let _ = rpc::session(&env, &id, &Command::Settled).await;
        });
    }
}

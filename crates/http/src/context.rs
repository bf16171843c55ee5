//! What a handler works with: the settings, the request, and the calls to objects.

use crate::access::{
    Admin, Caller, LiveCaller, RecentAdmin, access_refused, admitted, admitted_live, believed,
};
use crate::backend::Backend;
use crate::cookies::{self, AccessToken, Page};
use crate::error::Reason;
use crate::log::Audit;
use crate::request::{Incoming as _, RequestHead};
use crate::trail;
use base::clock::Timestamp;
use base::fault::FaultKind;
use base::ids::SessionId;
use base::ports::{Background, Kv, Log};
use base::rpc::{Address, Class, Command, Peers, Unreachable};
use base::together::together;
use config::{App, Check};
use directory::{DirectoryObject, UserObject};
use session::tokens::Verified;
use session::{EndPropagated, EndReason, Ended, Owner, Presence, Revoke, SessionObject, Touch};
use std::fmt::Display;
use std::rc::Rc;
use store::{Record, Store};

pub struct RequestContext<B: Backend> {
    pub app: Rc<App>,
    pub backend: B,
    pub head: RequestHead,
    pub request: B::Request,
}

impl From<Unreachable> for Reason {
    fn from(_: Unreachable) -> Self {
        Self::Unavailable
    }
}

impl<B: Backend> RequestContext<B> {
    pub fn now(&self) -> Timestamp {
        self.backend.now()
    }

    pub async fn send<C: Command>(&self, to: &Address<C::Object>, command: &C) -> Result<C::Reply, Reason> {
        Ok(self.backend.send(to, command).await?)
    }

    /// Sends a command to a session's object. Nothing, if the id is not one that sessions have: nobody knows such a session.
    pub async fn session<C: Command<Object = SessionObject>>(
        &self,
        id: &SessionId,
        command: &C,
    ) -> Result<Option<C::Reply>, Reason> {
        if !self.backend.is_id(Class::Session, id.as_str()) {
            return Ok(None);
        }
        self.send(&session::address(id), command).await.map(Some)
    }

    /// Sends a command to the object of a user, or of somebody externally authenticated.
    pub async fn owner<C: Command<Object = UserObject>>(
        &self,
        owner: Owner<'_>,
        command: &C,
    ) -> Result<C::Reply, Reason> {
        self.send(&directory::owner_address(owner), command).await
    }

    pub async fn user<C: Command<Object = UserObject>>(
        &self,
        username: &str,
        command: &C,
    ) -> Result<C::Reply, Reason> {
        self.owner(Owner::User(username), command).await
    }

    pub async fn directory<C: Command<Object = DirectoryObject>>(
        &self,
        command: &C,
    ) -> Result<C::Reply, Reason> {
        self.send(&directory::directory_address(), command).await
    }

    pub fn store(&self) -> Store<'_, B> {
        Store(&self.backend)
    }

    /// Logs what went wrong inside and says to the caller no more than that it did.
    pub fn fault(&self, kind: FaultKind, detail: &dyn Display) -> Reason {
        self.backend.fault(kind, detail, Some(&self.head.request_id));
        Reason::Unavailable
    }

    /// A name for a change, by which its message is known again when it comes once more.
    pub fn change_id(&self) -> Result<String, Reason> {
        self.backend.random_id().map_err(|error| self.fault(FaultKind::RandomBytes, &error))
    }

    pub fn audit(&self, record: &Audit) {
        trail::audit(&self.backend, &self.app, &self.head, record);
    }

    /// The access token of this request, not looked at yet. One that a browser adds by itself is not taken where it may change
    /// something, unless a page of ours has sent the request.
    pub fn shown(&self, is_safe: bool) -> Result<AccessToken<'_>, Reason> {
        let (authorization, cookie) = (self.head.authorization.as_deref(), self.head.cookie.as_deref());
        let shown = AccessToken::read(&self.app.keys, authorization, cookie, self.now())?;
        if shown.by_cookie && !is_safe {
            self.check_page()?;
        }
        Ok(shown)
    }

    /// Refuses what may have been sent for a page of somebody else's.
    pub fn check_page(&self) -> Result<(), Reason> {
        let (origin, site) = (self.head.origin.as_deref(), self.request.header("sec-fetch-site"));
        let page = Page { origin, is_own: self.head.is_own_page, site: site.as_deref() };
        if page.is_ours(&self.app.config.origins) { Ok(()) } else { Err(Reason::CrossSite) }
    }

    /// Its signature and times checked; not yet its session.
    fn access_token(&self, is_safe: bool) -> Result<Verified, Reason> {
        let shown = self.shown(is_safe)?;
        Ok(self.app.keys.verify_access(shown.text, self.now())?)
    }

    /// Whether the request changes nothing, by its method.
    pub fn is_safe(&self) -> bool {
        cookies::is_safe(&self.head.method)
    }

    /// Whether the request that a proxy asks about changes nothing.
    pub fn is_safe_behind(&self) -> bool {
        let told = ["x-forwarded-method", "x-original-method"].map(|name| self.request.header(name));
        cookies::is_safe_behind(told.each_ref().map(Option::as_deref))
    }

    /// The caller, checked as strictly as `SESSION_CHECK` says.
    pub async fn caller(&self, is_safe: bool) -> Result<Caller, Reason> {
        let token = self.access_token(is_safe)?;
        let Some(caller) = believed(&token) else { return self.ask_session(token).await };
        match self.app.config.check {
            Check::Strict => return self.ask_session(token).await,
            Check::Local => {}
            Check::Edge => match self.store().session(&token.session_id).await {
                Ok(Record::Live(record)) if record.is_proof(self.now()) => self.touch_later(&token),
                Ok(Record::Ended(reason)) => return Err(access_refused(reason)),
                // KV has not heard of it yet, or not any more.
                Ok(Record::Live(_) | Record::None) => return self.ask_session(token).await,
                Err(error) => {
                    // KV is down: the truth is asked instead.
                    self.fault(FaultKind::KvSessionRecord, &error);
                    return self.ask_session(token).await;
                }
            },
        }
        Ok(caller)
    }

    /// The caller, with the session's object asked whatever the setting: for what changes sessions or users.
    pub async fn live_caller(&self) -> Result<LiveCaller, Reason> {
        match self.access_token(self.is_safe()) {
            Ok(token) => self.admit(token).await,
            Err(reason) => Err(self.no_user(reason).await),
        }
    }

    /// The same, whoever else may call.
    pub async fn user_by_token(&self) -> Result<LiveCaller, Reason> {
        let token = self.access_token(self.is_safe())?;
        self.admit(token).await
    }

    async fn admit(&self, token: Verified) -> Result<LiveCaller, Reason> {
        let presence = self.presence(&token).await?;
        admitted_live(token, presence)
    }

    pub async fn admin(&self) -> Result<Admin, Reason> {
        self.live_caller().await?.admin()
    }

    /// An admin who has logged in recently: 401 says how recently that has to be.
    pub async fn recent_admin(&self) -> Result<RecentAdmin, Reason> {
        self.live_caller().await?.recent_admin(self.app.config.recent_login, self.now())
    }

    fn touch(&self, token: &Verified) -> Touch {
        Touch { generation: token.generation, passive: self.head.passive }
    }

    async fn ask_session(&self, token: Verified) -> Result<Caller, Reason> {
        let presence = self.presence(&token).await?;
        let Verified { session_id, subject, expires_at, authenticated_at, .. } = token;
        admitted(session_id, &subject, expires_at, authenticated_at, presence)
    }

    async fn presence(&self, token: &Verified) -> Result<Presence, Reason> {
        let presence = self.session(&token.session_id, &self.touch(token)).await?;
        if presence != Some(Presence::Unknown) {
            return Ok(presence.unwrap_or(Presence::Unknown));
        }
        let ended = ended_before(&self.backend, &token.session_id).await;
        Ok(ended.map_or(Presence::Unknown, Presence::Ended))
    }

    /// The touch follows after the answer.
    fn touch_later(&self, token: &Verified) {
        let (backend, id, touch) = (self.backend.clone(), token.session_id.clone(), self.touch(token));
        self.backend.wait_until(async move {
            // The call logs its own failure; the activity is then not counted.
            if backend.is_id(Class::Session, id.as_str()) {
                let _ = backend.send(&session::address(&id), &touch).await;
            }
        });
    }

    /// Ends one session: in its object first, then everywhere else.
    pub async fn end_session(&self, id: &SessionId, reason: EndReason) -> Result<Option<Ended>, Reason> {
        let Some(revoked) = self.session(id, &Revoke { reason, token: None }).await? else { return Ok(None) };
        self.propagate_end(id, &revoked.ended).await;
        Ok(Some(revoked.ended))
    }

    /// Ends sessions that the user's object has taken off its list. An error says that not all could be reached; the
    /// user's alarm ends those.
    pub async fn end_sessions(&self, ids: &[SessionId], reason: EndReason) -> Result<(), Reason> {
        let ended = together(ids.iter().map(|id| self.end_session(id, reason))).await;
        ended.into_iter().try_for_each(|result| result.map(|_| ()))
    }

    pub async fn propagate_end(&self, id: &SessionId, ended: &Ended) {
        propagate_end(&self.backend, id, ended).await;
    }
}

/// The follow-ups of an end. What fails is done by the session's alarm, so the caller's answer does not depend on it.
pub async fn propagate_end<P: Kv + Peers + Log + Background + Clone + 'static>(
    ports: &P,
    id: &SessionId,
    ended: &Ended,
) {
    if ended.end_propagated {
        return;
    }
    if let Err(error) = store::propagate_end(ports, id, ended, ports.now()).await {
        ports.fault(FaultKind::SettlingAnEnd, &error, None);
        return;
    }
    // Whoever may be erased is not named any longer.
    if ended.account.as_ref().is_some_and(|account| account.user().is_none()) {
        let (later, id) = (ports.clone(), id.clone());
        ports.wait_until(async move {
            // If this is lost, the name goes with all of it, by the alarm.
            let _ = later.send(&session::address(&id), &EndPropagated).await;
        });
    }
}

/// The end of a session that its object does not know any more, by KV; nothing if it is none, or KV cannot say. Its tokens are
/// good for nothing in any case.
pub async fn ended_before<P: Kv + Log>(ports: &P, id: &SessionId) -> Option<Ended> {
    match Store(ports).session(id).await {
        Ok(Record::Ended(reason)) => Some(Ended::long_ago(reason)),
        Ok(Record::Live(_) | Record::None) => None,
        Err(error) => {
            ports.fault(FaultKind::KvSessionRecord, &error, None);
            None
        }
    }
}

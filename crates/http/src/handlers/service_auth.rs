//! Who may call the service routes: whoever shows a service key that is good and has the scope.

use crate::access;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::request::RequestHead;
use crate::route::Admins;
use base::call::Actor;
use base::clock::Timestamp;
use base::ids::{ServiceKeyId, UserId};
use directory::index::{Key, KeyIds, KeyUsed, directory_address};
use directory::service_key::{PresentedKey, Scope, ServiceKey};
use std::rc::Rc;

/// A service that was let in, with the scope that its route asks for, or an admin where the route takes one. Only
/// [`RequestContext::service`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCaller(Who);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Key(Rc<ServiceKey>),
    Admin(UserId),
    /// No key was asked for.
    Local,
}

impl ServiceCaller {
    /// Who it is, for records: `key:{name}`, `user:{id}`, or `local` where no key was asked for.
    fn who(&self) -> String {
        match &self.0 {
            Who::Key(key) => key_who(&key.name),
            Who::Admin(id) => format!("user:{id}"),
            Who::Local => "local".to_owned(),
        }
    }

    /// Whether its key is for this upstream account, whether or not there is one of that name.
    pub fn may_use(&self, provider: &str, account: &str) -> bool {
        match &self.0 {
            Who::Key(key) => key.allows_account(provider, account),
            Who::Admin(_) | Who::Local => true,
        }
    }

    /// An admin has an account renewed, but is not given its token.
    pub const fn is_admin(&self) -> bool {
        matches!(self.0, Who::Admin(_))
    }

    /// Who it is to portal logins, if it may use only those that it opened itself.
    pub fn opener(&self) -> Option<&ServiceKeyId> {
        match &self.0 {
            Who::Key(key) => key.opener(),
            Who::Admin(_) | Who::Local => None,
        }
    }

    /// The id of its key.
    pub fn key_id(&self) -> Option<&ServiceKeyId> {
        match &self.0 {
            Who::Key(key) => Some(&key.id),
            Who::Admin(_) | Who::Local => None,
        }
    }

    /// Who asks, for what is done for it.
    pub fn actor(&self, head: &RequestHead) -> Actor {
        Actor { who: self.who(), request_id: head.request_id.clone() }
    }
}

/// What the marks of keys are made for.
pub const MARK: &str = "service-key";

/// How a key is named in records.
pub fn key_who(name: &str) -> String {
    ["key:", name].concat()
}

impl<B: Backend> RequestContext<B> {
    /// The service that calls. Nothing shown is 401 without an error; two keys that differ are 400; a key that is not
    /// good in any way is always the same 401; a good one without the scope is 403. If the directory can't be asked: 503.
    /// Where admins may call, a user's token or cookie says who it is, unless a key is shown, too.
    pub async fn service(&self, scope: Scope, admins: Admins) -> Result<ServiceCaller, Reason> {
        if !self.app.config.service_auth {
            // A page that somebody's browser has open reaches this machine, but not by this name.
            return if self.head.loopback {
                Ok(ServiceCaller(Who::Local))
            } else {
                Err(Reason::NotAuthenticated)
            };
        }
        if admins != Admins::None && !self.shows_key() {
            match self.admin_of(admins).await {
                Ok(admin) => return Ok(ServiceCaller(Who::Admin(admin))),
                // No user's token at all: what is said of keys is said of it.
                Err(Reason::TokenInvalid | Reason::NotAuthenticated) => {}
                Err(reason) => return Err(reason),
            }
        }
        let key = self.service_key().await?;
        if !key.lets_in(scope) {
            return Err(Reason::Forbidden);
        }
        Ok(ServiceCaller(Who::Key(key)))
    }

    async fn admin_of(&self, admins: Admins) -> Result<UserId, Reason> {
        let caller = self.user_by_token().await?;
        Ok(match admins {
            Admins::Recent => caller.recent_admin(self.app.config.recent_login, self.now())?.user_id(),
            Admins::All | Admins::None => caller.admin()?.user_id(),
        })
    }

    /// Whether there is something that is meant to be a service key.
    fn shows_key(&self) -> bool {
        let bearer = access::bearer(self.head.authorization.as_deref()).ok();
        self.head.api_key.is_some() || bearer.is_some_and(|b| PresentedKey::parse(b).is_some())
    }

    /// Whoever shows a service key shows a good one, whatever it may be used for. What is no key of ours in a bearer is somebody else's.
    pub async fn client_if_any(&self) -> Result<(), Reason> {
        if self.shows_key() && self.app.config.service_auth {
            self.service_key().await?;
        }
        Ok(())
    }

    /// What to say to somebody who is no user, for `reason`: a service with a good key is known, and is not allowed here.
    pub async fn no_user(&self, reason: Reason) -> Reason {
        if !matches!(reason, Reason::TokenInvalid | Reason::NotAuthenticated) {
            return reason;
        }
        match self.service_key().await {
            Ok(_) => Reason::Forbidden,
            Err(Reason::Unavailable) => Reason::Unavailable,
            Err(_) => reason,
        }
    }

    /// A key has changed: in this instance that holds from the next request on.
    pub fn forget_key(&self, id: &ServiceKeyId) {
        self.backend.instance().keys.borrow_mut().forget(id);
    }

    /// The good key of this request.
    async fn service_key(&self) -> Result<Rc<ServiceKey>, Reason> {
        let presented = access::service_key(&self.head)?;
        let presented = PresentedKey::parse(presented).ok_or(Reason::ServiceKeyInvalid)?;
        let now = self.now();
        let key = self.known_key(&presented, now).await?;
        let key = key.filter(|key| key.admits(&presented, now)).ok_or(Reason::ServiceKeyInvalid)?;
        if self.backend.instance().keys.borrow_mut().is_use_news(&key.id, now) {
            self.note_use(&key.id, now);
        }
        Ok(key)
    }

    /// The answer does not wait for it. What is lost is told with the next use that is news.
    fn note_use(&self, id: &ServiceKeyId, at: Timestamp) {
        let (backend, used) = (self.backend.clone(), KeyUsed { id: id.clone(), at });
        self.backend.wait_until(async move {
            let _ = backend.send(&directory_address(), &used).await;
        });
    }

    /// The key of an id, from what the directory said of it not long ago, or just now.
    /// A key without our mark is one of the first release, or marked by a sealing key that is gone, or made up: before the
    /// directory is asked about it, it must be among those that are good, which an instance asks for once in ten seconds. So no
    /// number of made-up ones is more work to the directory, and a good one is let in whoever else is behind its address.
    async fn known_key(
        &self,
        presented: &PresentedKey,
        now: Timestamp,
    ) -> Result<Option<Rc<ServiceKey>>, Reason> {
        let id = &presented.id;
        let instance = self.backend.instance();
        if let Some(known) = instance.keys.borrow().get(id, now) {
            return Ok(known);
        }
        if !presented.is_marked(|text| self.app.vault.fingerprints(MARK, text))
            && !self.is_good(id, now).await
        {
            return Ok(None);
        }
        let found = self.directory(&Key(id.clone())).await?;
        let key = found.keys.into_iter().next().map(Rc::new);
        instance.keys.borrow_mut().put(id, key.clone(), now);
        Ok(key)
    }

    /// Whether there may be a good key of this id. What cannot be asked is left to the question after the key itself.
    async fn is_good(&self, id: &ServiceKeyId, now: Timestamp) -> bool {
        let instance = self.backend.instance();
        let known = instance.keys.borrow().is_good(id, now);
        if let Some(known) = known {
            return known;
        }
        let Ok(good) = self.directory(&KeyIds).await else { return true };
        let found = good.ids.contains(id);
        instance.keys.borrow_mut().put_good(good.ids, now);
        found
    }
}

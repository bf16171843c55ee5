//! Who may call the service routes: whoever shows a service key that is good and has the scope.

use super::edge::Edge;
use crate::objects::directory as index;
use crate::platform;
use ::directory::key_cache::KeyCache;
use ::directory::service_key::{Scope, ServiceKey, Shown};
use base::clock::Timestamp;
use http::access;
use http::error::Reason;
use std::cell::RefCell;
use std::rc::Rc;

/// A service that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCaller {
    /// The key's id; empty where no key was asked for.
    pub id: String,
    pub name: String,
}

impl ServiceCaller {
    /// Who it is, for records: `key:{name}`, or `local` where no key was asked for.
    pub fn who(&self) -> String {
        if self.id.is_empty() { self.name.clone() } else { key_who(&self.name) }
    }
}

/// How a key is named in records.
pub fn key_who(name: &str) -> String {
    ["key:", name].concat()
}

thread_local! {
    static KEYS: RefCell<KeyCache> = const { RefCell::new(KeyCache::new()) };
}

/// A key has changed: in this instance that holds from the next request on.
pub fn forget(id: &str) {
    KEYS.with_borrow_mut(|keys| keys.forget(id));
}

impl Edge {
    /// The service that calls. Nothing shown is 401 without an error; two keys that differ are 400; a key that is not
    /// good in any way is always the same 401; a good one without the scope is 403. If the directory can't be asked: 503.
    pub async fn service(&self, scope: Scope) -> Result<ServiceCaller, Reason> {
        if !self.app.config.service_auth {
            // A page that somebody's browser has open reaches this machine, but not by this name.
            return if self.context.loopback {
                Ok(ServiceCaller { id: String::new(), name: "local".to_owned() })
            } else {
                Err(Reason::NotAuthenticated)
            };
        }
        let key = self.service_key().await?;
        if !key.allows(scope) {
            return Err(Reason::Forbidden);
        }
        Ok(ServiceCaller { id: key.id.clone(), name: key.name.clone() })
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

    /// The good key of this request.
    async fn service_key(&self) -> Result<Rc<ServiceKey>, Reason> {
        let shown = access::service_key(&self.context)?;
        let shown = Shown::parse(shown).ok_or(Reason::ServiceKeyInvalid)?;
        let now = platform::now();
        let key = self.known_key(&shown.id, now).await?;
        key.filter(|key| key.admits(&shown, now)).ok_or(Reason::ServiceKeyInvalid)
    }

    /// The key of an id, from what the directory said of it not long ago, or just now.
    async fn known_key(&self, id: &str, now: Timestamp) -> Result<Option<Rc<ServiceKey>>, Reason> {
        if let Some(known) = KEYS.with_borrow(|keys| keys.get(id, now)) {
            return Ok(known);
        }
        let index::Reply::Keys(found) = self.directory(&index::Command::Key(id.to_owned())).await? else {
            return Err(Reason::Internal);
        };
        let key = found.into_iter().next().map(Rc::new);
        KEYS.with_borrow_mut(|keys| keys.put(id, key.clone(), now));
        Ok(key)
    }
}

//! What the handlers need of whatever they run on: Workers, or the simulation.

#![allow(async_fn_in_trait)] // Everything here runs on one thread; nothing has to be `Send`.

use crate::handlers::guessing::RefusalCost;
use crate::handlers::health::Answered;
use crate::request::Incoming;
use base::fault::Fault;
use base::ports::{Background, Bucket, Clock, Kv, Log, Net, Random, Timer};
use base::rpc::Peers;
use base::trail::Outgoing;
use config::Settings;
use directory::key_cache::KeyCache;
use session::external::HeldOff;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The ports of handlers.
pub trait Backend:
    Clock + Random + Log + Kv + Bucket + Net + Timer + Background + Peers + Settings + Clone + 'static
{
    type Request: Incoming;

    /// The same, for one request: what it logs as a fault carries the request's id.
    #[must_use]
    fn for_request(&self, id: &str) -> Self;

    /// Counts an attempt of `key`, and says whether it is within the limit.
    async fn allow_attempt(&self, key: &str) -> Result<bool, Fault>;

    /// Begins what an instance does once, beside its first request: upstream accounts and portal sessions are reconciled.
    fn first_request(&self);

    /// What this instance keeps in memory.
    fn instance(&self) -> Rc<Instance>;
}

/// What an instance keeps in memory between requests. None of it is the truth.
#[derive(Debug, Default)]
pub struct Instance {
    started: Cell<bool>,
    pub(crate) keys: RefCell<KeyCache>,
    pub(crate) refusal_cost: Cell<RefusalCost>,
    pub(crate) health: RefCell<Option<Answered>>,
    /// Verifiers that have said when to come again, by their addresses.
    pub(crate) held_off: RefCell<BTreeMap<String, HeldOff>>,
    pub(crate) trail: Outgoing,
}

impl Instance {
    pub const fn new() -> Self {
        Self {
            started: Cell::new(false),
            keys: RefCell::new(KeyCache::new()),
            refusal_cost: Cell::new(RefusalCost::new()),
            health: RefCell::new(None),
            held_off: RefCell::new(BTreeMap::new()),
            trail: Outgoing::new(),
        }
    }

    /// Whether this is the instance's first request.
    pub(crate) fn is_first_request(&self) -> bool {
        !self.started.replace(true)
    }
}

//! Who tries a password, and how often that may be: what every route shares that takes one.

use super::session_start::{limit_rate, network};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::request::Incoming as _;
use crate::route::Admins;
use base::clock::{Timestamp, millis, seconds_up};
use base::ids::UserId;
use directory::index::HashCost;
use directory::service_key::Scope;
use directory::{
    Attempt, AttemptDone, AttemptReply, ForNobody, HashParams, Outcome, Refused, Throttled, client_address,
};
use std::net::IpAddr;
use std::time::Duration;

/// The object of a name that exists lives where its user first logged in, and that of an unknown one near whoever asks. What a
/// call across the world and a hash take together is less than this, so that the time of a refusal says nothing of the place.
const REFUSAL_MS: u64 = 500;

/// Who finds that as many are under way from its address as may fail asks again after so long, so often: a hundred people of one
/// office get in at once, and hundreds of guesses are refused two seconds later than they would be.
const BUSY: Duration = Duration::from_millis(500);
const BUSY_TRIES: u32 = 4;

/// How long what the directory said of the cost of hashes is taken for true; and where it said nothing, the settings.
const COST_KEPT: Duration = Duration::from_mins(10);
const COST_UNKNOWN_KEPT: Duration = Duration::from_secs(30);

/// What the keyed hashes are made for.
const ADDRESS: &str = "address";
const NAME: &str = "login name";

/// Why a password was of no use, and for the record at whose account, if there is such an account.
pub struct Failed {
    pub reason: Reason,
    pub user: Option<UserId>,
}

impl<R: Into<Reason>> From<R> for Failed {
    fn from(reason: R) -> Self {
        Self { reason: reason.into(), user: None }
    }
}

/// Somebody who may try a password for a name.
pub struct Guesser {
    /// The client's address, as a keyed hash.
    pub address: String,
    /// The device, if it has shown a token of ours for this name.
    pub device: Option<String>,
    /// What a refusal comes to if nobody has the name.
    pub nobody: Option<ForNobody>,
    /// What it costs at least, if that is known.
    pub refusal: Option<HashParams>,
    name: String,
}

/// What the dearest hash in use was made with, as far as this instance knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct RefusalCost {
    asked_at: Option<Timestamp>,
    known: Option<HashParams>,
    /// What the directory is to be told of.
    seen: Option<HashParams>,
}

impl RefusalCost {
    pub const fn new() -> Self {
        Self { asked_at: None, known: None, seen: None }
    }
}

impl<B: Backend> RequestContext<B> {
    /// Counts the attempt: for the client's address, among all requests and at this name. A device that the user has logged in
    /// from is not held by what its address fails at.
    pub async fn guesser(&self, username: &str) -> Result<Guesser, Failed> {
        let address = self.counted_address().await?;
        let name = self.app.vault.fingerprint(NAME, username);
        let device = self.known_device(username);
        let refusal = self.refusal_cost().await;
        let mut guesser = Guesser { address, device, nobody: None, refusal, name };
        if guesser.device.is_some() {
            return Ok(guesser);
        }
        let (name, limit) = (guesser.name.clone(), self.app.config.failures_per_address);
        let attempt = Attempt { name, limit, reserves: true, reports: true };
        let mut tries = 0;
        loop {
            match self.send(&client_address(&guesser.address), &attempt).await? {
                AttemptReply::Allowed(nobody) => {
                    guesser.nobody = Some(nobody);
                    return Ok(guesser);
                }
                AttemptReply::Throttled(Throttled { busy: true, .. }) if tries < BUSY_TRIES => {
                    tries += 1;
                    self.backend.sleep(BUSY).await;
                }
                AttemptReply::Throttled(throttled) => return Err(self.held_off(throttled).await),
            }
        }
    }

    /// What a refusal costs at least, by the directory's word. Without it, what the settings say: nobody waits for that.
    pub async fn refusal_cost(&self) -> Option<HashParams> {
        let (now, instance) = (self.now(), self.backend.instance());
        let cost = instance.refusal_cost.get();
        let kept = if cost.known.is_some() { COST_KEPT } else { COST_UNKNOWN_KEPT };
        if cost.asked_at.is_some_and(|at| at <= now && now.since(at) < kept) {
            return cost.known;
        }
        let said = self.directory(&HashCost { seen: cost.seen }).await.ok();
        // What was seen meanwhile is told the next time.
        let meanwhile = instance.refusal_cost.get();
        let known = said.or(meanwhile.known);
        let seen = if said.is_some() && meanwhile.seen == cost.seen { None } else { meanwhile.seen };
        instance.refusal_cost.set(RefusalCost { asked_at: Some(now), known, seen });
        known
    }

    /// A hash was seen that costs more than a new one. If it is news, the directory is told before the next refusal.
    fn saw(&self, dearer: HashParams) {
        let instance = self.backend.instance();
        let mut cost = instance.refusal_cost.get();
        if cost.known.is_none_or(|known| known.cost() < dearer.cost()) {
            (cost.known, cost.asked_at) = (Some(dearer), None);
        }
        cost.seen = Some(dearer.or_dearer(cost.seen));
        instance.refusal_cost.set(cost);
    }

    /// The client's address, as a keyed hash; the request is counted for it.
    pub async fn counted_address(&self) -> Result<String, Reason> {
        let network = self.client_network().await?;
        limit_rate(self, &network).await?;
        Ok(self.app.vault.fingerprint(ADDRESS, &network))
    }

    /// What became of the attempt. Where that cannot be said, it counts as a failure. To an object of the release before a failure
    /// is not said: it is counted already, and anything else is given back.
    pub fn guessed(&self, guesser: &Guesser, outcome: Outcome) {
        let Some(ForNobody { in_memory: reports, .. }) = guesser.nobody else { return };
        if !reports && outcome == Outcome::Failed {
            return;
        }
        let named = reports || outcome == Outcome::Right;
        let name = if named { guesser.name.clone() } else { String::new() };
        let limit = self.app.config.failures_per_address;
        let (gives_back, outcome) = (!reports, reports.then_some(outcome));
        let done = AttemptDone { name, failed: false, limit, gives_back, outcome };
        let (address, backend) = (client_address(&guesser.address), self.backend.clone());
        self.backend.wait_until(async move {
            let _ = backend.send(&address, &done).await;
        });
    }

    /// The network of whoever logs in: of the request's address, or of the one that a backend passes on for its users, which
    /// has a service key of a scope of its own for that. Without a key, what is passed on is not looked at.
    async fn client_network(&self) -> Result<String, Reason> {
        let passed = self.request.header("x-client-address");
        let Some(passed) = passed.filter(|_| self.head.api_key.is_some()) else {
            return Ok(network(&self.head.address));
        };
        self.service(Scope::LoginProxy, Admins::None).await?;
        let passed = passed.trim();
        passed.parse::<IpAddr>().map(|_| network(passed)).map_err(|_| Reason::InvalidRequest)
    }

    pub async fn wrong(&self, Refused { delay_ms, user_id, dearer }: Refused) -> Failed {
        if let Some(dearer) = dearer {
            self.saw(dearer);
        }
        self.refused(Reason::InvalidCredentials, user_id, delay_ms).await
    }

    pub async fn held_off(&self, Throttled { retry_after_ms, user_id, .. }: Throttled) -> Failed {
        let retry_after_seconds = seconds_up(Duration::from_millis(retry_after_ms));
        self.refused(Reason::TooManyAttempts { retry_after_seconds }, user_id, 0).await
    }

    /// A refusal, once its answer may go out: at a multiple of `REFUSAL_MS` after the request came, and then as much later as
    /// the failures before it ask for.
    pub async fn refused(&self, reason: Reason, user: Option<UserId>, delay_ms: u64) -> Failed {
        let took_ms = millis(self.now().since(self.head.started));
        let answered_ms = took_ms.div_ceil(REFUSAL_MS).max(1) * REFUSAL_MS;
        self.backend.sleep(Duration::from_millis(answered_ms - took_ms + delay_ms)).await;
        Failed { reason, user }
    }
}

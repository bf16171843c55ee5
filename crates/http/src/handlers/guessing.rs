//! Who tries a password, and how often that may be: what every route shares that takes one.

use super::session_start::{limit_rate, network};
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::request::Incoming as _;
use base::clock::{millis, seconds_up};
use base::ids::UserId;
use directory::service_key::Scope;
use directory::{Attempt, AttemptDone, AttemptReply, ForNobody, Refused, Throttled, client_address};
use std::net::IpAddr;
use std::time::Duration;

/// The object of a name that exists lives where its user first logged in, and that of an unknown one near whoever asks. What a
/// call across the world and a hash take together is less than this, so that the time of a refusal says nothing of the place.
const REFUSAL_MS: u64 = 500;

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
    name: String,
}

impl<B: Backend> RequestContext<B> {
    /// Counts the attempt: for the client's address, among all requests and at this name. A device that the user has logged in
    /// from is not held by what its address fails at.
    pub async fn guesser(&self, username: &str) -> Result<Guesser, Failed> {
        let address = self.counted_address().await?;
        let name = self.app.vault.fingerprint(NAME, username);
        let device = self.known_device(username);
        let mut guesser = Guesser { address, device, nobody: None, name };
        if guesser.device.is_some() {
            return Ok(guesser);
        }
        let attempt = Attempt { name: guesser.name.clone(), limit: self.app.config.failures_per_address };
        match self.send(&client_address(&guesser.address), &attempt).await? {
            AttemptReply::Allowed(nobody) => guesser.nobody = Some(nobody),
            AttemptReply::Throttled(throttled) => return Err(self.held_off(throttled).await),
        }
        Ok(guesser)
    }

    /// The client's address, as a keyed hash; the request is counted for it.
    pub async fn counted_address(&self) -> Result<String, Reason> {
        let network = self.client_network().await?;
        limit_rate(self, &network).await?;
        Ok(self.app.vault.fingerprint(ADDRESS, &network))
    }

    /// What became of the attempt. What cannot be said is not counted.
    pub async fn guessed(&self, guesser: &Guesser, failed: bool) {
        if guesser.nobody.is_none() {
            return;
        }
        let (address, name) = (client_address(&guesser.address), guesser.name.clone());
        let done = AttemptDone { name, failed, limit: self.app.config.failures_per_address };
        if failed {
            // Before the answer, which is held back anyway.
            let _ = self.send(&address, &done).await;
            return;
        }
        let backend = self.backend.clone();
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
        self.service(Scope::LoginProxy).await?;
        let passed = passed.trim();
        passed.parse::<IpAddr>().map(|_| network(passed)).map_err(|_| Reason::InvalidRequest)
    }

    pub async fn wrong(&self, Refused { delay_ms, user_id }: Refused) -> Failed {
        self.refused(Reason::InvalidCredentials, user_id, delay_ms).await
    }

    pub async fn held_off(&self, Throttled { retry_after_ms, user_id }: Throttled) -> Failed {
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

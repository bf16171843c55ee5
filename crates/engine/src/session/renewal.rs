//! The renewal of a post-login session, in its object: a step, the verification, a step.
//!
//! The object is the lock. The first step says whether there is anything to verify; then the verification is under way in
//! `flight`, and everybody who comes meanwhile awaits that one and gets its answer, to the byte. What the other system said
//! is decided about in a step of its own, which finds the session as it is by then. Nothing of the intent is stored, unlike
//! in `upstream`: a verification changes nothing at the other system, so one that was broken off is simply made again.

use super::Session;
use crate::host::Host;
use base::call::{Code, Refusal};
use base::fault::Fault;
use session::external::{Found, HeldOff, Question};
use session::{Renew, RenewReply, RenewStart, Renewal, Subject, Verified};

impl<H: Host> Session<H> {
    pub(super) async fn renew(&self, renewal: Renewal) -> Result<String, Fault> {
        let Renewal { generation, subject, request_id, change_id } = renewal;
        let inner = &self.inner;
        let renew = Renew { generation, subject: subject.clone(), change_id: change_id.clone() };
        let channel = match inner.armed_step(renew)? {
            RenewStart::Verify { channel } => channel,
            RenewStart::Reply(reply) => return Ok(serde_json::to_string(&reply)?),
        };
        let under_way = inner.flight.borrow().clone();
        if under_way.is_none() {
            inner.waiting.borrow_mut().clear();
        }
        inner.waiting.borrow_mut().extend(change_id);
        let flight = under_way.unwrap_or_else(|| {
            let session = self.clone();
            let flight = inner.host.start(async move {
                let reply = session.verify(generation, &subject, channel, &request_id).await;
                session.inner.flight.borrow_mut().take();
                Ok(serde_json::to_string(&reply?)?)
            });
            *inner.flight.borrow_mut() = Some(flight.clone());
            flight
        });
        let reply = inner.host.join(&flight).await;
        if reply.is_err() {
            // A panic has left it there; nobody else may wait for that.
            inner.flight.borrow_mut().take_if(|other| inner.host.same(other, &flight));
        }
        reply
    }

    async fn verify(
        &self,
        generation: u64,
        subject: &str,
        channel: String,
        request_id: &str,
    ) -> Result<RenewReply, Fault> {
        let inner = &self.inner;
        let app = inner.host.app()?;
        let settings = &app.config.post_login;
        let verifier = match settings.channels.get(&channel).map(|c| settings.verifier(c)) {
            None => return Ok(RenewReply::NoChannel(channel)),
            Some(Found::None) => return Ok(RenewReply::NoVerifier),
            Some(Found::NotSetUp) => return Ok(RenewReply::NotSetUp),
            Some(Found::Verifier(verifier)) => verifier,
        };
        let (Some(external), Some(subject)) = (inner.external(&app, &channel)?, Subject::parse(subject))
        else {
            let (status, retry_after_seconds) = (None, None);
            return Ok(RenewReply::Unverified(Refusal {
                code: Code::Unreadable,
                status,
                retry_after_seconds,
            }));
        };
        if let Some(failure) = inner.held_off.get().and_then(|held_off| held_off.failure(inner.host.now())) {
            return Ok(RenewReply::Unverified(failure.into()));
        }
        let question = Question { cif: &subject.cif, token: &external.token, request_id };
        let answer = inner.host.call(&verifier.call(&question)).await;
        match verifier.read(&question, answer) {
            Ok(verdict) => {
                let change_ids = inner.waiting.take();
                inner.armed_step(Verified { generation, verdict, change_ids })
            }
            Err(failure) => {
                inner.held_off.set(HeldOff::after(failure, inner.host.now()));
                Ok(RenewReply::Unverified(failure.into()))
            }
        }
    }
}

//! The renewal of a post-login session, in its object: a step, the verification, a step.
//!
//! The object is the lock. The first step says whether there is anything to verify; then the promise of the verification
//! lies in `flight`, and everybody who comes meanwhile awaits that one and gets its answer, to the byte. (All requests of
//! an object share one context of the runtime, so a promise may be awaited across them.) What the other system said is
//! decided about in a step of its own, which finds the session as it is by then. Nothing of the intent is stored, unlike
//! in `upstream`: a verification changes nothing at the other system, so one that was broken off is simply made again.

use super::session::Inner;
use crate::platform::{self, outbound};
use ::keeper::Code;
use ::keeper::protocol::Refusal;
use ::session::external::{Found, Question};
use ::session::{Command, Renewal, Reply, Subject};
use std::rc::Rc;
use worker::Result;
use worker::js_sys::{Object, Promise};
use worker::wasm_bindgen_futures::JsFuture;

impl Inner {
    pub(super) async fn renew(self: &Rc<Self>, renewal: Renewal) -> Result<String> {
        let Renewal { generation, subject, request_id } = renewal;
        let channel = match self.armed_step(Command::Renew { generation, subject: subject.clone() })? {
            Reply::Verify { channel, .. } => channel,
            reply => return to_json(&reply),
        };
        let under_way = self.flight.borrow().clone();
        let flight = if let Some(flight) = under_way {
            flight
        } else {
            let flight = self.verification(generation, subject, channel, request_id);
            *self.flight.borrow_mut() = Some(flight.clone());
            flight
        };
        match JsFuture::from(flight.clone()).await {
            Ok(reply) => Ok(reply.as_string().unwrap_or_default()),
            Err(error) => {
                // A panic has left it there; nobody else may wait for that.
                self.flight.borrow_mut().take_if(|other| Object::is(other, &flight));
                Err(error.into())
            }
        }
    }

    fn verification(
        self: &Rc<Self>,
        generation: u64,
        subject: String,
        channel: String,
        request_id: String,
    ) -> Promise {
        let inner = self.clone();
        super::promise(async move {
            let reply = inner.verify(generation, &subject, channel, &request_id).await;
            inner.flight.borrow_mut().take();
            to_json(&reply.map_err(super::fault)?).map_err(super::fault)
        })
    }

    async fn verify(
        &self,
        generation: u64,
        subject: &str,
        channel: String,
        request_id: &str,
    ) -> Result<Reply> {
        let app = self.app()?;
        let settings = &app.config.post_login;
        let verifier = match settings.channels.get(&channel).map(|c| settings.verifier(c)) {
            None => return Ok(Reply::NoChannel(channel)),
            Some(Found::None) => return Ok(Reply::NoVerifier),
            Some(Found::NotSetUp) => return Ok(Reply::NotSetUp),
            Some(Found::Verifier(verifier)) => verifier,
        };
        let (Some(vouched), Some(subject)) = (self.external(&app, &channel)?, Subject::parse(subject)) else {
            let (status, retry_after_seconds) = (None, None);
            return Ok(Reply::Unverified(Refusal { code: Code::Unreadable, status, retry_after_seconds }));
        };
        let question = Question { cif: &subject.cif, token: &vouched.token, request_id };
        let answer = outbound::call(&verifier.call(&question), platform::now()).await;
        match verifier.read(&question, answer) {
            Ok(verdict) => self.armed_step(Command::Verified { generation, verdict }),
            Err(failure) => Ok(Reply::Unverified(failure.into())),
        }
    }
}

fn to_json(reply: &Reply) -> Result<String> {
    Ok(serde_json::to_string(reply)?)
}

//! What happened to a login is told by its alarm, in order: the next event is sent when the one before was taken or given up. An object
//! has one alarm at a time, so nothing is sent twice at once; where it breaks off, before it is written that the receiver has taken an
//! event, that is sent once more.

use super::{Portal, Result};
use crate::host::Host;
use crate::webhook::{Message, SENDING, signed};
use base::outbox::Attempt;
use base::secret::Secret;
use portal::events::{body, message_id};
use portal::steps::EventAttempted;

impl<H: Host> Portal<H> {
    /// Tells what is due. Where nobody wants to know anything, not a row is read for it.
    pub(super) async fn tell_events(&self) -> Result<()> {
        if self.host.app()?.config.portals.policy.events.is_none() {
            return Ok(());
        }
        let until = self.host.now().plus(SENDING);
        while self.host.now() < until {
            let Some(loaded) = self.load()? else { return Ok(()) };
            let due = loaded.login.events_due(loaded.policy().events);
            let queue = loaded.login.events.as_ref().map(|outbox| &outbox.webhook);
            let Some((queue, event)) = queue
                .filter(|_| due.is_some_and(|at| at <= self.host.now()))
                .and_then(|queue| Some((queue, queue.events.first()?)))
            else {
                return Ok(());
            };
            let (id, body) = (message_id(&loaded.name, event), body(&loaded.name, event));
            let settings = &loaded.app.config.events;
            let attempt = match signed(settings, &id, &body, self.host.now()) {
                Some((url, headers)) => {
                    let message = Message { id: &id, at: event.at, attempts: queue.attempts };
                    message.deliver(&self.host, url, headers, Secret::new(body)).await?
                }
                // Nobody is asked for any more.
                None => Attempt::Done,
            };
            self.step(EventAttempted { sequence: event.sequence, attempt })?;
            if attempt != Attempt::Done {
                return Ok(());
            }
        }
        Ok(())
    }
}

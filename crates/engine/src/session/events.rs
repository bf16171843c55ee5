//! What happened to a session is told by its alarm, to one receiver after the other, in order: the next event is sent when
//! the one before was taken or given up. An object has one alarm at a time, so nothing is sent twice at once; where it
//! breaks off, before it is written that a receiver has taken an event, that is sent once more.

use super::{Inner, Memory, Recalled, Turn};
use crate::host::Host;
use crate::webhook::{Message, SENDING, signed};
use base::clock::Timestamp;
use base::fault::Fault;
use base::secret::Secret;
use config::App;
use session::State;
use session::events::{Attempt, Event, Outbox, Receiver, body, message_id};

impl<H: Host> Inner<H> {
    /// Tells what is due.
    pub(super) async fn tell_events(&self, app: &App) -> Result<(), Fault> {
        let until = self.host.now().plus(SENDING);
        for receiver in Receiver::ALL {
            while self.host.now() < until
                && let Some((outbox, event)) = self.first_due(app, receiver)?
            {
                let attempt = self.attempt(app, receiver, &outbox, &event).await?;
                let sequence = event.sequence;
                self.write(app, &mut |state| {
                    if let Some(outbox) = state.outbox_mut() {
                        outbox.queue_mut(receiver).attempted(sequence, attempt);
                    }
                })?;
                if attempt != Attempt::Done {
                    break;
                }
            }
        }
        Ok(())
    }

    fn first_due(&self, app: &App, receiver: Receiver) -> Result<Option<(Outbox, Event)>, Fault> {
        let mut found = None;
        self.look(app, &mut |state, now| {
            let queue = state.outbox().map(|outbox| (outbox, outbox.queue(receiver)));
            let due = queue.filter(|(_, queue)| queue.try_at <= now);
            found = due.and_then(|(outbox, queue)| Some((outbox.clone(), queue.events.first()?.clone())));
        })?;
        Ok(found)
    }

    async fn attempt(
        &self,
        app: &App,
        receiver: Receiver,
        outbox: &Outbox,
        event: &Event,
    ) -> Result<Attempt, Fault> {
        let (host, id) = (&self.host, message_id(&self.id, event));
        let events = &app.config.events;
        let attempts = outbox.queue(receiver).attempts;
        let message = match receiver {
            Receiver::Webhook => {
                let body = body(&self.id, outbox, event);
                signed(events, &id, &body, host.now()).map(|(url, headers)| (url, headers, body))
            }
            Receiver::Logout => {
                // Of each attempt its own: a receiver may refuse one that it has seen.
                let jti = format!("{id}-{}", attempts.saturating_add(1));
                let token = app.keys.logout_token(&self.id, &outbox.sub, &jti, host.now());
                let token = token.map_err(|_| Fault::from("a logout token could not be made"))?;
                let form = vec![("content-type", Secret::new("application/x-www-form-urlencoded"))];
                let body = format!("logout_token={}", token.expose());
                events.logout_url.as_deref().map(|url| (url, form, body))
            }
        };
        // Nobody is asked for any more.
        let Some((url, headers, body)) = message else { return Ok(Attempt::Done) };
        let message = Message { id: &id, at: event.at, attempts };
        message.deliver(host, url, headers, Secret::new(body)).await
    }

    /// Looks at the state as it is by now.
    pub(super) fn look(&self, app: &App, look: &mut dyn FnMut(&State, Timestamp)) -> Result<(), Fault> {
        let now = self.host.now();
        let Recalled { stored, state, .. } = self.recall(&app.config.session, now, Turn::Later)?;
        if let (Some(stored), Some(state)) = (stored, state) {
            look(&state, now);
            *self.memory.borrow_mut() = Some(Memory { stored, state });
        }
        Ok(())
    }

    /// Changes the state as it is by now, and writes it.
    pub(super) fn write(&self, app: &App, change: &mut dyn FnMut(&mut State)) -> Result<(), Fault> {
        let now = self.host.now();
        let Some(mut state) = self.recall(&app.config.session, now, Turn::Later)?.state else {
            return Ok(());
        };
        change(&mut state);
        if let Some(stored) = self.save(Some(&state), None, now)? {
            *self.memory.borrow_mut() = Some(Memory { stored, state });
        }
        Ok(())
    }
}

//! The object of one session.

mod events;
mod external;
mod renewal;

use crate::host::{Answer, Due, DurableObject, Host};
use crate::log;
use ::session::external::HeldOff;
use ::session::tokens::SessionMint;
use ::session::{
    Account, EndPropagated, Ended, Envelope, Expire, Open, PROPAGATE_AFTER, Peek, Presence, Renewal, State,
    Step, Tombstone, Unnoted, decide,
};
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::SessionId;
use config::{App, Check};
use directory::{Close, Ending, EndingReply, owner_address};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use store::Store;

const ROW: &str = "session";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One session: its state, its rotation, its deadlines. Its id is the session id.
///
/// It owns everything that is true of the session; KV and the owner's list follow it. A command is one synchronous step:
/// storage is read, the pure `decide` is asked, storage is written, with no `await` in between, so no other command can
/// come in between (the input gate would let one in at an `await`), and all writes of a step are one atomic batch. The
/// output gate holds the reply back until they are durable. A step that is the first thing of its event is decided by what
/// memory knows: the platform has made sure that this instance is the current one when it delivered the event. Every other
/// step reads, and an instance that the platform has replaced meanwhile fails there (decision 1).
///
/// Only activity lives in memory ahead of storage, by at most [`::session::Policy::activity_write`].
///
/// What happens is told to others, where they want to know, by its alarm; `events` has it.
///
/// The renewal of a post-login session is two steps with a call between them; `renewal` has it.
pub struct Session<H: Host> {
    inner: Rc<Inner<H>>,
}

struct Inner<H: Host> {
    host: H,
    id: SessionId,
    memory: RefCell<Option<Memory<H::Text>>>,
    /// The verification under way: a reply in JSON.
    flight: RefCell<Option<H::Flight>>,
    /// The names of those who wait for it.
    waiting: RefCell<Vec<String>>,
    /// The verifier has said when to come again.
    held_off: Cell<Option<HeldOff>>,
}

/// The state as of the last step, and the stored text that it goes with.
struct Memory<T> {
    stored: T,
    state: State,
}

impl<H: Host> Clone for Session<H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

/// Where in its event a step comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Before anything else: nothing can have replaced this instance since the event was delivered.
    First,
    Later,
}

/// What the alarm comes for next.
#[derive(Clone, Copy)]
enum Next {
    /// The end of a live session.
    Live(Timestamp),
    At(Timestamp),
    /// Nothing of it is needed any more.
    Forget,
}

/// A session as a step finds it.
struct Recalled<T> {
    stored: Option<T>,
    state: Option<State>,
    /// When its alarm is due, if nobody knows whether it is set.
    lost_alarm: Option<Timestamp>,
}

impl<H: Host> DurableObject<H> for Session<H> {
    fn new(host: H) -> Self {
        let id = SessionId::issued(host.object_id());
        let (memory, flight, held_off) = (RefCell::new(None), RefCell::new(None), Cell::new(None));
        let waiting = RefCell::default();
        Self { inner: Rc::new(Inner { host, id, memory, flight, waiting, held_off }) }
    }

    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let inner = &self.inner;
        match Envelope::read(json)? {
            Envelope::Open(open) => inner.open(open),
            Envelope::Touch(touch) => inner.answer(touch),
            Envelope::Rotate(rotate) => inner.answer(rotate),
            Envelope::Reauthenticate(reauthenticate) => inner.answer(reauthenticate),
            Envelope::Revoke(revoke) => inner.answer(revoke),
            Envelope::SetAccount(set_account) => inner.answer(set_account),
            Envelope::Peek => inner.answer(Peek),
            Envelope::Expire => inner.answer(Expire),
            Envelope::EndPropagated => inner.answer(EndPropagated),
            Envelope::Unnoted => inner.answer(Unnoted),
        }
    }

    /// A renewal.
    async fn ask(&self, json: &str) -> Result<String, Fault> {
        let renewal: Renewal = base::json::read(json)?;
        self.renew(renewal).await
    }

    /// Ends the session if its time is over, and does the follow-ups of an end that nobody has finished. Never fails:
    /// what could not be done is done by the next alarm, which is set first.
    async fn alarm(&self) -> Result<(), Fault> {
        let host = &self.inner.host;
        let now = host.now();
        if let Err(error) = self.inner.on_alarm(now).await {
            host.fault(FaultKind::SessionAlarm, &error, None);
            host.set_alarm(now.plus(ALARM_AGAIN))?;
        }
        Ok(())
    }
}

impl<H: Host> Inner<H> {
    fn answer<S: Step<Reply: Serialize>>(&self, step: S) -> Result<Answer, Fault> {
        let app = self.host.app()?;
        let (reply, due) = self.step(&app, step, None, self.host.now(), Turn::First)?;
        Answer::due(&reply, due)
    }

    fn open(&self, open: Open) -> Result<Answer, Fault> {
        let app = self.host.app()?;
        // Sealed before anything is decided, so that a fault changes nothing.
        let sealed = match &open.external {
            Some(external) => Some(self.seal(&app, external)?),
            None => None,
        };
        let (reply, due) = self.step(&app, open, sealed.as_deref(), self.host.now(), Turn::First)?;
        Answer::due(&reply, due)
    }

    /// A step outside a command, with its alarm: what the storage is told in one turn is one batch.
    fn armed_step<S: Step>(&self, step: S) -> Result<S::Reply, Fault> {
        let app = self.host.app()?;
        let (reply, due) = self.step(&app, step, None, self.host.now(), Turn::Later)?;
        if let Some(due) = due {
            self.host.set_alarm(due.at)?;
        }
        Ok(reply)
    }

    /// Load, decide, store. What goes wrong on the way leaves storage as it was and forgets the memory. `sealed` is the
    /// external token of a session that this step begins. What is the same for every step is compiled once.
    fn step<S: Step>(
        &self,
        app: &App,
        step: S,
        sealed: Option<&str>,
        now: Timestamp,
        turn: Turn,
    ) -> Result<(S::Reply, Option<Due>), Fault> {
        let policy = &app.config.session;
        let Recalled { stored, state, lost_alarm } = self.recall(policy, now, turn)?;
        let mint = SessionMint {
            keys: &app.keys,
            session_id: &self.id,
            carry_account: app.config.check != Check::Strict,
        };
        let decision = decide(state, step, policy, now, &mint)
            .map_err(|::session::Fault| Fault::from("the tokens could not be made or read"))?;
        // The alarm that a live session has tells of its end, if nobody else does: to set another one is a row.
        let unless_set = decision.alarm.is_none() || matches!(decision.state, Some(State::Ended(_)));
        let events_due = decision.state.as_ref().and_then(|s| s.events_due(policy)).map(|at| at.max(now));
        let stored = if decision.save { self.save(decision.state.as_ref(), sealed, now)? } else { stored };
        if let (Some(stored), Some(state)) = (stored, decision.state) {
            *self.memory.borrow_mut() = Some(Memory { stored, state });
        }
        let alarm = decision.alarm.or(lost_alarm);
        let events = events_due.filter(|_| decision.is_news || alarm.is_some());
        let due = alarm.into_iter().chain(events).min().map(|at| Due { at, unless_set });
        Ok((decision.reply, due))
    }

    /// What is stored, and the state that it means. The memory is taken out: it is put back by a step that goes well.
    fn recall(
        &self,
        policy: &::session::Policy,
        now: Timestamp,
        turn: Turn,
    ) -> Result<Recalled<H::Text>, Fault> {
        let mut memory = self.memory.borrow_mut().take();
        if turn == Turn::First
            && let Some(Memory { stored, state }) = memory.take()
        {
            return Ok(Recalled { stored: Some(stored), state: Some(state), lost_alarm: None });
        }
        let stored = self.host.read(ROW)?;
        let (state, recovered) = match (&stored, memory) {
            (Some(stored), Some(memory)) if *stored == memory.stored => (Some(memory.state), false),
            (Some(stored), _) => {
                let state: State = base::json::read(&self.host.text(stored)?)?;
                (Some(state.recovered(policy)), true)
            }
            (None, _) => (None, false),
        };
        // An alarm may be lost with the process; whoever wakes up sees to it that one is set.
        let lost_alarm = state.as_ref().filter(|_| recovered).map(|s| s.alarm(policy, now));
        Ok(Recalled { stored, state, lost_alarm })
    }

    fn save(
        &self,
        state: Option<&State>,
        sealed: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<H::Text>, Fault> {
        self.store(state, sealed).inspect_err(|_| {
            // Perhaps it was done all the same. The alarm looks what there is to do.
            let _ = self.host.set_alarm(now.plus(ALARM_AGAIN));
        })
    }

    /// Writes the state. `sealed` is the external token of a session that begins.
    fn store(&self, state: Option<&State>, sealed: Option<&str>) -> Result<Option<H::Text>, Fault> {
        match (state, sealed) {
            (Some(State::Live(_)), Some(sealed)) => self.host.put(external::ROW, sealed)?,
            (Some(State::Live(_)), None) => {}
            // With the session goes what vouched for it.
            (Some(State::Ended(_)) | None, _) => self.host.delete(external::ROW)?,
        }
        match state {
            Some(state) => Ok(Some(self.host.write(ROW, &serde_json::to_string(state)?)?)),
            None => self.host.delete(ROW).map(|()| None),
        }
    }

    /// If it breaks off, the platform rings again. The end is told before events are, which nobody's safety depends on.
    async fn on_alarm(&self, now: Timestamp) -> Result<(), Fault> {
        let app = self.host.app()?;
        let next = self.follow_up(&app, now).await?;
        if app.config.session.receivers.is_none() {
            return match next {
                Next::Forget => self.host.delete_all().await,
                Next::Live(at) | Next::At(at) => self.host.set_alarm(at),
            };
        }
        self.tell_events(&app).await?;
        self.wind(&app, next).await
    }

    /// Sets the alarm, or forgets everything. The session may have ended while events were told.
    async fn wind(&self, app: &App, next: Next) -> Result<(), Fault> {
        let (policy, mut alarm, mut events, mut is_alone) = (&app.config.session, None, None, false);
        self.look(app, &mut |state, now| {
            alarm = Some(state.alarm(policy, now));
            events = state.events_due(policy).map(|at| at.max(now));
            is_alone = state.outbox().is_some_and(|outbox| outbox.alone);
        })?;
        let alarm = match next {
            Next::Live(_) => alarm,
            Next::At(at) => Some(at),
            Next::Forget if events.is_none() => return self.host.delete_all().await,
            Next::Forget => {
                if !is_alone {
                    self.write(app, &mut State::leave_outbox_alone)?;
                }
                None
            }
        };
        alarm.into_iter().chain(events).min().map_or(Ok(()), |at| self.host.set_alarm(at))
    }

    /// What the time asks for, and when it does next.
    async fn follow_up(&self, app: &App, now: Timestamp) -> Result<Next, Fault> {
        let (reply, due) = self.step(app, Expire, None, now, Turn::Later)?;
        let ended = match reply {
            Presence::Ended(ended) => ended,
            Presence::Unknown => return Ok(Next::Forget),
            Presence::Live(_) => return Ok(Next::Live(due.map_or(now.plus(ALARM_AGAIN), |due| due.at))),
        };
        if ended.now {
            let user = ended.account.as_ref().and_then(Account::user);
            log::keep(&self.host, &log::expired(&self.id, ended.reason, user, now));
        }
        let gone = Next::At(now.plus(ALARM_AGAIN));
        let Some(tombstone) = self.tombstone(app, now)? else { return Ok(gone) };
        if tombstone.events.as_ref().is_some_and(|outbox| outbox.alone) {
            return Ok(Next::Forget);
        }
        let is_of_before = tombstone.tokens_expire_at.is_none();
        if is_of_before && ended.end_propagated {
            return Ok(Next::At(tombstone.needed_until()));
        }
        // Whoever has ended it is about to tell.
        let (ended_at, may_tell) = (tombstone.ended_at, tombstone.ended_at.plus(PROPAGATE_AFTER));
        let may_be_telling = !ended.now && !ended.end_propagated && !tombstone.unnoted;
        if may_be_telling && ended_at <= now && now < may_tell {
            return Ok(Next::At(may_tell));
        }
        if let Err(error) = self.tell(app, &ended, now).await {
            self.host.fault(FaultKind::SettlingAnEnd, &error, None);
            let again = self.tombstone(app, now)?.map(|t| t.again(now));
            return Ok(again.map_or(gone, Next::At));
        }
        if is_of_before {
            self.step(app, EndPropagated, None, now, Turn::Later)?;
        }
        let Some(tombstone) = self.tombstone(app, now)? else { return Ok(gone) };
        Ok(match tombstone.needed_until() {
            until if until <= now => Next::Forget,
            until => Next::At(until),
        })
    }

    /// What is left of it, if it has ended.
    fn tombstone(&self, app: &App, now: Timestamp) -> Result<Option<Tombstone>, Fault> {
        Ok(match self.recall(&app.config.session, now, Turn::Later)?.state {
            Some(State::Ended(tombstone)) => Some(tombstone),
            Some(State::Live(_)) | None => None,
        })
    }

    /// Sees to it that the owner and KV know of the end. If somebody else has ended the session, they mostly do.
    async fn tell(&self, app: &App, ended: &Ended, now: Timestamp) -> Result<(), Fault> {
        let (host, id) = (&self.host, &self.id);
        let owner = ended.account.as_ref().map(|account| owner_address(account.owner()));
        let is_listed = match &owner {
            Some(owner) if !ended.end_propagated => {
                let asked = Ending { session_id: id.clone() };
                ended.now || host.send(owner, &asked).await? == EndingReply::Untold
            }
            _ => false,
        };
        let Some(tombstone) = self.tombstone(app, now)? else { return Ok(()) };
        // Whoever is off the list has been told of, and KV first. It is looked at where it lets people in, where what the beginning
        // has written may have come late, and where an object or a Worker of the release before may have done it its own way.
        let is_sure = app.config.check != Check::Edge
            && tombstone.again_at.is_none()
            && tombstone.tokens_expire_at.is_some()
            && !ended.end_propagated;
        let is_noted =
            !is_listed && !tombstone.unnoted && (is_sure || Store(host).is_end_noted(id, ended, now).await?);
        if is_noted {
            return Ok(());
        }
        let noted = Store(host).note_end(id, ended, now).await;
        if noted.is_err() {
            // The place need not wait for KV.
            self.step(app, Unnoted, None, now, Turn::Later)?;
        }
        if let Some(owner) = owner.filter(|_| is_listed) {
            host.send(&owner, &Close { session_id: id.clone() }).await?;
        }
        noted
    }
}

//! The state of a session, for a service that may have it.

use super::login::Wish;
use super::store::JAR;
use super::{Portal, Result};
use crate::host::Host;
use base::ids::ServiceKeyId;
use portal::steps::{Gone, Resumption, StateWanted, Unreadable, Usable};
use portal::{Code, ReadState, Refusal, SessionState, StateReply};

impl<H: Host> Portal<H> {
    /// When it is its turn: what is done at the portal may change it.
    pub(super) async fn on_read_state(
        &self,
        name: &str,
        read: ReadState,
        opener: Option<ServiceKeyId>,
    ) -> Result<StateReply> {
        if !self.is_known(name)? {
            return Ok(StateReply::Unknown);
        }
        if self.memory.queue.is_full() {
            return Ok(StateReply::Refused(Self::busy()));
        }
        let portal = self.clone();
        let turn = self.enqueue(async move { portal.state_at_turn(read, opener).await });
        let reply = self.outcome(&turn).await?;
        self.sync_changes().await;
        Ok(reply)
    }

    /// One that the portal has ended is logged in again first, as for an operation.
    async fn state_at_turn(&self, read: ReadState, opener: Option<ServiceKeyId>) -> Result<StateReply> {
        let ReadState { session_id, by } = read;
        let wanted = StateWanted { session_id: session_id.clone(), opener };
        let (resumption, loaded) = self.step(wanted)?;
        match resumption {
            Resumption::Gone(Gone::Unknown) => return Ok(StateReply::Unknown),
            Resumption::Gone(Gone::Ended(reason)) => return Ok(StateReply::Ended(reason)),
            Resumption::Refused(refusal) => return Ok(StateReply::Refused(refusal)),
            Resumption::Usable(Usable::Now) => {}
            Resumption::Usable(Usable::AfterLogin) => {
                if let Err(refusal) = self.log_in(None, &Wish::default(), &by).await? {
                    let ended = self.load()?.and_then(|loaded| loaded.login.ended);
                    let ended = ended.filter(|ended| ended.session_id == session_id);
                    return Ok(ended.map_or(StateReply::Refused(refusal), |e| StateReply::Ended(e.reason)));
                }
            }
        }
        let Ok(Some(jar)) = self.rows()?.jar(&loaded.name, JAR)? else {
            self.step(Unreadable)?;
            return Ok(StateReply::Refused(Refusal::new(Code::Unreadable)));
        };
        // It may have been closed while it was logged in again.
        let live = self.load()?.and_then(|loaded| loaded.login.session);
        let Some(live) = live.filter(|live| live.session_id == session_id) else {
            return Ok(StateReply::Refused(Refusal::new(Code::Closed)));
        };
        Ok(StateReply::State(SessionState { jar: jar.save(), as_of: live.confirmed_at }))
    }
}

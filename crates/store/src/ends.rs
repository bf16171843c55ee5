//! What follows the end of a session outside its object. All of it may be done twice.

use crate::Store;
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::SessionId;
use base::ports::{Kv, Log};
use base::rpc::Peers;
use directory::{Close, owner_address};
use session::{Ended, Unnoted};

/// Notes the end of a session in KV, then takes it off its owner's list: of whoever is not on it any more, KV has been told. An
/// error says that some of it is still to be done; an alarm of the session's sees to that.
pub async fn propagate_end<P: Kv + Peers + Log>(
    ports: &P,
    session_id: &SessionId,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Fault> {
    note_end(ports, session_id, ended, now).await?;
    let Some(account) = &ended.account else { return Ok(()) };
    ports.send(&owner_address(account.owner()), &Close { session_id: session_id.clone() }).await?;
    Ok(())
}

/// KV's part of it. If KV fails, the session's object is told that its alarm has to do it, and its place need not wait. An error
/// says that it could not be told.
pub async fn note_end<P: Kv + Peers + Log>(
    ports: &P,
    session_id: &SessionId,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Fault> {
    if let Err(error) = Store(ports).note_end(session_id, ended, now).await {
        ports.fault(FaultKind::SettlingAnEnd, &error, None);
        ports.send(&session::address(session_id), &Unnoted).await?;
    }
    Ok(())
}

//! What follows the end of a session outside its object. All of it may be done twice.

use crate::Store;
use base::clock::Timestamp;
use base::fault::Fault;
use base::ids::SessionId;
use base::ports::Kv;
use base::rpc::Peers;
use directory::Close;
use futures_util::future::join;
use session::Ended;

/// Takes an ended session off its user's list and out of KV, and notes in KV that its tokens are void. An error says
/// that some of it is still to be done; the session's alarm sees to that.
pub async fn propagate_end<P: Kv + Peers>(
    ports: &P,
    session_id: &SessionId,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Fault> {
    let list = async {
        let Some(account) = &ended.account else { return Ok(()) };
        let close = Close { session_id: session_id.clone() };
        ports.send(&directory::owner_address(account.owner()), &close).await?;
        Ok(())
    };
    let (listed, kv) = join(list, forget_session(ports, session_id, ended, now)).await;
    listed.and(kv)
}

/// KV's part of it.
pub async fn forget_session(
    kv: &impl Kv,
    session_id: &SessionId,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Fault> {
    let store = Store(kv);
    let (deleted, noted) =
        join(store.delete_session(session_id), store.blacklist(session_id, ended, now)).await;
    deleted.and(noted)
}

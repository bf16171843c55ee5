//! What follows the end of a session outside its object. All of it may be done twice.

use super::rpc;
use crate::store::Kv;
use ::directory::Command;
use ::session::Ended;
use base::clock::Timestamp;
use futures_util::future::join;
use worker::{Env, Error, Result};

/// Takes an ended session off its user's list and out of KV, and notes in KV that its tokens are void. An error says
/// that some of it is still to be done; the session's alarm sees to that.
pub async fn settle(env: &Env, session_id: &str, ended: &Ended, now: Timestamp) -> Result<()> {
    let list = async {
        let Some(account) = &ended.account else { return Ok(()) };
        let close = Command::Close { session_id: session_id.to_owned() };
        rpc::owner(env, account.owner(), &close).await.map(|_| ()).map_err(|e| Error::from(e.to_string()))
    };
    let (listed, kv) = join(list, kv(env, session_id, ended, now)).await;
    listed.and(kv)
}

/// KV's part of it.
pub async fn kv(env: &Env, session_id: &str, ended: &Ended, now: Timestamp) -> Result<()> {
    let kv = Kv::open(env)?;
    let (deleted, noted) = join(kv.delete_session(session_id), kv.blacklist(session_id, ended, now)).await;
    deleted.and(noted)
}

//! Typed KV. Every key is made here, with its prefix and its time to live; `docs/storage.md` lists them.

use crate::platform;
use ::keeper::protocol::{Issued, Status};
use ::keeper::{AccountKey, providers};
use ::session::tokens::{LEEWAY_SECONDS, access_jti};
use ::session::{EndReason, Ended};
use base::clock::{Timestamp, seconds_up};
use base::vault::Vault;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use worker::{Env, KvStore, Result};

const BINDING: &str = "KV";
const SESSION: &str = "session:";
const BLACKLIST: &str = "access_token_blacklist:";
/// Behind the provider's name: the sealed token of an account.
const TOKEN: &str = "_access_token";
/// What is known of an Upstox token, without the token.
const TOKEN_INFO: &str = "token_info";
/// What tokens in KV are sealed for; the record is the key.
const TOKEN_PURPOSE: &str = "kv";
/// The old system's time to live of tokens; one that ends earlier goes earlier.
const TOKEN_TTL_MAX: Duration = Duration::from_hours(24);
/// Cloudflare KV refuses a shorter `expirationTtl`.
const TTL_SECONDS_MIN: u64 = 60;
/// Cloudflare KV lists at most this many keys at once.
pub const LIST_MAX: u64 = 1000;

/// What KV keeps of a live session. The session's object is the truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionRecord {
    pub user_id: u64,
    pub username: String,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
    pub device_name: Option<String>,
}

/// What a listing shows without a read of each record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionMetadata {
    pub user_id: u64,
    pub created_at: Timestamp,
    pub absolute_expires_at: Timestamp,
}

pub struct Kv(KvStore);

/// A page of session ids, and where the next one begins.
pub struct Page {
    pub session_ids: Vec<String>,
    pub cursor: Option<String>,
}

impl Kv {
    pub fn open(env: &Env) -> Result<Self> {
        env.kv(BINDING).map(Self)
    }

    pub async fn put_session(&self, id: &str, record: &SessionRecord, now: Timestamp) -> Result<()> {
        let metadata = SessionMetadata {
            user_id: record.user_id,
            created_at: record.created_at,
            absolute_expires_at: record.absolute_expires_at,
        };
        let ttl = ttl(record.absolute_expires_at.since(now));
        let value = serde_json::to_string(record)?;
        let put = self.0.put(&format!("{SESSION}{id}"), value)?.expiration_ttl(ttl).metadata(metadata)?;
        Ok(put.execute().await?)
    }

    pub async fn delete_session(&self, id: &str) -> Result<()> {
        Ok(self.0.delete(&format!("{SESSION}{id}")).await?)
    }

    pub async fn list_sessions(&self, limit: u64, cursor: Option<String>) -> Result<Page> {
        let mut list = self.0.list().prefix(SESSION.to_owned()).limit(limit.min(LIST_MAX));
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await?;
        let id = |name: &str| name.strip_prefix(SESSION).map(str::to_owned);
        Ok(Page {
            session_ids: page.keys.iter().filter_map(|k| id(&k.name)).collect(),
            cursor: page.cursor.filter(|_| !page.list_complete),
        })
    }

    /// Notes that a session has ended, for checks that ask only KV. Two keys: the id of its newest access token, as the
    /// old readers of KV expect, and the session's own, which covers every token of it that is still out.
    pub async fn blacklist(&self, session_id: &str, ended: &Ended, now: Timestamp) -> Result<()> {
        let left = ended.access_expires_at.since(now);
        if left.is_zero() {
            return Ok(());
        }
        let ttl = ttl(left + Duration::from_secs(LEEWAY_SECONDS));
        for id in [access_jti(session_id, ended.generation), session_id.to_owned()] {
            let put = self.0.put(&format!("{BLACKLIST}{id}"), ended.reason.as_str())?;
            put.expiration_ttl(ttl).execute().await?;
        }
        Ok(())
    }

    /// Why a session was ended, if KV has heard of it.
    pub async fn blacklisted(&self, session_id: &str) -> Result<Option<EndReason>> {
        let value = self.0.get(&format!("{BLACKLIST}{session_id}")).text().await?;
        // A reason that a newer release wrote is an end all the same.
        Ok(value.map(|v| serde_json::from_value(v.into()).unwrap_or(EndReason::Admin)))
    }
}

/// KV's copies of upstream tokens. The account's object is the truth.
impl Kv {
    /// Writes the copies of an account's token, or deletes them if there is none. The default account has them also under
    /// keys without an id.
    pub async fn put_token(
        &self,
        vault: &Vault,
        key: &AccountKey,
        default: bool,
        issued: Option<&Issued>,
        status: &Status,
    ) -> Result<()> {
        let is_upstox = key.provider == providers::UPSTOX;
        let names: &[Option<&str>] =
            if default && is_upstox { &[Some(&key.account), None] } else { &[Some(&key.account)] };
        for account in names {
            let (token, info) = (token_key(key.provider, *account), suffixed(TOKEN_INFO, *account));
            let Some(issued) = issued else {
                self.0.delete(&token).await?;
                if is_upstox {
                    self.0.delete(&info).await?;
                }
                continue;
            };
            let ttl = ttl(issued.expires_at.since(platform::now()).min(TOKEN_TTL_MAX));
            let nonce = platform::nonce().ok_or("no random bytes")?;
            let sealed = vault.seal(TOKEN_PURPOSE, &token, &serde_json::to_vec(issued)?, nonce);
            let sealed = sealed.map_err(|_| "the token could not be sealed")?;
            self.0.put(&token, sealed)?.expiration_ttl(ttl).execute().await?;
            if is_upstox {
                let value = token_info(key, issued, status);
                self.0.put(&info, value)?.expiration_ttl(ttl).execute().await?;
            }
        }
        Ok(())
    }

    /// The copy of an account's token.
    pub async fn token(&self, vault: &Vault, key: &AccountKey) -> Result<TokenCopy> {
        let name = token_key(key.provider, Some(&key.account));
        let Some(sealed) = self.0.get(&name).text().await? else { return Ok(TokenCopy::None) };
        let plain = vault.open(TOKEN_PURPOSE, &name, &sealed).ok();
        let issued = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        Ok(issued.map_or(TokenCopy::Broken, TokenCopy::Good))
    }
}

/// What KV has of a token.
pub enum TokenCopy {
    None,
    Good(Issued),
    /// It cannot be opened.
    Broken,
}

fn token_key(provider: &str, account: Option<&str>) -> String {
    suffixed(&format!("{provider}{TOKEN}"), account)
}

fn suffixed(name: &str, account: Option<&str>) -> String {
    account.map_or_else(|| name.to_owned(), |account| format!("{name}:{account}"))
}

fn token_info(key: &AccountKey, issued: &Issued, status: &Status) -> String {
    json!({
        "account_id": key.account,
        "expires_at": issued.expires_at.rfc3339_ist(),
        "updated_at": issued.obtained_at.rfc3339_ist(),
        "source": issued.source,
        "updated_by": issued.updated_by,
        "user_id": status.user_id,
    })
    .to_string()
}

fn ttl(left: Duration) -> u64 {
    seconds_up(left).max(TTL_SECONDS_MIN)
}

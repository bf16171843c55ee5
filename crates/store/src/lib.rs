//! What KV holds, by typed prefixes: records of sessions, live and ended, and sealed copies of upstream tokens.
//!
//! KV is eventually consistent. The objects are the truth; what is here is for listings and for fast reads.

mod ends;
mod sessions;

pub use ends::{note_end, propagate_end};
pub use sessions::{Page, Record, SessionRecord};

use base::clock::seconds_up;
use base::fault::Fault;
use base::ids::AccountName;
use base::ports::{Clock, KV_TTL_MIN, Kv, Random};
use base::vault::Vault;
use keeper::protocol::{Issued, Status};
use keeper::{AccountKey, providers};
use serde_json::json;
use std::time::Duration;

/// Behind the provider's name: the sealed token of an account.
const TOKEN: &str = "_access_token";
/// What is known of an Upstox token, without the token.
const TOKEN_INFO: &str = "token_info";
/// What tokens in KV are sealed for; the record is the key.
const TOKEN_PURPOSE: &str = "kv";
/// What a hash of an account's identity is made for: in its object, and with the copies.
pub const IDENTITY_PURPOSE: &str = "identity";
/// The old system's time to live of tokens; one that ends earlier goes earlier.
const TOKEN_TTL_MAX: Duration = Duration::from_hours(24);

/// The typed view of KV.
pub struct Store<'a, K>(pub &'a K);

/// KV's copies of upstream tokens. The account's object is the truth.
impl<K: Kv + Clock + Random> Store<'_, K> {
    /// Writes the copies of an account's token, or deletes them if there is none. The default account has them also under
    /// keys without an id.
    pub async fn put_token(
        &self,
        vault: &Vault,
        key: &AccountKey,
        default: bool,
        issued: Option<&Issued>,
        status: &Status,
    ) -> Result<(), Fault> {
        let is_upstox = key.provider == providers::UPSTOX;
        let names: &[Option<&AccountName>] =
            if default && is_upstox { &[Some(&key.account), None] } else { &[Some(&key.account)] };
        for account in names {
            let (token, info) = (token_key(key.provider, *account), suffixed(TOKEN_INFO, *account));
            let Some(issued) = issued else {
                self.0.kv_delete(&token).await?;
                if is_upstox {
                    self.0.kv_delete(&info).await?;
                }
                continue;
            };
            let ttl = ttl(issued.expires_at.since(self.0.now()).min(TOKEN_TTL_MAX));
            let nonce = self.0.nonce()?;
            let sealed = vault.seal(TOKEN_PURPOSE, &token, &serde_json::to_vec(issued)?, nonce);
            let sealed = sealed.map_err(|_| "the token could not be sealed")?;
            self.0.kv_put(&token, &sealed, ttl, None).await?;
            if is_upstox {
                let value = token_info(key, issued, status);
                self.0.kv_put(&info, &value, ttl, None).await?;
            }
        }
        Ok(())
    }

    /// The copy of an account's token.
    pub async fn token(&self, vault: &Vault, key: &AccountKey) -> Result<TokenCopy, Fault> {
        self.copy(vault, &token_key(key.provider, Some(&key.account))).await
    }

    /// All copies of an account's token: the default account of Upstox has two.
    pub async fn copies(
        &self,
        vault: &Vault,
        key: &AccountKey,
        default: bool,
    ) -> Result<Vec<TokenCopy>, Fault> {
        let mut copies = vec![self.token(vault, key).await?];
        if default && key.provider == providers::UPSTOX {
            copies.push(self.copy(vault, &token_key(key.provider, None)).await?);
        }
        Ok(copies)
    }

    async fn copy(&self, vault: &Vault, name: &str) -> Result<TokenCopy, Fault> {
        let Some(sealed) = self.0.kv_get(name).await? else { return Ok(TokenCopy::None) };
        let plain = vault.open(TOKEN_PURPOSE, name, &sealed).ok();
        let issued = plain.and_then(|plain| base::json::read_bytes(&plain).ok());
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

fn token_key(provider: &str, account: Option<&AccountName>) -> String {
    suffixed(&format!("{provider}{TOKEN}"), account)
}

fn suffixed(name: &str, account: Option<&AccountName>) -> String {
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

fn ttl(left: Duration) -> Duration {
    Duration::from_secs(seconds_up(left)).max(KV_TTL_MIN)
}

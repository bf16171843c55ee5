//! The accounts of a sequence: their settings, what they are called at their upstreams, and their tokens' copies.

use super::plan::ACCOUNTS;
use super::upstream::{IDP, SERVICE};
use crate::host::SimHost;
use config::Settings as _;
use keeper::protocol::Issued;
use serde_json::json;

/// What the other accounts are called at their upstreams.
pub const FACTURIFY: &str = "facturify";
pub const TRADER: &str = "trader";

/// What an account is called at its upstream.
pub fn client(account: usize, identity: u32) -> String {
    match account {
        0 => format!("rotating{identity}"),
        1 => format!("plain{identity}"),
        2 => FACTURIFY.to_owned(),
        _ => TRADER.to_owned(),
    }
}

/// Where KV has the copy of an account's token.
pub fn copy_key(account: usize) -> String {
    let (provider, account) = ACCOUNTS[account].split_once('/').expect("a provider and an account");
    format!("{provider}_access_token:{account}")
}

/// The token that KV holds, whoever sees it yet.
pub fn copy_in_kv(host: &SimHost, account: usize) -> Option<String> {
    let (key, app) = (copy_key(account), host.app().ok()?);
    let plain = app.vault.open("kv", &key, &host.newest_in_kv(&key)?).ok()?;
    let copy: Issued = serde_json::from_slice(&plain).ok()?;
    Some(copy.token.expose().to_owned())
}

pub fn settings(accounts: [usize; 2], identity: u32) -> Vec<(&'static str, String)> {
    let url = format!("https://{IDP}/token");
    let mut oauth2 = serde_json::Map::new();
    let mut settings = vec![("REQUEST_LOG", "off".to_owned())];
    for account in accounts {
        let (client, secret) = (client(account, identity), format!("s{identity}"));
        match account {
            0 => {
                let refresh = format!("{client}r1.0");
                let account = json!({
                    "token_url": url, "grant": "refresh_token", "client_id": client, "client_secret": secret,
                    "refresh_token": refresh,
                });
                oauth2.insert("rotating".to_owned(), account);
            }
            1 => {
                let account = json!({
                    "token_url": url, "grant": "client_credentials", "client_id": client, "client_secret": secret,
                });
                oauth2.insert("plain".to_owned(), account);
            }
            2 => {
                settings.push(("FACTURIFY_API_KEY", "fy-key".to_owned()));
                settings.push(("FACTURIFY_API_SECRET", "fy-secret".to_owned()));
            }
            _ => {
                settings.push(("UPSTOX_ACCOUNT_IDS", TRADER.to_owned()));
                settings.push(("TOKEN_REFRESH_SERVICE_URL", format!("https://{SERVICE}")));
            }
        }
    }
    settings.push(("OAUTH2_ACCOUNTS", serde_json::Value::Object(oauth2).to_string()));
    settings
}

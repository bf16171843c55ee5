//! Cron Triggers: they supervise. The exact work is done by the alarms of the objects of accounts and portal logins.

use crate::objects::portal_follow;
use crate::objects::portal_registry::{Command as List, Reply as Listed};
use crate::objects::promise;
use crate::objects::roster::{Command, Reply, SWEEP_MAX, Sweep};
use crate::objects::rpc;
use crate::platform;
use ::keeper::AccountKey;
use config::App;
use futures_util::future::join_all;
use worker::Env;
use worker::js_sys::{self, Promise};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};

/// Every minute each account and each portal session is looked after.
const MINUTELY: &str = "* * * * *";
/// 02:30 UTC, 08:00 IST: all Upstox accounts are renewed.
const DAILY: &str = "30 2 * * *";
/// The daily renewals are spread over this much for each account, and at most over a minute: 1,500 take half of one.
const SPREAD_MILLIS_EACH: u64 = 20;
const SPREAD_MILLIS_MAX: u64 = 60_000;

/// A Cron Trigger. The error makes the platform count the run as failed.
#[wasm_bindgen]
pub fn cron(env: Env, expression: String) -> Promise {
    promise(async move { triggered(&env, &expression).await.map(|()| String::new()) })
}

async fn triggered(env: &Env, expression: &str) -> Result<(), JsValue> {
    let daily = match expression {
        MINUTELY => false,
        DAILY => true,
        _ => {
            // Not run at all, so that a typing error in wrangler.toml is seen.
            platform::log_fault("cron", "an expression that nothing is known of", None);
            return Err(js_sys::Error::new("unknown cron expression").into());
        }
    };
    // A failure is logged where it happens; the next minute tries again.
    run(env, daily).await.map_err(|error| js_sys::Error::new(&error.to_string()).into())
}

/// The first request of an instance: looks after all accounts, unless that has just been done.
pub async fn start(env: Env) {
    let start = Command::Start { now: platform::now() };
    if let Ok(Reply::Start(true)) = rpc::roster(&env, &start).await {
        // Logged where it fails; the Cron Trigger comes anyway.
        let _ = sweep(&env, false).await;
    }
}

async fn run(env: &Env, daily: bool) -> Result<(), rpc::Unreachable> {
    rpc::roster(env, &Command::Sweeping { now: platform::now() }).await?;
    sweep(env, daily).await
}

/// Looks after all accounts and portal sessions, some in each of as many objects as it takes.
async fn sweep(env: &Env, daily: bool) -> Result<(), rpc::Unreachable> {
    let app = platform::app(env).map_err(|_| rpc::Unreachable)?;
    let accounts = app.config.providers.all();
    let names = accounts.iter().map(AccountKey::to_string).collect();
    rpc::roster(env, &Command::Keep { names }).await?;
    let all = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    let spread_millis = all.saturating_mul(SPREAD_MILLIS_EACH).min(SPREAD_MILLIS_MAX);
    let of_accounts = accounts.chunks(SWEEP_MAX).map(|accounts| {
        let accounts = accounts.iter().map(|k| (k.provider.to_owned(), k.account.clone())).collect();
        Sweep { accounts, portals: Vec::new(), daily, spread_millis }
    });
    let logins = portal_logins(env, &app).await;
    let of_portals = logins.iter().flatten().collect::<Vec<_>>();
    let of_portals = of_portals.chunks(SWEEP_MAX).map(|names| Sweep {
        portals: names.iter().map(|name| (*name).clone()).collect(),
        ..Sweep::default()
    });
    let sweeps = of_accounts.chain(of_portals).enumerate();
    let sweeps = sweeps.map(|(n, sweep)| async move { rpc::sweep(env, n, &sweep).await });
    let (mut failed, mut unreachable) = (logins.is_err(), 0);
    for swept in join_all(sweeps).await {
        match swept {
            Ok(Reply::Swept { unreachable: n, .. }) => unreachable += n,
            _ => failed = true,
        }
    }
    if unreachable > 0 {
        platform::log_fault("cron", &format!("{unreachable} objects could not be looked after"), None);
    }
    if failed { Err(rpc::Unreachable) } else { Ok(()) }
}

/// The portal logins with a session. Sessions that are too many, and could not be closed when they became that, are now.
async fn portal_logins(env: &Env, app: &App) -> Result<Vec<String>, rpc::Unreachable> {
    if app.config.portals.is_empty() {
        return Ok(Vec::new());
    }
    let max = app.config.portals.policy.sessions_max;
    if let Listed::TooMany(places) = rpc::portal_registry(env, &List::Excess { max }).await? {
        portal_follow::evict(env, places).await;
    }
    match rpc::portal_registry(env, &List::Names).await? {
        Listed::Names(names) => Ok(names),
        _ => Err(rpc::Unreachable),
    }
}

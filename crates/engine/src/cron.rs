//! Cron Triggers: they supervise. The exact work is done by the alarms of the objects of accounts and portal logins.

use super::evict::evict;
use base::clock::{Timestamp, millis};
use base::fault::{Fault, FaultKind};
use base::ports::Random;
use base::rpc::{Peers, Unreachable};
use base::together::together;
use config::{App, Settings};
use keeper::AccountKey;
use keeper::upstream_index::{Keep, SWEEP_MAX, StartSweep, Sweep, Sweeping};
use portal::registry::{Excess, Names, NamesReply, Surplus};

/// Every minute each account is reconciled, and every tenth each portal session.
const MINUTELY: &str = "* * * * *";
/// 02:30 UTC, 08:00 IST: all Upstox accounts are renewed.
const DAILY: &str = "30 2 * * *";
/// Portal sessions are reconciled at the minutes that this divides: it is a request to each one's object, whether there is
/// anything to put right or not. Every minute, that would be a third of what a session costs.
const PORTALS_EVERY: u64 = 10;
/// First tokens are spread over this much for each account, and at most over a minute: 1,500 take half of one.
const SPREAD_MILLIS_EACH: u64 = 20;
const SPREAD_MILLIS_MAX: u64 = 60_000;
/// Daily renewals over so much for each, and at most over a setting's time.
const DAILY_MILLIS_EACH: u64 = 1_000;

/// What supervision needs of the platform.
pub trait Ports: Peers + Random + Settings {}
impl<P: Peers + Random + Settings> Ports for P {}

/// A Cron Trigger, for the minute that it was `scheduled` at, which may have gone by. The error makes the platform count the run
/// as failed; it has been logged where it happened, and the next minute tries again.
pub async fn triggered(ports: &impl Ports, expression: &str, scheduled: Timestamp) -> Result<(), Fault> {
    let daily = match expression {
        MINUTELY => false,
        DAILY => true,
        _ => {
            // Not run at all, so that a typing error in wrangler.toml is seen.
            ports.fault(FaultKind::Cron, &"an expression that nothing is known of", None);
            return Err("unknown cron expression".into());
        }
    };
    ports.send(&keeper::index_address(), &Sweeping { now: ports.now() }).await?;
    let portals = !daily && (scheduled.seconds() / 60).is_multiple_of(PORTALS_EVERY);
    Ok(sweep(ports, daily, portals).await?)
}

/// The first request of an instance: reconciles all accounts and portal sessions, unless that has just been done.
pub async fn start(ports: &impl Ports) {
    let start = StartSweep { now: ports.now() };
    if let Ok(reply) = ports.send(&keeper::index_address(), &start).await
        && reply.start
    {
        // Logged where it fails; the Cron Trigger comes anyway.
        let _ = sweep(ports, false, true).await;
    }
}

/// Reconciles all accounts, and all portal sessions if it is to, some by each of as many sweepers as it takes.
async fn sweep(ports: &impl Ports, daily: bool, portals: bool) -> Result<(), Unreachable> {
    let app = ports.app().map_err(|_| Unreachable)?;
    let accounts = app.config.providers.all();
    let names = accounts.iter().map(AccountKey::to_string).collect();
    // Accounts that a mistyped setting hides are not over: which sealing keys they need is known by the index only.
    if app.config.providers.unread.is_empty() {
        ports.send(&keeper::index_address(), &Keep { names }).await?;
    }
    let all = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    let spread_millis = if daily {
        all.saturating_mul(DAILY_MILLIS_EACH).min(millis(app.config.providers.upstox.daily_spread))
    } else {
        all.saturating_mul(SPREAD_MILLIS_EACH).min(SPREAD_MILLIS_MAX)
    };
    let of_accounts = accounts.chunks(SWEEP_MAX).map(|accounts| {
        let accounts = accounts.iter().map(|k| (k.provider.to_owned(), k.account.clone())).collect();
        Sweep { accounts, portals: Vec::new(), daily, spread_millis }
    });
    let logins = if portals { portal_logins(ports, &app).await } else { Ok(Vec::new()) };
    let of_portals = logins.iter().flatten().collect::<Vec<_>>();
    let of_portals = of_portals.chunks(SWEEP_MAX).map(|names| Sweep {
        portals: names.iter().map(|name| (*name).clone()).collect(),
        ..Sweep::default()
    });
    let sweeps = of_accounts.chain(of_portals).enumerate();
    let sweeps =
        sweeps.map(|(n, sweep)| async move { ports.send(&keeper::sweeper_address(n), &sweep).await });
    let (mut failed, mut unreachable) = (logins.is_err(), 0);
    for reply in together(sweeps).await {
        match reply {
            Ok(reply) => unreachable += reply.swept.unreachable,
            Err(Unreachable) => failed = true,
        }
    }
    if unreachable > 0 {
        ports.fault(FaultKind::Cron, &format!("{unreachable} objects could not be reconciled"), None);
    }
    if failed { Err(Unreachable) } else { Ok(()) }
}

/// The portal logins with a session. Sessions that are too many, and could not be closed when they became that, are now.
async fn portal_logins(ports: &impl Ports, app: &App) -> Result<Vec<String>, Unreachable> {
    if app.config.portals.is_empty() {
        return Ok(Vec::new());
    }
    let registry = portal::registry::address();
    let max = app.config.portals.policy.sessions_max;
    let Surplus::TooMany(places) = ports.send(&registry, &Excess { max }).await?;
    evict(ports, places).await;
    let NamesReply::Names(names) = ports.send(&registry, &Names).await?;
    Ok(names)
}

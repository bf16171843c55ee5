//! The index of upstream accounts, and the sweepers: two uses of one class.

use super::alerts::Collected;
use super::host::{Answer, DurableObject, Host, SqlValue};
use base::clock::{Timestamp, millis};
use base::fault::{Fault, FaultKind};
use base::together::together;
use futures_util::future::join;
use keeper::protocol::{Reconcile, StatusReply};
use keeper::upstream_index::{
    Begin, BeginReply, Counts, CountsReply, Done, Envelope, KeyUsageReply, Row, Seen, StartSweepReply, Sweep,
    SweepReply, Swept,
};
use portal::{Asked, LookReply, registry};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;

/// A deployment that has just been reconciled does not need it again for its first request.
const START_AGAIN: Duration = Duration::from_mins(1);

/// The one named `roster` is the index: it holds a row for each account, so that `/health` is one call however many there
/// are; accounts report their changes, and each sweep corrects what was lost. It also sees to it that not too many accounts renew
/// at once, and that alerts of one cause are sent as one. Those named `sweep/{n}` are sweepers and hold
/// nothing: each reconciles some accounts and portal logins, so that no invocation makes more calls than the platform
/// allows.
#[derive(Clone)]
pub struct Roster<H>(H);

/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);
/// How long an account waits that may not renew yet: so long where few wait, and longer with each further round of them.
const WAIT: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_mins(1);

impl<H: Host> DurableObject<H> for Roster<H> {
    fn new(host: H) -> Self {
        Self(host)
    }

    /// The index.
    fn command(&self, json: &str) -> Result<Answer, Fault> {
        let command: Envelope = base::json::read(json)?;
        self.exec(
            "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, provider TEXT NOT NULL, \
             expires_at INTEGER NOT NULL, failed INTEGER NOT NULL, kid TEXT)",
            Vec::new(),
        )?;
        match command {
            Envelope::Seen(Seen { rows, idle }) => {
                for row in rows {
                    self.see(&row)?;
                    if idle {
                        self.renewals()?;
                        self.exec("DELETE FROM renewals WHERE name = ?", vec![row.name.as_str().into()])?;
                    }
                }
                Answer::new(&Done::Done, None)
            }
            Envelope::Begin(begin) => Answer::new(&self.begin(&begin)?, None),
            Envelope::Raise(raise) => Answer::new(&Done::Done, Collected(&self.0).raise(&raise)?),
            Envelope::Counts(counts) => Answer::new(&self.counts(counts.now)?, None),
            Envelope::Kids => Answer::new(&self.key_usage()?, None),
            Envelope::Keep(keep) => {
                for Name { name } in self.0.sql("SELECT name FROM accounts", Vec::new())? {
                    if !keep.names.contains(&name) {
                        self.exec("DELETE FROM accounts WHERE name = ?", vec![name.as_str().into()])?;
                    }
                }
                Answer::new(&Done::Done, None)
            }
            Envelope::Start(start) => {
                let last = self.last_sweep()?;
                let due = last.plus(START_AGAIN) <= start.now || last > start.now;
                if due {
                    self.swept(start.now)?;
                }
                Answer::new(&StartSweepReply { start: due }, None)
            }
            Envelope::Sweeping(sweeping) => {
                self.swept(sweeping.now)?;
                // Should the platform have lost the alarm.
                Answer::new(&Done::Done, Collected(&self.0).next()?)
            }
        }
    }

    /// The index: alerts are to be sent.
    async fn alarm(&self) -> Result<(), Fault> {
        if let Err(fault) = Collected(&self.0).send_due().await {
            self.0.fault(FaultKind::Alert, &fault, None);
            self.0.set_alarm(self.0.now().plus(ALARM_AGAIN))?;
        }
        Ok(())
    }

    /// A sweeper.
    async fn ask(&self, json: &str) -> Result<String, Fault> {
        let sweep: Sweep = base::json::read(json)?;
        let swept = self.sweep(&sweep).await;
        Ok(serde_json::to_string(&SweepReply { swept })?)
    }
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Counted {
    provider: String,
    healthy: u64,
    failed: u64,
    available: u64,
}

#[derive(Deserialize)]
struct Begun {
    begun: u64,
    n: u64,
}

#[derive(Deserialize)]
struct Kid {
    kid: String,
    n: u64,
}

#[derive(Deserialize)]
struct At {
    at: u64,
}

impl<H: Host> Roster<H> {
    fn exec(&self, statement: &str, values: Vec<SqlValue>) -> Result<(), Fault> {
        self.0.sql::<IgnoredAny>(statement, values).map(drop)
    }

    /// Writes a row if it is news.
    fn see(&self, row: &Row) -> Result<(), Fault> {
        let provider = row.name.split('/').next().unwrap_or_default();
        let values = vec![
            row.name.as_str().into(),
            provider.into(),
            row.expires_at.try_into()?,
            row.failed.into(),
            row.kid.as_deref().into(),
        ];
        self.exec(
            "INSERT INTO accounts (name, provider, expires_at, failed, kid) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at, failed = excluded.failed, \
             kid = excluded.kid WHERE expires_at <> excluded.expires_at OR failed <> excluded.failed \
             OR kid IS NOT excluded.kid",
            values,
        )
    }

    fn counts(&self, now: Timestamp) -> Result<CountsReply, Fault> {
        let query = "SELECT provider, sum(failed = 0 AND expires_at > ?) AS healthy, sum(failed) AS failed, \
                     sum(expires_at > ?) AS available FROM accounts GROUP BY provider";
        let counted = self.0.sql(query, vec![now.try_into()?, now.try_into()?])?;
        let counts = |c: Counted| {
            let Counted { provider, healthy, failed, available } = c;
            (provider, Counts { healthy, failed, available })
        };
        Ok(CountsReply { counts: counted.into_iter().map(counts).collect() })
    }

    fn renewals(&self) -> Result<(), Fault> {
        let table = "CREATE TABLE IF NOT EXISTS renewals (name TEXT PRIMARY KEY, until INTEGER NOT NULL, \
                     begun INTEGER NOT NULL)";
        self.exec(table, Vec::new())
    }

    /// Whether an account may renew: not while too many others do. Those that wait are known until they should have come again.
    fn begin(&self, begin: &Begin) -> Result<BeginReply, Fault> {
        self.renewals()?;
        self.exec("DELETE FROM renewals WHERE until <= ?", vec![begin.now.try_into()?])?;
        let query = "SELECT begun, count(*) AS n FROM renewals WHERE name <> ? GROUP BY begun";
        let counted: Vec<Begun> = self.0.sql(query, vec![begin.name.as_str().into()])?;
        let count = |begun: u64| counted.iter().find(|c| c.begun == begun).map_or(0, |c| c.n);
        let (running, waiting, at_most) = (count(1), count(0), u64::from(begin.at_most.max(1)));
        let may = running < at_most;
        let rounds = u32::try_from(waiting / at_most).unwrap_or(u32::MAX).saturating_add(1);
        let wait = WAIT.saturating_mul(rounds).min(WAIT_MAX);
        let until = if may { begin.until } else { begin.now.plus(wait * 2) };
        self.exec(
            "INSERT OR REPLACE INTO renewals (name, until, begun) VALUES (?, ?, ?)",
            vec![begin.name.as_str().into(), until.try_into()?, may.into()],
        )?;
        Ok(BeginReply { wait_millis: (!may).then(|| millis(wait)) })
    }

    fn key_usage(&self) -> Result<KeyUsageReply, Fault> {
        let query = "SELECT kid, count(*) AS n FROM accounts WHERE kid IS NOT NULL GROUP BY kid";
        let kids: Vec<Kid> = self.0.sql(query, Vec::new())?;
        Ok(KeyUsageReply { kids: kids.into_iter().map(|Kid { kid, n }| (kid, n)).collect() })
    }

    /// When accounts were last reconciled; the epoch if never.
    fn last_sweep(&self) -> Result<Timestamp, Fault> {
        let table = "CREATE TABLE IF NOT EXISTS sweep (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)";
        self.exec(table, Vec::new())?;
        let at: Vec<At> = self.0.sql("SELECT at FROM sweep WHERE id = 1", Vec::new())?;
        Ok(Timestamp::from_millis(at.first().map_or(0, |last| last.at)))
    }

    fn swept(&self, now: Timestamp) -> Result<(), Fault> {
        self.last_sweep()?;
        self.exec("INSERT OR REPLACE INTO sweep (id, at) VALUES (1, ?)", vec![now.try_into()?])
    }

    /// Reconciles accounts and portal logins, each in its own object, and reports what accounts are like.
    async fn sweep(&self, sweep: &Sweep) -> Swept {
        let host = &self.0;
        let command = Reconcile { daily: sweep.daily, spread_millis: sweep.spread_millis };
        let accounts = sweep.accounts.iter().map(|(provider, account)| async move {
            match keeper::send(host, provider, account, command).await {
                Ok(StatusReply::Status(status)) => Some(Row::new(format!("{provider}/{account}"), &status)),
                Ok(StatusReply::NoAccount) | Err(_) => None,
            }
        });
        let as_of = host.now();
        let portals = sweep.portals.iter().map(|name| async move {
            let name = name.clone();
            let found = host
                .send(&portal::address(&name), &Asked { name: name.clone(), command: portal::Look })
                .await;
            if found == Ok(LookReply::Unknown) {
                // The object has nothing, so it will never take this row back itself.
                let none = registry::Remove { name, ended: None, as_of, refused: None };
                let _ = host.send(&registry::address(), &none).await;
            }
            found.is_ok()
        });
        let (rows, portals) = join(together(accounts), together(portals)).await;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let looked = rows.len() + portals.into_iter().filter(|reached| *reached).count();
        if !rows.is_empty() {
            // What cannot be reported now is by the next sweep; the call has logged it.
            let seen = Seen { rows, idle: false };
            let _ = host.send(&keeper::index_address(), &seen).await;
        }
        Swept { looked, unreachable: sweep.accounts.len() + sweep.portals.len() - looked }
    }
}

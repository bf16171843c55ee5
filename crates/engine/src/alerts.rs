//! Alerts on their way to their receiver: alone, or collected by the index, which sends those of one cause as one.

use super::host::{Host, SqlValue};
use super::webhook::{Posted, post};
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::webhook::Key;
use keeper::Code;
use keeper::alert::{self, Batch};
use keeper::upstream_index::Raise;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Duration;

/// Batches that one alarm sends; the others have the next one.
const BATCHES_MAX: usize = 20;

pub enum Delivered {
    Yes,
    /// It is to be sent again: when the receiver says, if that is later.
    No {
        retry_after: Option<Duration>,
    },
}

/// Sends one message. Without an address there is nobody to send it to, and the log has to do.
pub async fn send<H: Host>(host: &H, batch: &Batch) -> Delivered {
    let Ok(app) = host.app() else { return Delivered::No { retry_after: None } };
    let settings = &app.config.alerts;
    let Some(url) = &settings.url else { return Delivered::Yes };
    let keys: Vec<&[u8]> = settings.keys.iter().map(Key::bytes).collect();
    let Some((headers, body)) = batch.message(&keys, host.now()) else { return Delivered::Yes };
    let (undelivered, retry_after) = match post(host, url, headers, body).await {
        Posted::Taken => return Delivered::Yes,
        Posted::Gone => ("the receiver answered 410".to_owned(), None),
        Posted::Failed { why, retry_after } => (why, retry_after),
    };
    host.fault(FaultKind::Alert, &undelivered, None);
    Delivered::No { retry_after }
}

/// Where the index collects them: a row for each alert, by the batch that it is sent with; and a row for each batch.
pub struct Collected<'a, H>(pub &'a H);

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Due {
    id: String,
    attempts: u32,
}

#[derive(Deserialize)]
struct Next {
    send_at: Option<u64>,
}

#[derive(Deserialize)]
struct Stored {
    raised: String,
}

impl<H: Host> Collected<'_, H> {
    fn exec(&self, statement: &str, values: Vec<SqlValue>) -> Result<(), Fault> {
        self.0.sql::<IgnoredAny>(statement, values).map(drop)
    }

    fn prepare(&self) -> Result<(), Fault> {
        self.exec(
            "CREATE TABLE IF NOT EXISTS batches (id TEXT PRIMARY KEY, cause TEXT NOT NULL, \
             send_at INTEGER NOT NULL, attempts INTEGER NOT NULL)",
            Vec::new(),
        )?;
        self.exec(
            "CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, batch TEXT NOT NULL, raised TEXT NOT NULL)",
            Vec::new(),
        )
    }

    /// Puts an alert to those of its cause that are not on their way yet. Says when the next are to be sent.
    pub fn raise(&self, raise: &Raise) -> Result<Option<Timestamp>, Fault> {
        self.prepare()?;
        let id = alert::id(&raise.provider, &raise.account, &raise.alert);
        let known: Vec<Id> = self.0.sql("SELECT id FROM alerts WHERE id = ?", vec![id.as_str().into()])?;
        if known.is_empty() {
            let (kind, code) = (raise.alert.kind.as_str(), raise.alert.code.map_or("", Code::as_str));
            let cause = format!("{}/{kind}/{code}", raise.provider);
            let open: Vec<Id> = self.0.sql(
                "SELECT id FROM batches WHERE cause = ? AND attempts = 0 AND send_at > ?",
                vec![cause.as_str().into(), raise.now.try_into()?],
            )?;
            let batch = open.into_iter().next().map(|open| open.id);
            if batch.is_none() {
                let send_at = raise.now.plus(self.0.app()?.config.alerts.collect);
                self.exec(
                    "INSERT OR REPLACE INTO batches (id, cause, send_at, attempts) VALUES (?, ?, ?, 0)",
                    vec![id.as_str().into(), cause.as_str().into(), send_at.try_into()?],
                )?;
            }
            let batch = batch.unwrap_or_else(|| id.clone());
            let raised = serde_json::to_string(raise)?;
            self.exec(
                "INSERT INTO alerts (id, batch, raised) VALUES (?, ?, ?)",
                vec![id.as_str().into(), batch.as_str().into(), raised.as_str().into()],
            )?;
        }
        self.next()
    }

    /// When the next are to be sent.
    pub fn next(&self) -> Result<Option<Timestamp>, Fault> {
        self.prepare()?;
        let next: Vec<Next> = self.0.sql("SELECT min(send_at) AS send_at FROM batches", Vec::new())?;
        Ok(next.first().and_then(|next| next.send_at).map(Timestamp::from_millis))
    }

    /// Sends what is due, and sets the alarm for the rest.
    pub async fn send_due(&self) -> Result<(), Fault> {
        self.prepare()?;
        let now = self.0.now();
        let due: Vec<Due> = self.0.sql(
            "SELECT id, attempts FROM batches WHERE send_at <= ? ORDER BY send_at",
            vec![now.try_into()?],
        )?;
        for Due { id, attempts } in due.into_iter().take(BATCHES_MAX) {
            // Counted before it is sent: an instance that is gone in the middle leaves it to the next alarm.
            self.again(&id, attempts + 1, None)?;
            match self.batch(&id)? {
                None => self.forget(&id)?,
                Some(batch) => match send(self.0, &batch).await {
                    Delivered::Yes => self.forget(&id)?,
                    Delivered::No { .. } if attempts + 1 >= alert::ATTEMPTS_MAX => self.forget(&id)?,
                    Delivered::No { retry_after } => self.again(&id, attempts + 1, retry_after)?,
                },
            }
        }
        if let Some(next) = self.next()? {
            self.0.set_alarm(next.max(self.0.now()))?;
        }
        Ok(())
    }

    fn again(&self, id: &str, attempts: u32, retry_after: Option<Duration>) -> Result<(), Fault> {
        let wait = alert::again(attempts).max(retry_after.unwrap_or_default());
        let send_at = self.0.now().plus(wait);
        self.exec(
            "UPDATE batches SET attempts = ?, send_at = ? WHERE id = ?",
            vec![SqlValue::Integer(attempts.into()), send_at.try_into()?, id.into()],
        )
    }

    fn forget(&self, id: &str) -> Result<(), Fault> {
        self.exec("DELETE FROM alerts WHERE batch = ?", vec![id.into()])?;
        self.exec("DELETE FROM batches WHERE id = ?", vec![id.into()])
    }

    fn batch(&self, id: &str) -> Result<Option<Batch>, Fault> {
        let stored: Vec<Stored> =
            self.0.sql("SELECT raised FROM alerts WHERE batch = ? ORDER BY rowid", vec![id.into()])?;
        let mut batch: Option<Batch> = None;
        for Stored { raised } in stored {
            let Raise { provider, account, alert, detail, .. } = base::json::read(&raised)?;
            match &mut batch {
                Some(batch) => batch.add(account, &alert),
                None => batch = Some(Batch::of_one(&provider, account, &alert, detail)),
            }
        }
        Ok(batch)
    }
}

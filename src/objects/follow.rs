//! What follows a change of an upstream account: KV's copy, the roster, alerts. All of it may be done twice; what fails is
//! done by the account's alarm.

use super::roster;
use super::rpc;
use super::upstream::{Inner, Loaded, issued, status_of};
use crate::platform;
use crate::store::Kv;
use ::keeper::Event;
use ::keeper::alert::{self, Alert};
use ::keeper::call::{Answer, Call};
use std::rc::Rc;
use std::time::Duration;
use worker::{Error, Result};

const ALERT_TIMEOUT: Duration = Duration::from_secs(10);

/// Does all that is outstanding. One at a time: whoever comes meanwhile leaves it to the first.
pub async fn up(inner: &Rc<Inner>) {
    if inner.following.replace(true) {
        return;
    }
    if let Err(error) = outstanding(inner).await {
        platform::log_fault("upstream follow-up", &error.to_string(), None);
    }
    inner.following.set(false);
}

/// Tells KV and the roster what they do not know. What fails is left to the alarm.
pub async fn told(inner: &Rc<Inner>) {
    if let Err(error) = outstanding_news(inner).await {
        platform::log_fault("upstream follow-up", &error.to_string(), None);
    }
}

async fn outstanding_news(inner: &Rc<Inner>) -> Result<()> {
    // What changes while it is told is told again, but not for ever.
    for _ in 0..5 {
        let Some((_, loaded)) = inner.step(Event::Telling)? else { return Ok(()) };
        let Some(untold) = &loaded.account.untold else { break };
        let change = untold.change;
        if !tell(inner, &loaded).await {
            break;
        }
        inner.step(Event::Told { change })?;
    }
    Ok(())
}

async fn outstanding(inner: &Rc<Inner>) -> Result<()> {
    outstanding_news(inner).await?;
    let Some(loaded) = inner.load()? else { return Ok(()) };
    let now = platform::now();
    for alert in loaded.account.outbox.iter().filter(|a| a.attempts == 0 || a.try_at <= now) {
        let delivered = send(&loaded, alert).await;
        inner.step(Event::Alerted { number: alert.number, delivered })?;
    }
    Ok(())
}

/// Writes KV's copy and reports to the roster. Says whether both know.
pub async fn tell(inner: &Inner, loaded: &Loaded) -> bool {
    let status = status_of(loaded);
    let default = loaded.app.config.providers.upstox_default.as_deref() == Some(&loaded.key.account);
    let kv = async {
        let kv = Kv::open(&inner.env)?;
        kv.put_token(&loaded.app.vault, &loaded.key, default, issued(loaded).as_ref(), &status).await
    };
    let row = roster::Row::new(&loaded.key, &status);
    let seen = async {
        let reply = rpc::roster(&inner.env, &roster::Command::Seen { rows: vec![row] }).await;
        reply.map(|_| ()).map_err(|e| Error::from(e.to_string()))
    };
    let (kv, seen) = futures_util::future::join(kv, seen).await;
    for (what, result) in [("kv token", &kv), ("roster", &seen)] {
        if let Err(error) = result {
            platform::log_fault(what, &error.to_string(), None);
        }
    }
    kv.is_ok() && seen.is_ok()
}

/// Sends an alert. Without an address for them the log has to do.
async fn send(loaded: &Loaded, alert: &Alert) -> bool {
    let settings = &loaded.app.config.alerts;
    let (Some(url), Some(secret)) = (&settings.url, &settings.secret) else { return true };
    let now = platform::now();
    let Some((headers, body)) = alert::message(&loaded.key, alert, secret, now) else { return true };
    let call = Call { method: "POST", url: url.clone(), headers, body: Some(body), timeout: ALERT_TIMEOUT };
    match platform::outbound::call(&call, now).await {
        Answer::Response { status: 200..=299, .. } => true,
        answer => {
            platform::log_fault("alert", &undelivered(&answer), None);
            false
        }
    }
}

fn undelivered(answer: &Answer) -> String {
    match answer {
        Answer::Response { status, .. } => format!("the receiver answered {status}"),
        Answer::TimedOut => "the receiver did not answer in time".to_owned(),
        Answer::Unreachable | Answer::TooLong => "the receiver could not be reached".to_owned(),
    }
}

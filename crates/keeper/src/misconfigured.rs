//! An account whose settings are faulty: it is there, needs attention and names what is wrong, and nothing else is harmed.

use super::alert::Kind;
use super::call::{Code, Failure, Outcome, Script, Settled};
use super::decide::{Context, Decision, Event, Verdict, alert, entry, recover, same_identity, warn};
use super::protocol::{Refusal, Task};
use super::providers::{Provider, Rules};
use super::state::{Account, Due, Held, RetryState, Tokens};
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;

/// What is left of such an account.
#[derive(Clone, Debug)]
pub struct Faulty {
    fault: String,
    rules: Rules,
    /// Its identity and all of its settings, if everything that makes the identity could be read.
    known: Option<(Secret, Secret)>,
}

impl Faulty {
    /// `provider`: as much of it as could be read; `known`: that is all that makes its identity.
    pub fn new(provider: &dyn Provider, fault: String, known: bool) -> Self {
        let read = || (Secret::new(provider.identity()), Secret::new(provider.settings()));
        Self { fault, rules: *provider.rules(), known: known.then(read) }
    }
}

impl Provider for Faulty {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn script(&self, _task: &Task, _held: Option<&Held>, _tokens: Option<&Tokens>) -> Box<dyn Script> {
        Box::new(Settled(Some(Outcome::Failed(Failure::new(Code::Misconfigured)))))
    }

    fn renewal(&self, _held: &Held, _now: Timestamp, _jitter: Jitter) -> Option<Due> {
        None
    }

    fn settings(&self) -> String {
        self.known.as_ref().map(|(_, settings)| settings.expose().to_owned()).unwrap_or_default()
    }

    /// Of an identity that cannot be read no token is.
    fn identity(&self) -> String {
        self.known.as_ref().map(|(identity, _)| identity.expose().to_owned()).unwrap_or_default()
    }

    fn settings_fault(&self) -> Option<&str> {
        Some(&self.fault)
    }
}

/// What is decided of an account with faulty settings; nothing if they are good, or if the event is not about its token. What
/// is stored stays as it is, also a refresh token of settings that are only mistyped: when they are mended, the account goes on
/// where it was. The held token is given out while it is certain that it is of the identity that is meant.
pub(super) fn decide(account: &mut Account, event: &Event, c: &Context<'_>) -> Option<Decision> {
    let is_noted = account.trouble.as_ref().is_some_and(|t| t.code == Code::Misconfigured);
    if c.provider.settings_fault().is_none() {
        if is_noted {
            recover(account, c);
        }
        return None;
    }
    if !is_noted {
        note(account, c);
    }
    let refusal = Refusal { code: Code::Misconfigured, status: None, retry_after_seconds: None };
    let gives = same_identity(account, c);
    let verdict = match event {
        Event::Asked { .. } if gives && account.live(c.now).is_some() => Verdict::Serve,
        Event::AskedExtended if gives => Verdict::Nothing,
        Event::Asked { .. } | Event::AskedExtended | Event::Ordered(_) => Verdict::Refuse(refusal),
        // A deploy starts a new instance: what the one before had begun has no end but this.
        Event::Interrupted | Event::TaskFinished { .. } => {
            let task = account.task.take()?;
            let operation = task.operation;
            let mut entry = entry(Some(task), operation, 1, c.now);
            Code::Interrupted.as_str().clone_into(&mut entry.outcome);
            return Some(Decision { verdict: Verdict::Nothing, entry: Some(entry) });
        }
        Event::Woke => {
            warn(account, c);
            Verdict::Nothing
        }
        Event::TaskStarted { .. }
        | Event::Unreadable
        | Event::Readable
        | Event::Looked { .. }
        | Event::Postponed { .. } => Verdict::Nothing,
        Event::SyncStarted | Event::CopySeen { .. } | Event::Synced { .. } | Event::Alerted { .. } => {
            return None;
        }
    };
    Some(verdict.into())
}

fn note(account: &mut Account, c: &Context<'_>) {
    account.trouble = Some(RetryState {
        code: Code::Misconfigured,
        status: None,
        since: c.now,
        at: c.now,
        failures: 1,
        retry_at: None,
        told: true,
        refused: None,
        operation: None,
        not_before: None,
    });
    // Nothing can be checked; the next look plans it again.
    account.check_at = None;
    alert(account, Kind::NeedsAttention, Some(Code::Misconfigured), c.now);
    account.changed(c.now);
}

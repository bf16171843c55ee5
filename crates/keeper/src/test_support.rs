//! Decisions about an account, one after the other, with a clock that is set by hand; providers as the settings make them.

use super::alert::Kind;
use super::decide::{Context, Decision, Event, Verdict, decide};
use super::history::Entry;
use super::protocol::Operation;
use super::providers::{FACTURIFY, OAUTH2, UPSTOX};
use super::*;
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;
use base::settings::Reader;
use std::time::Duration;

pub(super) const WARNING: Duration = Duration::from_hours(1);
pub(super) const LEAST: Jitter = Jitter(0);
pub(super) const MOST: Jitter = Jitter(u32::MAX);

pub(super) fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Ten in the morning, after the day's renewal.
pub(super) fn start() -> Timestamp {
    at("2025-11-19T10:00:00+05:30")
}

/// A provider as a deployment has it.
pub(super) fn provider(name: &str, account: &str, settings: &[(&str, &str)]) -> Box<dyn Provider> {
    let lookup = |name: &str| {
        let found = settings.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut reader = Reader::new(&lookup);
    let providers = settings::providers(&mut reader);
    assert_eq!(reader.faults, Vec::<String>::new());
    providers.get(&providers.find(name, account).unwrap()).unwrap()
}

pub(super) fn facturify() -> Box<dyn Provider> {
    provider(
        FACTURIFY,
        "default",
        &[("FACTURIFY_API_KEY", "fy-key-hidden"), ("FACTURIFY_API_SECRET", "fy-hidden")],
    )
}

pub(super) const APP: &str = r#"{"a1":{"client_id":"app-1","client_secret":"app-hidden","redirect_uri":"https://me/cb","user_id":"U1"}}"#;

pub(super) fn upstox() -> Box<dyn Provider> {
    provider(UPSTOX, "a1", &[("UPSTOX_ACCOUNT_IDS", "a1"), ("TOKEN_REFRESH_SERVICE_URL", "https://service")])
}

/// Without the internal service: the user approves.
pub(super) fn upstox_app() -> Box<dyn Provider> {
    provider(UPSTOX, "a1", &[("UPSTOX_ACCOUNT_IDS", "a1"), ("UPSTOX_APPS", APP)])
}

/// With neither: tokens are only given.
pub(super) fn upstox_manual() -> Box<dyn Provider> {
    provider(UPSTOX, "a1", &[("UPSTOX_ACCOUNT_IDS", "a1")])
}

pub(super) fn oauth2(fields: &str) -> Box<dyn Provider> {
    let account = format!(
        r#"{{"o1":{{"token_url":"https://as/token","client_id":"cid","client_secret":"c-hidden",{fields}}}}}"#
    );
    provider(OAUTH2, "o1", &[("OAUTH2_ACCOUNTS", &account)])
}

pub(super) fn oauth2_rotating(seed: &str) -> Box<dyn Provider> {
    oauth2(&format!(r#""grant":"refresh_token","refresh_token":"{seed}""#))
}

/// A token of this life, as a provider's script would hand it over.
pub(super) fn grant(access: &str, now: Timestamp, life: Duration) -> Grant {
    Grant {
        access: Secret::new(access),
        refresh: None,
        expires_at: now.plus(life),
        expires_in: Some(life.as_secs()),
        provisional: false,
        verified: true,
        user_id: None,
        updated_by: None,
    }
}

/// Stands for the keyed hash.
fn hashed(provider: &dyn Provider) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    provider.settings().hash(&mut hasher);
    hasher.finish().to_string()
}

pub(super) struct Keeper {
    pub provider: Box<dyn Provider>,
    pub settings: String,
    pub now: Timestamp,
    pub jitter: Jitter,
    pub account: Account,
    pub tokens: Option<Tokens>,
    /// What the last decision had for the history.
    pub entry: Option<Entry>,
    /// The alerts that were delivered and not asked for yet.
    pub delivered: Vec<Kind>,
}

impl Keeper {
    pub fn new(provider: Box<dyn Provider>) -> Self {
        Self {
            settings: hashed(provider.as_ref()),
            provider,
            now: start(),
            jitter: MOST,
            account: Account::default(),
            tokens: None,
            entry: None,
            delivered: Vec::new(),
        }
    }

    pub fn event(&mut self, event: Event) -> Verdict {
        let context = Context {
            provider: self.provider.as_ref(),
            settings: &self.settings,
            warning: WARNING,
            now: self.now,
            jitter: self.jitter,
        };
        let Decision { verdict, entry } = decide(&mut self.account, &mut self.tokens, event, &context);
        self.entry = entry;
        verdict
    }

    /// Other settings.
    pub fn deploy(&mut self, provider: Box<dyn Provider>) {
        self.settings = hashed(provider.as_ref());
        self.provider = provider;
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub fn ask(&mut self) -> Verdict {
        self.ask_for(0)
    }

    pub fn ask_for(&mut self, min_ttl: u64) -> Verdict {
        self.event(Event::Asked { min_ttl: secs(min_ttl), tried: false })
    }

    pub fn order(&mut self, operation: Operation) -> Verdict {
        self.event(Event::Ordered(operation))
    }

    pub fn look(&mut self) {
        assert!(matches!(self.event(Event::Looked { daily: false, spread: secs(0) }), Verdict::Nothing));
    }

    pub fn look_daily(&mut self) {
        assert!(matches!(self.event(Event::Looked { daily: true, spread: secs(30) }), Verdict::Nothing));
    }

    pub fn next_alarm(&self) -> Option<Timestamp> {
        self.account.next_alarm(WARNING)
    }

    /// The next moment that has work upstream; at the others everybody is told.
    pub fn wake(&mut self) -> Operation {
        for _ in 0..100 {
            self.now = self.next_alarm().expect("an alarm").max(self.now);
            if let Verdict::Run(operation) = self.event(Event::Woke) {
                return operation;
            }
            self.follow_up(true);
        }
        panic!("an alarm without an effect, again and again: {:?}", self.account);
    }

    /// KV, the index, the receiver of alerts: they are told, or cannot be reached. Gives the alerts.
    pub fn follow_up(&mut self, works: bool) -> Vec<Kind> {
        self.event(Event::SyncStarted);
        if let Some(change) = self.account.pending_sync.as_ref().map(|u| u.change).filter(|_| works) {
            self.event(Event::Synced { change });
        }
        let sent: Vec<_> = self.account.outbox.iter().map(|a| (a.number, a.kind)).collect();
        for (number, _) in &sent {
            self.event(Event::Alerted { number: *number, delivered: works });
        }
        let kinds: Vec<_> = sent.into_iter().map(|(_, kind)| kind).collect();
        if works {
            self.delivered.extend(&kinds);
        }
        kinds
    }

    pub fn begin(&mut self, operation: Operation) {
        self.event(Event::TaskStarted(operation, Actor { who: "key:k".into(), request_id: "r1".into() }));
    }

    pub fn end(&mut self, operation: Operation, outcome: Outcome, calls: u32) -> Verdict {
        self.event(Event::TaskFinished { operation, source: None, outcome, calls })
    }

    /// A whole task.
    pub fn run(&mut self, operation: Operation, outcome: Outcome, calls: u32) -> Verdict {
        self.begin(operation);
        self.end(operation, outcome, calls)
    }

    pub fn succeed(&mut self, operation: Operation, life: Duration) {
        let granted = grant("token", self.now, life);
        assert!(matches!(self.run(operation, Outcome::Granted(granted), 1), Verdict::Serve));
    }

    pub fn fail(&mut self, operation: Operation, code: Code) {
        let failed = Outcome::Failed(Failure::new(code));
        assert!(matches!(self.run(operation, failed, 1), Verdict::Refuse(r) if r.code == code));
    }

    /// The alerts since this was last asked, all delivered.
    pub fn alerts(&mut self) -> Vec<Kind> {
        self.follow_up(true);
        std::mem::take(&mut self.delivered)
    }
}

pub(super) fn refused(verdict: Verdict) -> (Code, Option<u64>) {
    match verdict {
        Verdict::Refuse(refusal) => (refusal.code, refusal.retry_after_seconds),
        other => panic!("not refused: {other:?}"),
    }
}

pub(super) fn runs(verdict: &Verdict, operation: Operation) -> bool {
    matches!(verdict, Verdict::Run(o) if *o == operation)
}

//! Inputs for the decisions about an account, and providers as the settings make them.

use super::alert::Kind;
use super::decide::{Context, Decision, Event, Verdict, decide};
use super::protocol::Operation;
use super::providers::{FACTURIFY, OAUTH2, UPSTOX};
use super::*;
use base::clock::Timestamp;
use base::jitter::Jitter;
use base::secret::Secret;
use base::settings::{Environment, Reader};
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

/// What is made of settings, and what is wrong with them.
pub(super) fn configured(settings: &[(&str, &str)]) -> (Providers, Vec<String>) {
    let lookup = |name: &str| {
        let found = settings.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let mut reader = Reader::new(&lookup);
    let providers = settings::providers(&mut reader, Environment::Production);
    (providers, reader.faults)
}

/// A provider as a deployment has it.
pub(super) fn provider(name: &str, account: &str, settings: &[(&str, &str)]) -> Box<dyn Provider> {
    let (providers, faults) = configured(settings);
    assert_eq!((&faults, &providers.faults), (&Vec::new(), &Vec::<String>::new()));
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
    let life = life::Life { expires_at: now.plus(life), said: Some(life), guessed: false };
    Grant::given(Secret::new(access), life)
}

/// What [`decide`] is given: an account's state, and what the context says. Each method is one event, or a look at the state.
pub(super) struct Inputs {
    pub provider: Box<dyn Provider>,
    /// Stands for the keyed hash.
    pub settings: String,
    pub identity: String,
    pub now: Timestamp,
    pub jitter: Jitter,
    pub account: Account,
    pub tokens: Option<Tokens>,
}

impl Inputs {
    pub fn new(provider: Box<dyn Provider>) -> Self {
        Self {
            provider,
            settings: "first".into(),
            identity: "one".into(),
            now: start(),
            jitter: MOST,
            account: Account::default(),
            tokens: None,
        }
    }

    pub fn decide(&mut self, event: Event) -> Decision {
        let context = Context {
            provider: self.provider.as_ref(),
            settings: &self.settings,
            identity: &self.identity,
            warning: WARNING,
            now: self.now,
            jitter: self.jitter,
        };
        decide(&mut self.account, &mut self.tokens, event, &context)
    }

    pub fn event(&mut self, event: Event) -> Verdict {
        self.decide(event).verdict
    }

    pub fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub fn ask(&mut self) -> Verdict {
        self.ask_for(0)
    }

    pub fn ask_for(&mut self, min_ttl: u64) -> Verdict {
        self.event(Event::Asked { min_ttl: secs(min_ttl), tried: false, refused: false })
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

    pub fn woke(&mut self) -> Verdict {
        self.event(Event::Woke)
    }

    /// When it is to be woken, apart from what others are to be told, and from the checks that come by and by.
    pub fn planned(&self) -> Option<Timestamp> {
        let told = Account { pending_sync: None, outbox: Vec::new(), check_at: None, ..self.account.clone() };
        told.next_alarm(WARNING)
    }

    /// At the planned moment it is woken, and wants this.
    #[track_caller]
    pub fn wakes_for(&mut self, operation: Operation) {
        self.now = self.planned().expect("a plan").max(self.now);
        let verdict = self.woke();
        assert!(runs(&verdict, operation), "{verdict:?}: {:?}", self.account);
    }

    /// The alerts that are to be delivered.
    pub fn alerts(&self) -> Vec<Kind> {
        self.account.outbox.iter().map(|alert| alert.kind).collect()
    }

    pub fn begin(&mut self, operation: Operation) {
        self.begin_as(operation, false);
    }

    pub fn begin_as(&mut self, operation: Operation, ordered: bool) {
        let by = Actor { who: "key:k".into(), request_id: "r1".into() };
        self.event(Event::TaskStarted { operation, by, ordered });
    }

    /// An order that is carried out and fails.
    #[track_caller]
    pub fn fail_order(&mut self, operation: Operation, code: Code) {
        self.begin_as(operation, true);
        self.fail(operation, code);
    }

    pub fn finish(&mut self, operation: Operation, outcome: Outcome, calls: u32) -> Verdict {
        self.event(Event::TaskFinished { operation, source: None, outcome, calls })
    }

    #[track_caller]
    pub fn succeed(&mut self, operation: Operation, life: Duration) {
        let granted = grant("token", self.now, life);
        assert!(matches!(self.finish(operation, Outcome::Granted(granted), 1), Verdict::Serve));
    }

    #[track_caller]
    pub fn fail(&mut self, operation: Operation, code: Code) {
        let failed = Outcome::Failed(Failure::new(code));
        assert!(matches!(self.finish(operation, failed, 1), Verdict::Refuse(r) if r.code == code));
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

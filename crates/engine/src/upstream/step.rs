//! One step: load, decide, store, arm the alarm. Nothing in it waits, so nothing can come in between.

use super::{HISTORY, Inner, NAME, PURPOSE, TOKENS, log};
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::Fault;
use base::vault::VaultError;
use config::App;
use keeper::decide::{copy_until, status};
use keeper::history::{self, Entry};
use keeper::protocol::{Issued, Operation, Status};
use keeper::{Account, AccountKey, Code, Context, Decision, Event, Provider, Tokens, decide};
use std::rc::Rc;
use std::time::Duration;
use store::IDENTITY_PURPOSE;

/// While a task or its publication is under way in memory, the alarm does not come more often than this.
const ALARM_WHILE_BUSY: Duration = Duration::from_secs(1);

/// The account as it is stored, with what it is decided by.
pub(super) struct Loaded {
    pub app: Rc<App>,
    pub key: AccountKey,
    pub provider: Box<dyn Provider>,
    pub account: Account,
    pub tokens: Option<Tokens>,
    /// The key that the tokens lie sealed under.
    kid: Option<String>,
    /// The settings are faulty, and not even whose tokens are meant can be read: none is given out.
    withheld: bool,
}

impl Loaded {
    pub fn status(&self, now: Timestamp) -> Status {
        let kid = self.kid.as_deref();
        let mut status = if self.withheld {
            let (held, extended) = (None, None);
            status(&Account { held, extended, ..self.account.clone() }, kid, now)
        } else {
            status(&self.account, kid, now)
        };
        if let Some(error) = status.error.as_mut().filter(|error| error.code == Code::Misconfigured) {
            error.message = self.provider.settings_fault().map(str::to_owned);
        }
        status
    }

    /// Whether it has not been noticed yet that the settings have become faulty, or good again.
    pub fn is_behind(&self) -> bool {
        let is_noted = self.account.trouble.as_ref().is_some_and(|t| t.code == Code::Misconfigured);
        is_noted != self.provider.settings_fault().is_some()
    }

    /// Whether only so many accounts at once do this by themselves.
    pub fn waits_for_turn(&self, operation: Operation) -> bool {
        operation.gets() && self.provider.rules().daily
    }

    /// The token, if there is one that is valid and can be opened.
    pub fn issued(&self, now: Timestamp) -> Option<Issued> {
        let held = self.account.live(now).filter(|_| !self.withheld)?;
        Some(Issued {
            token: self.tokens.as_ref()?.access.clone(),
            obtained_at: held.obtained_at,
            expires_at: held.expires_at,
            expires_in: held.expires_in,
            source: held.source,
            updated_by: held.updated_by.clone(),
            copy_until: copy_until(&self.account),
            identity: self.account.identity.clone(),
        })
    }
}

impl Loaded {
    /// The token that lives longer than the day, if there is one.
    pub fn extended(&self, now: Timestamp) -> Option<Issued> {
        let known =
            self.account.extended.as_ref().filter(|extended| extended.expires_at > now && !self.withheld)?;
        Some(Issued {
            token: self.tokens.as_ref()?.extended.clone()?,
            obtained_at: known.obtained_at,
            expires_at: known.expires_at,
            expires_in: None,
            source: known.source,
            updated_by: None,
            copy_until: Timestamp::default(),
            identity: self.account.identity.clone(),
        })
    }
}

/// Whether what an account holds is of the identity that its settings have, as far as that can be read.
fn is_same(app: &App, provider: &dyn Provider, account: &Account) -> bool {
    if account.identity.is_empty() {
        return app.vault.fingerprints("settings", &provider.settings()).contains(&account.settings);
    }
    app.vault.fingerprints(IDENTITY_PURPOSE, &provider.identity()).contains(&account.identity)
}

impl<H: Host> Inner<H> {
    /// The account by the name that it was first asked by. `None`: this deployment has no such account.
    pub fn load(&self) -> Result<Option<Loaded>, Fault> {
        let app = self.host.app()?;
        let Some(name) = self.host.get(NAME)? else { return Ok(None) };
        let (provider, account) = name.split_once('/').unwrap_or_default();
        let Some(key) = app.config.providers.find(provider, account) else { return Ok(None) };
        let Some(provider) = app.config.providers.get(&key) else { return Ok(None) };
        let account = self.account.read(&self.host)?;
        let withheld = provider.settings_fault().is_some() && !is_same(&app, provider.as_ref(), &account);
        Ok(Some(Loaded { app, key, provider, account, tokens: None, kid: None, withheld }))
    }

    /// Opens the tokens; says whether they could be opened.
    pub fn open(&self, loaded: &mut Loaded) -> Result<bool, Fault> {
        let Some(sealed) = self.host.get(TOKENS)? else { return Ok(true) };
        let opened = loaded.app.vault.open(PURPOSE, &loaded.key.to_string(), &sealed);
        loaded.kid = sealed.split_once('.').map(|(kid, _)| kid.to_owned());
        match opened {
            Ok(plain) => {
                loaded.tokens = Some(base::json::read_bytes(&plain)?);
                Ok(true)
            }
            Err(VaultError::UnknownKey | VaultError::Unreadable) => Ok(false),
        }
    }

    /// Whether the held token is the one whose SHA-256 begins so.
    pub fn holds(&self, prefix: &str) -> Result<bool, Fault> {
        let Some(mut loaded) = self.load()? else { return Ok(false) };
        self.open(&mut loaded)?;
        Ok(loaded.tokens.is_some_and(|tokens| tokens.is_access(prefix)))
    }

    pub fn step(&self, event: Event) -> Result<Option<(Decision, Loaded)>, Fault> {
        let now = self.host.now();
        let Some(mut loaded) = self.load()? else { return Ok(None) };
        let readable = self.open(&mut loaded)?;
        let before = loaded.account.clone();
        let (alerts, tokens) = (loaded.account.alerts, loaded.tokens.clone());
        let prints = loaded.app.vault.fingerprints("settings", &loaded.provider.settings());
        let settings = prints.first().map(String::as_str).unwrap_or_default();
        // A rotation of the sealing keys is no change of the settings.
        if prints.contains(&loaded.account.settings) {
            settings.clone_into(&mut loaded.account.settings);
        }
        let own = loaded.app.vault.fingerprints(IDENTITY_PURPOSE, &loaded.provider.identity());
        let identity = own.first().map(String::as_str).unwrap_or_default();
        if own.contains(&loaded.account.identity) {
            identity.clone_into(&mut loaded.account.identity);
        }
        let context = Context {
            provider: loaded.provider.as_ref(),
            settings,
            identity,
            warning: loaded.app.config.alerts.warning,
            now,
            jitter: self.host.jitter()?,
        };
        let (account, held) = (&mut loaded.account, &mut loaded.tokens);
        let mut entries = Vec::new();
        if account.task.is_some() && self.running.borrow().is_none() {
            entries.extend(decide(account, held, Event::Interrupted, &context).entry);
        }
        // Who only looks sees to the alarm.
        let looks = matches!(event, Event::Looked { .. });
        let first = if readable { Event::Readable } else { Event::Unreadable };
        decide(account, held, first, &context);
        let mut decision = decide(account, held, event, &context);
        entries.extend(decision.entry.take());
        self.store_tokens(&mut loaded, tokens.as_ref(), readable, now)?;
        let changed = loaded.account != before;
        if changed {
            self.account.write(&self.host, &loaded.account)?;
        }
        self.record(&loaded, &entries)?;
        for alert in loaded.account.outbox.iter().filter(|a| a.number > alerts) {
            log::keep(&self.host, &log::alert(&loaded.key, alert, loaded.provider.settings_fault()));
        }
        if changed || !looks {
            self.arm(&loaded, now)?;
        }
        Ok(Some((decision, loaded)))
    }

    /// Seals the tokens if they are new, or if they lie sealed under another key than the first. What cannot be opened is
    /// not touched, unless there is something new to put in its place.
    fn store_tokens(
        &self,
        loaded: &mut Loaded,
        before: Option<&Tokens>,
        readable: bool,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let Some(tokens) = &loaded.tokens else {
            if before.is_some() {
                self.host.delete(TOKENS)?;
                loaded.kid = None;
            }
            return Ok(());
        };
        let moved = loaded.kid.as_deref() != loaded.app.vault.first_kid();
        if before == Some(tokens) && readable && !moved {
            return Ok(());
        }
        let plain = serde_json::to_vec(tokens)?;
        let sealed = loaded.app.vault.seal(PURPOSE, &loaded.key.to_string(), &plain, self.host.nonce()?);
        let sealed = sealed.map_err(|_| "the tokens could not be sealed")?;
        self.host.put(TOKENS, &sealed)?;
        loaded.kid = loaded.app.vault.first_kid().map(str::to_owned);
        if moved {
            loaded.account.changed(now);
        }
        Ok(())
    }

    fn record(&self, loaded: &Loaded, entries: &[Entry]) -> Result<(), Fault> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut kept = self.history()?;
        for entry in entries {
            log::keep(&self.host, &log::operation(&loaded.key, entry));
            history::push(&mut kept, entry.clone());
        }
        self.host.put(HISTORY, &serde_json::to_string(&kept)?)
    }

    pub fn history(&self) -> Result<Vec<Entry>, Fault> {
        match self.host.get(HISTORY)? {
            Some(text) => Ok(base::json::read(&text)?),
            None => Ok(Vec::new()),
        }
    }

    fn next_alarm(&self, loaded: &Loaded, now: Timestamp) -> Option<Timestamp> {
        let busy = self.running.borrow().is_some() || self.publishing.get();
        let least = if busy { now.plus(ALARM_WHILE_BUSY) } else { now };
        loaded.account.next_alarm(loaded.app.config.alerts.warning).map(|at| at.max(least))
    }

    /// Sets the alarm if it is to come earlier or later than it was last set to. Part of the same batch as the writes.
    fn arm(&self, loaded: &Loaded, now: Timestamp) -> Result<(), Fault> {
        let next = self.next_alarm(loaded, now);
        if let Some(at) = next.filter(|_| next != self.armed.get()) {
            self.host.set_alarm(at)?;
            self.armed.set(next);
        }
        Ok(())
    }

    /// Sets the alarm if the platform has lost it, or has one that comes too late. To look is a thousandth of what it costs to
    /// set it.
    pub async fn arm_if_lost(&self) -> Result<(), Fault> {
        let set = self.host.alarm_at().await?;
        // While the platform was asked, another call may have changed the account.
        let Some(loaded) = self.load()? else { return Ok(()) };
        let next = self.next_alarm(&loaded, self.host.now());
        if let Some(at) = next.filter(|at| set.is_none_or(|set| set > *at)) {
            self.host.set_alarm(at)?;
            self.armed.set(Some(at));
        }
        Ok(())
    }
}

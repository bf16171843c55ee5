//! The providers there are. To add one: a file that implements [`Provider`], and a row in [`Providers::get`].

use super::backoff::Backoff;
use super::call::Script;
use super::misconfigured::Faulty;
use super::protocol::Task;
use super::state::{Due, Held, Tokens};
use super::{AccountKey, facturify, oauth2, upstox};
use base::clock::Timestamp;
use base::ids::AccountName;
use base::jitter::Jitter;
use base::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

pub use super::service::Service;
pub use facturify::{Facturify, RefreshMethod};
pub use oauth2::{Account as OAuth2Account, ClientAuth, Grant as OAuth2Grant, OAuth2};
pub use upstox::{App, Common, Upstox};

/// What the life cycle goes by.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a property of its own, and none excludes another.
pub struct Rules {
    pub backoff: Backoff,
    /// How long a caller waits for the quick tries before it is told of a failure.
    pub patience: Duration,
    /// Most calls that one task makes.
    pub calls_max: usize,
    /// Longest that one task takes: after it, whoever had it is taken for gone.
    pub task_max: Duration,
    /// Whether a renewal gives a token that outlives the held one.
    pub extends: bool,
    /// Whether a token can be got without being given one.
    pub automatic: bool,
    /// Whether a renewal only asks somebody to approve a token, which then comes another way.
    pub by_approval: bool,
    /// Whether the daily Cron Trigger renews it.
    pub daily: bool,
    /// Whether the upstream can be asked about a token.
    pub checks: bool,
    /// How often it is, while the token lives; never by itself if this is zero.
    pub check_every: Duration,
}

impl Rules {
    /// Of an account that gets its tokens by itself, each outliving the one before, from an upstream that nobody can ask about them.
    pub const fn automatic(
        backoff: Backoff,
        patience: Duration,
        calls_max: usize,
        task_max: Duration,
    ) -> Self {
        Self {
            backoff,
            patience,
            calls_max,
            task_max,
            extends: true,
            automatic: true,
            by_approval: false,
            daily: false,
            checks: false,
            check_every: Duration::ZERO,
        }
    }
}

/// One kind of upstream, with the settings of one account of it.
pub trait Provider: fmt::Debug {
    fn rules(&self) -> &Rules;

    /// The calls of a task.
    fn script(&self, task: &Task, held: Option<&Held>, tokens: Option<&Tokens>) -> Box<dyn Script>;

    /// What is due for a token, and when; nothing if nothing can be done for it.
    fn renewal(&self, held: &Held, now: Timestamp, jitter: Jitter) -> Option<Due>;

    /// When to ask for an approval again that was asked for now and holds until `until`.
    fn ask_again(&self, until: Timestamp, _now: Timestamp, _jitter: Jitter) -> Timestamp {
        until
    }

    /// Everything configured for the account, to notice a change by. It is hashed before it is kept.
    fn settings(&self) -> String;

    /// Whose tokens these are: all of the settings but the secret, and how it is shown. A token of another identity is not given
    /// out. It is hashed before it is kept.
    fn identity(&self) -> String;

    /// The upstream's user that the account is, where the settings say so.
    fn owner(&self) -> Option<&str> {
        None
    }

    /// What is wrong with the account's settings, by their names; never a value. Then nothing is called for it.
    fn settings_fault(&self) -> Option<&str> {
        None
    }

    /// What a refresh token that the upstream gave descends from. While this is the same it stays good, whatever else is
    /// changed: it may be the only one that works.
    fn lineage(&self) -> Option<Secret> {
        None
    }
}

pub const FACTURIFY: &str = "facturify";
pub const UPSTOX: &str = "upstox";
pub const OAUTH2: &str = "oauth2";
const ALL: [&str; 3] = [FACTURIFY, UPSTOX, OAUTH2];

/// Whether there is a provider of this name.
pub fn is_known(provider: &str) -> bool {
    ALL.contains(&provider)
}

/// The one account of Facturify.
pub const DEFAULT: &str = "default";

/// All that is configured.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    pub facturify: Option<Facturify>,
    pub upstox: Common,
    /// Upstox accounts, in the order of the settings.
    pub upstox_accounts: Vec<AccountName>,
    /// The account that the routes without an id use.
    pub upstox_default: Option<AccountName>,
    pub upstox_apps: BTreeMap<AccountName, App>,
    pub oauth2: BTreeMap<AccountName, OAuth2>,
    /// Accounts whose settings are faulty. Of these, only the Upstox ones are in the lists above, too.
    pub faulty: BTreeMap<AccountKey, Faulty>,
    /// Providers whose list of accounts cannot be read whole: there may be some that nobody knows of.
    pub unread: Vec<&'static str>,
    /// All that is wrong with settings of accounts, each fault once; never a value.
    pub faults: Vec<String>,
}

impl Providers {
    /// The provider of an account, with its settings; nothing if it is not configured.
    pub fn get(&self, key: &AccountKey) -> Option<Box<dyn Provider>> {
        let account = &key.account;
        if let Some(faulty) = self.faulty.get(key) {
            return Some(Box::new(faulty.clone()));
        }
        match key.provider {
            FACTURIFY if *account == *DEFAULT => Some(Box::new(self.facturify.clone()?)),
            UPSTOX if self.upstox_accounts.contains(account) => {
                let app = self.upstox_apps.get(account).cloned();
                Some(Box::new(Upstox::new(account.clone(), self.upstox.clone(), app)))
            }
            OAUTH2 => Some(Box::new(self.oauth2.get(account)?.clone())),
            _ => None,
        }
    }

    /// The key of an account, if it is configured.
    pub fn find(&self, provider: &str, account: &str) -> Option<AccountKey> {
        let provider = ALL.into_iter().find(|p| *p == provider)?;
        let key = AccountKey { provider, account: AccountName::parse(account)? };
        let account = &key.account;
        let known = match provider {
            FACTURIFY => self.facturify.is_some() && *account == *DEFAULT,
            UPSTOX => self.upstox_accounts.contains(account),
            _ => self.oauth2.contains_key(account),
        };
        (known || self.faulty.contains_key(&key)).then_some(key)
    }

    /// Whether there may be accounts of a provider that nobody knows of, because the setting that lists them cannot be read.
    pub fn is_unread(&self, provider: &str) -> bool {
        self.unread.contains(&provider)
    }

    /// How many faults there are of a provider: accounts, and a list that cannot be read as one more.
    pub fn count_faulty(&self, provider: &str) -> usize {
        let accounts = self.faulty.keys().filter(|key| key.provider == provider).count();
        accounts + usize::from(self.is_unread(provider))
    }

    /// How many accounts of a provider are configured.
    pub fn count(&self, provider: &str) -> usize {
        let faulty = || self.faulty.keys().filter(|key| key.provider == provider).count();
        match provider {
            FACTURIFY => usize::from(self.facturify.is_some()) + faulty(),
            UPSTOX => self.upstox_accounts.len(),
            _ => self.oauth2.len() + faulty(),
        }
    }

    pub fn is_empty(&self) -> bool {
        let none = [FACTURIFY, UPSTOX, OAUTH2].into_iter().all(|provider| self.count(provider) == 0);
        none && self.unread.is_empty()
    }

    /// Every configured account.
    pub fn all(&self) -> Vec<AccountKey> {
        let key = |provider, account: &AccountName| AccountKey { provider, account: account.clone() };
        let default = AccountName::issued(DEFAULT);
        let facturify = self.facturify.iter().map(|_| key(FACTURIFY, &default));
        let upstox = self.upstox_accounts.iter().map(|a| key(UPSTOX, a));
        let oauth2 = self.oauth2.keys().map(|a| key(OAUTH2, a));
        let faulty = self.faulty.keys().filter(|key| key.provider != UPSTOX).cloned();
        facturify.chain(upstox).chain(oauth2).chain(faulty).collect()
    }
}

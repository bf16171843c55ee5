//! The object of one upstream account.

mod publish;
mod step;
mod task;

use self::step::Loaded;
use self::task::Running;
use super::host::{DurableObject, Host};
use super::log;
use super::parsed::Parsed;
use base::clock::Timestamp;
use base::fault::{Fault, FaultKind};
use base::ids::AccountName;
use keeper::decide::Verdict;
use keeper::history::Entry;
use keeper::protocol::{
    Actor, AnyCommand, ApprovalReply, Envelope, GetToken, HistoryReply, Operation, Order, OrderReply,
    Reconcile, Refusal, StatusReply, TokenReply,
};
use keeper::upstream_index::{Begin, BeginReply};
use keeper::{Account, Code, Event, Source, Task};
use serde::Serialize;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

const NAME: &str = "name";
const ACCOUNT: &str = "account";
/// Sealed.
const TOKENS: &str = "tokens";
const HISTORY: &str = "history";
/// What the tokens are sealed for; the record is the account's name.
const PURPOSE: &str = "upstream";
/// When an alarm could not do its work, it comes again after this.
const ALARM_AGAIN: Duration = Duration::from_secs(30);

/// One account of an upstream: its token, its plan, its failures. Named `provider/account`.
///
/// It is the lock, too: there is one task at a time, because `running` holds the one in flight and everybody who wants the
/// same awaits that. Each decision is one synchronous step (load, decide, store, arm the alarm), so nothing comes in
/// between; calls to the upstream lie between steps, and what they find is decided about in a new one. The intent of a task
/// is stored before its first call: an instance that finds one that it is not running itself knows that it was interrupted.
pub struct UpstreamAccount<H: Host>(Rc<Inner<H>>);

impl<H: Host> Clone for UpstreamAccount<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Inner<H: Host> {
    host: H,
    account: Parsed<H::Text, Account>,
    running: RefCell<Option<Running<H::Flight>>>,
    /// What the alarm was last set to, as far as this instance knows.
    armed: Cell<Option<Timestamp>>,
    publishing: Cell<bool>,
    /// The publication under way.
    syncing: RefCell<Option<H::Flight>>,
}

impl<H: Host> DurableObject<H> for UpstreamAccount<H> {
    fn new(host: H) -> Self {
        let (running, armed, publishing) = (RefCell::new(None), Cell::new(None), Cell::new(false));
        let (account, syncing) = (Parsed::of(ACCOUNT), RefCell::new(None));
        Self(Rc::new(Inner { host, account, running, armed, publishing, syncing }))
    }

    async fn ask(&self, json: &str) -> Result<String, Fault> {
        let Envelope { provider, account, command } = base::json::read(json)?;
        if !self.is_of(&provider, &account)? {
            // All replies say it alike.
            return reply(&StatusReply::NoAccount);
        }
        match command {
            AnyCommand::Token(command) => reply(&self.token(command).await?),
            AnyCommand::Order(Order { task, by }) if task.operation().gets() => {
                reply(&self.order_token(task, by).await?)
            }
            AnyCommand::Order(Order { task: Task::Request, by }) => reply(&self.request_approval(by).await?),
            AnyCommand::Order(Order { task, by }) => reply(&self.order(task, by).await?),
            AnyCommand::Status => reply(&self.status()?),
            AnyCommand::History => reply(&HistoryReply::History(self.0.history()?)),
            AnyCommand::Look(command) => reply(&self.reconcile(command).await?),
        }
    }

    async fn alarm(&self) -> Result<(), Fault> {
        self.0.armed.set(None);
        if let Err(fault) = self.on_alarm().await {
            self.0.host.fault(FaultKind::UpstreamAlarm, &fault, None);
            self.0.host.set_alarm(self.0.host.now().plus(ALARM_AGAIN))?;
        }
        Ok(())
    }
}

fn reply(reply: &impl Serialize) -> Result<String, Fault> {
    Ok(serde_json::to_string(reply)?)
}

impl<H: Host> UpstreamAccount<H> {
    /// Whether this is the object of that account. It is by the name that it is first asked by, if there is such an account.
    fn is_of(&self, provider: &str, account: &AccountName) -> Result<bool, Fault> {
        let host = &self.0.host;
        let name = format!("{provider}/{account}");
        if let Some(known) = host.get(NAME)? {
            return Ok(known == name);
        }
        let found = host.app()?.config.providers.find(provider, account.as_str()).is_some();
        if found {
            host.put(NAME, &name)?;
        }
        Ok(found)
    }

    /// A token that is valid now, renewed first if need be.
    async fn token(&self, command: GetToken) -> Result<TokenReply, Fault> {
        let GetToken { min_ttl_seconds, rewrite, not, extended, by } = command;
        if extended {
            let Some((decision, loaded)) = self.0.step(Event::AskedExtended)? else {
                return Ok(TokenReply::NoAccount);
            };
            if let Verdict::Refuse(refusal) = decision.verdict {
                return Ok(TokenReply::Refused(refusal));
            }
            let none = Refusal { code: Code::NoTokenSource, status: None, retry_after_seconds: None };
            let issued = loaded.extended(self.0.host.now());
            return Ok(issued.map_or(TokenReply::Refused(none), TokenReply::Token));
        }
        let min_ttl = Duration::from_secs(min_ttl_seconds);
        let mut tried = false;
        let begun = self.0.host.now();
        loop {
            let refused = not.as_deref().map_or(Ok(false), |prefix| self.0.holds(prefix))?;
            let Some((decision, loaded)) = self.0.step(Event::Asked { min_ttl, tried, refused })? else {
                return Ok(TokenReply::NoAccount);
            };
            match decision.verdict {
                Verdict::Serve => {
                    if rewrite {
                        self.0.step(Event::CopySeen { is_right: false })?;
                        self.0.sync_changes().await;
                    }
                    let issued = loaded.issued(self.0.host.now());
                    return Ok(issued.map_or(TokenReply::Refused(unreadable()), TokenReply::Token));
                }
                Verdict::Refuse(refusal) => {
                    if !self.awaited_retry(begun, &loaded).await {
                        return Ok(TokenReply::Refused(refusal));
                    }
                    tried = false;
                }
                Verdict::Nothing => return Ok(TokenReply::Refused(unreadable())),
                Verdict::Run(operation) => {
                    if !self.waited(Some(operation)).await {
                        // A check that a caller wants counts as that; what it finds is decided about anew.
                        let check = operation == Operation::Check;
                        self.run(task_of(operation), by.clone(), check).await?;
                        tried = !check;
                    }
                }
            }
        }
    }

    async fn order_token(&self, task: Task, by: Actor) -> Result<TokenReply, Fault> {
        Ok(match self.ordered(task, by).await? {
            None => TokenReply::NoAccount,
            Some(Err(refusal)) => TokenReply::Refused(refusal),
            Some(Ok(loaded)) => {
                let issued = loaded.issued(self.0.host.now());
                issued.map_or(TokenReply::Refused(unreadable()), TokenReply::Token)
            }
        })
    }

    async fn order(&self, task: Task, by: Actor) -> Result<OrderReply, Fault> {
        Ok(match self.ordered(task, by).await? {
            None => OrderReply::NoAccount,
            Some(Err(refusal)) => OrderReply::Refused(refusal),
            Some(Ok(loaded)) => OrderReply::Done(loaded.status(self.0.host.now())),
        })
    }

    async fn request_approval(&self, by: Actor) -> Result<ApprovalReply, Fault> {
        let pending = Refusal { code: Code::ApprovalPending, status: None, retry_after_seconds: None };
        Ok(match self.ordered(Task::Request, by).await? {
            None => ApprovalReply::NoAccount,
            Some(Err(refusal)) => ApprovalReply::Refused(refusal),
            Some(Ok(_)) => ApprovalReply::Refused(pending),
        })
    }

    /// Does something upstream now. KV knows of it before the caller does, who may read it there next. Nothing: there is no
    /// such account.
    async fn ordered(&self, task: Task, by: Actor) -> Result<Option<Result<Loaded, Refusal>>, Fault> {
        let operation = task.operation();
        let begun = self.0.host.now();
        let (mut failures, mut asked) = (0, false);
        loop {
            self.waited(Some(operation)).await;
            let Some((decision, loaded)) = self.0.step(Event::Ordered(operation))? else { return Ok(None) };
            let unsure = operation == Operation::Adopt && loaded.account.owner_is_unsure(self.0.host.now());
            let unsure = if unsure && !asked && matches!(decision.verdict, Verdict::Run(_)) {
                let refusal = self.asked_whose(&by).await?;
                asked = refusal.is_none();
                if asked {
                    // Meanwhile another task may have begun.
                    continue;
                }
                refusal
            } else {
                None
            };
            let (refusal, ran) = match decision.verdict {
                _ if unsure.is_some() => (unsure, true),
                Verdict::Run(_) => (self.run(task.clone(), by.clone(), true).await?, true),
                Verdict::Refuse(refusal) => (Some(refusal), false),
                Verdict::Serve | Verdict::Nothing => return Ok(Some(Ok(loaded))),
            };
            let Some(mut loaded) = self.0.load()? else { return Ok(None) };
            let Some(refusal) = refusal else {
                self.0.open(&mut loaded)?;
                return Ok(Some(Ok(loaded)));
            };
            // Whoever shared in what failed may come after another one's retry has succeeded.
            if ran && !refusal.code.is_final() && operation.gets() && loaded.account.renewed_since(begun) {
                self.0.open(&mut loaded)?;
                return Ok(Some(Ok(loaded)));
            }
            failures += 1;
            let again = match operation {
                Operation::Adopt => self.adopts_again(begun, failures, refusal, &loaded).await?,
                _ if !operation.gets() || refusal.code.is_final() => false,
                _ => self.awaited_retry(begun, &loaded).await,
            };
            if !again {
                if !ran {
                    self.note(operation, by, Some(refusal.code))?;
                }
                return Ok(Some(Err(refusal)));
            }
        }
    }

    /// Before a token is taken over that may be another user's, it is asked whose the held one is. The refusal, if nobody can say.
    async fn asked_whose(&self, by: &Actor) -> Result<Option<Refusal>, Fault> {
        let refusal = self.run(Task::Check, by.clone(), false).await?;
        Ok(refusal.filter(|refusal| refusal.code.may_pass()))
    }

    /// Waits for the quick try after a failed one, if that comes while the caller waits. Says whether it did.
    async fn awaited_retry(&self, begun: Timestamp, loaded: &Loaded) -> bool {
        let (host, rules) = (&self.0.host, loaded.provider.rules());
        let until = begun.plus(rules.patience);
        let Some(at) = loaded.account.retry_within(until, rules.backoff.retries) else { return false };
        host.sleep(at.since(host.now())).await;
        true
    }

    /// The same for a token that was brought, which nobody tries again but whoever brought it.
    async fn adopts_again(
        &self,
        begun: Timestamp,
        failures: u32,
        refusal: Refusal,
        loaded: &Loaded,
    ) -> Result<bool, Fault> {
        let (host, rules) = (&self.0.host, loaded.provider.rules());
        if !refusal.code.may_pass() || failures > rules.backoff.retries {
            return Ok(false);
        }
        let retry_after = refusal.retry_after_seconds.map(Duration::from_secs);
        let wait = rules.backoff.wait(failures, retry_after, host.jitter()?);
        if host.now().plus(wait) > begun.plus(rules.patience) {
            return Ok(false);
        }
        host.sleep(wait).await;
        Ok(true)
    }

    fn status(&self) -> Result<StatusReply, Fault> {
        let Some(mut loaded) = self.0.load()? else { return Ok(StatusReply::NoAccount) };
        if loaded.is_behind()
            && let Some((_, now)) = self.0.step(Event::Looked { daily: false, spread: Duration::ZERO })?
        {
            return Ok(StatusReply::Status(now.status(self.0.host.now())));
        }
        // What it is like is to be seen even if its tokens cannot be opened.
        let _ = self.0.open(&mut loaded);
        Ok(StatusReply::Status(loaded.status(self.0.host.now())))
    }

    async fn reconcile(&self, command: Reconcile) -> Result<StatusReply, Fault> {
        let spread = Duration::from_millis(command.spread_millis);
        let Some((_, loaded)) = self.0.step(Event::Looked { daily: command.daily, spread })? else {
            return Ok(StatusReply::NoAccount);
        };
        self.0.look_at_copy().await?;
        self.0.arm_if_lost().await?;
        Ok(StatusReply::Status(loaded.status(self.0.host.now())))
    }

    async fn on_alarm(&self) -> Result<(), Fault> {
        let mut admitted = false;
        loop {
            self.waited(None).await;
            let Some((decision, loaded)) = self.0.step(Event::Woke)? else {
                // Not configured any more: nothing is done for it, and nothing is lost.
                return Ok(());
            };
            let Verdict::Run(operation) = decision.verdict else { break };
            if !admitted && loaded.waits_for_turn(operation) {
                if !self.may_begin(&loaded).await? {
                    break;
                }
                // Meanwhile a caller's task may have begun, or come to its end: that is decided about anew.
                admitted = true;
                continue;
            }
            let daily = loaded.account.due.as_ref().is_some_and(|d| d.source == Source::Cron);
            let who = if daily { "cron" } else { "alarm" };
            let by = Actor { who: who.to_owned(), request_id: self.0.host.request_id() };
            self.run(task_of(operation), by, false).await?;
            break;
        }
        self.0.publish().await;
        // Whatever happened: the alarm that brought us here is used up.
        self.0.arm_if_lost().await
    }

    /// Whether the account may renew by itself now, or others are too many. Who cannot be asked stops nobody.
    async fn may_begin(&self, loaded: &Loaded) -> Result<bool, Fault> {
        let (host, rules) = (&self.0.host, loaded.provider.rules());
        let now = host.now();
        let begin = Begin {
            name: loaded.key.to_string(),
            now,
            until: now.plus(rules.task_max),
            at_most: loaded.app.config.providers.upstox.at_once,
        };
        let Ok(BeginReply { wait_millis: Some(wait) }) = host.send(&keeper::index_address(), &begin).await
        else {
            return Ok(true);
        };
        // Not all of them at the same moment.
        let wait = Duration::from_millis(wait);
        let until = host.now().plus(wait + host.jitter()?.up_to(wait / 2));
        self.0.step(Event::Postponed { until })?;
        Ok(false)
    }

    /// The log line of an order for which no task was begun: it shared in another's, or was refused before.
    fn note(&self, operation: Operation, by: Actor, code: Option<Code>) -> Result<(), Fault> {
        let Some(loaded) = self.0.load()? else { return Ok(()) };
        let entry = Entry {
            at: self.0.host.now(),
            operation,
            outcome: code.map_or("ok", Code::as_str).to_owned(),
            who: by.who,
            request_id: by.request_id,
            calls: 0,
            status: None,
            expires_at: None,
        };
        log::keep(&self.0.host, &log::operation(&loaded.key, &entry));
        Ok(())
    }
}

/// The task of an operation that needs no input.
const fn task_of(operation: Operation) -> Task {
    match operation {
        Operation::Check => Task::Check,
        Operation::Obtain => Task::Obtain,
        Operation::Refresh => Task::Refresh,
        Operation::Renew | Operation::Adopt | Operation::Exchange | Operation::Request => Task::Renew,
    }
}

const fn unreadable() -> Refusal {
    Refusal { code: Code::Unreadable, status: None, retry_after_seconds: None }
}

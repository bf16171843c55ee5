//! Steps of a document: what is done on pages in a browser, one after the other. There is one interpreter for all of them.

use super::captcha::Solver;
use super::cdp::{Choice, Condition, Rows, Scrolled, Tab};
use super::code::{Code, Failure};
use super::driver::Visit;
use super::net::{Pending, Progress};
use super::pictures::picture;
use super::totp::Passwords;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where it stands in the document, for whoever is told that it failed.
    pub place: String,
    /// How long it waits for what it needs.
    pub within: Duration,
    /// What has begun here is never begun again.
    pub commits: bool,
    pub verb: Verb,
}

#[derive(Clone, Debug)]
pub enum Verb {
    /// A page behind the base URL.
    Go(String),
    Fill {
        css: String,
        with: String,
    },
    Choose {
        css: String,
        label: String,
    },
    /// By a flag field.
    Tick {
        css: String,
        on: String,
    },
    Click(String),
    WaitFor(Condition),
    /// Until it shows this, or there are no more rows.
    Scroll {
        rows: Rows,
        until: Option<Condition>,
    },
    Read {
        what: Reading,
        css: String,
        into: String,
    },
    /// Has the captcha of this element solved, and puts the solution there.
    Captcha {
        css: String,
        input: String,
    },
    When {
        test: Test,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Repeat {
        steps: Vec<Step>,
        until: Condition,
        at_most: u64,
    },
    /// Members of the answer.
    Answer(Map<String, Value>),
    Fail {
        code: Code,
        message: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Rows as objects by the table's head.
    Table,
    /// The texts of all elements.
    List,
    Text,
    Definitions,
}

#[derive(Clone, Debug)]
pub enum Test {
    Shows(Condition),
    /// The caller has given it.
    Given(String),
}

/// The names that stand for what one logs in with.
pub const PASSWORD: &str = "password";
pub const TOTP: &str = "totp";

/// A run of steps.
pub struct Run<'r, 'v, 'n, 's> {
    pub visit: &'v mut Visit<'n>,
    pub tab: &'v mut Tab<'n>,
    /// What stands for `{name}`. What is read is added.
    pub values: Map<String, Value>,
    pub answer: Map<String, Value>,
    /// Solves captchas, in a login.
    pub solver: Option<&'r mut Solver<'s>>,
    /// Whether the password is still to be sent, in a login.
    pub sends: bool,
    /// Whether a captcha was solved.
    pub solved: bool,
    pub committed: bool,
    /// For one-time passwords, in a login.
    pub passwords: Option<&'r mut Passwords>,
}

impl<'v, 'n> Run<'_, 'v, 'n, '_> {
    pub fn new(visit: &'v mut Visit<'n>, tab: &'v mut Tab<'n>, values: Map<String, Value>) -> Self {
        Self {
            visit,
            tab,
            values,
            answer: Map::new(),
            solver: None,
            sends: false,
            solved: false,
            committed: false,
            passwords: None,
        }
    }
}

impl Run<'_, '_, '_, '_> {
    pub fn steps<'a>(&'a mut self, steps: &'a [Step]) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            for step in steps {
                self.step(step).await?;
            }
            Ok(())
        })
    }

    async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        let within = self.visit.left(step.within)?;
        self.visit.looks_for(format!("{}: {}", step.place, step.verb.said()));
        if step.commits {
            self.visit.net.progress(Progress::Committing)?;
            self.committed = true;
        }
        match &step.verb {
            Verb::Go(path) => {
                let path = super::pages::address(path, &self.values)?;
                self.tab.go(self.visit, &path).await?;
                if self.tab.status() == Some(403) {
                    // Nothing else comes of such a page, and it may say why.
                    return Err(Failure::with_status(Code::StepFailed, 403));
                }
            }
            Verb::Fill { css, with } => {
                if self.sends && with.contains("{password}") {
                    self.visit.net.may_send().await?;
                    self.visit.net.progress(Progress::Sending)?;
                    self.sends = false;
                }
                let text = self.text(with).await?;
                self.tab.fill(css, &text, within).await?;
            }
            Verb::Choose { css, label } => {
                let label = self.text(label).await?;
                if let Choice::NotOffered(_) = self.tab.choose(css, &label, within).await? {
                    return Err(Failure::with_message(Code::InputRefused, &label));
                }
            }
            Verb::Tick { css, on } => {
                let on = self.values.get(on) == Some(&Value::Bool(true));
                self.tab.tick(css, on, within).await?;
            }
            Verb::Click(css) => self.tab.click(css, within).await?,
            Verb::WaitFor(condition) => self.need(condition, within).await?,
            Verb::Scroll { rows, until } => self.scroll(rows, until.as_ref(), within).await?,
            Verb::Read { what, css, into } => {
                // A list may have nothing in it.
                if *what != Reading::List {
                    self.need(&Condition::selector(css), within).await?;
                }
                let value = self.read(*what, css).await?;
                self.values.insert(into.clone(), value);
            }
            Verb::Captcha { css, input } => self.captcha(css, input).await?,
            Verb::When { test, then, otherwise } => {
                let holds = match test {
                    Test::Shows(condition) => self.tab.shows(condition).await?,
                    Test::Given(name) => self.values.contains_key(name),
                };
                self.steps(if holds { then } else { otherwise }).await?;
            }
            Verb::Repeat { steps, until, at_most } => {
                for _ in 0..*at_most {
                    if self.tab.shows(until).await? {
                        return Ok(());
                    }
                    self.steps(steps).await?;
                }
                if !self.tab.shows(until).await? {
                    return Err(Failure::new(Code::StepFailed));
                }
            }
            Verb::Answer(members) => {
                for (member, value) in members {
                    let value = self.value(value);
                    self.answer.insert(member.clone(), value);
                }
            }
            Verb::Fail { code, message } => {
                let message = message.as_deref().unwrap_or_default();
                return Err(Failure::with_message(*code, message));
            }
        }
        if step.verb.shows_something() {
            picture(self.visit, self.tab, &step.place).await;
        }
        Ok(())
    }

    async fn need(&mut self, condition: &Condition, within: Duration) -> Result<(), Failure> {
        if self.tab.wait(condition, within).await? { Ok(()) } else { Err(Failure::new(Code::StepFailed)) }
    }

    async fn scroll(
        &mut self,
        rows: &Rows,
        until: Option<&Condition>,
        within: Duration,
    ) -> Result<(), Failure> {
        loop {
            if let Some(until) = until
                && self.tab.shows(until).await?
            {
                return Ok(());
            }
            self.visit.left(within)?;
            if self.tab.scroll(rows, within).await? == Scrolled::End {
                return Ok(());
            }
        }
    }

    async fn read(&mut self, what: Reading, css: &str) -> Result<Value, Failure> {
        let missing = Failure::new(Code::StepFailed);
        Ok(match what {
            Reading::Table => {
                let table = self.tab.table(css).await?.ok_or(missing)?;
                let object = |row: Vec<String>| {
                    let cells = table.columns.iter().cloned().zip(row);
                    cells.map(|(head, cell)| (head, Value::String(cell))).collect::<Map<_, _>>()
                };
                table.rows.into_iter().map(object).collect::<Vec<_>>().into()
            }
            Reading::List => self.tab.list(css).await?.into(),
            Reading::Text => self.tab.text(Some(css)).await?.into(),
            Reading::Definitions => {
                let all = self.tab.definitions(css).await?.ok_or(missing)?;
                Value::Object(all.into_iter().map(|(t, d)| (t, Value::String(d))).collect())
            }
        })
    }

    async fn captcha(&mut self, css: &str, input: &str) -> Result<(), Failure> {
        let Some(solver) = self.solver.as_deref_mut() else { return Err(Failure::new(Code::StepFailed)) };
        let site_key =
            self.tab.attribute(css, "data-sitekey").await?.ok_or(Failure::new(Code::StepFailed))?;
        let page = self.tab.url().cloned().ok_or(Failure::new(Code::UnexpectedResponse))?;
        self.visit.net.progress(Progress::Paying)?;
        let solution = solver.solve(self.visit, &site_key, &page).await?;
        self.solved = true;
        self.tab.solve(css, input, &solution).await
    }

    /// A text with what its placeholders stand for.
    async fn text(&mut self, template: &str) -> Result<String, Failure> {
        // Only a login has a solver; the password is sent by then.
        if self.solver.is_some() && template.contains("{totp}") {
            // Who gives none has somebody who reads them from a telephone.
            let asked = Failure::with_message(Code::NeedsHuman, "The portal asks for a one-time password");
            let passwords = self.passwords.as_deref_mut().ok_or(asked)?;
            let code = passwords.next(self.visit).await?;
            let mut values = self.values.clone();
            values.insert(TOTP.to_owned(), code.expose().into());
            return Ok(fill(template, &values));
        }
        Ok(fill(template, &self.values))
    }

    /// Exactly a placeholder is its value, of whichever type.
    fn value(&self, value: &Value) -> Value {
        let Value::String(template) = value else { return value.clone() };
        let name = template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name.filter(|name| !name.contains(['{', '}'])) {
            Some(name) => self.values.get(name).cloned().unwrap_or_default(),
            None => fill(template, &self.values).into(),
        }
    }
}

/// Whether there is a step from which on nothing is repeated.
pub(super) fn commits(steps: &[Step]) -> bool {
    steps.iter().any(|step| {
        step.commits
            || match &step.verb {
                Verb::When { then, otherwise, .. } => commits(then) || commits(otherwise),
                Verb::Repeat { steps, .. } => commits(steps),
                _ => false,
            }
    })
}

/// Puts values in for `{name}`. What is not there is nothing.
fn fill(template: &str, values: &Map<String, Value>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        text.push_str(before);
        match values.get(name) {
            Some(Value::String(value)) => text.push_str(value),
            Some(Value::Null) | None => {}
            Some(other) => text.push_str(&other.to_string()),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The names that stand in a text.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

impl Verb {
    /// What is looked for, without what is filled in.
    fn said(&self) -> String {
        match self {
            Self::Go(path) => format!("the page {path}"),
            Self::Fill { css, .. } => format!("an input {css} to fill in"),
            Self::Choose { css, .. } => format!("something to choose from in {css}"),
            Self::Tick { css, .. } => format!("a box {css} to tick"),
            Self::Click(css) => format!("an element {css} that can be clicked"),
            Self::WaitFor(condition) => json!(condition).to_string(),
            Self::Scroll { rows, .. } => format!("an end of {}", rows.rows),
            Self::Read { css, .. } => format!("an element {css} to read"),
            Self::Captcha { css, .. } => format!("a captcha {css}"),
            Self::When { .. } | Self::Repeat { .. } | Self::Answer(_) | Self::Fail { .. } => String::new(),
        }
    }

    /// Whether the page may look otherwise after it.
    const fn shows_something(&self) -> bool {
        !matches!(self, Self::When { .. } | Self::Repeat { .. } | Self::Answer(_) | Self::Read { .. })
    }
}

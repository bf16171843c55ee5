//! Wizards of an API: calls one after the other, the last of which may order something.

use super::ApiDriver;
use super::calls::read;
use super::listing::text;
use super::template::Values;
use crate::code::{Code, Failure};
use crate::document::{ApiCall, ApiOrder, ApiWizard, Options};
use crate::driver::{Outcome, Request, Visit, Wizard};
use crate::net::{Page, Progress};
use crate::operation::{By, CHOICES, Input, Order, Steps};
use crate::pages::wizard::{COMMIT_LEAST, given, missing, missing_at_first, waiting, wants};
use serde_json::{Map, Value, json};

/// A wizard under way.
struct Filling<'a, 'v, 'n> {
    driver: &'a ApiDriver,
    steps: &'a Steps,
    api: &'a ApiWizard,
    /// What the caller has given.
    fields: Map<String, Value>,
    /// What the calls so far have answered: as many as the number of the phase, from 1.
    answers: Vec<Value>,
    visit: &'v mut Visit<'n>,
}

/// An input, and what it has to choose from instead.
type NotOffered<'a> = (&'a Input, Vec<Value>);

/// What a call led to.
enum Went {
    /// To the next phase.
    On,
    Done(Outcome),
    /// The portal does not know the wizard any more.
    Astray(Failure),
}

impl ApiDriver {
    /// Goes on where the wizard was left, if what is new is for that phase or later ones. Else, and where the portal does not know
    /// it any more, it is begun anew, once, with all that was given.
    pub(super) async fn fill_in(
        &self,
        visit: &mut Visit<'_>,
        steps: &Steps,
        request: &Request,
    ) -> Result<Outcome, Failure> {
        if let Some(outcome) = missing_at_first(steps, request) {
            return Ok(outcome);
        }
        let api = steps.api.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))?;
        let answers = kept(steps, request).unwrap_or_default();
        let resumed = !answers.is_empty();
        let fields = given(request);
        let mut filling = Filling { driver: self, steps, api, fields, answers, visit };
        match filling.go().await? {
            Went::Astray(_) if resumed => {
                filling.answers.clear();
                match filling.go().await? {
                    Went::Astray(failure) => Err(failure),
                    Went::Done(outcome) => Ok(outcome),
                    Went::On => Err(Failure::new(Code::UnexpectedResponse)),
                }
            }
            Went::Astray(failure) => Err(failure),
            Went::Done(outcome) => Ok(outcome),
            Went::On => Err(Failure::new(Code::UnexpectedResponse)),
        }
    }
}

/// The answers so far, if they can be gone on with.
fn kept(steps: &Steps, request: &Request) -> Option<Vec<Value>> {
    let wizard = request.wizard.as_ref()?;
    let phase = usize::from(wizard.phase);
    let changed = |name: &str| request.fields.get(name).is_some_and(|v| wizard.fields.get(name) != Some(v));
    let mut done = steps.phases.iter().take(phase.saturating_sub(1)).flatten();
    if done.any(|input| changed(&input.field.name)) {
        return None;
    }
    // A list that was told before may be old: whoever asks again wants to know what there is now.
    if steps.order.is_none() && phase >= steps.phases.len() {
        return None;
    }
    let answers: Vec<Value> = base::json::of(wizard.form.clone()?).ok()?;
    (answers.len() == phase && phase <= steps.phases.len()).then_some(answers)
}

impl Filling<'_, '_, '_> {
    async fn go(&mut self) -> Result<Went, Failure> {
        // What was answered before tells nothing of the session.
        let resumed = !self.answers.is_empty();
        if !resumed {
            self.visit.goes_to("appointment_form", "what there is to choose from");
            let opened = match &self.api.open {
                Some(ApiCall { path, json }) => self.driver.call(self.visit, path, json).await?,
                None => Value::Null,
            };
            self.answers.push(opened);
        }
        let (steps, api) = (self.steps, self.api);
        while let Some(inputs) = steps.phases.get(self.answers.len().saturating_sub(1)) {
            let missing = missing(&self.fields, inputs);
            if !missing.is_empty() {
                return self.wait(&wants(&missing), missing).map(Went::Done);
            }
            let values = match self.chosen()? {
                Ok(values) => values,
                Err((input, offered)) => {
                    let message = format!("{} is none of what the portal offers", input.field.name);
                    let mut outcome = self.wait(&message, Vec::new())?;
                    // The last list is there already.
                    if !self.is_last() {
                        outcome.answer.insert(CHOICES.to_owned(), json!({ &input.field.name: offered }));
                    }
                    return Ok(Went::Done(outcome));
                }
            };
            let went = match (&steps.order, api.phases.get(self.answers.len().saturating_sub(1))) {
                (_, Some(Some(call))) => self.send(call, &values).await?,
                (Some(order), _) => return self.commit(order, &values, resumed).await.map(Went::Done),
                (None, _) => {
                    let answer = self.listed()?;
                    return Ok(Went::Done(Outcome { answer, wizard: Some(self.kept()), waiting: None }));
                }
            };
            if !matches!(went, Went::On) {
                return Ok(went);
            }
        }
        Err(Failure::new(Code::UnexpectedResponse))
    }

    fn is_last(&self) -> bool {
        self.answers.len() == self.steps.phases.len()
    }

    /// What the caller gave up to this phase, with the values of what was chosen by its label. Or the input that has no such option,
    /// and what it has.
    fn chosen(&self) -> Result<Result<Map<String, Value>, NotOffered<'_>>, Failure> {
        let mut values = Map::new();
        for input in self.steps.phases.iter().take(self.answers.len()).flatten() {
            let name = &input.field.name;
            let Some(given) = self.fields.get(name) else { continue };
            let mut value = Some(given.clone());
            if input.by == By::Label {
                let options = self.options(&input.control, input.options.as_ref())?;
                value = options.iter().find(|(_, label)| given == label.as_str()).map(|(v, _)| v.clone());
                if value.is_none() {
                    return Ok(Err((input, options.into_iter().map(|(_, label)| label.into()).collect())));
                }
            }
            values.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(Ok(values))
    }

    /// Values and labels of what can be chosen.
    fn options(&self, at: &str, named: Option<&Options>) -> Result<Vec<(Value, String)>, Failure> {
        let unexpected = || Failure::new(Code::UnexpectedResponse);
        let named = named.ok_or_else(unexpected)?;
        let values = Values { fields: &Map::new(), answers: &self.answers };
        let options = values.get(at).and_then(Value::as_array).cloned().ok_or_else(unexpected)?;
        let option = |one: &Value| {
            let label = text(one.get(&named.label)).filter(|label| !label.is_empty())?;
            Some((one.get(&named.value)?.clone(), label))
        };
        options.iter().map(|one| option(one).ok_or_else(unexpected)).collect()
    }

    /// What can be chosen in the last phase.
    fn listed(&self) -> Result<Map<String, Value>, Failure> {
        let list = &self.steps.list;
        let options = self.options(&list.control, list.options.as_ref())?;
        let labels: Vec<Value> = options.into_iter().map(|(_, label)| label.into()).collect();
        Ok(Map::from_iter([(list.count.clone(), labels.len().into()), (list.rows.clone(), labels.into())]))
    }

    /// What was filled in in this phase.
    async fn send(&mut self, call: &ApiCall, values: &Map<String, Value>) -> Result<Went, Failure> {
        let next = self.answers.len() + 1;
        self.visit.goes_to("appointment_form", format!("an answer that leads to phase {next}"));
        let json = self.filled(call, values);
        let page = self.driver.ask(self.visit, &call.path, &json).await?;
        if self.api.expired_statuses.contains(&page.status) {
            return Ok(Went::Astray(Failure::with_status(Code::UnexpectedResponse, page.status)));
        }
        match self.errors(&page) {
            Some(said) if page.status < 300 || self.refuses(&page) => {
                self.wait(&said, Vec::new()).map(Went::Done)
            }
            _ => {
                self.answers.push(read(&page)?);
                Ok(Went::On)
            }
        }
    }

    fn filled(&self, call: &ApiCall, values: &Map<String, Value>) -> Value {
        Values { fields: values, answers: &self.answers }.fill(&call.json).unwrap_or_default()
    }

    fn refuses(&self, page: &Page) -> bool {
        self.api.refused_statuses.contains(&page.status)
    }

    /// What an answer says is wrong.
    fn errors(&self, page: &Page) -> Option<String> {
        let answer = base::json::value(page.body.expose()).ok()?;
        let found = self.api.errors_at.iter().filter_map(|at| answer.pointer(at));
        let said: Vec<String> = found
            .flat_map(|said| match said {
                Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                Value::String(said) => vec![said.clone()],
                _ => Vec::new(),
            })
            .filter(|said| !said.trim().is_empty())
            .collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    fn kept(&self) -> Wizard {
        let phase = u8::try_from(self.answers.len()).unwrap_or(u8::MAX);
        Wizard { fields: self.fields.clone(), phase, form: Some(Value::from(self.answers.clone())) }
    }

    /// Leaves the wizard until its caller comes back. In the last phase the caller is told what there is.
    fn wait(&self, message: &str, missing: Vec<String>) -> Result<Outcome, Failure> {
        let answer = if self.is_last() { self.listed()? } else { Map::new() };
        Ok(Outcome { answer, ..waiting(self.kept(), message, missing) })
    }

    /// Orders it. There is one call for that, and whatever else comes of it than an answer that is known, it may have been done.
    async fn commit(
        &mut self,
        order: &Order,
        values: &Map<String, Value>,
        resumed: bool,
    ) -> Result<Outcome, Failure> {
        let ApiOrder { call, done_at, details_at } =
            order.api.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))?;
        if resumed {
            self.driver.prove(self.visit).await?;
        }
        if self.visit.left(COMMIT_LEAST)? < COMMIT_LEAST {
            return Err(Failure::new(Code::OutOfTime));
        }
        let json = self.filled(call, values);
        self.visit.goes_to("order", format!("true at {done_at} and an object at {details_at}"));
        self.visit.net.progress(Progress::Committing)?;
        let unknown = |status| Failure { status, ..Failure::new(Code::OutcomeUnknown) };
        let page = self.driver.ask_once(self.visit, &call.path, &json).await;
        let page = page.map_err(|failure| unknown(failure.status))?;
        let unknown = unknown(Some(page.status));
        if page.status < 300 {
            let answer = base::json::value(page.body.expose()).map_err(|_| unknown.clone())?;
            let details = answer.pointer(details_at).and_then(Value::as_object);
            let details =
                details.filter(|all| !all.is_empty() && answer.pointer(done_at) == Some(&json!(true)));
            let details: Option<Map<_, _>> =
                details.ok_or_else(|| unknown.clone())?.iter().map(shown).collect();
            let answer = [
                (order.confirmed.clone(), json!(true)),
                (order.details.clone(), details.ok_or(unknown)?.into()),
            ];
            return Ok(Outcome { answer: Map::from_iter(answer), ..Outcome::default() });
        }
        let said = self.errors(&page).ok_or_else(|| unknown.clone())?;
        if self.api.expired_statuses.contains(&page.status) {
            // It is not done, and can be done only from the beginning: the caller says whether.
            return Ok(waiting(Wizard { form: None, ..self.kept() }, &said, Vec::new()));
        }
        if !self.refuses(&page) {
            return Err(unknown);
        }
        // What was chosen may be gone: what there is now is known to the phase before.
        if let Some(Some(before)) = self.api.phases.iter().rev().nth(1) {
            let last = self.answers.pop();
            if !matches!(self.send(before, values).await, Ok(Went::On)) {
                self.answers.extend(last);
            }
        }
        self.wait(&said, Vec::new())
    }
}

/// A member of what is told of an order.
fn shown((name, value): (&String, &Value)) -> Option<(String, Value)> {
    Some((name.clone(), text(Some(value))?.into()))
}

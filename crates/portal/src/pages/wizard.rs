//! The interpreter of wizards: forms that are filled in one after the other, the last of which may order something.

use super::super::browser::{Browser, Shown};
use super::super::code::{Code, Failure, MESSAGE_CHARS_MAX};
use super::super::driver::{Outcome, Request, Standing, Waiting, Wizard};
use super::super::html::{Choosing, Form};
use super::super::operation::{By, CHOICES, DEBUG, Input, List, Need, Steps};
use super::PageDriver;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// With less time left nothing is ordered: an answer that comes too late says nothing.
pub const COMMIT_LEAST: Duration = Duration::from_secs(5);

/// A form of the portal's, as it came.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The page that it was on.
    pub url: Url,
    pub form: Form,
    pub phase: u8,
    /// What the page says is wrong.
    #[serde(skip)]
    pub errors: Vec<String>,
}

/// How far one attempt came.
enum Went {
    Done(Outcome),
    /// The portal showed something that is no form of the wizard's: it does not know it any more.
    Astray(Failure),
}

/// A wizard under way.
pub(super) struct Filling<'a> {
    pub driver: &'a PageDriver,
    pub steps: &'a Steps,
    pub fields: Map<String, Value>,
}

impl PageDriver {
    /// Goes on where the wizard was left, if what is new is for that phase or later ones. Else, and where the portal does not
    /// know the form any more, it is begun anew, once, with all that was given.
    pub(super) async fn fill_in(
        &self,
        browser: &mut Browser<'_, '_>,
        steps: &Steps,
        request: &Request,
    ) -> Result<Outcome, Failure> {
        let mut fields = request.wizard.as_ref().map(|w| w.fields.clone()).unwrap_or_default();
        let mut kept = None;
        if let Some(wizard) = &request.wizard {
            let changed = |name: &str| request.fields.get(name).is_some_and(|v| fields.get(name) != Some(v));
            let done = steps.phases.iter().take(usize::from(wizard.phase).saturating_sub(1));
            let anew = done.flat_map(|phase| phase.iter()).any(|input| changed(&input.field.name));
            let form = wizard.form.clone().filter(|_| !anew);
            kept = form.and_then(|form| base::json::of::<Kept>(form).ok());
            kept = kept.filter(|k| {
                k.phase == wizard.phase && steps.inputs(k.phase).is_some() && steps.is_form(&k.form)
            });
            // A list that was told before may be old: whoever asks again wants to know what there is now.
            kept = kept.filter(|k| steps.order.is_some() || usize::from(k.phase) < steps.phases.len());
        }
        fields.extend(request.fields.clone());
        fields.remove(DEBUG);
        let filling = Filling { driver: self, steps, fields };
        let resumed = kept.is_some();
        match filling.go(browser, kept).await? {
            Went::Astray(_) if resumed => match filling.go(browser, None).await? {
                Went::Astray(failure) => Err(failure),
                Went::Done(outcome) => Ok(outcome),
            },
            Went::Astray(failure) => Err(failure),
            Went::Done(outcome) => Ok(outcome),
        }
    }
}

impl Filling<'_> {
    async fn go(&self, browser: &mut Browser<'_, '_>, kept: Option<Kept>) -> Result<Went, Failure> {
        let mut resumed = kept.is_some();
        let mut now = match kept {
            Some(kept) => kept,
            None => match self.begin(browser).await? {
                Ok(first) => first,
                Err(outcome) => return Ok(Went::Done(outcome)),
            },
        };
        let astray = || Failure::new(Code::UnexpectedResponse);
        // The phase grows each time round.
        while let Some(inputs) = self.steps.inputs(now.phase) {
            let is_last = usize::from(now.phase) == self.steps.phases.len();
            let missing = self.missing(inputs);
            if !missing.is_empty() {
                return self.wait_for_fields(now, missing).map(Went::Done);
            }
            let asked = now.clone();
            if let Some(refused) = self.type_in(inputs, &mut now.form)? {
                let message = format!("{} is none of what the portal offers", refused.field.name);
                let offered = labels(&asked.form, &refused.control).unwrap_or_default();
                let mut outcome = self.wait(asked, &message, Vec::new())?;
                // The last list is there already.
                if !is_last {
                    outcome.answer.insert(CHOICES.to_owned(), json!({ &refused.field.name: offered }));
                }
                return Ok(Went::Done(outcome));
            }
            match &self.steps.order {
                None if is_last => return self.list(now).map(Went::Done),
                Some(order) if is_last => {
                    return self.commit(browser, order, &now, resumed).await.map(Went::Done);
                }
                _ => {}
            }
            self.goes_to_form(browser, now.phase.saturating_add(1));
            let shown = browser.submit(&now.url, &now.form).await?;
            if self.driver.standing(shown.status, &shown.document) == Standing::LoggedOut {
                return Err(Failure::with_status(Code::LoggedOut, shown.status));
            }
            match self.read(&shown) {
                Some(next) if next.phase > now.phase => now = next,
                Some(same) => {
                    let message = same.said();
                    return self.wait(same, &message, Vec::new()).map(Went::Done);
                }
                None => {
                    return Ok(Went::Astray(Failure::with_status(Code::UnexpectedResponse, shown.status)));
                }
            }
            resumed = false;
        }
        Ok(Went::Astray(astray()))
    }

    /// The first form. What is missing for it is known without the portal.
    async fn begin(&self, browser: &mut Browser<'_, '_>) -> Result<Result<Kept, Outcome>, Failure> {
        let missing = self.steps.inputs(1).map(|inputs| self.missing(inputs)).unwrap_or_default();
        if !missing.is_empty() {
            let wizard = Wizard { fields: self.fields.clone(), phase: 1, form: None };
            return Ok(Err(waiting(wizard, &wants(&missing), missing)));
        }
        self.goes_to_form(browser, 1);
        let shown = self.driver.page(browser, &self.steps.path).await;
        let shown = shown.map_err(super::not_that)?;
        let first = self.read(&shown).filter(|kept| kept.phase == 1);
        first.map(Ok).ok_or(Failure::with_status(Code::UnexpectedResponse, shown.status))
    }

    fn goes_to_form(&self, browser: &mut Browser<'_, '_>, phase: u8) {
        let looked_for = format!("the form #{} with data-phase {phase}", self.steps.form);
        browser.visit.goes_to("appointment_form", looked_for);
    }

    /// The wizard's form on a page, if there is a whole one.
    pub(super) fn read(&self, shown: &Shown) -> Option<Kept> {
        let document = &shown.document;
        if document.is_cut_off() {
            return None;
        }
        let form = document.forms().into_iter().find(|f| f.closed && self.steps.is_form(f))?;
        let phase = form.phase.as_deref()?.trim().parse().ok()?;
        let errors = document.errors(&self.driver.portal.error_classes);
        Some(Kept { url: shown.url.clone(), form, phase, errors })
    }

    fn missing(&self, inputs: &[Input]) -> Vec<String> {
        missing(&self.fields, inputs)
    }

    /// Fills in a form. Gives back the one that it has no option for.
    fn type_in<'i>(&self, inputs: &'i [Input], form: &mut Form) -> Result<Option<&'i Input>, Failure> {
        for input in inputs {
            let is_there = match (&input.by, self.fields.get(&input.field.name)) {
                (By::Label, Some(Value::String(label))) => match form.choose(&input.control, label) {
                    Choosing::Chosen => true,
                    Choosing::NotOffered => return Ok(Some(input)),
                    Choosing::NoSuchControl => false,
                },
                (By::Text, Some(Value::String(text))) => form.type_in(&input.control, text),
                (By::Tick, Some(Value::Bool(on))) => form.tick(&input.control, *on) || !on,
                _ => true,
            };
            if !is_there {
                return Err(Failure::new(Code::UnexpectedResponse));
            }
        }
        Ok(None)
    }

    fn list(&self, now: Kept) -> Result<Outcome, Failure> {
        let answer = self.listed(&now).ok_or(Failure::new(Code::UnexpectedResponse))?;
        Ok(Outcome { answer, wizard: Some(self.kept(now)), waiting: None })
    }

    /// What can be chosen in the last phase.
    fn listed(&self, now: &Kept) -> Option<Map<String, Value>> {
        let List { control, rows, count, .. } = &self.steps.list;
        let labels = labels(&now.form, control)?;
        Some(Map::from_iter([(count.clone(), labels.len().into()), (rows.clone(), labels.into())]))
    }

    fn wait_for_fields(&self, now: Kept, missing: Vec<String>) -> Result<Outcome, Failure> {
        self.wait(now, &wants(&missing), missing)
    }

    /// Leaves the wizard at a form until its caller comes back. In the last phase the caller is told what there is.
    pub(super) fn wait(&self, now: Kept, message: &str, missing: Vec<String>) -> Result<Outcome, Failure> {
        let is_last = usize::from(now.phase) == self.steps.phases.len();
        let answer = if is_last { self.listed(&now).unwrap_or_default() } else { Map::new() };
        if self.steps.inputs(now.phase).is_none() {
            return Err(Failure::new(Code::UnexpectedResponse));
        }
        Ok(Outcome { answer, ..waiting(self.kept(now), message, missing) })
    }

    fn kept(&self, now: Kept) -> Wizard {
        let phase = now.phase;
        Wizard { fields: self.fields.clone(), phase, form: serde_json::to_value(now).ok() }
    }
}

impl Kept {
    pub(super) fn said(&self) -> String {
        if self.errors.is_empty() {
            "The portal wants this filled in differently".to_owned()
        } else {
            self.errors.join("; ")
        }
    }
}

impl Steps {
    /// What is filled in in a phase, if there is such a one.
    pub fn inputs(&self, phase: u8) -> Option<&[Input]> {
        self.phases.get(usize::from(phase).checked_sub(1)?).map(Vec::as_slice)
    }

    fn is_form(&self, form: &Form) -> bool {
        form.id.as_deref() == Some(&self.form)
    }
}

/// The fields that these inputs need and that are not given.
pub fn missing(fields: &Map<String, Value>, inputs: &[Input]) -> Vec<String> {
    let is_needed = |input: &&Input| match &input.need {
        Need::Always => true,
        Need::Never => false,
        Need::For { field, values } => {
            fields.get(field).and_then(Value::as_str).is_some_and(|v| values.iter().any(|x| x == v))
        }
    };
    let is_missing = |input: &&Input| !fields.contains_key(&input.field.name);
    inputs.iter().filter(is_needed).filter(is_missing).map(|input| input.field.name.clone()).collect()
}

/// What a form offers in a control. An option without a value is none.
fn labels(form: &Form, control: &str) -> Option<Vec<Value>> {
    let choices = form.choices(control)?.iter().filter(|c| !c.disabled && !c.value.is_empty());
    Some(choices.map(|c| Value::from(c.label.as_str())).collect())
}

pub fn wants(missing: &[String]) -> String {
    format!("Missing: {}", missing.join(", "))
}

pub fn waiting(wizard: Wizard, message: &str, missing: Vec<String>) -> Outcome {
    let message = message.chars().take(MESSAGE_CHARS_MAX).collect();
    let waiting = Waiting { phase: wizard.phase, message, missing };
    Outcome { answer: Map::new(), wizard: Some(wizard), waiting: Some(waiting) }
}

/// What the caller has given so far.
pub fn given(request: &Request) -> Map<String, Value> {
    let mut fields = request.wizard.as_ref().map(|wizard| wizard.fields.clone()).unwrap_or_default();
    fields.extend(request.fields.clone());
    fields.remove(DEBUG);
    fields
}

/// What is missing for the first form is known without the portal.
pub fn missing_at_first(steps: &Steps, request: &Request) -> Option<Outcome> {
    let fields = given(request);
    let missing = missing(&fields, steps.inputs(1)?);
    let wizard = Wizard { fields, phase: 1, form: None };
    (!missing.is_empty()).then(|| waiting(wizard, &wants(&missing), missing))
}

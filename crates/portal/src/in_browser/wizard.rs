//! Wizards in a browser: forms of an application that are filled in one after the other. One that is gone on with is begun anew with
//! all that was given: what was typed in lies with the portal session, and not in a page that may be gone.

use super::BrowserDriver;
use crate::cdp::{Choice, Condition, Tab};
use crate::code::{Code, Failure};
use crate::driver::{Outcome, Request, Visit, Wizard};
use crate::net::Progress;
use crate::operation::{By, CHOICES, Order, Stepper, Steps};
use crate::pages::wizard::{COMMIT_LEAST, given, missing, waiting, wants};
use crate::pictures::picture;
use crate::script::{Run, Step};
use serde_json::{Map, Value, json};
use std::time::Duration;

const INPUT_WITHIN: Duration = Duration::from_secs(20);

/// A wizard under way.
struct Filling<'a, 'v, 'n> {
    driver: &'a BrowserDriver,
    steps: &'a Steps,
    stepper: &'a Stepper,
    fields: Map<String, Value>,
    visit: &'v mut Visit<'n>,
    tab: &'v mut Tab<'n>,
}

impl BrowserDriver {
    pub(super) async fn fill_in<'n>(
        &self,
        visit: &mut Visit<'n>,
        tab: &mut Tab<'n>,
        steps: &Steps,
        request: &Request,
        committed: &mut bool,
    ) -> Result<Outcome, Failure> {
        let stepper = steps.in_browser.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))?;
        visit.goes_to("appointment_form", "the first step");
        let fields = given(request);
        let mut filling = Filling { driver: self, steps, stepper, fields, visit, tab };
        filling.steps(&stepper.open).await?;
        filling.go(committed).await
    }
}

impl Filling<'_, '_, '_> {
    async fn steps(&mut self, steps: &[Step]) -> Result<(), Failure> {
        Run::new(self.visit, self.tab, self.fields.clone()).steps(steps).await
    }

    async fn go(&mut self, committed: &mut bool) -> Result<Outcome, Failure> {
        let last = self.steps.phases.len();
        for (i, (inputs, (shown, send))) in self.steps.phases.iter().zip(&self.stepper.phases).enumerate() {
            let phase = u8::try_from(i + 1).unwrap_or(u8::MAX);
            let is_last = i + 1 == last;
            if i == 0 {
                self.visit.looks_for(format!("the form {shown}"));
                self.need(&Condition::selector(shown)).await?;
            }
            let missing = missing(&self.fields, inputs);
            if !missing.is_empty() {
                let message = wants(&missing);
                return self.wait(phase, is_last, &message, missing).await;
            }
            for input in inputs {
                self.visit.looks_for(format!("the input {} of the form {shown}", input.control));
                let value = self.fields.get(&input.field.name).cloned();
                let within = self.visit.left(INPUT_WITHIN)?;
                match (input.by, value) {
                    (By::Label, Some(Value::String(label))) => {
                        let chosen = self.tab.choose(&input.control, &label, within).await?;
                        if let Choice::NotOffered(offered) = chosen {
                            let message = format!("{} is none of what the portal offers", input.field.name);
                            let mut outcome = self.wait(phase, is_last, &message, Vec::new()).await?;
                            if !is_last {
                                outcome
                                    .answer
                                    .insert(CHOICES.to_owned(), json!({ &input.field.name: offered }));
                            }
                            return Ok(outcome);
                        }
                    }
                    (By::Text, Some(Value::String(text))) => {
                        self.tab.fill(&input.control, &text, within).await?;
                    }
                    (By::Tick, Some(Value::Bool(on))) => self.tab.tick(&input.control, on, within).await?,
                    _ => {}
                }
            }
            picture(self.visit, self.tab, &format!("phase {phase}")).await;
            match &self.steps.order {
                None if is_last => {
                    let answer = self.listed().await?;
                    let wizard = Some(self.kept(phase));
                    return Ok(Outcome { answer, wizard, waiting: None });
                }
                Some(order) if is_last => return self.commit(order, phase, send, committed).await,
                _ => {}
            }
            let errors = self.new_errors().await?;
            self.steps(send).await?;
            let next = self.stepper.phases.get(i + 1).map(|(shown, _)| Condition::selector(shown));
            let next = next.unwrap_or_default();
            self.visit.looks_for(format!("the form {}", next.selector.as_deref().unwrap_or_default()));
            let mut any = vec![next.clone(), self.logged_out()];
            any.extend(errors);
            self.need(&Condition::any(any)).await?;
            if !self.tab.shows(&next).await? {
                if self.tab.shows(&self.logged_out()).await? {
                    return Err(Failure::new(Code::LoggedOut));
                }
                let message = self.said().await?;
                return self.wait(phase, false, &message, Vec::new()).await;
            }
        }
        Err(Failure::new(Code::UnexpectedResponse))
    }

    fn errors(&self) -> Condition {
        Condition::selector(&self.stepper.errors)
    }

    /// Errors, if none are shown yet: what stood there before says nothing of what is sent now.
    async fn new_errors(&mut self) -> Result<Option<Condition>, Failure> {
        let errors = self.errors();
        Ok(if self.tab.shows(&errors).await? { None } else { Some(errors) })
    }

    fn logged_out(&self) -> Condition {
        Condition::says(&self.driver.portal.login.logged_out)
    }

    async fn need(&mut self, condition: &Condition) -> Result<(), Failure> {
        let within = self.visit.left(self.driver.timeout)?;
        if self.tab.wait(condition, within).await? { Ok(()) } else { Err(Failure::new(Code::StepFailed)) }
    }

    async fn said(&mut self) -> Result<String, Failure> {
        let said = self.tab.list(&self.stepper.errors).await?.join("; ");
        Ok(if said.is_empty() { "The portal wants this filled in differently".to_owned() } else { said })
    }

    fn kept(&self, phase: u8) -> Wizard {
        Wizard { fields: self.fields.clone(), phase, form: None }
    }

    /// What can be chosen in the last phase.
    async fn listed(&mut self) -> Result<Map<String, Value>, Failure> {
        let list = &self.steps.list;
        self.visit.looks_for(format!("something to choose from in {}", list.control));
        let within = self.visit.left(INPUT_WITHIN)?;
        let offered = self.tab.offered(&list.control, within).await?;
        Ok(Map::from_iter([(list.count.clone(), offered.len().into()), (list.rows.clone(), offered.into())]))
    }

    /// Leaves the wizard until its caller comes back. In the last phase the caller is told what there is.
    async fn wait(
        &mut self,
        phase: u8,
        is_last: bool,
        message: &str,
        missing: Vec<String>,
    ) -> Result<Outcome, Failure> {
        let answer = if is_last { self.listed().await? } else { Map::new() };
        Ok(Outcome { answer, ..waiting(self.kept(phase), message, missing) })
    }

    /// Orders it. Its steps are gone through once, and whatever else comes of them than a page that is known, it may have been done.
    async fn commit(
        &mut self,
        order: &Order,
        phase: u8,
        send: &[Step],
        committed: &mut bool,
    ) -> Result<Outcome, Failure> {
        if self.visit.left(COMMIT_LEAST)? < COMMIT_LEAST {
            return Err(Failure::new(Code::OutOfTime));
        }
        let element = Condition::selector(&order.element);
        if self.tab.shows(&element).await? {
            // That of another order: nobody could tell the two apart.
            return Err(Failure::new(Code::UnexpectedResponse));
        }
        let errors = self.new_errors().await?;
        // What the page says before the order it does not say of it.
        let mut texts = Vec::new();
        for said in [&order.gone_texts, &order.expired_texts] {
            let said = Condition::says(said);
            texts.push(if self.tab.shows(&said).await? { None } else { Some(said) });
        }
        self.visit.net.progress(Progress::Committing)?;
        *committed = true;
        self.visit.goes_to("order", "the steps of the order");
        self.steps(send).await?;
        let said = order.confirmed_texts.join("\" or \"");
        self.visit.looks_for(format!("the text \"{said}\" and the element {}", order.element));
        let mut any = vec![element];
        any.extend(errors.iter().chain(texts.iter().flatten()).cloned());
        self.need(&Condition::any(any)).await?;
        let unknown = Failure::new(Code::OutcomeUnknown);
        picture(self.visit, self.tab, "order").await;
        if self.tab.shows(&Condition::says(&order.confirmed_texts)).await? {
            let all =
                self.tab.definitions(&order.element).await?.filter(|all| !all.is_empty()).ok_or(unknown)?;
            let all: Map<_, _> = all.into_iter().map(|(t, d)| (t, Value::String(d))).collect();
            let answer = [(order.confirmed.clone(), json!(true)), (order.details.clone(), all.into())];
            return Ok(Outcome { answer: Map::from_iter(answer), ..Outcome::default() });
        }
        // It is not done, and the portal says so.
        if let Some(Some(expired)) = texts.get(1)
            && self.tab.shows(expired).await?
        {
            let message = self.said().await?;
            return Ok(waiting(self.kept(phase), &message, Vec::new()));
        }
        for refusal in errors.iter().chain(texts.iter().flatten()) {
            if self.tab.shows(refusal).await? {
                let message = self.said().await?;
                // What there is to choose from now may not be there to be read: it is not done all the same.
                let answer = self.listed().await.unwrap_or_default();
                return Ok(Outcome { answer, ..waiting(self.kept(phase), &message, Vec::new()) });
            }
        }
        Err(unknown)
    }
}

//! The last step of a wizard that orders something.

use super::super::browser::{Browser, Shown};
use super::super::code::{Code, Failure};
use super::super::driver::{Outcome, Standing, Wizard};
use super::super::net::Progress;
use super::super::operation::Order;
use super::wizard::{COMMIT_LEAST, Filling, Kept, waiting};
use serde_json::{Map, Value, json};

impl Filling<'_> {
    /// Orders it. There is one call for that, and whatever else comes of it than a page that is known, it may have been done.
    pub(super) async fn commit(
        &self,
        browser: &mut Browser<'_, '_>,
        order: &Order,
        now: &Kept,
        resumed: bool,
    ) -> Result<Outcome, Failure> {
        if resumed {
            // A form that was kept tells nothing of the session: better known before.
            let home = browser.open(&self.driver.portal.home_path).await?;
            self.driver.admitted(&home)?;
        }
        let prepared = browser.prepare(&now.url, &now.form)?;
        if browser.visit.left(COMMIT_LEAST)? < COMMIT_LEAST {
            return Err(Failure::new(Code::OutOfTime));
        }
        let said = order.confirmed_texts.join("\" or \"");
        browser.visit.goes_to("order", format!("the text \"{said}\" and the element #{}", order.element));
        browser.visit.net.progress(Progress::Committing)?;
        let unknown = |status| Failure { status, ..Failure::new(Code::OutcomeUnknown) };
        let shown = browser.go_once(prepared).await.map_err(|failure| unknown(failure.status))?;
        self.read_order(&shown, order, now).ok_or(unknown(Some(shown.status)))
    }

    /// What came of the order, if the page says that.
    fn read_order(&self, shown: &Shown, order: &Order, now: &Kept) -> Option<Outcome> {
        let document = &shown.document;
        let is_out = self.driver.standing(shown.status, document) == Standing::LoggedOut;
        if is_out || document.is_cut_off() || shown.status >= 300 {
            return None;
        }
        if document.says(&order.confirmed_texts)
            && let Some(definitions) = document.definitions(&order.element).filter(|all| !all.is_empty())
        {
            let all: Map<_, _> = definitions.into_iter().map(|(t, d)| (t, Value::String(d))).collect();
            let answer = [(order.confirmed.clone(), json!(true)), (order.details.clone(), all.into())];
            return Some(Outcome { answer: Map::from_iter(answer), ..Outcome::default() });
        }
        match self.read(shown).filter(|again| again.phase <= now.phase) {
            // Without a word of what is wrong it may be the same page for any reason.
            Some(again) if !again.errors.is_empty() || document.says(&order.gone_texts) => {
                let message = if again.errors.is_empty() {
                    spoken(document.text(), &order.gone_texts)
                } else {
                    again.said()
                };
                self.wait(again, &message, Vec::new()).ok()
            }
            // It is not done, and can be done only from the beginning: the caller says whether.
            None if document.says(&order.expired_texts) => {
                let wizard = Wizard { fields: self.fields.clone(), phase: now.phase, form: None };
                Some(waiting(wizard, &spoken(document.text(), &order.expired_texts), Vec::new()))
            }
            _ => None,
        }
    }
}

/// Which of these texts a page says.
fn spoken(text: &str, texts: &[String]) -> String {
    let text = text.to_lowercase();
    texts.iter().find(|t| text.contains(&t.to_lowercase())).cloned().unwrap_or_default()
}

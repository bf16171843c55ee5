//! Lists in a browser: rows that come as one scrolls.

use super::BrowserDriver;
use crate::cdp::{Condition, Rows, Scrolled, Tab, Table};
use crate::code::{Code, Failure};
use crate::driver::Visit;
use crate::html;
use crate::operation::{Listing, Shown};
use crate::pages::listing::{LIMIT_REACHED, Listed, PAGES_MAX, Wanted};
use crate::pictures::picture;
use crate::script::Run;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long new rows may take.
const ROWS_WITHIN: Duration = Duration::from_secs(20);

impl BrowserDriver {
    pub(super) async fn list<'n>(
        &self,
        visit: &mut Visit<'n>,
        tab: &mut Tab<'n>,
        listing: &Listing,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let end = self.read_list(visit, tab, listing, fields).await;
        // The application may have put its list away, to say that nobody is logged in any more.
        let failed = end.as_ref().is_err_and(|failure| failure.code == Code::StepFailed);
        if failed && tab.shows(&self.logged_out()).await.unwrap_or(false) {
            return Err(Failure::new(Code::LoggedOut));
        }
        end
    }

    fn logged_out(&self) -> Condition {
        Condition::says(&self.portal.login.logged_out)
    }

    async fn read_list<'n>(
        &self,
        visit: &mut Visit<'n>,
        tab: &mut Tab<'n>,
        listing: &Listing,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let shown = listing.in_browser.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))?;
        visit.goes_to("list", "the first step");
        Run::new(visit, tab, fields.clone()).steps(&shown.open).await?;
        self.wait_for_table(visit, tab, listing, shown).await?;
        let mut rows = Listed::of(listing, fields);
        add(visit, tab, &mut rows, listing).await?;
        picture(visit, tab, "the list").await;
        let mut answer = Map::new();
        if let Some(paging) = &listing.paging {
            let wanted = Wanted::read(paging, fields, &rows)?;
            let scrolled = Rows {
                scroll: shown.scroll.clone(),
                rows: format!("{} tr", listing.table),
                busy: shown.busy.clone(),
            };
            let mut cycles = 0;
            let reason = loop {
                if let Some(reason) = wanted.met(&rows) {
                    break reason;
                }
                if rows.cut || rows.is_full() || cycles >= PAGES_MAX {
                    break LIMIT_REACHED;
                }
                visit.goes_to("next_page", format!("more rows of {}", listing.table));
                let within = visit.left(ROWS_WITHIN)?;
                if tab.scroll(&scrolled, within).await? == Scrolled::End {
                    // It may have ended because the session has.
                    if tab.shows(&self.logged_out()).await? {
                        return Err(Failure::new(Code::LoggedOut));
                    }
                    break "end_of_list";
                }
                cycles += 1;
                if add(visit, tab, &mut rows, listing).await? == 0 {
                    break "no_progress";
                }
            };
            if cycles > 0 {
                picture(visit, tab, "the end of the list").await;
            }
            rows.ended(paging, &wanted, cycles, reason, &mut answer);
        } else if rows.cut {
            return Err(Failure::new(Code::UnexpectedResponse));
        }
        for name in &listing.repeats {
            answer.insert(name.clone(), fields.get(name).cloned().unwrap_or_default());
        }
        rows.into_answer(listing, &mut answer);
        Ok(answer)
    }

    async fn wait_for_table(
        &self,
        visit: &mut Visit<'_>,
        tab: &mut Tab<'_>,
        listing: &Listing,
        shown: &Shown,
    ) -> Result<(), Failure> {
        visit.looks_for(format!("the table {} with {}", listing.table, listing.columns.said()));
        let missing = Condition::says(&shown.not_found);
        let logged_out = self.logged_out();
        let mut any = vec![Condition::selector(&listing.table), logged_out.clone()];
        if !shown.not_found.is_empty() {
            any.push(missing.clone());
        }
        let within = visit.left(self.timeout)?;
        if !tab.wait(&Condition::any(any), within).await? {
            return Err(Failure::new(Code::StepFailed));
        }
        if tab.shows(&logged_out).await? {
            return Err(Failure::new(Code::LoggedOut));
        }
        if !shown.not_found.is_empty() && tab.shows(&missing).await? {
            return Err(Failure::with_status(Code::NotFound, 404));
        }
        if let Some(busy) = &shown.busy {
            let idle = Condition { gone: Some(busy.clone()), ..Condition::default() };
            if !tab.wait(&idle, visit.left(ROWS_WITHIN)?).await? {
                return Err(Failure::new(Code::StepFailed));
            }
        }
        Ok(())
    }
}

/// Adds the rows that are there now. Says how many of them are new.
async fn add(
    visit: &mut Visit<'_>,
    tab: &mut Tab<'_>,
    rows: &mut Listed,
    listing: &Listing,
) -> Result<usize, Failure> {
    let table = tab.table(&listing.table).await?.ok_or(Failure::new(Code::StepFailed))?;
    let Table { columns, rows: read } = table;
    let table = html::Table { columns, rows: read, closed: true };
    let new = rows.add(listing, table)?;
    visit.scrolled(rows.rows.len());
    Ok(new)
}

//! The page of the last failure, for an hour and for admins: what a portal has changed is seen there.

use super::store::PortalRows;
use super::{Loaded, Portal, Result};
use crate::host::Host;
use base::clock::Timestamp;
use base::fault::FaultKind;
use portal::place::PAGE_KEPT;
use portal::{Credentials, Failure, KeptPage, PageReply, Place, Visit};

/// Sealed.
pub const PAGE: &str = "page";
/// When it came: so that the alarm can be set without opening it.
const PAGE_SINCE: &str = "page_since";

impl<H: Host> PortalRows<'_, H> {
    fn put_page(&self, name: &str, page: &KeptPage) -> Result<()> {
        self.seal(name, PAGE, &serde_json::to_vec(page)?)?;
        self.host.put(PAGE_SINCE, &serde_json::to_string(&page.at)?)
    }

    fn page(&self, name: &str, now: Timestamp) -> Result<Option<KeptPage>> {
        let page = self.open_json::<KeptPage>(name, PAGE)?.ok().flatten();
        Ok(page.filter(|page| now <= page.at.plus(PAGE_KEPT)))
    }

    /// When it is to be forgotten.
    pub fn page_end(&self) -> Result<Option<Timestamp>> {
        let Some(since) = self.host.get(PAGE_SINCE)? else { return Ok(None) };
        let since: Timestamp = base::json::read(&since)?;
        Ok(Some(since.plus(PAGE_KEPT)))
    }

    pub fn forget_page(&self, now: Timestamp) -> Result<()> {
        if self.page_end()?.is_some_and(|at| at <= now) {
            self.host.delete(PAGE)?;
            self.host.delete(PAGE_SINCE)?;
        }
        Ok(())
    }
}

impl<H: Host> Portal<H> {
    /// Where a visit has failed. Its last page is kept if it may be shown to anybody.
    pub(super) fn place(
        &self,
        loaded: &Loaded,
        visit: &Visit<'_>,
        failure: &Failure,
        credentials: Option<&Credentials>,
    ) -> Place {
        if let Err(error) = self.keep_page(loaded, visit, failure, credentials) {
            self.host.fault(FaultKind::PortalPage, &error, None);
        }
        visit.place()
    }

    fn keep_page(
        &self,
        loaded: &Loaded,
        visit: &Visit<'_>,
        failure: &Failure,
        credentials: Option<&Credentials>,
    ) -> Result<()> {
        let rows = self.rows()?;
        let stored =
            if credentials.is_none() { rows.credentials(&loaded.name)?.ok().flatten() } else { None };
        // Whoever does not know the password cannot tell that it is not in there.
        let Some(credentials) = credentials.or(stored.as_ref()) else { return Ok(()) };
        match KeptPage::of(visit, failure.code, credentials, self.host.now()) {
            Some(page) => rows.put_page(&loaded.name, &page),
            None => Ok(()),
        }
    }

    pub(super) fn on_read_page(&self, name: &str) -> Result<PageReply> {
        if !self.is_known(name)? {
            return Ok(PageReply::Unknown);
        }
        let page = self.rows()?.page(name, self.host.now())?;
        Ok(page.map_or(PageReply::Unknown, PageReply::Kept))
    }
}

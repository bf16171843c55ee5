//! The browsers of the deployment: who has one, and for how long they were held.

use super::{Name, PortalRegistry};
use crate::host::{Host, SqlValue};
use base::clock::millis;
use base::fault::Fault;
use portal::identity;
use portal::registry::{BrowserReply, BrowserUse, GiveBrowser, Removed, TakeBrowser};
use serde::Deserialize;

/// Browsers, and whether one of them is somebody's.
#[derive(Deserialize)]
struct Taken {
    live: u64,
    own: u64,
}

impl<H: Host> PortalRegistry<H> {
    /// A place among the browsers. Those that are taken are stored; those who wait ask again.
    pub(super) fn take_browser(&self, take: &TakeBrowser) -> Result<BrowserReply, Fault> {
        let now = self.host.now();
        let place = take.place.as_str();
        self.run("DELETE FROM browsers WHERE until <= ?", vec![now.try_into()?])?;
        let query = "SELECT count(*) AS live, ifnull(sum(place = ?), 0) AS own FROM browsers";
        let taken = self.host.sql::<Taken>(query, vec![place.into()])?;
        let (live, own) = taken.first().map_or((0, 0), |taken| (taken.live, taken.own));
        // It has one already, and has not heard of it.
        let mut queue = self.queue.borrow_mut();
        if own > 0 {
            queue.leave(place);
        } else {
            let max = self.host.app()?.config.portals.browsers.max;
            let free = max.saturating_sub(usize::try_from(live).unwrap_or(usize::MAX));
            if let Some(again) = queue.ask(place, free, now) {
                return Ok(BrowserReply::Waits { milliseconds: millis(again) });
            }
        }
        let values = vec![place.into(), take.until.try_into()?];
        self.run(
            "INSERT INTO browsers (place, until) VALUES (?, ?) \
             ON CONFLICT (place) DO UPDATE SET until = max(until, excluded.until)",
            values,
        )?;
        Ok(BrowserReply::Taken)
    }

    /// What is given back twice is counted once.
    pub(super) fn give_browser(&self, GiveBrowser { place, used }: &GiveBrowser) -> Result<Removed, Fault> {
        let place = place.as_str();
        self.queue.borrow_mut().leave(place);
        let given = "DELETE FROM browsers WHERE place = ? RETURNING place AS name";
        let given = self.host.sql::<Name>(given, vec![place.into()])?;
        if let Some(used) = used.as_ref().filter(|_| !given.is_empty()) {
            self.browser_used(used)?;
        }
        Ok(Removed::Done)
    }

    fn browser_used(&self, used: &BrowserUse) -> Result<(), Fault> {
        let BrowserUse { name, work, milliseconds, session } = used;
        let milliseconds = SqlValue::number(*milliseconds)?;
        self.run(
            "INSERT INTO browser_time (portal, work, milliseconds) VALUES (?, ?, ?) \
             ON CONFLICT (portal, work) DO UPDATE SET milliseconds = milliseconds + excluded.milliseconds",
            vec![identity::portal(name).into(), work.as_str().into(), milliseconds],
        )?;
        // A session that is only kept alive reports nothing else.
        if let Some((id, total)) = session {
            self.run(
                "UPDATE live SET more = json_set(ifnull(more, '{}'), '$.browser_milliseconds', ?) \
                 WHERE name = ? AND session_id = ?",
                vec![SqlValue::number(*total)?, name.as_str().into(), id.as_str().into()],
            )?;
        }
        Ok(())
    }
}

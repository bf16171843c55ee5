//! The directory's table of what password hashes are made with.

use super::Directory;
use crate::host::{Host, SqlValue};
use base::fault::Fault;
use directory::HashParams;
use std::time::Duration;

/// How long after it was last seen a hash may be in use: as long as an address is known for its user.
const KEPT: Duration = Duration::from_hours(720);
/// What was noted less than this ago is not noted again.
const NOTED: Duration = Duration::from_hours(24);

impl<H: Host> Directory<H> {
    /// What the dearest hash in use was made with: by the settings of these thirty days, whoever's hash was made then, and by the
    /// stored hashes that refused somebody meanwhile.
    pub(super) fn hash_cost(&self, seen: Option<HashParams>) -> Result<HashParams, Fault> {
        self.run(
            "CREATE TABLE IF NOT EXISTS hash_costs (memory_kib INTEGER NOT NULL, iterations INTEGER NOT NULL, \
             seen_at INTEGER NOT NULL, PRIMARY KEY (memory_kib, iterations))",
            Vec::new(),
        )?;
        let (now, settings) = (self.host.now(), self.host.app()?.config.hashing);
        self.run("DELETE FROM hash_costs WHERE seen_at < ?", vec![now.minus(KEPT).try_into()?])?;
        for HashParams { memory_kib, iterations } in [Some(settings), seen].into_iter().flatten() {
            let statement = "INSERT INTO hash_costs VALUES (?, ?, ?) ON CONFLICT DO \
                             UPDATE SET seen_at = excluded.seen_at WHERE seen_at < ?";
            let [memory_kib, iterations] = [memory_kib, iterations].map(|n| SqlValue::Integer(n.into()));
            let values = vec![memory_kib, iterations, now.try_into()?, now.minus(NOTED).try_into()?];
            self.run(statement, values)?;
        }
        let query =
            "SELECT memory_kib, iterations FROM hash_costs ORDER BY memory_kib * iterations DESC LIMIT 1";
        Ok(self.host.sql::<HashParams>(query, Vec::new())?.into_iter().next().unwrap_or(settings))
    }
}

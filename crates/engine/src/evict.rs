//! Portal sessions that are too many are closed.

use base::call::Actor;
use base::ports::Random;
use base::rpc::Peers;
use base::together::together;
use keeper::upstream_index::SWEEP_MAX;
use portal::registry::Place;
use portal::{Asked, Close, End};

/// Closes sessions that are too many: as many as one invocation may call. The others, and those that cannot be reached, are
/// closed by the Cron Trigger.
pub async fn evict(ports: &(impl Peers + Random), places: Vec<Place>) {
    let closing = places.into_iter().take(SWEEP_MAX).map(|Place { name, session_id }| async move {
        let by = Actor { who: "limit".to_owned(), request_id: ports.request_id() };
        let command = Close { session_id, reason: End::Evicted, by, wait: false };
        // The call logs its own failure.
        let _ = ports.send(&portal::address(&name), &Asked { name, command }).await;
    });
    together(closing).await;
}

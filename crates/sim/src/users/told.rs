//! What a receiver of events was told, and what has happened.

use crate::fakes::receiver::{HOST, Mishap, Receiver};
use crate::sequence::Invariant;
use crate::weather::Kind;
use crate::world::World;
use base::rpc::Class;
use std::collections::BTreeSet;

/// A receiver in the weather of its world.
pub fn receiver(world: &World) -> Receiver {
    let host = world.host();
    let mishap = move || {
        let mishap = host.struck(Kind::Upstream, Mishap::ALL.len() as u64)?;
        Mishap::ALL.get(usize::try_from(mishap - 1).ok()?).copied()
    };
    let receiver = Receiver::new(world.host(), mishap);
    world.upstream(HOST, receiver.clone());
    receiver
}

/// Every session that was ever open has a beginning, and those that are over one end, at last; nobody else is told of.
pub fn check(
    world: &World,
    receiver: &Receiver,
    opened: &BTreeSet<String>,
) -> Result<(), (Invariant, String)> {
    if let Some(wrong) = receiver.wrong() {
        return Err((Invariant::EventWrong, wrong));
    }
    let told = receiver.told();
    if let Some((id, types)) = told.iter().find(|(id, _)| !opened.contains(*id)) {
        return Err((Invariant::EventsDiffer, format!("{id} was never open: {types:?}")));
    }
    for id in opened {
        let types = told.get(id).map(Vec::as_slice).unwrap_or_default();
        let is_live =
            world.row(Class::Session, id, "session").is_some_and(|text| text.contains(r#""state":"live""#));
        let is_end = |name: &&String| name.contains(".revoked.") || name.contains(".expired.");
        let between = types.len().saturating_sub(if is_live { 1 } else { 2 });
        let refreshes = types.iter().filter(|name| *name == "session.refreshed").count();
        let is_whole = types.first().is_some_and(|first| first == "session.created")
            && types.iter().filter(is_end).count() == usize::from(!is_live)
            && types.last().is_some_and(|last| is_end(&last)) != is_live
            && refreshes == between;
        if !is_whole {
            return Err((Invariant::EventsDiffer, format!("{id}, live: {is_live}: {types:?}")));
        }
    }
    Ok(())
}

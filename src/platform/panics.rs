//! What becomes of a panic. The code has none that is meant, so one is a fault of ours: it fails the call it is in
//! (`--panic-unwind`), and is logged once, as one JSON line that says where it was, and for which request. Its message is not logged: it may show
//! what a value held.

use super::now;
use base::fault::FaultKind;
use base::{current, log};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

static HOOK: Once = Once::new();

/// Sets the one hook, in place of the one that the `worker` crate has set when the module was loaded: that prints the
/// message and a stack, on several lines.
pub fn see_to_them() {
    HOOK.call_once(|| panic::set_hook(Box::new(on_panic)));
}

fn on_panic(panic: &PanicHookInfo) {
    // Somebody's own build, of which nobody reads the log by machine: the message and the stack are worth more there.
    if cfg!(debug_assertions) {
        return console_error_panic_hook::hook(panic);
    }
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    worker::console_error!(
        "{}",
        log::fault(FaultKind::Panic, &place, current::request_id().as_deref(), now())
    );
}

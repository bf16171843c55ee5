//! Random bytes, by the runtime.

use super::Workers;
use base::fault::Fault;
use base::ports::{Random, hex};
use std::cell::RefCell;

const ID_BYTES: usize = 16;
const IDS_AT_ONCE: usize = 64;

thread_local! {
    /// Random request ids that nobody has had yet.
    static IDS: RefCell<Vec<[u8; ID_BYTES]>> = const { RefCell::new(Vec::new()) };
}

impl Random for Workers {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        getrandom::fill(bytes).map_err(|_| "no random bytes".into())
    }

    /// Random bytes are drawn for many ids at once: a call of the runtime's for each took a hundredth of a request's time.
    fn request_id(&self) -> String {
        let mut bytes = [0; ID_BYTES];
        IDS.with(|ids| {
            let mut ids = ids.borrow_mut();
            if ids.is_empty() {
                let mut drawn = vec![[0; ID_BYTES]; IDS_AT_ONCE];
                // Without random bytes ids are all zeros; nothing depends on them.
                if self.fill(drawn.as_flattened_mut()).is_ok() {
                    *ids = drawn;
                }
            }
            bytes = ids.pop().unwrap_or_default();
        });
        hex(&bytes)
    }
}

//! Audit records of handlers: a line each, and a copy in the trail, if there is one. No answer waits for that, or depends on it.

use crate::backend::Backend;
use crate::log::{self, Audit};
use crate::request::RequestHead;
use base::trail::{self, COLLECTED};
use config::App;

/// Writes the record of a request.
pub fn audit<B: Backend>(backend: &B, app: &App, head: &RequestHead, record: &Audit) {
    let line = log::audit(head, record, backend.now());
    backend.info(&line);
    let of_somebody = record.session_id.is_some() || record.account.is_some();
    if app.config.audit_trail.takes(record.action, record.outcome, of_somebody) {
        keep(backend, &line);
    }
}

/// What an instance records within a second goes as one batch.
fn keep<B: Backend>(backend: &B, line: &str) {
    let Some(record) = trail::record_of(line) else { return };
    if !backend.instance().trail.add(record, backend.now()) {
        return;
    }
    let ports = backend.clone();
    backend.wait_until(async move {
        ports.sleep(COLLECTED).await;
        let batch = ports.instance().trail.take();
        let count = batch.records.len();
        if trail::send(&ports, batch.records, batch.left_out).await.is_err() {
            ports.instance().trail.lose(count, batch.left_out);
        }
    });
}

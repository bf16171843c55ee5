//! Log lines: one JSON object each, so that nothing a caller sends can forge one. Never a secret.

use crate::clock::Timestamp;
use crate::fault::FaultKind;
use serde_json::{Value, json};

/// Something that went wrong inside. Of a longer text the first line is kept: what follows is a stack.
pub fn fault(kind: FaultKind, detail: &str, request_id: Option<&str>, now: Timestamp) -> String {
    let line: Value = json!({
        "level": "error",
        "event": "fault",
        "at": now.rfc3339(),
        "request_id": request_id,
        "what": kind.as_str(),
        "detail": detail.lines().next().unwrap_or_default().chars().take(300).collect::<String>(),
    });
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_whatever_is_in_it() {
        let line = fault(FaultKind::Object, "a\n{\"event\":\"forged\"}", None, Timestamp::default());
        assert_eq!(line.lines().count(), 1);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["event"], &line["detail"]), (&json!("fault"), &json!("a")));
    }
}

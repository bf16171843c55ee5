use super::*;
use serde_json::json;

fn copy(line: &Value) -> Value {
    serde_json::from_str(&record_of(&line.to_string()).unwrap().json).unwrap()
}

#[test]
fn a_copy_has_what_the_line_says() {
    let line = json!({
        "level": "warn", "event": "audit", "at": "2026-06-01T06:00:00.123Z", "request_id": "r", "action": "login",
        "outcome": "invalid_credentials", "actor": null, "user_id": 5, "session_id": null, "address": "192.0.2.1",
    });
    let record = record_of(&line.to_string()).unwrap();
    assert_eq!(record.at, Timestamp::parse_rfc3339("2026-06-01T06:00:00.123Z").unwrap());
    assert_eq!(
        copy(&line),
        json!({
            "at": "2026-06-01T06:00:00.123Z", "request_id": "r", "action": "login", "outcome": "invalid_credentials",
            "user_id": 5, "address": "192.0.2.1",
        })
    );
    for no_record in ["", "[]", "{}", r#"{"at":5}"#, r#"{"at":"yesterday"}"#] {
        assert_eq!(record_of(no_record), None, "{no_record}");
    }
}

#[test]
fn an_alert_is_an_action_and_its_code_the_outcome() {
    let alert = |kind: &str, code: Option<&str>| {
        let line = json!({
            "level": "warn", "event": "alert", "at": "2026-06-01T06:00:00Z", "alert": kind, "account": "upstox/a",
            "code": code, "expires_at": null,
        });
        let copy = copy(&line);
        (copy["action"].as_str().unwrap().to_owned(), copy["outcome"].as_str().unwrap().to_owned())
    };
    let is = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    assert_eq!(alert("failing", Some("timeout")), is("token.failing", "timeout"));
    assert_eq!(alert("expiring", None), is("token.expiring", "expiring"));
    assert_eq!(alert("recovered", None), is("token.recovered", "ok"));
}

#[test]
fn what_callers_put_in_is_bounded() {
    let long = "\u{e9}\"".repeat(5_000);
    let line = json!({
        "at": "2026-06-01T06:00:00Z", "action": "login", "outcome": "ok", "address": long,
        "changed": { "roles": vec![long.clone(); 1_000] },
    });
    let copy = copy(&line);
    assert_eq!(copy["address"].as_str().unwrap().chars().count(), 200);
    let roles = copy["changed"]["roles"].as_array().unwrap();
    assert!(roles.len() == 20 && roles.iter().all(|role| role.as_str().unwrap().chars().count() == 200));
}

#[test]
fn a_filter_fits_members_and_nothing_that_looks_like_one() {
    let record = json!({
        "action": "login", "outcome": "invalid_credentials", "user_id": 12, "actor": 7, "session_id": "s",
        "account": "upstox/a", "service": "key:\"login\"", "address": "\"action\":\"logout\",\"user_id\":3,",
    })
    .to_string();
    let text = |value: &str| Some(value.to_owned());
    let fits = |filter: Filter| filter.fits(&record);
    assert!(fits(Filter::default()));
    let all = Filter {
        action: text("login"),
        outcome: text("invalid_credentials"),
        user_id: Some(12),
        session_id: text("s"),
        account: text("upstox/a"),
        service: text("key:\"login\""),
    };
    assert!(fits(all.clone()));
    for other in [
        Filter { action: text("logout"), ..all.clone() },
        Filter { action: text("logi"), ..all.clone() },
        Filter { outcome: text("ok"), ..all.clone() },
        Filter { session_id: text("S"), ..all.clone() },
        Filter { account: text("upstox/ab"), ..all.clone() },
        Filter { service: text("key:"), ..all.clone() },
    ] {
        assert!(!fits(other.clone()), "{other:?}");
    }
    for (id, does) in [(12, true), (7, true), (1, false), (2, false), (123, false), (3, false)] {
        assert_eq!(fits(Filter { user_id: Some(id), ..Filter::default() }), does, "{id}");
    }
    assert!(fits(Filter { outcome: text(FAILED), ..Filter::default() }));
    let last = r#"{"outcome":"ok","user_id":5}"#;
    assert!(Filter { user_id: Some(5), ..Filter::default() }.fits(last));
    assert!(!Filter { outcome: text(FAILED), ..Filter::default() }.fits(last));
    // A record without the member is not one of anybody's.
    assert!(!Filter { user_id: Some(5), ..Filter::default() }.fits(r#"{"outcome":"ok"}"#));
}

#[test]
fn what_goes_well_all_the_time_is_kept_only_if_asked_for() {
    let takes = |keep: Keep| {
        [
            (Action::Login, "invalid_credentials", false),
            (Action::Refresh, "ok", true),
            (Action::Refresh, "token_expired", true),
            (Action::Refresh, "token_invalid", false),
            (Action::ReadToken, "timeout", true),
        ]
        .map(|(action, outcome, of_somebody)| keep.takes(action, outcome, of_somebody))
    };
    assert_eq!(takes(Keep::Nothing), [false; 5]);
    assert_eq!(takes(Keep::Most), [true, false, true, false, true]);
    assert_eq!(takes(Keep::Everything), [true; 5]);
}

#[test]
fn a_batch_is_sent_by_one_and_by_another_if_that_one_is_gone() {
    let (outgoing, at) = (Outgoing::new(), |seconds: u64| Timestamp::from_seconds(1_000 + seconds));
    let add = |seconds| outgoing.add(Record { at: at(seconds), json: "{}".to_owned() }, at(seconds));
    assert!(add(0) && !add(0) && !add(9));
    assert!(add(10), "whoever was to send them is gone");
    assert!(!add(10));
    assert!(add(1), "the clock was set back");
    let batch = outgoing.take();
    assert_eq!((batch.records.len(), batch.left_out), (6, 0));
    assert!(add(1), "the next batch has a sender of its own");
}

#[test]
fn too_many_are_left_out_and_counted_also_if_a_batch_is_lost() {
    let (outgoing, now) = (Outgoing::new(), Timestamp::from_seconds(1_000));
    for _ in 0..BATCH_MAX + 7 {
        outgoing.add(Record { at: now, json: "{}".to_owned() }, now);
    }
    let batch = outgoing.take();
    assert_eq!((batch.records.len(), batch.left_out), (BATCH_MAX, 7));
    outgoing.lose(batch.records.len(), batch.left_out);
    assert_eq!(outgoing.take().left_out, u64::try_from(BATCH_MAX).unwrap() + 7);
}

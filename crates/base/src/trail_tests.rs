use super::*;
use serde_json::json;

fn copy(line: &Value) -> Value {
    let record = record_of(&line.to_string()).unwrap();
    serde_json::from_str(record.split_once(' ').unwrap().1).unwrap()
}

#[test]
fn a_copy_has_what_the_line_says() {
    let line = json!({
        "level": "warn", "event": "audit", "at": "2026-06-01T06:00:00.123Z", "request_id": "r", "action": "login",
        "outcome": "invalid_credentials", "actor": null, "user_id": 5, "session_id": null, "address": "192.0.2.1",
    });
    let record = record_of(&line.to_string()).unwrap();
    let at = Timestamp::parse_rfc3339("2026-06-01T06:00:00.123Z").unwrap();
    assert!(record.starts_with("001780293600123 {"), "{record}");
    assert_eq!((time_of(&record), time_of(&stamp(at))), (Some(at), Some(at)));
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
    let of = |members: &[(&'static str, &str)]| {
        let mut query = Query::default();
        for (name, value) in members {
            query.require(name, Some((*value).to_owned()));
        }
        query
    };
    let all = [
        ("action", "login"),
        ("outcome", "invalid_credentials"),
        ("session_id", "s"),
        ("account", "upstox/a"),
        ("service", "key:\"login\""),
    ];
    assert!(Query::default().fits(&record) && of(&all).fits(&record));
    for other in [
        ("action", "logout"),
        ("action", "logi"),
        ("outcome", "ok"),
        ("session_id", "S"),
        ("account", "upstox/ab"),
        ("service", "key:"),
    ] {
        let mut query = of(&all);
        query.require(other.0, Some(other.1.to_owned()));
        assert!(!query.fits(&record), "{other:?}");
    }
    let of_user = |id: u64| {
        let mut query = Query::default();
        query.require_user(id);
        query
    };
    for (id, does) in [(12, true), (7, true), (1, false), (2, false), (123, false), (3, false)] {
        assert_eq!(of_user(id).fits(&record), does, "{id}");
    }
    let mut failed = Query::default();
    failed.exclude("outcome", "ok");
    let last = r#"{"outcome":"ok","user_id":5}"#;
    assert!(failed.fits(&record) && !failed.fits(last));
    assert!(of_user(5).fits(last));
    // A record without the member is not one of anybody's.
    assert!(!of_user(5).fits(r#"{"outcome":"ok"}"#));
}

#[test]
fn pages_begin_with_the_newest_and_have_nothing_twice() {
    let mut records = ["002 a", "010 c", "002 b", "002 a", "003 a"].map(str::to_owned).to_vec();
    newest(&mut records, 3);
    assert_eq!(records, ["010 c", "003 a", "002 b"]);
    let before = Query { before: Some("00003 a".to_owned()), ..Query::default() };
    assert!(!before.fits("00003 a {}") && before.fits("00002 z {}") && before.fits("00003 A {}"));
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
    let add = |seconds| outgoing.add("{}".to_owned(), at(seconds));
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
        outgoing.add("{}".to_owned(), now);
    }
    let batch = outgoing.take();
    assert_eq!((batch.records.len(), batch.left_out), (BATCH_MAX, 7));
    outgoing.lose(batch.records.len(), batch.left_out);
    assert_eq!(outgoing.take().left_out, u64::try_from(BATCH_MAX).unwrap() + 7);
}

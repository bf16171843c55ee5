//! Lists show what they can reach, KV has the records of sessions whatever it refused, and subjects are found and erased.

use super::support::Server;
use super::support::tokens::session_of;
use base::rpc::Class;
use serde_json::{Value, json};
use sim::weather::Odds;
use std::time::Duration;

fn send(server: &Server, method: &'static str, path: &str, token: &str) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let answered = server.world.request(method, path, &[("authorization", &bearer)], None);
    (answered.status, answered.json())
}

fn break_object(server: &Server, class: Class, name: &str, row: &str) {
    server.world.put_row(class, name, row, "broken");
}

/// What was real: one object that failed made the lists and the cleanup 503, always at the same place.
#[test]
fn f09_one_object_that_fails_hides_no_other() {
    let server = Server::new();
    let token = server.fresh_admin();
    let (user, mine) = server.someone();
    let [broken, other] = [(); 2].map(|()| server.log_in(&user.username));
    let id = session_of(&broken.access);
    break_object(&server, Class::Session, &id, "session");

    let (status, list) = send(&server, "GET", "/auth/sessions", &mine.access);
    assert_eq!((status, list["sessions"].as_array().unwrap().len()), (200, 2));
    assert_eq!(list["unreachable"], json!([id]));
    for query in [format!("user_id={}", user.id), format!("username={}", user.username), String::new()] {
        let (status, list) = send(&server, "GET", &format!("/admin/sessions/active?{query}"), &token);
        assert_eq!((status, &list["unreachable"]), (200, &json!([id])), "{query}");
        let ids: Vec<&str> =
            list["sessions"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
        assert!(ids.contains(&session_of(&other.access).as_str()), "{query}");
    }

    let (second, _) = server.someone();
    break_object(&server, Class::User, &format!("user/{}", second.username), "user");
    let (status, list) = send(&server, "GET", "/admin/users", &token);
    assert_eq!((status, &list["unreachable"]), (200, &json!([second.username])));
    assert!(list["users"].as_array().unwrap().iter().any(|u| u["username"] == *user.username));

    // Its time is over, and nobody has noticed.
    let over = session_of(&other.access);
    server.world.lose_alarm(Class::Session, &over);
    server.world.advance(Duration::from_mins(31));
    let token = server.fresh_admin();
    let (status, cleaned) = send(&server, "POST", "/admin/sessions/cleanup", &token);
    assert_eq!(status, 200);
    assert_eq!(cleaned["unreachable"], json!([second.username, id]));
    assert!(cleaned["cleaned_sessions"].as_u64().unwrap() >= 1 && cleaned["next_cursor"].is_null());
    // Where nothing is unreachable nothing is said of it.
    let (_, alone) = server.someone();
    assert_eq!(send(&server, "GET", "/auth/sessions", &alone.access).1.get("unreachable"), None);
}

#[test]
fn f09_a_cleanup_stops_at_its_cost_and_goes_on() {
    let server = Server::with(&[("MAX_CONCURRENT_SESSIONS_PER_USER", "100")]);
    for _ in 0..3 {
        let (user, _) = server.someone();
        for _ in 0..69 {
            server.log_in(&user.username);
        }
    }
    for id in server.world.ids(Class::Session) {
        server.world.lose_alarm(Class::Session, &id);
    }
    server.world.advance(Duration::from_mins(31));
    let token = server.fresh_admin();
    let (mut cleaned, mut rounds, mut cursor) = (0, 0, String::new());
    loop {
        let path = format!("/admin/sessions/cleanup?cursor={cursor}");
        let path = if cursor.is_empty() { "/admin/sessions/cleanup" } else { &path };
        let (status, answer) = send(&server, "POST", path, &token);
        assert_eq!(status, 200, "{answer}");
        let now = answer["cleaned_sessions"].as_u64().unwrap();
        assert!(now <= 800 / 6 + 1, "{answer}");
        (cleaned, rounds) = (cleaned + now, rounds + 1);
        match answer["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert!(cleaned >= 210 && rounds >= 2, "{cleaned} in {rounds}");
}

/// What was real: without KV at the moment of a login its session is in no list of all sessions, for as long as it lives.
#[test]
fn f09_a_record_that_kv_refused_at_login_is_written_later() {
    let server = Server::new();
    let token = server.fresh_admin();
    let (user, _) = server.someone();
    server.world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    let tokens = server.log_in(&user.username);
    let key = format!("session:{}", session_of(&tokens.access));
    server.world.advance(Duration::from_secs(45));
    assert!(!server.world.kv().contains_key(&key));
    server.world.weather().clear();
    server.world.advance(Duration::from_secs(30));
    assert!(server.world.kv().contains_key(&key));
    let (_, list) = send(&server, "GET", "/admin/sessions/active", &token);
    let ids = list["sessions"].as_array().unwrap();
    assert!(ids.iter().any(|s| key.ends_with(s["id"].as_str().unwrap())));
}

#[test]
fn f09_an_externally_authenticated_subject_is_found_ended_and_erased() {
    let server = Server::new();
    let token = server.fresh_admin();
    let init = |cif: &str| {
        let body = json!({ "data": { "cif": cif, "tokenKey": "t", "payload": { "channelId": "retail" } } });
        server.post("/api/v1/postlogin/init-session").json(&body).send().json["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, another, other) = (init("1"), init("1"), init("2"));
    let data = json!({ "mine": 1 });
    assert_eq!(server.post("/api/v1/data").token(&one).json(&data).send().status, 200);
    let found =
        |subject: &str| send(&server, "GET", &format!("/admin/sessions/active?subject={subject}"), &token);
    assert_eq!(found("VPB-RETAIL-1").1["active_sessions"], json!(2));
    assert_eq!(found("VPB-RETAIL-3").1["active_sessions"], json!(0));
    assert_eq!(found("asha").0, 422);

    let (status, closed) = send(&server, "DELETE", "/admin/subjects/VPB-RETAIL-1/sessions", &token);
    assert_eq!((status, closed), (200, json!({ "closed_sessions": 2 })));
    for token in [&one, &another] {
        assert_eq!(server.protected(token).json["reason"], "admin");
    }
    let again = init("1");
    assert_eq!(
        server.get("/api/v1/data").token(&again).send().json,
        json!({ "data": {} }),
        "it went with the last"
    );
    assert_eq!(server.post("/api/v1/data").token(&again).json(&data).send().status, 200);
    server.world.take_logs();
    assert_eq!(send(&server, "DELETE", "/admin/subjects/VPB-RETAIL-1", &token).0, 204);
    assert_eq!(server.protected(&again).status, 401);
    let rows = server.world.rows(Class::User, "postlogin/VPB-RETAIL-1");
    assert!(!rows.contains_key("data"), "{rows:?}");
    assert!(
        server
            .world
            .logs()
            .iter()
            .any(|line| line.text.contains("erase_customer") && line.text.contains("customer\""))
    );
    server.world.advance(Duration::from_mins(10));
    assert!(server.world.rows(Class::User, "postlogin/VPB-RETAIL-1").is_empty());
    assert_eq!(send(&server, "DELETE", "/admin/subjects/VPB-RETAIL-1", &token).0, 204, "it may be repeated");
    assert_eq!(send(&server, "DELETE", "/admin/subjects/root", &token).0, 404);
    assert_eq!(server.protected(&other).status, 200);
}

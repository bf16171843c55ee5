//! Lists show what they can reach, KV has the records of sessions whatever it refused, and subjects are found and erased.

use super::support::tokens::session_of;
use super::support::{PASSWORD, Server};
use base::ports::Kv as _;
use base::rpc::Class;
use serde_json::{Value, json};
use sim::weather::Odds;
use std::cell::Cell;
use std::rc::Rc;
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

/// What was real: without KV the list of all and the cleanup were 503.
#[test]
fn f09_without_kv_the_list_of_all_and_the_cleanup_go_on_by_users() {
    let server = Server::new();
    let mut wanted: Vec<String> = (0..53).map(|_| session_of(&server.someone().1.access)).collect();
    let (user, _) = server.someone();
    let over = session_of(&server.log_in(&user.username).access);
    wanted.sort();
    let down = || server.world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    let walk = |path: &str, token: &str, method: &'static str| {
        let (mut answers, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, answer) = send(&server, method, &format!("{path}?limit=40{cursor}"), token);
            assert_eq!(status, 200, "{answer}");
            let next = answer["next_cursor"].as_str().map(|next| format!("&cursor={next}"));
            answers.push(answer);
            match next {
                Some(next) => cursor = next,
                None => return answers,
            }
        }
    };
    let token = server.fresh_admin();
    down();
    let pages = walk("/admin/sessions/active", &token, "GET");
    assert!(pages.len() > 1 && pages.iter().all(|page| page["unreachable"] == json!(["KV"])), "{pages:?}");
    let seen: Vec<&str> = pages
        .iter()
        .flat_map(|page| page["sessions"].as_array().unwrap())
        .map(|session| session["id"].as_str().unwrap())
        .collect();
    assert!(wanted.iter().all(|id| seen.iter().filter(|other| *other == id).count() == 1), "{seen:?}");
    // Also a walk that had begun with KV.
    server.world.weather().clear();
    let (_, first) = send(&server, "GET", "/admin/sessions/active?limit=2", &token);
    down();
    let next = first["next_cursor"].as_str().unwrap();
    let (status, page) =
        send(&server, "GET", &format!("/admin/sessions/active?limit=2&cursor={next}"), &token);
    assert_eq!((status, &page["unreachable"]), (200, &json!(["KV"])));
    assert!(page["next_cursor"].as_str().unwrap().starts_with("users."));
    for broken in ["users.", "users.x", "users.-1", "users.1.2"] {
        assert_eq!(send(&server, "GET", &format!("/admin/sessions/active?cursor={broken}"), &token).0, 422);
    }

    server.world.lose_alarm(Class::Session, &over);
    server.world.advance(Duration::from_mins(31));
    server.world.weather().clear();
    let token = server.fresh_admin();
    down();
    let cleaned = walk("/admin/sessions/cleanup", &token, "POST");
    assert!(cleaned.iter().all(|page| page["unreachable"] == json!(["KV"])), "{cleaned:?}");
    let ended = server.world.row(Class::Session, &over, "session").unwrap();
    assert!(ended.contains(r#""state":"ended","reason":"inactivity""#), "{ended}");
    let count: u64 = cleaned.iter().map(|page| page["cleaned_sessions"].as_u64().unwrap()).sum();
    assert!(count >= 1, "{cleaned:?}");
}

/// And without the directory by KV's records; without both, there is nothing to look at.
/// What was real: the cleanup took the record of a login that was under way for 13 s, and the session was on no list of all.
#[test]
fn the_cleanup_leaves_the_record_of_a_session_that_may_be_about_to_open() {
    let server = Server::new();
    let token = server.fresh_admin();
    let name = format!("session:{}", "c0".repeat(32));
    let host = server.world.host();
    let record = store::SessionRecord {
        user_id: base::ids::UserId::issued(7),
        username: "u".to_owned(),
        created_at: server.world.now(),
        absolute_expires_at: server.world.now().plus(Duration::from_hours(1)),
        device_name: None,
        written_at: None,
    };
    let (key, value) = (name.clone(), serde_json::to_string(&record).unwrap());
    server
        .world
        .run_until(async move { host.kv_put(&key, &value, Duration::from_hours(1), None).await })
        .unwrap();
    send(&server, "POST", "/admin/sessions/cleanup", &token);
    assert!(server.world.kv().contains_key(&name));
    server.world.advance(Duration::from_secs(121));
    send(&server, "POST", "/admin/sessions/cleanup", &token);
    assert!(!server.world.kv().contains_key(&name));
}

#[test]
fn f09_without_the_directory_the_cleanup_goes_on_by_the_records_of_kv() {
    let server = Server::new();
    let (_, tokens) = server.someone();
    let over = session_of(&tokens.access);
    server.world.lose_alarm(Class::Session, &over);
    server.world.advance(Duration::from_mins(31));
    let token = server.fresh_admin();
    let broken = "DROP TABLE users; CREATE VIEW users AS SELECT * FROM missing";
    server.world.sql(Class::Directory, "directory", broken);
    let (status, cleaned) = send(&server, "POST", "/admin/sessions/cleanup", &token);
    assert_eq!(
        (status, &cleaned["unreachable"], &cleaned["next_cursor"]),
        (200, &json!(["Directory"]), &json!(null))
    );
    assert!(cleaned["cleaned_sessions"].as_u64().unwrap() >= 1, "{cleaned}");
    assert!(server.world.row(Class::Session, &over, "session").unwrap().contains("ended"));
    server.world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    for (method, path) in [("POST", "/admin/sessions/cleanup"), ("GET", "/admin/sessions/active")] {
        assert_eq!(send(&server, method, path, &token).0, 503, "{path}");
    }
}

/// What was real: the ended sessions of an erased subject named it for thirty days.
#[test]
fn f09_nothing_names_an_erased_subject() {
    let server = Server::new();
    let token = server.fresh_admin();
    let init = || {
        let body = json!({ "data": { "cif": "1", "tokenKey": "t", "payload": { "channelId": "retail" } } });
        server.post("/api/v1/postlogin/init-session").json(&body).send().json["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // One ends long before, one in its first minutes, one by the erasure, and one while KV was away.
    let (before, beginning) = (init(), init());
    server.world.advance(Duration::from_mins(10));
    assert_eq!(server.post("/auth/logout").token(&before).send().status, 200);
    let fresh = init();
    assert_eq!(server.post("/auth/logout").token(&fresh).send().status, 200);
    let held = init();
    server.world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    assert_eq!(server.post("/auth/logout").token(&held).send().status, 200);
    server.world.weather().clear();
    assert_eq!(send(&server, "DELETE", "/admin/subjects/VPB-RETAIL-1", &token).0, 204);
    server.world.advance(Duration::from_mins(20));
    for class in [Class::Session, Class::User, Class::Directory] {
        for object in server.world.ids(class) {
            let rows = server.world.rows(class, &object);
            assert!(rows.values().all(|row| !row.contains("VPB-RETAIL-1")), "{object}: {rows:?}");
        }
    }
    assert!(!server.world.kv().values().any(|entry| entry.value.contains("VPB-RETAIL-1")));
    // KV says why they ended, also when their objects are empty.
    for (access, reason) in
        [(&before, "logout"), (&beginning, "admin"), (&fresh, "logout"), (&held, "logout")]
    {
        let note = &server.world.kv()[&format!("session:{}", session_of(access))];
        assert!(note.value.contains(&format!(r#""ended":"{reason}""#)), "{note:?}");
    }
}

/// What breaks off in between leaves no record of a session that never was: nobody would take it away for 30 days, but the cleanup.
#[test]
fn kv_has_no_record_of_a_session_before_it_is_open() {
    let server = Server::new();
    let user = server.make_user();
    let before = server.world.kv();
    let host = server.world.host();
    let body = json!({ "username": user.username, "password": PASSWORD });
    let request = sim::Request::new("POST", "/auth/login").json(&body);
    let answered = Rc::new(Cell::new(None));
    let slot = answered.clone();
    server.world.weather().rough(Odds { slow: 1000, ..Odds::default() });
    server.world.spawn(async move { slot.set(sim::request(&host, request).await.map(|a| a.status)) });
    let mut recorded = 0;
    server.world.pass(Duration::from_secs(10), || {
        for key in server.world.kv().into_keys().filter(|key| !before.contains_key(key)) {
            let id = key.strip_prefix("session:").unwrap();
            assert!(server.world.row(Class::Session, id, "session").is_some(), "{id} is not open");
            recorded += 1;
        }
        true
    });
    assert_eq!(answered.get(), Some(200));
    assert!(recorded > 0);
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

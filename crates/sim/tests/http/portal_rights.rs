//! Service keys that may use only those portal logins that they opened themselves.

use super::portal_pages::Play;
use super::support::Answer;
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/admin/service-keys";

struct Services {
    play: Play,
}

impl Services {
    fn new() -> Self {
        let play = Play::new();
        for driver in ["driver", "other"] {
            play.site.state().passwords.insert(driver.to_owned(), format!("{driver}-pass"));
        }
        Self { play }
    }

    fn make(&self, scopes: &[&str]) -> Answer {
        let body = json!({ "name": "a", "scopes": scopes });
        self.play.server.post(KEYS).token(&self.play.server.fresh_admin()).json(&body).send()
    }

    /// Its id, and the key.
    fn own(&self) -> (String, String) {
        let made = self.make(&["portal:own"]);
        assert_eq!((made.status, &made.json["scopes"]), (201, &json!(["portal:own"])));
        both(&made)
    }

    fn rotate(&self, id: &str) -> (String, String) {
        let path = format!("{KEYS}/{id}/rotate");
        let made =
            self.play.server.post(&path).token(&self.play.server.fresh_admin()).json(&json!({})).send();
        assert_eq!((made.status, &made.json["scopes"]), (201, &json!(["portal:own"])));
        both(&made)
    }

    fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.play.server.post(path).header("x-api-key", key).json(body).send()
    }

    fn opened(&self, key: &str, driver: &str) -> String {
        let answer = self.post(key, "/get_session", &credentials(driver));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json["session_id"].as_str().unwrap().to_owned()
    }

    fn listed(&self, key: &str) -> Vec<String> {
        let answer = self.play.server.get("/sessions").header("x-api-key", key).send();
        let rows = answer.json["sessions"].as_array().unwrap();
        rows.iter().map(|row| row["session_id"].as_str().unwrap().to_owned()).collect()
    }

    fn close(&self, key: &str, id: &str) -> Answer {
        self.play.server.request("DELETE", &format!("/sessions/{id}")).header("x-api-key", key).send()
    }

    /// What is said of a session to a key, by each route that takes an id.
    fn told(&self, key: &str, id: &str) -> Vec<Answer> {
        let appointment = json!({ "session_id": id, "trucking_company": "A" });
        vec![
            self.post(key, "/get_containers", &json!({ "session_id": id })),
            self.post(key, "/get_container_timeline", &json!({ "session_id": id, "container_id": "C" })),
            self.post(key, "/check_appointments", &appointment),
            self.post(key, "/make_appointment", &appointment),
            self.close(key, id),
        ]
    }
}

fn both(made: &Answer) -> (String, String) {
    let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn credentials(driver: &str) -> Value {
    json!({ "username": driver, "password": format!("{driver}-pass"), "captcha_api_key": "ck" })
}

#[test]
fn a_key_for_its_own_logins_sees_uses_and_closes_these_alone() {
    let services = Services::new();
    let ((_, own), all) = (services.own(), services.play.key.clone());
    let others = services.opened(&all, "driver");
    let mine = services.opened(&own, "other");
    assert_eq!(services.listed(&own), std::slice::from_ref(&mine));
    assert_eq!(services.listed(&all), [others.clone(), mine.clone()]);
    // Another's session is as one that does not exist: the same answers, but for the request's id.
    let calls = services.play.site.calls();
    let nobodys = services.told(&own, "session_1795577131_a1c19ddc303b94e03f8646ab74832c78");
    for (answer, nobodys) in services.told(&own, &others).iter().zip(&nobodys) {
        answer.refused(404, "session_not_found");
        assert_eq!(answer.text, nobodys.text);
    }
    assert_eq!((services.play.site.calls(), services.listed(&all).len()), (calls, 2));
    // With credentials beside it, as where there is no such session, it gets its own.
    let mut body = credentials("other");
    body["session_id"] = json!(others);
    let done = services.post(&own, "/get_containers", &body);
    assert_eq!((done.status, &done.json["session_id"]), (200, &json!(mine)), "{}", done.text);
    // The credentials are as good as to have opened it.
    assert_eq!(services.opened(&own, "driver"), others);
    assert_eq!(services.listed(&own), [others.clone(), mine.clone()]);
    assert_eq!(services.post(&own, "/get_containers", &json!({ "session_id": others })).status, 200);
    // A key for all closes it, and how it ended hears whose it was.
    assert_eq!(services.close(&all, &mine).status, 200);
    let (_, stranger) = services.own();
    assert_eq!(services.close(&own, &mine).code(), "portal_session_ended");
    for answer in services.told(&stranger, &mine) {
        answer.refused(404, "session_not_found");
    }
    assert_eq!(services.close(&own, &others).status, 200);
    // An operation with credentials opens a login, too.
    let run = services.post(&stranger, "/get_containers", &credentials("driver"));
    assert_eq!((run.status, &run.json["is_new_session"]), (200, &json!(true)), "{}", run.text);
    assert_eq!(services.listed(&stranger).len(), 1);
}

#[test]
fn a_rotated_key_has_what_the_one_before_had_and_so_has_the_next() {
    let services = Services::new();
    let (id, first) = services.own();
    let session = services.opened(&first, "driver");
    let (id, second) = services.rotate(&id);
    assert_eq!(services.listed(&second), std::slice::from_ref(&session));
    // Both are good for a while, and are the same to the portal.
    let other = services.opened(&second, "other");
    assert_eq!(services.listed(&first), [session.clone(), other.clone()]);
    let (_, third) = services.rotate(&id);
    services.play.server.deploy(super::portal_pages::SETTINGS);
    assert_eq!(services.listed(&third), [session.clone(), other]);
    assert_eq!(services.close(&third, &session).status, 200);
    // A key of the same name and rights that was not made by a rotation is another one.
    assert_eq!(services.listed(&services.own().1), Vec::<String>::new());
    // What was known of the keys before is gone with them.
    services.play.server.world.advance(Duration::from_hours(24 * 32));
    services.play.server.get(KEYS).token(&services.play.server.fresh_admin()).send();
    let rows = "SELECT id FROM service_key_origins ORDER BY id";
    let lines = services.play.server.world.sql(base::rpc::Class::Directory, "directory", rows);
    assert_eq!(lines.len(), 1, "that of the key that is good");
}

#[test]
fn a_key_is_for_all_logins_or_for_its_own() {
    let services = Services::new();
    assert_eq!(services.make(&["portal", "portal:own"]).wrong_fields(), ["scopes"]);
    assert_eq!(services.make(&["portal:other"]).wrong_fields(), ["scopes"]);
    let made = services.make(&["portal:own", "tokens:read"]);
    assert_eq!(made.json["scopes"], json!(["tokens:read", "portal:own"]));
    let listed = services.play.server.get(KEYS).token(&services.play.server.fresh_admin()).send();
    let keys = listed.json["service_keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["id"] == made.json["id"]).unwrap();
    assert_eq!(key["scopes"], json!(["tokens:read", "portal:own"]));
    // It lets in to nothing else.
    let (_, own) = services.own();
    for path in ["/accounts", "/metrics"] {
        services.play.server.get(path).token(&own).send().refused(403, "forbidden");
    }
}

#[test]
fn an_admin_sees_all_and_closes_any_and_has_no_login_made() {
    let services = Services::new();
    let server = &services.play.server;
    let (id, (_, own)) = (services.opened(&services.play.key, "driver"), services.own());
    let mine = services.opened(&own, "other");
    let admin = server.admin();
    let listed = server.get("/sessions").token(&admin).send();
    let ids: Vec<_> =
        listed.json["sessions"].as_array().unwrap().iter().map(|row| &row["session_id"]).collect();
    assert_eq!(ids, [&json!(id), &json!(mine)]);
    let closed = server.request("DELETE", &format!("/sessions/{mine}")).token(&admin).send();
    assert_eq!(closed.status, 200, "{}", closed.text);
    let logs = server.world.take_logs();
    let close = logs.iter().find(|line| line.text.contains("portal_close")).unwrap();
    assert!(close.text.contains(r#""service":"user:"#), "{}", close.text);
    // A key that is shown as well is what counts.
    let both = server.get("/sessions").token(&admin).header("x-api-key", &own).send();
    assert_eq!(both.json["sessions"], json!([]));
    let user = server.someone().1.access;
    server.get("/sessions").token(&user).send().refused(403, "forbidden");
    let get = server.post("/get_session").token(&admin).json(&credentials("driver")).send();
    get.refused(401, "service_key_invalid");
}

#[test]
fn the_list_says_what_a_session_has_spared_and_what_last_failed() {
    let services = Services::new();
    let (server, site, key) = (&services.play.server, &services.play.site, services.play.key.clone());
    let id = services.opened(&key, "driver");
    let row = || {
        let listed = server.get("/sessions").header("x-api-key", &key).send();
        listed.json["sessions"][0].clone()
    };
    let saved = |row: &Value| json!([row["logins_saved"], row["captchas_saved"], row["last_failure"]]);
    assert_eq!(saved(&row()), json!([0, 0, null]));
    let name = row()["portal_login"].as_str().unwrap().to_owned();
    assert!(name.starts_with("emodal/"), "{name}");
    // One by id, one by credentials, and one that has the session got again.
    assert_eq!(services.post(&key, "/get_containers", &json!({ "session_id": id })).status, 200);
    server.world.advance(Duration::from_secs(2));
    assert_eq!(services.post(&key, "/get_containers", &credentials("driver")).status, 200);
    server.world.advance(Duration::from_secs(2));
    services.opened(&key, "driver");
    assert_eq!(saved(&row()), json!([3, 3, null]));
    // What fails is in the list at once; the same once more when something else is reported.
    site.state().down = Some(sim::fakes::portal::Down::Unreachable);
    let failed = server.post("/get_containers").header("x-api-key", &key);
    let failed = failed.json(&json!({ "session_id": id })).unchecked();
    let at = server.world.now().rfc3339();
    let failure = row()["last_failure"].clone();
    assert_eq!((&failure["code"], &failure["at"]), (&json!(failed.code()), &json!(at)), "{}", failed.text);
    assert_eq!(failure["step"], "list");
    // The names are those of the admin's page.
    let page = server.get(&format!("/admin/portal-pages/{name}")).token(&server.fresh_admin()).send();
    assert!([200, 404].contains(&page.status), "{}", page.text);
    site.state().down = None;
    // The next session begins anew.
    assert_eq!(services.close(&key, &id).status, 200);
    server.world.advance(Duration::from_mins(1));
    services.opened(&key, "driver");
    assert_eq!(row()["logins_saved"], 0);
}

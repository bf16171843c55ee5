//! The state of a portal session, in and out, and who may have it.

use super::portal_pages::Play;
use super::support::Answer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Services {
    play: Play,
}

impl Services {
    fn new() -> Self {
        let play = Play::new();
        play.site.state().passwords.insert("other".to_owned(), "other-pass".to_owned());
        Self { play }
    }

    fn key(&self, scopes: &[&str]) -> (String, String) {
        let server = &self.play.server;
        let body = json!({ "name": "b", "scopes": scopes });
        let made = server.post("/admin/service-keys").token(&server.fresh_admin()).json(&body).send();
        assert_eq!(made.status, 201, "{}", made.text);
        let text = |name: &str| made.json[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    fn get(&self, key: &str, driver: &str, state: Option<&Value>) -> Answer {
        let mut body =
            json!({ "username": driver, "password": format!("{driver}-pass"), "captcha_api_key": "ck" });
        if let Some(state) = state {
            body["storage_state"] = state.clone();
        }
        self.play.server.post("/get_session").header("x-api-key", key).json(&body).send()
    }

    fn read(&self, key: &str, id: &str) -> Answer {
        self.play.server.get(&format!("/sessions/{id}/state")).header("x-api-key", key).send()
    }
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["session_id"].as_str().unwrap().to_owned()
}

#[test]
fn what_comes_out_has_the_shape_of_playwright_and_goes_in_again() {
    let services = Services::new();
    let (key_id, both) = services.key(&["portal", "portal:state"]);
    let session_id = id(&services.get(&both, "driver", None));
    let answer = services.read(&both, &session_id);
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(members(&answer.json), set(&["success", "session_id", "as_of", "storage_state"]));
    let state = &answer.json["storage_state"];
    assert_eq!((members(state), &state["origins"]), (set(&["cookies", "origins"]), &json!([])));
    let cookies = state["cookies"].as_array().unwrap();
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        let names = ["name", "value", "domain", "path", "expires", "httpOnly", "secure", "sameSite"];
        assert_eq!(members(cookie), set(&names));
        assert!(["name", "value", "domain", "path"].iter().all(|name| cookie[*name].is_string()));
        assert!(
            cookie["expires"].is_number() && cookie["httpOnly"].is_boolean() && cookie["secure"].is_boolean()
        );
        assert!(["Strict", "Lax", "None"].contains(&cookie["sameSite"].as_str().unwrap()));
    }
    let sid = cookies.iter().find(|cookie| cookie["name"] == "sid").unwrap();
    assert_eq!((&sid["expires"], &sid["domain"]), (&json!(-1), &json!("portal.example.com")));
    // The record says who, and nothing of the state.
    let logs = services.play.server.world.take_logs();
    let record = logs.iter().find(|line| line.text.contains("read_portal_state")).unwrap();
    let record: Value = serde_json::from_str(&record.text).unwrap();
    assert_eq!(
        [&record["session_id"], &record["service"], &record["key_id"], &record["outcome"]],
        [&json!(session_id), &json!("key:b"), &json!(key_id), &json!("ok")]
    );
    // Another login begins with it; the portal sees none.
    let logins = services.play.site.logins();
    let other = services.get(&both, "other", Some(state));
    assert_eq!((&other.json["is_new"], &other.json["storage_state"]), (&json!(true), &json!("used")));
    assert_eq!((other.status, services.play.site.logins()), (200, logins));
    let again = services.get(&both, "other", Some(state));
    assert_eq!((&again.json["is_new"], &again.json["storage_state"]), (&json!(false), &json!("not_used")));
    assert_eq!(services.get(&both, "other", None).json.get("storage_state"), None);
    // It is sealed where it lies, as the cookies of a login are.
    let value = sid["value"].as_str().unwrap();
    let rows = |name: &str| services.play.server.world.rows(base::rpc::Class::Portal, name);
    let listed = services.play.server.get("/sessions").header("x-api-key", &both).send();
    let name = listed.json["sessions"][1]["portal_login"].as_str().unwrap();
    assert!(!rows(name)["jar"].contains(&format!("sid={value}")));
}

#[test]
fn the_scope_is_its_own_and_says_not_whose_sessions() {
    let services = Services::new();
    let session_id = id(&services.get(&services.play.key, "driver", None));
    // None of the others includes it.
    services.read(&services.play.key, &session_id).refused(403, "forbidden");
    services.read(&services.key(&["portal:own"]).1, &session_id).refused(403, "forbidden");
    let server = &services.play.server;
    let path = format!("/sessions/{session_id}/state");
    server.get(&path).token(&server.fresh_admin()).send().refused(401, "service_key_invalid");
    // Alone it is for no session, beside `portal:own` for those that the key has opened.
    services.read(&services.key(&["portal:state"]).1, &session_id).refused(404, "session_not_found");
    let (_, own) = services.key(&["portal:own", "portal:state"]);
    services.read(&own, &session_id).refused(404, "session_not_found");
    services.get(&own, "driver", None);
    // To open a login is to have its credentials taken, and a state is no proof of them.
    let state =
        json!({ "cookies": [{ "name": "sid", "value": "1", "domain": "portal.example.com", "path": "/" }] });
    let calls = services.play.site.calls();
    services.get(&own, "other", Some(&state)).refused(403, "forbidden");
    assert_eq!(services.play.site.calls(), calls);
    assert_eq!(services.read(&own, &session_id).status, 200);
    // A refusal is recorded, too.
    let logs = server.world.take_logs();
    let refused = |line: &&sim::Line| {
        line.text.contains("read_portal_state") && line.text.contains("session_not_found")
    };
    assert_eq!(logs.iter().filter(refused).count(), 2);
    let (_, all) = services.key(&["portal", "portal:state"]);
    services.read(&all, "session_1_unknown").refused(404, "session_not_found");
    server.request("DELETE", &format!("/sessions/{session_id}")).header("x-api-key", &all).send();
    let ended = services.read(&all, &session_id);
    assert_eq!(
        (ended.status, ended.code(), &ended.json["reason"]),
        (404, "portal_session_ended", &json!("closed"))
    );
}

#[test]
fn a_state_of_another_site_or_another_shape_is_refused_by_its_place() {
    let services = Services::new();
    let key = &services.play.key;
    let cookie = |domain: &str| {
        json!({ "name": "sid", "value": "1", "domain": domain, "path": "/", "expires": -1, "httpOnly": true,
            "secure": true, "sameSite": "Lax" })
    };
    let calls = services.play.site.calls();
    for (state, field) in [
        (
            json!({ "cookies": [cookie("portal.example.com"), cookie(".google.com"), cookie("evil.example")] }),
            "storage_state.cookies[1].domain",
        ),
        (
            json!({ "cookies": [], "origins": [{ "origin": "https://www.google.com", "localStorage": [] }] }),
            "storage_state.origins[0].origin",
        ),
        (json!({ "cookies": "sid=1" }), "storage_state.cookies"),
        (json!("state.json"), "storage_state"),
        (json!({}), "storage_state"),
    ] {
        let answer = services.get(key, "driver", Some(&state));
        assert_eq!(answer.wrong_fields(), [field], "{}", answer.text);
    }
    assert_eq!(services.play.site.calls(), calls);
    // A state may be large, and only this body.
    let large = json!({ "cookies": [cookie("portal.example.com")], "origins": [{
        "origin": "https://portal.example.com", "localStorage": [{ "name": "a", "value": "x".repeat(100_000) }],
    }] });
    assert_eq!(services.get(key, "driver", Some(&large)).json["storage_state"], "refused");
    let larger = json!({ "origins": [{ "origin": "x".repeat(256 * 1024) }] });
    services.get(key, "driver", Some(&larger)).refused(413, "body_too_large");
    let run = json!({ "session_id": "a", "storage_state": "x".repeat(17_000) });
    let answer = services.play.server.post("/get_containers").header("x-api-key", key).json(&run).send();
    answer.refused(413, "body_too_large");
}

//! The last page of a failed step at a portal, as an admin reads it.

use super::support::{Answer, Server};
use base::rpc::Class;
use config::Settings as _;
use portal::{Credentials, identity};
use serde_json::{Value, json};
use sim::fakes::portal::{Door, HOSTS, Site};
use std::rc::Rc;
use std::time::Duration;

pub const SETTINGS: &[(&str, &str)] = &[
    ("EMODAL_BASE_URL", "https://portal.example.com/portal"),
    ("EMODAL_HOSTS", "id.example.com"),
    ("CAPTCHA_BASE_URL", "https://captcha.example.com"),
    ("CAPTCHA_POLL_MILLISECONDS", "1000"),
];

/// A deployment with one portal, and the key of a service that may use it.
pub struct Play {
    pub server: Server,
    pub site: Rc<Site>,
    pub key: String,
    /// The name that the log has.
    name: String,
}

impl Play {
    pub fn new() -> Self {
        let server = Server::with(SETTINGS);
        let site = Site::new(server.world.host());
        for host in HOSTS {
            server.world.upstream(host, Door(site.clone()));
        }
        site.state().passwords.insert("driver".to_owned(), "driver-pass".to_owned());
        let body = json!({ "name": "a service", "scopes": ["portal"] });
        let made = server.post("/admin/service-keys").token(&server.admin()).json(&body).send();
        let key = made.json["key"].as_str().unwrap().to_owned();
        let credentials = Credentials {
            username: "driver".to_owned(),
            password: base::secret::Secret::new("driver-pass"),
            captcha_api_key: base::secret::Secret::new("ck"),
            totp_secret: None,
        };
        let app = server.world.host().app().unwrap();
        let name = identity::names(&app.vault, portal::EMODAL, &credentials).remove(0);
        Self { server, site, key, name }
    }

    fn get_session(&self) -> Answer {
        let body = json!({ "username": "driver", "password": "driver-pass", "captcha_api_key": "ck" });
        self.server.post("/get_session").header("x-api-key", &self.key).json(&body).unchecked()
    }

    fn path(&self) -> String {
        format!("/admin/portal-pages/{}", self.name)
    }
}

#[test]
fn f31_an_admin_reads_the_last_page_of_a_failed_step_for_an_hour() {
    let play = Play::new();
    let Play { server, site, .. } = &play;
    let read = |token: &str| server.get(&play.path()).token(token).send();
    read(&server.admin()).refused(404, "not_found");
    site.state().mumbles = true;
    let failed = play.get_session();
    assert_eq!((failed.status, failed.code()), (502, "portal_unintelligible"), "{}", failed.text);
    let failed_at = server.world.now();
    // The log names the login, and says where.
    let logs = server.world.take_logs();
    let named = logs.iter().find(|line| line.text.contains(&play.name)).unwrap();
    let line: Value = serde_json::from_str(&named.text).unwrap();
    assert_eq!((&line["portal_login"], &line["step"]), (&json!(play.name), &json!("password")));

    let page = read(&server.admin());
    assert_eq!(page.status, 200, "{}", page.text);
    let members: Vec<&String> = page.json.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "address",
            "at",
            "code",
            "expires_at",
            "looked_for",
            "page",
            "portal_login",
            "status",
            "step",
            "title"
        ]
    );
    assert_eq!(page.json["portal_login"], json!(play.name));
    assert_eq!((&page.json["step"], &page.json["status"]), (&json!("password"), &json!(200)));
    assert_eq!(page.json["looked_for"], "a page with a way to /logout");
    assert_eq!(page.json["address"], "https://id.example.com/identity/login");
    assert_eq!(page.json["code"], "portal_unintelligible");
    assert_eq!(page.json["page"], "<p>Something is not as it should be</p>");
    assert!(!page.text.contains("driver-pass"), "{}", page.text);
    let logs = server.world.take_logs();
    let audit = logs.iter().find(|line| line.text.contains("read_portal_page")).unwrap();
    assert!(audit.text.contains(r#""outcome":"ok""#), "{}", audit.text);

    server.world.at(failed_at.plus(Duration::from_mins(61)));
    read(&server.fresh_admin()).refused(404, "not_found");
}

#[test]
fn f31_nobody_else_reads_it_and_nothing_else_is_read() {
    let play = Play::new();
    let Play { server, site, key, name } = &play;
    site.state().mumbles = true;
    play.get_session();
    let (_, tokens) = server.someone();
    server.get(&play.path()).send().refused(401, "not_authenticated");
    server.get(&play.path()).token(&tokens.access).send().refused(403, "forbidden");
    server.get(&play.path()).header("x-api-key", key).send().refused(403, "forbidden");
    let posted = server.post(&play.path()).token(&server.admin()).send();
    assert_eq!(posted.status, 405, "{}", posted.text);
    let hash = name.split_once('/').unwrap().1;
    for path in [
        format!("other/{hash}"),
        format!("emodal/{}", "A".repeat(43)),
        format!("emodal/{}", &hash[1..]),
        format!("emodal/{hash}A"),
        format!("emodal/{}.", &hash[1..]),
        format!("emodal/{hash}/x"),
        "emodal/..".to_owned(),
    ] {
        let answer = server.get(&format!("/admin/portal-pages/{path}")).token(&server.admin()).send();
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    // A login that succeeds leaves none.
    site.state().mumbles = false;
    server.world.advance(Duration::from_hours(2));
    assert_eq!(play.get_session().status, 200);
    let answer = server.get(&play.path()).token(&server.fresh_admin()).send();
    answer.refused(404, "not_found");
}

/// What was real: a fault inside an object had no request's id, and nobody could tell whose it was.
#[test]
fn f16_a_fault_inside_an_object_has_the_id_of_the_request_that_led_to_it() {
    let play = Play::new();
    let Play { server, .. } = &play;
    server.world.sql(
        Class::PortalRegistry,
        "registry",
        "DROP TABLE IF EXISTS live; CREATE VIEW live AS SELECT * FROM missing; \
         DROP TABLE IF EXISTS refused; CREATE VIEW refused AS SELECT * FROM missing",
    );
    server.world.evict(Class::PortalRegistry, "registry");
    server.world.take_logs();
    let body = json!({ "username": "driver", "password": "driver-pass", "captcha_api_key": "ck" });
    // Two at once, each of its own object, and what an object asks of another one is still for the same request.
    let calls: Vec<_> = ["first", "second"]
        .into_iter()
        .map(|id| {
            let mut body = body.clone();
            body["username"] = json!(id);
            let call = server.post("/get_session").header("x-api-key", &play.key).json(&body);
            call.header("x-request-id", &format!("{id}-request-0123456789"))
        })
        .collect();
    for answer in server.unread(calls) {
        assert!(answer.status >= 500, "{:?}", answer.body);
    }
    let logs = server.world.take_logs();
    let lines: Vec<Value> = logs.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect();
    for id in ["first", "second"] {
        let id = format!("{id}-request-0123456789");
        let faults: Vec<_> =
            lines.iter().filter(|line| line["event"] == "fault" && line["request_id"] == *id).collect();
        assert!(faults.iter().any(|line| line["what"] == "portal registry"), "{lines:#?}");
    }
    let nobodys =
        lines.iter().filter(|line| line["event"] == "fault" && line["request_id"].is_null()).count();
    assert_eq!(nobodys, 0, "{lines:#?}");
    // What an alarm does is nobody's.
    server.world.advance(Duration::from_mins(2));
    let logs = server.world.take_logs();
    assert!(!logs.iter().any(|line| line.error && line.text.contains("-request-")), "{logs:?}");
}

//! Another portal, of which there is a document and nothing else: not a line of the program knows it.

use super::portal_pages::SETTINGS;
use super::support::{Answer, Server};
use base::page::{self, Fetch, Page};
use base::secret::Secret;
use serde_json::{Value, json};
use sim::fakes::portal::{Door, HOSTS, Site};
use sim::net::{Answering, Upstream};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

const DOCUMENT: &str = include_str!("dock.json");

/// Where warehouses give out the times at their docks.
#[derive(Default)]
struct Dock {
    /// What was asked, as method and path.
    calls: Vec<String>,
    sessions: BTreeSet<String>,
    logins: usize,
    bookings: usize,
    /// A slot is taken by somebody else.
    taken: bool,
}

struct Gate(Rc<RefCell<Dock>>);

impl Upstream for Gate {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Answering<'a, page::Answer> {
        let answer = page::Answer::Page(self.0.borrow_mut().answer(fetch));
        Box::pin(async { answer })
    }
}

fn html(body: &str) -> Page {
    Page::new(200, Some("text/html".to_owned()), format!("<!doctype html><html><body>{body}").as_bytes())
}

/// Of somebody who has come in.
fn inside(body: &str) -> Page {
    html(&format!("<form action='/yard/leave'><button>Leave</button></form>{body}"))
}

fn note(alert: &str) -> String {
    if alert.is_empty() { String::new() } else { format!("<p class=alert>{alert}</p>") }
}

fn form(phase: u8, alert: &str, body: &str) -> Page {
    inside(&format!(
        "{}<form id=slot-form data-phase={phase} method=post action=/yard/slots/{phase}>{body}</form>",
        note(alert)
    ))
}

fn slots(alert: &str) -> Page {
    form(
        2,
        alert,
        "<select name=at><option value=''>Choose<option value=1>Mon 08:00<option value=2>Mon 09:00</select>",
    )
}

impl Dock {
    fn answer(&mut self, fetch: &Fetch) -> Page {
        let url = fetch.url.strip_prefix("https://dock.example.com").unwrap();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        self.calls.push(format!("{} {path}", fetch.method));
        let header =
            |name: &str| fetch.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.expose().to_owned());
        assert_eq!(header("user-agent").as_deref(), Some("Sallyport (dock)"));
        let body = fetch.body.as_ref().map(|body| body.expose().to_owned()).unwrap_or_default();
        let has = |pair: &str| body.split('&').any(|given| given == pair);
        let id =
            header("cookie").and_then(|all| all.strip_prefix("pass=").map(str::to_owned)).unwrap_or_default();
        match (fetch.method, path) {
            ("GET", "/yard/enter") => return self.door(""),
            ("POST", "/yard/enter") if has("member=ann") && has("secret_word=pw") => {
                self.logins += 1;
                let id = self.logins.to_string();
                let mut page = Page::new(303, None, b"");
                page.location = Some("/yard/".to_owned());
                page.cookies = vec![Secret::new(format!("pass={id}; path=/"))];
                self.sessions.insert(id);
                return page;
            }
            ("POST", "/yard/enter") => return self.door("We do not know you"),
            ("GET", "/yard/leave") => {
                self.sessions.remove(&id);
                return html("<p>Bye</p>");
            }
            _ if !self.sessions.contains(&id) => return html("<p>Please sign in first</p>"),
            _ => {}
        }
        match (fetch.method, path) {
            ("GET", "/yard/") => inside("<h1>Yard</h1>"),
            ("GET", "/yard/yards/N%201/loads") if query.is_empty() => inside(
                "<table id=loads><tr><th>LOAD<th>Note<th>State<tr><td>L1<td>x<td>On Time</table><a rel=next href='?p=2'>",
            ),
            ("GET", "/yard/yards/N%201/loads") => {
                inside("<table id=loads><tr><th>LOAD<th>Note<th>State<tr><td>L2<td>y<td>Late</table>")
            }
            ("GET", "/yard/slots/new") => form(
                1,
                "",
                "<select name=wh><option value=b>Bonded<option value=f>Free</select><input name=n><input name=seal>\
                 <input type=checkbox name=cool value=yes>",
            ),
            ("POST", "/yard/slots/1") => {
                assert!(has("wh=b") && has("n=12") && has("seal=S7") && has("cool=yes"), "{body}");
                slots("")
            }
            ("POST", "/yard/slots/2") if self.taken => slots("That slot was taken"),
            ("POST", "/yard/slots/2") => {
                assert!(has("at=2"), "{body}");
                self.bookings += 1;
                inside("<p>See you at the dock</p><dl id=receipt><dt>Number<dd>77<dt>Dock<dd>4</dl>")
            }
            _ => Page::new(404, None, b"<p>No</p>"),
        }
    }

    fn door(&self, alert: &str) -> Page {
        assert!(self.logins < 100);
        html(&format!(
            "{}<form method=post action=/yard/enter><input name=member><input type=password name=secret_word></form>",
            note(alert)
        ))
    }
}

struct Play {
    server: Server,
    dock: Rc<RefCell<Dock>>,
    site: Rc<Site>,
    key: String,
}

impl Play {
    fn new() -> Self {
        let portals = format!("{{\"dock\":{DOCUMENT}}}");
        let server = Server::with(&[SETTINGS, &[("PORTALS", &portals)]].concat());
        let dock = Rc::new(RefCell::new(Dock::default()));
        server.world.upstream("dock.example.com", Gate(dock.clone()));
        let site = Site::new(server.world.host());
        for host in HOSTS {
            server.world.upstream(host, Door(site.clone()));
        }
        site.state().passwords.insert("ann".to_owned(), "pw".to_owned());
        let body = json!({ "name": "a service", "scopes": ["portal"] });
        let made = server.post("/admin/service-keys").token(&server.admin()).json(&body).send();
        let key = made.json["key"].as_str().unwrap().to_owned();
        Self { server, dock, site, key }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.server.post(path).header("x-api-key", &self.key).json(body).send()
    }

    /// An operation on a session, with fields of its own.
    fn run(&self, path: &str, id: &Value, own: &Value) -> Answer {
        let mut body = own.clone();
        body["session_id"] = id.clone();
        self.post(path, &body)
    }

    fn session(&self, more: &Value) -> Answer {
        let mut body = json!({ "username": "ann", "password": "pw", "keep_alive": false });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post("/get_session", &body)
    }
}

/// The answer without what every answer has.
fn own(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut own = answer.json.as_object().unwrap().clone();
    assert_eq!(own.remove("success"), Some(json!(true)));
    for name in ["session_id", "is_new_session", "appointment_session_id"] {
        own.remove(name);
    }
    Value::Object(own)
}

#[test]
fn another_portal_works_from_its_document_alone() {
    let play = Play::new();
    let session = play.session(&json!({ "portal": "dock" }));
    assert_eq!((session.status, &session.json["is_new"]), (200, &json!(true)), "{}", session.text);
    let id = &session.json["session_id"];
    assert_eq!(play.session(&json!({ "portal": "dock" })).json["session_id"], *id);
    assert_eq!(play.dock.borrow().calls, ["GET /yard/enter", "POST /yard/enter", "GET /yard/"]);

    let list = play.run("/portals/dock/list_loads", id, &json!({ "yard": "N 1" }));
    assert_eq!(
        own(&list),
        json!({
            "loads": [{ "load": "L1", "state": "on time" }, { "load": "L2", "state": "late" }],
            "load_count": 2, "yard": "N 1", "any_late": true, "more_pages": 1, "ended_by": "end_of_list",
        })
    );

    // The wizard asks for what it needs when it comes to it.
    let given = json!({ "warehouse": "Bonded", "pallets": "12", "cooled": true });
    let asked = play.run("/portals/dock/find_slots", id, &given);
    asked.refused(400, "appointment_incomplete");
    assert_eq!(asked.json["missing_fields"], json!(["seal"]));
    let wizard = &asked.json["appointment_session_id"];
    let more = json!({ "appointment_session_id": wizard, "seal": "S7" });
    let found = play.run("/portals/dock/find_slots", id, &more);
    assert_eq!(own(&found), json!({ "slots": ["Mon 08:00", "Mon 09:00"], "slot_count": 2 }));
    // An order is given once, whatever comes of it.
    let order = json!({ "appointment_session_id": wizard, "slot": "Mon 09:00" });
    play.dock.borrow_mut().taken = true;
    let taken = play.run("/portals/dock/book_slot", id, &order);
    taken.refused(400, "appointment_incomplete");
    assert_eq!((&taken.json["message"], play.dock.borrow().bookings), (&json!("That slot was taken"), 0));
    play.dock.borrow_mut().taken = false;
    let booked = play.run("/portals/dock/book_slot", id, &order);
    assert_eq!(own(&booked), json!({ "booked": true, "receipt": { "Number": "77", "Dock": "4" } }));
    assert_eq!(play.dock.borrow().bookings, 1);
    play.run("/portals/dock/book_slot", id, &order).refused(404, "appointment_session_not_found");

    // What the portal has ended is logged in again, once, with the same id.
    play.dock.borrow_mut().sessions.clear();
    let again = play.run("/portals/dock/list_loads", id, &json!({ "yard": "N 1", "skip": 1 }));
    assert_eq!((&again.json["load_count"], &again.json["session_id"]), (&json!(1), id));
    assert_eq!(play.dock.borrow().logins, 2);

    let closed = play.server.request("DELETE", &format!("/sessions/{}", id.as_str().unwrap()));
    assert_eq!(closed.header("x-api-key", &play.key).send().status, 200);
    assert!(play.dock.borrow().sessions.is_empty());
}

#[test]
fn what_a_document_does_not_declare_is_refused() {
    let play = Play::new();
    let run = |path: &str, body: Value| play.post(path, &body);
    let credentials = json!({ "username": "ann", "password": "pw" });
    run("/portals/dock/get_containers", credentials.clone()).refused(404, "not_found");
    run("/portals/none/list_loads", credentials.clone()).refused(404, "not_found");
    run("/portals/dock/list_loads", credentials).refused(400, "missing_fields");
    let wrong = json!({ "username": "ann", "password": 1, "yard": "x".repeat(11), "skip": 1001 });
    assert_eq!(run("/portals/dock/list_loads", wrong).wrong_fields(), ["password", "yard", "skip"]);
    assert_eq!(
        play.session(&json!({ "portal": "none", "captcha_api_key": "ck" })).wrong_fields(),
        ["portal"]
    );
    // A captcha is E-Modal's: without the key there is no login there.
    play.session(&json!({})).refused(400, "missing_fields");
    let refused =
        play.post("/get_session", &json!({ "portal": "dock", "username": "ann", "password": "no" }));
    refused.refused(401, "portal_credentials_refused");
    assert_eq!(play.dock.borrow().calls, ["GET /yard/enter", "POST /yard/enter"]);
}

#[test]
fn portals_share_no_session() {
    let play = Play::new();
    let at_dock = play.session(&json!({ "portal": "dock" })).json["session_id"].clone();
    let at_emodal = play.session(&json!({ "captcha_api_key": "ck" })).json["session_id"].clone();
    assert!(at_dock.is_string() && at_emodal.is_string() && at_dock != at_emodal);
    let calls = play.dock.borrow().calls.len();
    for path in ["/get_containers", "/portals/emodal/get_containers"] {
        play.run(path, &at_dock, &json!({})).refused(404, "session_not_found");
        let answer = play.run(path, &at_emodal, &json!({}));
        assert_eq!(answer.json["total_containers"], 2, "{}", answer.text);
    }
    play.run("/portals/dock/list_loads", &at_emodal, &json!({ "yard": "N 1" }))
        .refused(404, "session_not_found");
    assert_eq!(
        (calls, play.dock.borrow().logins, play.site.logins()),
        (play.dock.borrow().calls.len(), 1, 1)
    );
    // A username that one of them refuses is not held at the other.
    let wrong = json!({ "portal": "dock", "username": "ann", "password": "no" });
    for _ in 0..3 {
        play.post("/get_session", &wrong).refused(401, "portal_credentials_refused");
    }
    assert_eq!(play.session(&json!({ "captcha_api_key": "ck" })).json["session_id"], at_emodal);
}

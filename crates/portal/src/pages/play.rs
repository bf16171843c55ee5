//! A portal in a few lines, as the driver's specification says that it behaves, with a captcha service beside it.

use super::super::test_support::{Called, page, to, with_cookies};
use super::super::{Answer, Request, Wizard, document};
use super::*;
use base::secret::Secret;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::fmt::Write as _;

pub const BASE: &str = "https://portal.example.com/portal";

pub fn emodal() -> PageDriver {
    PageDriver {
        portal: Document {
            base_url: BASE.to_owned(),
            hosts: vec!["id.example.com".to_owned()],
            ..document::emodal().clone()
        },
        timeout: Duration::from_secs(20),
        captcha: Captcha {
            base_url: "https://captcha.example.com".to_owned(),
            poll: Duration::from_secs(5),
            timeout: Duration::from_mins(2),
            tasks_max: 2,
            call_timeout: Duration::from_secs(10),
        },
    }
}

pub fn credentials() -> Credentials {
    Credentials {
        username: "ann".to_owned(),
        password: Secret::new("ann-pass"),
        captcha_api_key: Secret::new("ck-1"),
        totp_secret: None,
    }
}

pub fn request(operation: &str, fields: &Value, wizard: Option<Wizard>) -> Request {
    let fields = fields.as_object().cloned().unwrap_or_default();
    Request { operation: operation.to_owned(), fields, wizard }
}

pub const LOGGED_OUT: &str = "<!doctype html><html><body><p>You are either not logged in or your session has \
    expired. Please use your back button</p></body></html>";

/// What it has, and what it does differently. Each address can be given another answer.
#[derive(Default)]
pub struct Portal {
    pub state: RefCell<State>,
}

pub type Other = fn(&Called) -> Option<Answer>;

#[derive(Default)]
pub struct State {
    pub containers: usize,
    /// Where a chunk begins again with the row that was the last one before.
    pub overlaps: bool,
    pub bookings: usize,
    pub slots: usize,
    pub solutions: usize,
    pub token: usize,
    /// Instead of the answer.
    pub other: Option<Other>,
    /// The wizards that it knows, by number: the move type of each.
    pub wizards: Map<String, Value>,
    pub query_mode: bool,
}

pub fn portal() -> Portal {
    Portal { state: RefCell::new(State { containers: 137, slots: 6, ..State::default() }) }
}

/// A page of a logged-in user.
pub fn inside(body: &str) -> String {
    format!(
        "<!doctype html><html><head><title>x</title><script>if (a < b) {{ '<form>' }}</script></head><body><nav><a \
         class=x href=\"/portal/logout\">Log out</a> <span class=user>ann</span></nav>{body}</body></html>"
    )
}

pub fn login_page(token: usize, error: &str) -> String {
    let error = if error.is_empty() {
        String::new()
    } else {
        format!("<div class='validation-summary-errors'><ul><li>{error}</li></ul></div>")
    };
    format!(
        "<!doctype html><html><body>{error}<form method='post' action='/identity/account/login' id='login'><input \
         type=hidden name=__RequestVerificationToken value=t{token}><input type=hidden name=ReturnUrl value='/identity/\
         cb?a=1&amp;state=S'><input name=Username><input name=Password type=password><div class=g-recaptcha \
         data-sitekey=6L></div><button name=button value=login>Log in</button></form></body></html>"
    )
}

impl Portal {
    pub fn serve(&self, called: &Called) -> Answer {
        let other = self.state.borrow().other;
        other.and_then(|other| other(called)).unwrap_or_else(|| self.answer(called))
    }

    fn answer(&self, called: &Called) -> Answer {
        let mut state = self.state.borrow_mut();
        let (url, path) = (url::Url::parse(&called.url).unwrap(), called.path());
        let cookie = called.header("cookie").unwrap_or_default();
        match (called.method, path.as_str()) {
            ("POST", "/in.php") => {
                state.solutions += 1;
                page(200, &json!({ "status": 1, "request": state.solutions.to_string() }).to_string())
            }
            (_, "/res.php") => {
                page(200, &json!({ "status": 1, "request": format!("s{}", state.solutions) }).to_string())
            }
            ("GET", "/portal/login") => with_cookies(
                to(302, "https://id.example.com/identity/account/login?ReturnUrl=x"),
                &["portal.state=S; Path=/portal"],
            ),
            ("GET", "/identity/account/login") => {
                let page = page(200, &login_page(state.token, ""));
                with_cookies(page, &[".AspNetCore.Antiforgery=A; HttpOnly; SameSite=Strict; path=/identity"])
            }
            ("POST", "/identity/account/login") => state.sign_in(called, cookie),
            ("GET", "/identity/cb") if state.query_mode => {
                to(302, "https://portal.example.com/portal/signin-oidc?code=c&state=S")
            }
            ("GET", "/identity/cb") => page(
                200,
                "<form method=post action='https://portal.example.com/portal/signin-oidc'><input type=hidden name=code \
                 value=c><input type=hidden name=state value=S><noscript><button>Go</button></noscript></form>\
                 <script>document.forms[0].submit()</script>",
            ),
            (_, "/portal/signin-oidc") => {
                assert!(cookie.contains("portal.state=S"));
                let session = ".AspNetCore.Cookies=1; HttpOnly; path=/portal";
                with_cookies(to(302, "/portal/containers"), &[session])
            }
            ("GET", "/portal/logout") => to(302, "https://id.example.com/identity/account/logout"),
            ("GET", "/identity/account/logout") => page(200, "<p>You are now logged out</p>"),
            _ if !cookie.contains(".AspNetCore.Cookies=1") => page(200, LOGGED_OUT),
            ("GET", "/portal/containers") => page(200, &state.list(url.query())),
            ("GET", "/portal/containers/MSCU1000001") => page(200, &timeline()),
            ("GET", path) if path.starts_with("/portal/containers/") => {
                page(404, &inside("Container not found"))
            }
            ("GET", "/portal/appointments/new") => {
                let number = format!("w{}", state.wizards.len() + 1);
                state.wizards.insert(number.clone(), Value::Null);
                page(200, &first(&number, ""))
            }
            ("POST", path) => state.wizard(path, called),
            _ => page(404, "<p>Nothing here</p>"),
        }
    }
}

impl State {
    fn sign_in(&mut self, called: &Called, cookie: &str) -> Answer {
        let field = |name: &str| called.field(name).unwrap_or_default();
        if field("__RequestVerificationToken") != format!("t{}", self.token)
            || !cookie.contains("Antiforgery=A")
        {
            return page(400, "<p>Bad request</p>");
        }
        self.token += 1;
        if field("g-recaptcha-response") != format!("s{}", self.solutions) {
            return page(200, &login_page(self.token, "Captcha validation failed"));
        }
        if (field("Username"), field("Password")) != ("ann".to_owned(), "ann-pass".to_owned()) {
            return page(200, &login_page(self.token, "Invalid username or password"));
        }
        with_cookies(to(302, &field("ReturnUrl")), &["idsrv=1; HttpOnly; path=/identity"])
    }

    fn list(&self, query: Option<&str>) -> String {
        let number: usize = query.and_then(|q| q.strip_prefix("page=")).map_or(1, |n| n.parse().unwrap());
        let (from, to) = if number == 1 { (0, 40) } else { (20 * number, 20 * number + 20) };
        let to = to.min(self.containers);
        let from = from - usize::from(self.overlaps && number > 1);
        let mut html = "<table class=t id='containers'><thead><tr>".to_owned();
        for head in HEADS {
            write!(html, "<th>{head}</th>").unwrap();
        }
        html.push_str("</tr></thead><tbody>");
        for i in from..to {
            write!(html, "<tr><td>MSCU{}</td><td>A &amp; &lt;B&gt;</td>", 1_000_000 + i).unwrap();
            html.push_str(&"<td></td>".repeat(16));
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>");
        if to < self.containers {
            write!(html, "<a href='/portal/containers?page={}' rel=next>Load more</a>", number + 1).unwrap();
        }
        inside(&html)
    }

    fn wizard(&mut self, path: &str, called: &Called) -> Answer {
        let field = |name: &str| called.field(name).unwrap_or_default();
        let number = field("WizardId");
        if !self.wizards.contains_key(&number) {
            return page(200, &inside("<p>Your appointment session has expired</p>"));
        }
        match path {
            "/portal/appointments/1" => {
                let (kind, container) = (field("MoveType"), field("ContainerNumber"));
                match kind.as_str() {
                    "2" if container != "MSCU1000001" => page(200, &first(&number, "Container not found")),
                    "9" => page(200, &first(&number, "The move type is not possible")),
                    _ => {
                        self.wizards.insert(number.clone(), kind.into());
                        page(200, &second(&number, ""))
                    }
                }
            }
            "/portal/appointments/2" if field("TruckPlate") == "ABC123" => {
                page(200, &self.third(&number, ""))
            }
            "/portal/appointments/2" => page(200, &second(&number, "Truck plate is not registered")),
            "/portal/appointments/book" if field("TimeSlot") == "1" => {
                page(200, &self.third(&number, "The selected time is no longer available"))
            }
            "/portal/appointments/book" => {
                self.bookings += 1;
                page(200, &inside(CONFIRMATION))
            }
            _ => page(404, "<p>Nothing here</p>"),
        }
    }

    fn third(&self, number: &str, error: &str) -> String {
        let mut body = "<select name=TimeSlot><option value=''>-- select --</option>".to_owned();
        for i in 1..=self.slots {
            write!(body, "<option value={i}>Thu 10/29/2026 0{i}:00 ({i} left)</option>").unwrap();
        }
        body.push_str("</select>");
        step(number, 3, "book", error, &body)
    }
}

pub const CONFIRMATION: &str = "<div id=confirmation><h2>Appointment confirmed</h2><dl><dt>Confirmation Number</dt>\
    <dd>APT-100001</dd><dt>Terminal</dt><dd>A &amp; B</dd></dl></div>";

pub const HEADS: [&str; 18] = [
    "Container #",
    "Trade Type",
    "Status",
    "Holds",
    "Pregate Ticket#",
    "Emodal Pregate Status",
    "Gate Status",
    "Origin",
    "Destination",
    "Current Loc",
    "Line",
    "Vessel Name",
    "Vessel Code",
    "Voyage",
    "Size Type",
    "Fees",
    "LFD/GTD",
    "Tags",
];

fn timeline() -> String {
    let rows = [("Departed Terminal", "N/A", "Pending"), ("Pregate", "10/28/2026 07:30", "Completed")];
    let rows = rows.map(|(m, d, s)| format!("<tr><td>{m}</td><td>{d}</td><td>{s}</td></tr>")).concat();
    inside(&format!(
        "<table id=timeline><tr><th>Milestone</th><th>Date</th><th>Status</th></tr>{rows}</table>"
    ))
}

fn step(number: &str, phase: u8, action: &str, error: &str, body: &str) -> String {
    let error = if error.is_empty() {
        String::new()
    } else {
        format!("<div class='validation-summary-errors'><ul><li>{error}</li></ul></div>")
    };
    inside(&format!(
        "{error}<form data-phase={phase} id='appointment' method=post action='/portal/appointments/{action}'><input \
         type=hidden name=WizardId value={number}>{body}<button>Next</button></form>"
    ))
}

pub fn first(number: &str, error: &str) -> String {
    let select = |name: &str, options: &str| {
        format!("<select name={name}><option value=''>-- select --</option>{options}</select>")
    };
    let body = [
        select("TruckingCompanyId", "<option value=17>Harbor Freight Lines &amp; Sons</option>"),
        select("TerminalId", "<option value=1>ITS Long Beach</option><option value=2>TraPac</option>"),
        select(
            "MoveType",
            "<option value=1>DROP EMPTY<option value=2>PICK FULL<option value=3>DROP FULL<option value=9>ODD</option>",
        ),
        "<input name=ContainerNumber><input name=BookingNumber>".to_owned(),
    ];
    step(number, 1, "1", error, &body.concat())
}

pub fn second(number: &str, error: &str) -> String {
    let body = "<input name=TruckPlate><input name=PinCode><input type=checkbox name=OwnChassis value=true><input \
        type=hidden name=OwnChassis value=false>";
    step(number, 2, "2", error, body)
}

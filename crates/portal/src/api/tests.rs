use super::ApiDriver;
use crate::document::emodal_with;
use crate::test_support::{Called, World, now, page, to, with_cookies};
use crate::{Answer, Code, Credentials, Driver as _, Failure, Progress, Request, Visit};
use base::secret::Secret;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::time::Duration;

const END: &str = "https://truckerportal.emodal.com/signin-oidc";

pub(super) fn driver() -> ApiDriver {
    ApiDriver {
        portal: emodal_with("api", Some("https://truckerportal.emodal.com"), "", Map::new()).unwrap(),
        timeout: Duration::from_secs(20),
        captcha: crate::pages::play::emodal().captcha,
    }
}

fn credentials(username: &str, password: &str) -> Credentials {
    let totp_secret = username.starts_with("totp").then(|| Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    Credentials {
        username: username.to_owned(),
        password: Secret::new(password),
        captcha_api_key: Secret::new("ck"),
        totp_secret,
    }
}

pub(super) type Other = fn(&Called) -> Option<Answer>;

/// A provider that leaves the password to another one, and the API behind both.
#[derive(Default)]
pub(super) struct Chain {
    asked: Value,
    code_used: bool,
    /// The access and the refresh token that are good.
    generation: usize,
    rows: usize,
    pub other: Option<Other>,
}

pub(super) fn json_page(status: u16, json: &Value) -> Answer {
    page(status, &json.to_string())
}

const KC: &str = "https://sso.cargosprint.com/auth";

impl Chain {
    pub fn serve(&mut self, called: &Called) -> Answer {
        if let Some(answer) = self.other.and_then(|other| other(called)) {
            return answer;
        }
        let url = url::Url::parse(&called.url).unwrap();
        let field = |name: &str| called.field(name).unwrap_or_default();
        let bearer = format!("Bearer a{}", self.generation);
        match (called.method, url.path()) {
            ("GET", "/connect/authorize") => {
                self.asked =
                    url.query_pairs().map(|(n, v)| (n.into_owned(), Value::from(v.into_owned()))).collect();
                with_cookies(to(302, "/Account/Login?ReturnUrl=x"), &["sso=1; Path=/"])
            }
            ("GET", "/Account/Login") => page(
                200,
                "<form method=post><input type=hidden name=ReturnUrl value=x><input name=Username>\
                 <button name=submit value=next>Next</button></form>",
            ),
            ("POST", "/Account/Login") => {
                assert_eq!((field("submit"), field("ReturnUrl")), ("next".to_owned(), "x".to_owned()));
                to(302, KC)
            }
            ("GET", "/auth") => page(200, PASSWORD),
            ("POST", "/auth") if !field("otp").is_empty() => {
                if field("otp").len() == 6 {
                    page(200, FORM_POST)
                } else {
                    page(200, CODE)
                }
            }
            ("POST", "/auth") if field("password") != "good" => {
                page(200, &format!("<p>Invalid username or password</p>{PASSWORD}"))
            }
            ("POST", "/auth") if field("username").starts_with("totp") => page(200, CODE),
            ("POST", "/auth") => page(200, FORM_POST),
            ("POST", "/signin-oidc/keycloak") => {
                assert_eq!(field("id_token"), "k");
                let state = self.asked["state"].as_str().unwrap();
                page(
                    200,
                    &format!("<meta http-equiv=refresh content='0;url={END}?code=c1&amp;state={state}'>"),
                )
            }
            ("POST", "/connect/token") if field("grant_type") == "refresh_token" => {
                if field("refresh_token") != format!("r{}", self.generation) {
                    return json_page(400, &json!({ "error": "invalid_grant" }));
                }
                self.tokens()
            }
            ("POST", "/connect/token") => {
                let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(field("code_verifier")));
                let good = field("code") == "c1" && !self.code_used && self.asked["code_challenge"] == hash;
                self.code_used = true;
                if good { self.tokens() } else { json_page(400, &json!({ "error": "invalid_grant" })) }
            }
            ("POST", "/connect/revocation") => json_page(200, &json!({})),
            _ if called.header("authorization") != Some(&bearer) => json_page(401, &json!({})),
            ("GET", "/identity/userinfo") => json_page(200, &json!({ "sub": "u1" })),
            ("POST", path) if path.starts_with("/Appointment/") => {
                appointment(path, &base::json::read(&called.body).unwrap())
            }
            ("POST", "/Visit/SearchMyAppointments") => {
                let asked: Value = base::json::read(&called.body).unwrap();
                let from = 50 * usize::try_from(asked["Page"].as_u64().unwrap() - 1).unwrap();
                let rows: Vec<_> = (from..self.rows.min(from + 50))
                    .map(|n| json!({ "CntrNbr": format!("C{n}"), "Slots": n, "Note": null }))
                    .collect();
                json_page(200, &json!({ "data": rows }))
            }
            other => panic!("{other:?}"),
        }
    }

    fn tokens(&mut self) -> Answer {
        self.generation += 1;
        let claims = json!({ "sub": "u1", "nonce": self.asked["nonce"] }).to_string();
        let id_token = format!("h.{}.s", Base64UrlUnpadded::encode_string(claims.as_bytes()));
        let (access, refresh) = (format!("a{}", self.generation), format!("r{}", self.generation));
        json_page(
            200,
            &json!({ "access_token": access, "refresh_token": refresh, "expires_in": 900, "id_token": id_token }),
        )
    }
}

fn appointment(path: &str, asked: &Value) -> Answer {
    let named = |names: [&str; 2]| names.map(|name| json!({ "Id": format!("id-{name}"), "Name": name }));
    let refuses = |said: &str| json_page(422, &json!({ "success": false, "errors": [said] }));
    let data = match path {
        "/Appointment/GetChoices" => json!({
            "TruckingCompanies": named(["Lines", "Haulage"]),
            "Terminals": named(["East", "West"]),
            "MoveTypes": [{ "Id": 1, "Name": "PICK FULL" }, { "Id": 2, "Name": "DROP FULL" }],
        }),
        "/Appointment/Validate" if asked["CntrNbr"] == "C1" => {
            assert_eq!((&asked["TerminalId"], &asked["MoveType"]), (&json!("id-West"), &json!(1)));
            assert!(asked.get("BookingNumber").is_none());
            json!({ "WizardId": "w1" })
        }
        "/Appointment/Validate" => return refuses("Container not found"),
        _ if asked["WizardId"] != "w1" => {
            return json_page(410, &json!({ "message": "Your appointment session has expired" }));
        }
        "/Appointment/GetTimeSlots" if asked["TruckPlate"] == "?" => return refuses("No such plate"),
        "/Appointment/GetTimeSlots" => {
            json!([{ "Id": 7, "Label": "Mon 8:00" }, { "Id": 8, "Label": "Mon 9:00" }])
        }
        "/Appointment/Create" if asked["TimeSlotId"] == 7 => json!({ "Confirmation": "A1", "Gate": 4 }),
        "/Appointment/Create" => return refuses("The selected time is no longer available"),
        other => panic!("{other}"),
    };
    json_page(200, &json!({ "success": true, "data": data }))
}

const PASSWORD: &str =
    "<form method=post><input name=username><input type=password name=password><button>Go</button></form>";
const CODE: &str = "<form method=post><input name=otp><button>Go</button></form>";
const FORM_POST: &str = "<form method=post action='https://sso.emodal.com/signin-oidc/keycloak'>\
    <input type=hidden name=id_token value=k></form><script>document.forms[0].submit()</script>";

fn log_in(chain: &RefCell<Chain>, username: &str, password: &str) -> (Result<(), Failure>, Vec<String>) {
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = world.visit(300);
    let end = now(driver().log_in(&mut visit, &credentials(username, password)));
    assert!(end.is_err() || visit.jar.tokens.is_some());
    (end, world.calls())
}

#[test]
fn a_login_goes_through_both_providers_and_stops_before_the_redirect_uri() {
    let chain = RefCell::default();
    let (end, calls) = log_in(&chain, "ann", "good");
    assert_eq!(end, Ok(()));
    let expected = [
        "GET /connect/authorize",
        "GET /Account/Login",
        "POST /Account/Login",
        "GET /auth",
        "POST /auth",
        "POST /signin-oidc/keycloak",
        "POST /connect/token",
        "GET /identity/userinfo",
    ];
    assert_eq!(calls, expected);
    let asked = chain.borrow().asked.clone();
    assert_eq!((&asked["client_id"], &asked["code_challenge_method"]), (&json!("PCEMODAL"), &json!("S256")));
    let (end, calls) = log_in(&RefCell::default(), "totp", "good");
    assert_eq!((end, calls.len()), (Ok(()), 9));
}

#[test]
fn nothing_but_a_working_token_of_this_login_is_a_login() {
    let cases: [(Other, Code); 11] = [
        (
            |c| c.url.contains("/keycloak").then(|| to(302, &format!("{END}?code=c1&state=x"))),
            Code::UnexpectedResponse,
        ),
        (
            |c| c.url.contains("/keycloak").then(|| to(302, &format!("{END}?code=c1"))),
            Code::UnexpectedResponse,
        ),
        (
            |c| c.url.contains("/keycloak").then(|| to(302, "https://evil.example/signin-oidc?code=c1")),
            Code::Redirected,
        ),
        (|c| c.url.ends_with("/connect/token").then_some(Answer::TimedOut), Code::Timeout),
        (
            |c| {
                c.url
                    .ends_with("/connect/token")
                    .then(|| json_page(400, &json!({ "error": "invalid_grant" })))
            },
            Code::UnexpectedResponse,
        ),
        (
            |c| c.url.ends_with("/connect/token").then(|| json_page(200, &json!({ "token_type": "x" }))),
            Code::UnexpectedResponse,
        ),
        (
            |c| c.url.ends_with("/userinfo").then(|| json_page(200, &json!({ "sub": "u2" }))),
            Code::UnexpectedResponse,
        ),
        (|c| c.url.ends_with("/userinfo").then(|| json_page(401, &json!({}))), Code::UnexpectedResponse),
        (|c| c.url.ends_with("/userinfo").then(|| page(403, "<p>no</p>")), Code::RefusedAutomation),
        (|c| c.url.contains("/Account/Login").then(|| page(403, "<p>no</p>")), Code::RefusedAutomation),
        (|c| (c.method == "POST" && c.url == KC).then(|| page(200, PASSWORD)), Code::UnexpectedResponse),
    ];
    for (i, (other, expected)) in cases.into_iter().enumerate() {
        let chain = RefCell::new(Chain { other: Some(other), ..Chain::default() });
        let (end, calls) = log_in(&chain, "ann", "good");
        assert_eq!(end.unwrap_err().code, expected, "{i}");
        // A code is good once, and a password is sent once.
        for once in ["POST /connect/token", "POST /auth"] {
            assert!(calls.iter().filter(|call| *call == once).count() <= 1, "{i} {once}");
        }
    }
    let (end, calls) = log_in(&RefCell::default(), "ann", "bad");
    assert_eq!(
        (end.unwrap_err().code, calls.last().unwrap().as_str()),
        (Code::CredentialsRefused, "POST /auth")
    );
}

pub(super) fn signed_in<'w>(world: &'w World<'_>) -> Visit<'w> {
    let mut visit = world.visit(100_000);
    now(driver().log_in(&mut visit, &credentials("ann", "good"))).unwrap();
    world.called.borrow_mut().clear();
    world.progress.borrow_mut().clear();
    visit
}

#[test]
fn tokens_are_renewed_once_two_thirds_of_their_life_are_over() {
    let chain = RefCell::new(Chain::default());
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = signed_in(&world);
    let began = visit.jar.tokens.as_ref().unwrap().issued_at;
    world.now.set(began.plus(Duration::from_secs(599)));
    assert_eq!((now(driver().keep_alive(&mut visit)), world.calls().len()), (Ok(()), 0));
    assert_eq!(driver().due(&visit.jar), Some(began.plus(Duration::from_mins(10))));
    world.now.set(began.plus(Duration::from_mins(10)));
    assert_eq!((now(driver().keep_alive(&mut visit)), world.calls().len()), (Ok(()), 1));
    let Some(Progress::Renewed(kept)) = world.progress.borrow().last().cloned() else { panic!() };
    assert_eq!(kept, visit.jar.save());
    // A lost answer is asked for once more with the old token, and a refused one ends the session.
    chain.borrow_mut().other = Some(|_| Some(Answer::TimedOut));
    world.now.set(world.now.get().plus(Duration::from_secs(601)));
    let before = visit.jar.save();
    assert_eq!(now(driver().keep_alive(&mut visit)).unwrap_err().code, Code::Timeout);
    assert_eq!((world.calls().len(), visit.jar.save()), (3, before));
    chain.borrow_mut().other = None;
    chain.borrow_mut().generation = 7;
    assert_eq!(now(driver().keep_alive(&mut visit)).unwrap_err().code, Code::LoggedOut);
}

fn search(visit: &mut Visit<'_>, fields: &Value) -> Result<Value, Failure> {
    let fields = fields.as_object().cloned().unwrap();
    let request = Request { operation: "search_appointments".to_owned(), fields, wizard: None };
    now(driver().run(visit, &request)).map(|outcome| Value::Object(outcome.answer))
}

#[test]
fn a_list_comes_page_by_page_and_a_dead_token_is_renewed_once() {
    let chain = RefCell::new(Chain { rows: 101, ..Chain::default() });
    let world = World::new(|called| chain.borrow_mut().serve(called));
    let mut visit = signed_in(&world);
    let list = search(&mut visit, &json!({ "container": "C1" })).unwrap();
    assert_eq!(
        (&list["total_appointments"], &list["pages"], &list["stopped_reason"]),
        (&json!(101), &json!(2), &json!("end_of_list"))
    );
    assert_eq!(list["appointments"][100], json!({ "CntrNbr": "C100", "Slots": "100", "Note": "" }));
    let asked: Value = base::json::read(&world.called.borrow()[0].body).unwrap();
    assert_eq!(asked["conditions"], json!([{ "mem": "fc-cntr-nbr", "vLow": "C1", "vHigh": "" }]));
    let one = search(&mut visit, &json!({ "all_pages": false })).unwrap();
    assert_eq!((&one["total_appointments"], &one["stopped_reason"]), (&json!(50), &json!("single_page")));
    let asked: Value = base::json::read(&world.last().body).unwrap();
    assert_eq!(asked["conditions"], json!([]));
    chain.borrow_mut().rows = 0;
    assert_eq!(search(&mut visit, &json!({})).unwrap()["appointments"], json!([]));
    // The token has died before its time.
    visit.jar.tokens.as_mut().unwrap().access_token = Secret::new("dead");
    world.called.borrow_mut().clear();
    search(&mut visit, &json!({})).unwrap();
    let path = "POST /Visit/SearchMyAppointments";
    assert_eq!(world.calls(), [path, "POST /connect/token", path]);
    let failures: [(Other, Code); 6] = [
        (|c| c.url.contains("/Visit").then(|| json_page(401, &json!({}))), Code::LoggedOut),
        (|c| c.url.contains("/Visit").then(|| page(403, "<html>Access denied")), Code::RefusedAutomation),
        (|c| c.url.contains("/Visit").then(|| page(200, "<html>hello")), Code::UnexpectedResponse),
        (|c| c.url.contains("/Visit").then(|| page(429, "")), Code::RateLimited),
        (|c| c.url.contains("/Visit").then(|| page(502, "")), Code::ServerError),
        (
            |c| c.url.contains("/Visit").then(|| json_page(200, &json!({ "data": [1] }))),
            Code::UnexpectedResponse,
        ),
    ];
    for (i, (other, expected)) in failures.into_iter().enumerate() {
        chain.borrow_mut().other = Some(other);
        assert_eq!(search(&mut visit, &json!({})).unwrap_err().code, expected, "{i}");
    }
}

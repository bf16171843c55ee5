use super::super::document;
use super::super::test_support::{World, now, page, to};
use super::super::{Answer, Code, Driver as _, Failure, Progress, Standing};
use super::play::{LOGGED_OUT, Other, Portal, credentials, emodal, inside, login_page, portal};
use base::secret::Secret;

fn log_in(portal: &Portal, password: &str) -> (Result<(), Failure>, Vec<String>, usize) {
    let world = World::new(|called| portal.serve(called));
    let mut visit = world.visit(300);
    let credentials = super::Credentials { password: Secret::new(password), ..credentials() };
    let result = now(emodal().log_in(&mut visit, &credentials));
    let progress = world.progress.borrow();
    let calls = world.calls();
    let puzzles = calls.iter().filter(|call| *call == "POST /in.php").count();
    let paying = progress.iter().filter(|p| matches!(p, Progress::Paying)).count();
    assert!(paying >= puzzles, "what costs something is said before");
    let jars: Vec<_> = progress
        .iter()
        .filter_map(|p| if let Progress::SignedIn(jar) = p { Some(jar) } else { None })
        .collect();
    assert!(result.is_err() || jars.iter().all(|jar| jar.expose().contains("idsrv")));
    (result, calls, usize::from(!jars.is_empty()))
}

fn code_of(other: Other) -> (Code, Option<u16>, usize, usize) {
    let portal = portal();
    portal.state.borrow_mut().other = Some(other);
    let (result, calls, signed_in) = log_in(&portal, "ann-pass");
    let failure = result.unwrap_err();
    let posts = calls.iter().filter(|c| *c == "POST /identity/account/login").count();
    assert_eq!(failure.message, None);
    (failure.code, failure.status, posts, signed_in)
}

#[test]
fn a_login_ends_at_a_page_of_a_logged_in_user() {
    for query_mode in [false, true] {
        let portal = portal();
        portal.state.borrow_mut().query_mode = query_mode;
        let (result, calls, signed_in) = log_in(&portal, "ann-pass");
        assert_eq!(result, Ok(()));
        let expected = [
            "GET /portal/login",
            "GET /identity/account/login",
            "POST /in.php",
            "GET /res.php",
            "POST /identity/account/login",
            "GET /identity/cb",
            if query_mode { "GET /portal/signin-oidc" } else { "POST /portal/signin-oidc" },
            "GET /portal/containers",
        ];
        assert_eq!((calls, signed_in), (expected.map(str::to_owned).to_vec(), 1));
    }
}

#[test]
fn refused_credentials_are_final() {
    let (result, calls, signed_in) = log_in(&portal(), "wrong");
    assert_eq!(result, Err(Failure::with_status(Code::CredentialsRefused, 200)));
    assert_eq!((calls.iter().filter(|c| c.starts_with("POST /identity")).count(), signed_in), (1, 0));
}

macro_rules! at {
    ($method:literal, $path:literal, $answer:expr) => {
        |called| (called.method == $method && called.path() == $path).then(|| $answer)
    };
}

#[test]
fn every_wrong_turn_is_told_apart() {
    let cases: [(Other, Code, Option<u16>, usize, usize); 18] = [
        (
            at!(
                "POST",
                "/identity/account/login",
                page(403, &login_page(1, "INVALID username or password."))
            ),
            Code::CredentialsRefused,
            Some(403),
            1,
            0,
        ),
        (
            at!("POST", "/identity/account/login", page(403, "<p>Invalid username or password</p>")),
            Code::CredentialsRefused,
            Some(403),
            1,
            0,
        ),
        (
            at!("POST", "/identity/account/login", page(200, &login_page(1, "Your account is locked"))),
            Code::AccountLocked,
            Some(200),
            1,
            0,
        ),
        // Two solutions, and no more.
        (
            at!("POST", "/identity/account/login", page(200, &login_page(1, "Captcha validation failed"))),
            Code::CaptchaUnsolved,
            None,
            2,
            0,
        ),
        (
            at!("POST", "/identity/account/login", page(200, &login_page(1, ""))),
            Code::UnexpectedResponse,
            Some(200),
            1,
            0,
        ),
        (
            at!("POST", "/identity/account/login", page(200, &login_page(1, "Try again"))),
            Code::UnexpectedResponse,
            Some(200),
            1,
            0,
        ),
        (at!("POST", "/identity/account/login", page(403, "")), Code::UnexpectedResponse, Some(403), 1, 0),
        (
            at!("POST", "/identity/account/login", page(200, LOGGED_OUT)),
            Code::UnexpectedResponse,
            Some(200),
            1,
            0,
        ),
        (at!("POST", "/identity/account/login", page(500, "")), Code::ServerError, Some(500), 1, 0),
        (at!("POST", "/identity/account/login", Answer::TimedOut), Code::Timeout, None, 1, 0),
        (
            at!("POST", "/identity/account/login", to(302, "https://evil.example/portal")),
            Code::Redirected,
            Some(302),
            1,
            0,
        ),
        // The host alone means nothing.
        (
            at!("POST", "/identity/account/login", to(302, "https://portal.example.com/portal/x")),
            Code::UnexpectedResponse,
            Some(200),
            1,
            1,
        ),
        (at!("GET", "/portal/containers", page(200, LOGGED_OUT)), Code::UnexpectedResponse, Some(200), 1, 1),
        (at!("GET", "/portal/containers", page(503, "")), Code::ServerError, Some(503), 1, 1),
        (
            at!("GET", "/identity/account/login", page(200, "<p>Maintenance</p>")),
            Code::UnexpectedResponse,
            Some(200),
            0,
            0,
        ),
        (
            at!("GET", "/identity/account/login", page(200, &login_page(0, "")[..300])),
            Code::UnexpectedResponse,
            Some(200),
            0,
            0,
        ),
        (at!("GET", "/portal/login", Answer::Unreachable), Code::Unreachable, None, 0, 0),
        (
            at!("POST", "/in.php", page(200, r#"{"status":0,"request":"ERROR_ZERO_BALANCE"}"#)),
            Code::CaptchaNoBalance,
            None,
            0,
            0,
        ),
    ];
    for (i, (other, code, status, posts, signed_in)) in cases.into_iter().enumerate() {
        // A page without a session is shown for an unknown address.
        assert_eq!(code_of(other), (code, status, posts, signed_in), "{i}");
    }
}

#[test]
fn another_solution_is_tried_where_one_is_not_taken() {
    let portal = portal();
    // The first solution is for another puzzle.
    portal.state.borrow_mut().other = Some(|called| {
        let first = called.path() == "/res.php" && called.url.contains("id=1&");
        first.then(|| page(200, r#"{"status":1,"request":"stale"}"#))
    });
    let (result, calls, signed_in) = log_in(&portal, "ann-pass");
    assert_eq!((result, signed_in), (Ok(()), 1));
    assert_eq!(calls.iter().filter(|c| *c == "POST /in.php").count(), 2);
}

#[test]
fn what_cannot_be_kept_ends_the_login() {
    let portal = portal();
    let world = World::new(|called| portal.serve(called));
    world.keeps.set(Err(Code::Closed));
    let mut visit = world.visit(300);
    let result = now(emodal().log_in(&mut visit, &credentials()));
    assert_eq!(result, Err(Failure::new(Code::Closed)));
    // Before anything is paid.
    assert_eq!(world.calls().last().unwrap(), "GET /identity/account/login");
}

#[test]
fn pages_are_those_of_a_logged_in_user_or_not() {
    for (status, html, expected) in [
        (200, inside("hello"), Standing::LoggedIn),
        (404, inside("hello"), Standing::LoggedIn),
        (200, LOGGED_OUT.to_owned(), Standing::LoggedOut),
        (200, inside("your session has expired"), Standing::LoggedIn),
        (200, inside("You are either not logged in or  your session has expired"), Standing::LoggedOut),
        (200, login_page(1, ""), Standing::LoggedOut),
        (401, String::new(), Standing::LoggedOut),
        (200, String::new(), Standing::Unclear),
        (200, "<p>Log out</p><!-- <a href='/portal/logout'> -->".to_owned(), Standing::Unclear),
        (200, "<script>'<a href=/portal/logout>'</script>".to_owned(), Standing::Unclear),
        (200, "<a href='https://evil.example/portal/logout'>Log out</a>".to_owned(), Standing::Unclear),
        (
            200,
            "<a href='https://portal.example.com/portal/logout?x=1'>Log out</a>".to_owned(),
            Standing::LoggedIn,
        ),
        (200, "<form method=post action='/portal/logout'></form>".to_owned(), Standing::LoggedIn),
    ] {
        assert_eq!(emodal().is_logged_in(status, &html), expected, "{html}");
    }
}

#[test]
fn keep_alive_and_log_out() {
    let portal = portal();
    let world = World::new(|called| portal.serve(called));
    let mut visit = world.visit(600);
    let driver = emodal();
    let failure = now(driver.keep_alive(&mut visit)).unwrap_err();
    assert_eq!(failure, Failure::with_status(Code::LoggedOut, 200));
    now(driver.log_in(&mut visit, &credentials())).unwrap();
    assert_eq!(now(driver.keep_alive(&mut visit)), Ok(()));
    // The other way of saying it: the way to the login page.
    portal.state.borrow_mut().other = Some(at!("GET", "/portal/containers", to(302, "/portal/login")));
    assert_eq!(now(driver.keep_alive(&mut visit)).unwrap_err().code, Code::LoggedOut);
    portal.state.borrow_mut().other = Some(at!("GET", "/portal/containers", page(200, "<p>Maintenance</p>")));
    assert_eq!(now(driver.keep_alive(&mut visit)).unwrap_err().code, Code::UnexpectedResponse);
    assert_eq!(now(driver.log_out(&mut visit)), Ok(()));
    assert_eq!(world.calls().last().unwrap(), "GET /identity/account/logout");
}

#[test]
fn pages_can_be_set_one_by_one() {
    let read = |text| document::emodal_with("pages", None, "", base::json::read(text).unwrap());
    let set = read(r#"{"login_path": "/in", "logged_out": ["bye"]}"#).unwrap();
    assert_eq!((set.login.path.as_str(), &set.login.logged_out[..]), ("/in", &["bye".to_owned()][..]));
    let is = document::emodal();
    assert_eq!((&set.home_path, &set.login.account_locked), (&is.home_path, &is.login.account_locked));
    assert_eq!(
        read(r#"{"login_pth": "/in"}"#).unwrap_err(),
        [" is not of the right shape: login_pth: unknown"]
    );
}

/// The password in an address would stand in the logs of the portal and of everybody on the way.
#[test]
fn f32_a_form_that_would_not_be_posted_gets_no_password_and_costs_no_captcha() {
    for tag in [
        "<form action='/identity/account/login'>",
        "<form method=get action='/identity/account/login'>",
        "<form method=dialog action='/identity/account/login'>",
        "<form method=put action='/identity/account/login'>",
    ] {
        let html = login_page(0, "")
            .replace("<form method='post' action='/identity/account/login' id='login'>", tag);
        assert!(html.contains(tag));
        let world = World::new(|called| {
            if called.path() == "/portal/login" {
                to(302, "https://id.example.com/identity/account/login")
            } else {
                page(200, &html)
            }
        });
        let mut visit = world.visit(300);
        let failure = now(emodal().log_in(&mut visit, &credentials())).unwrap_err();
        assert_eq!(failure.code, Code::UnexpectedResponse, "{tag}");
        assert_eq!(world.calls(), ["GET /portal/login", "GET /identity/account/login"], "{tag}");
        assert!(world.called.borrow().iter().all(|called| !called.url.contains("ann")));
    }
}

#[test]
fn f32_nor_does_one_that_leads_to_another_host() {
    for action in ["https://evil.example/login", "http://id.example.com/login", "javascript:send()"] {
        let html = login_page(0, "").replace("/identity/account/login'", &format!("{action}'"));
        let world = World::new(|called| {
            if called.path() == "/portal/login" {
                to(302, "https://id.example.com/x")
            } else {
                page(200, &html)
            }
        });
        let mut visit = world.visit(300);
        let failure = now(emodal().log_in(&mut visit, &credentials())).unwrap_err();
        assert_eq!(failure.code, Code::Redirected, "{action}");
        assert_eq!(world.calls(), ["GET /portal/login", "GET /x"], "{action}");
    }
}

/// The button decides.
#[test]
fn f33_a_button_that_would_send_the_password_in_an_address_is_not_pressed() {
    let html = login_page(0, "").replace("<button name=button", "<button formmethod=get name=button");
    let world = World::new(|called| {
        if called.path() == "/portal/login" { to(302, "https://id.example.com/x") } else { page(200, &html) }
    });
    let mut visit = world.visit(300);
    let failure = now(emodal().log_in(&mut visit, &credentials())).unwrap_err();
    assert_eq!((failure.code, world.calls().len()), (Code::UnexpectedResponse, 2));
}

/// A logged-out text in a dialog that is closed is said to nobody.
#[test]
fn f33_a_closed_dialog_does_not_log_anybody_out() {
    let dialog =
        "<div class='modal fade'><p>You are either not logged in or your session has expired</p></div>";
    assert_eq!(emodal().is_logged_in(200, &inside(dialog)), Standing::LoggedIn);
    let open = dialog.replace("fade", "fade show");
    assert_eq!(emodal().is_logged_in(200, &inside(&open)), Standing::LoggedOut);
}

/// A portal without a captcha that asks for a one-time password, and takes this many of them.
fn with_code(credentials: &super::Credentials, takes: bool) -> (Result<(), Failure>, Vec<String>) {
    const FORM: &str = "<form method=post action=/portal/code><input name=otp><button>Go</button></form>";
    let world = World::new(|called| match (called.method, called.path().as_str()) {
        ("GET", _) => {
            page(200, "<form method=post><input name=Username><input type=password name=Password></form>")
        }
        ("POST", "/portal/code") => {
            assert_eq!(called.field("otp").unwrap().len(), 6);
            page(200, &if takes { inside("Welcome") } else { FORM.to_owned() })
        }
        _ => page(200, FORM),
    });
    let mut driver = emodal();
    driver.portal.login.totp_input = Some("otp".to_owned());
    let end = now(driver.log_in(&mut world.visit(300), credentials));
    let calls = world.calls().split_off(1);
    (end, calls)
}

#[test]
fn a_one_time_password_is_sent_once_and_only_if_there_is_a_key_for_it() {
    let key = Some(Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    let with = super::Credentials { totp_secret: key, ..credentials() };
    let both = ["POST /portal/login", "POST /portal/code"];
    let (end, calls) = with_code(&with, true);
    assert_eq!((end, calls.as_slice()), (Ok(()), both.map(str::to_owned).as_slice()));
    let (end, calls) = with_code(&with, false);
    assert_eq!((end.unwrap_err().code, calls.len()), (Code::CredentialsRefused, 2));
    let (end, calls) = with_code(&credentials(), true);
    assert_eq!((end.unwrap_err().code, calls.len()), (Code::NeedsHuman, 1));
}

#[test]
fn a_firewall_is_said_and_gets_no_password() {
    let mut driver = emodal();
    driver.portal.login.refused_automation = vec!["Access denied".to_owned()];
    for (method, posts) in [("GET", 0), ("POST", 1)] {
        let world = World::new(|called| {
            let form = "<form method=post><input name=Username><input type=password name=Password></form>";
            page(200, if called.method == method { "<p>ACCESS DENIED</p>" } else { form })
        });
        let end = now(driver.log_in(&mut world.visit(300), &credentials())).unwrap_err();
        assert_eq!((end.code, world.count("POST /portal/login")), (Code::RefusedAutomation, posts));
    }
}

use super::browser::{Browser, Jar, Shown, Site};
use super::code::Code;
use super::test_support::{Called, World, now, page, to, with_cookies};
use super::{Answer, Failure, Page};
use base::secret::Secret;
use std::time::Duration;

const BASE: &str = "https://portal.example.com/app";

pub(super) fn site() -> Site {
    Site::new(BASE, &["id.example.com".to_owned()], Duration::from_secs(20), "Test/1").unwrap()
}

pub(super) fn open(world: &World<'_>, path: &str) -> Result<Shown, Failure> {
    let (mut visit, site) = (world.visit(60), site());
    now(Browser::new(&mut visit, &site).open(path))
}

pub(super) fn code(world: &World<'_>) -> Result<u16, Code> {
    open(world, "/x").map(|shown| shown.status).map_err(|failure| failure.code)
}

#[test]
fn it_goes_only_where_it_may() {
    for (location, expected) in [
        ("/y", Ok(200)),
        ("y?z=1#f", Ok(200)),
        ("https://portal.example.com:443/y", Ok(200)),
        ("https://id.example.com/y", Ok(200)),
        ("//id.example.com/y", Ok(200)),
        ("http://portal.example.com/y", Err(Code::Redirected)),
        ("https://portal.example.com:8443/y", Err(Code::Redirected)),
        ("https://evil.example/y", Err(Code::Redirected)),
        ("//evil.example/portal.example.com", Err(Code::Redirected)),
        ("https://portal.example.com.evil.example/", Err(Code::Redirected)),
        ("https://ann:pw@portal.example.com/", Err(Code::Redirected)),
        ("https://portal.example.com@evil.example/", Err(Code::Redirected)),
        ("javascript:alert(1)", Err(Code::Redirected)),
        ("file:///etc/passwd", Err(Code::Redirected)),
        ("https://", Err(Code::Redirected)),
    ] {
        let world =
            World::new(|called| if called.path() == "/app/x" { to(302, location) } else { page(200, "") });
        assert_eq!(code(&world), expected, "{location}");
        assert_eq!(world.called.borrow().len(), if expected.is_ok() { 2 } else { 1 }, "{location}");
    }
}

#[test]
fn hosts_are_as_the_base_url_where_they_say_nothing() {
    let allowed = |base: &str, hosts: &[&str], target: &str| {
        let hosts: Vec<_> = hosts.iter().map(|h| (*h).to_owned()).collect();
        let site = Site::new(base, &hosts, Duration::from_secs(1), "")?;
        let world = World::new(|c| if c.path() == "/x" { to(302, target) } else { page(200, "") });
        let mut visit = world.visit(60);
        Some(now(Browser::new(&mut visit, &site).open("/x")).is_ok())
    };
    let local = "http://127.0.0.1:8788";
    assert_eq!(allowed(local, &["localhost"], "http://localhost:8788/y"), Some(true));
    assert_eq!(allowed(local, &["localhost"], "http://localhost/y"), Some(false));
    assert_eq!(allowed(local, &["localhost:80"], "http://localhost/y"), Some(true));
    assert_eq!(allowed(local, &["https://id.example"], "https://id.example/y"), Some(true));
    assert_eq!(allowed("https://p.example", &["http://id.example"], "http://id.example/y"), Some(false));
    assert_eq!(allowed("https://p.example", &["a b"], "/y"), None);
    assert_eq!(allowed("ftp://p.example", &[], "/y"), None);
}

#[test]
fn redirects_end() {
    let world = World::new(|called| to(302, &format!("{}1", called.url)));
    assert_eq!(code(&world), Err(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 11);
    let looping = "<form method=post><input type=hidden name=a></form><script>f.submit()</script>";
    let world = World::new(|_| page(200, looping));
    assert_eq!(code(&world), Err(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 11);
    assert_eq!(
        code(&World::new(|_| Answer::Page(Page { location: None, ..bare(302) }))),
        Err(Code::UnexpectedResponse)
    );
}

fn bare(status: u16) -> Page {
    let Answer::Page(page) = page(status, "") else { unreachable!() };
    page
}

#[test]
fn statuses_mean_what_they_mean() {
    let wait = Some(Duration::from_secs(7));
    for (answer, expected) in [
        (Answer::TimedOut, Failure::new(Code::Timeout)),
        (Answer::Unreachable, Failure::new(Code::Unreachable)),
        (Answer::TooLong, Failure::new(Code::UnexpectedResponse)),
        (
            Answer::Page(Page { retry_after: wait, ..bare(429) }),
            Failure { retry_after: wait, ..Failure::with_status(Code::RateLimited, 429) },
        ),
        (page(503, ""), Failure::with_status(Code::ServerError, 503)),
    ] {
        let world = World::new(|_| answer.clone());
        assert_eq!(open(&world, "/x").err(), Some(expected));
    }
    assert_eq!(code(&World::new(|_| page(403, ""))), Ok(403));
}

const FORM: &str = "<form method=post action='/app/save?q=1'><input name=a value='x &amp; y'></form>";

fn submit<'a>(serve: impl FnMut(&Called) -> Answer + 'a) -> (World<'a>, Result<Shown, Failure>) {
    let world = World::new(serve);
    let (mut visit, site) = (world.visit(60), site());
    let mut browser = Browser::new(&mut visit, &site);
    let shown = now(browser.open("/form?secret=1")).unwrap();
    let result = now(browser.submit(&shown.url, &shown.document.forms()[0]));
    (world, result)
}

#[test]
fn forms_are_sent_and_redirects_change_the_method() {
    for (status, location, expected) in [
        (302, "/app/z", "GET /app/z"),
        (303, "/app/z", "GET /app/z"),
        (307, "/app/z", "POST /app/z"),
        (308, "/app/z", "POST /app/z"),
    ] {
        let (world, result) = submit(|c| match c.path().as_str() {
            "/app/form" => page(200, FORM),
            "/app/save" => to(status, location),
            _ => page(200, ""),
        });
        assert!(result.is_ok());
        assert_eq!(world.calls().last().unwrap(), expected, "{status}");
        assert_eq!(world.last().body.is_empty(), expected.starts_with("GET"));
        let posted = world.called.borrow()[1].clone();
        assert_eq!((posted.body.as_str(), posted.method), ("a=x+%26+y", "POST"));
        assert_eq!(posted.header("referer"), Some("https://portal.example.com/app/form?secret=1"));
        assert_eq!(posted.header("origin"), Some("https://portal.example.com"));
        assert_eq!(posted.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!(posted.header("user-agent"), Some("Test/1"));
    }
}

#[test]
fn what_was_typed_in_is_for_one_host() {
    let (world, result) = submit(|c| match c.path().as_str() {
        "/app/form" => page(200, FORM),
        _ => to(307, "https://id.example.com/z"),
    });
    assert_eq!(result.err().map(|f| f.code), Some(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 2);
    // A form that leads away is not sent at all.
    let (world, result) =
        submit(|_| page(200, "<form method=post action='https://evil.example/'><input name=a>"));
    assert_eq!(result.err().map(|f| f.code), Some(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 1);
    // Another host learns the origin only, and gets none of this one's cookies.
    let (world, result) = submit(|c| match c.path().as_str() {
        "/app/form" => with_cookies(page(200, FORM), &["s=1; Path=/"]),
        "/app/save" => to(303, "https://id.example.com/z"),
        _ => page(200, ""),
    });
    assert!(result.is_ok());
    assert_eq!(world.last().header("referer"), Some("https://portal.example.com/"));
    assert_eq!(world.last().header("cookie"), None);
}

#[test]
fn a_call_that_must_be_made_once_is() {
    let once = |answer: fn() -> Answer| {
        let world = World::new(|c| if c.path() == "/app/save" { answer() } else { page(200, FORM) });
        let (mut visit, site) = (world.visit(60), site());
        let mut browser = Browser::new(&mut visit, &site);
        let shown = now(browser.open("/form")).unwrap();
        let prepared = browser.prepare(&shown.url, &shown.document.forms()[0]).unwrap();
        let result = now(browser.go_once(prepared)).map(|shown| shown.status).map_err(|f| f.code);
        assert_eq!(world.count("POST /app/save"), 1);
        assert_eq!(world.calls().iter().filter(|c| c.starts_with("POST")).count(), 1);
        result
    };
    assert_eq!(once(|| to(303, "/app/done")), Ok(200));
    assert_eq!(once(|| to(307, "/app/save2")), Err(Code::Redirected));
    assert_eq!(once(|| Answer::TimedOut), Err(Code::Timeout));
    let again =
        || page(200, "<form method=post><input type=hidden name=a></form><script>f.submit()</script>");
    assert_eq!(once(again), Ok(200));
}

#[test]
fn cookies_go_where_they_belong() {
    let world = World::new(|c| {
        let cookies: &[&str] = match c.path().as_str() {
            "/app/set" => &[
                "a=1; Path=/app",
                "b=2; Path=/app/deep; HttpOnly",
                "c=3; Path=/other",
                "d=4; Domain=evil.example",
            ],
            "/app/end" => &[
                "a=; Path=/app; Max-Age=0",
                "e=5; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "nonsense",
            ],
            _ => &[],
        };
        with_cookies(page(200, ""), cookies)
    });
    let (mut visit, site) = (world.visit(60), site());
    let mut sent = |path: &str| {
        now(Browser::new(&mut visit, &site).open(path)).unwrap();
        // Kept and taken up again between any two calls.
        visit.jar = Jar::load(&visit.jar.save()).unwrap();
        world.last().header("cookie").map(str::to_owned)
    };
    assert_eq!(sent("/set"), None);
    assert_eq!(sent("/x").as_deref(), Some("a=1"));
    assert_eq!(sent("/deep/x").as_deref(), Some("b=2; a=1"));
    assert_eq!(sent("/end").as_deref(), Some("a=1"));
    assert_eq!(sent("/x"), None);
    assert_eq!(sent("/deep").as_deref(), Some("b=2"));
    assert!(Jar::load(&Secret::new("x")).is_none());
    assert!(Jar::load(&Jar::default().save()).is_some_and(|jar| format!("{jar:?}") == "Jar(0 cookies)"));
    assert_eq!(format!("{:?}", visit.jar), "Jar(2 cookies)");
}

#[test]
fn a_flood_of_cookies_is_not_kept() {
    let cookies: Vec<_> = (0..500).map(|i| format!("c{i}={}; Path=/", "x".repeat(3000))).collect();
    let cookies: Vec<_> = cookies.iter().map(String::as_str).collect();
    let world = World::new(|_| with_cookies(page(200, ""), &cookies));
    let (mut visit, site) = (world.visit(60), site());
    now(Browser::new(&mut visit, &site).open("/x")).unwrap();
    assert!(visit.jar.save().expose().len() < 1024 * 1024);
}

#[test]
fn oidc_forms_are_sent_on() {
    let world = World::new(|c| match (c.method, c.path().as_str()) {
        ("GET", "/app/x") => to(302, "https://id.example.com/authorize"),
        ("GET", "/authorize") => page(
            200,
            "<form method=post action='https://portal.example.com/app/signin-oidc'><input type=hidden name=code \
             value=c1><input type=hidden name=state value=s1></form><script>document.forms[0].submit()</script>",
        ),
        ("POST", "/app/signin-oidc") => to(302, "/app/home"),
        _ => page(200, "home"),
    });
    let shown = open(&world, "/x").unwrap();
    assert_eq!((shown.url.path(), shown.document.text()), ("/app/home", "home"));
    assert_eq!(world.called.borrow()[2].field("state").as_deref(), Some("s1"));
    let world = World::new(|_| {
        page(
            200,
            "<form method=post action='https://evil.example/'><input type=hidden name=code></form><script>f.submit()</script>",
        )
    });
    assert_eq!(code(&world), Err(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 1);
}

#[test]
fn no_call_is_longer_than_what_is_left() {
    let world = World::new(|c| if c.path() == "/app/x" { to(302, "/app/y") } else { page(200, "") });
    world.takes.set(Duration::from_secs(45));
    assert_eq!(code(&world), Ok(200));
    let timeouts: Vec<_> = world.called.borrow().iter().map(|c| c.timeout.as_secs()).collect();
    assert_eq!(timeouts, [20, 15]);
    let world = World::new(|c| if c.path() == "/app/x" { to(302, "/app/y") } else { page(200, "") });
    world.takes.set(Duration::from_mins(1));
    assert_eq!(code(&world), Err(Code::OutOfTime));
    assert_eq!(world.called.borrow().len(), 1);
    // A call that was cut short says less of the portal than one that had all its time, if it has answered until then.
    for (takes, expected) in [(20, Code::Timeout), (21, Code::OutOfTime)] {
        let world = World::new(|c| if c.path() == "/app/x" { to(302, "/app/y") } else { Answer::TimedOut });
        world.takes.set(Duration::from_secs(takes));
        let (mut visit, site) = (world.visit(40), site());
        let failure = now(Browser::new(&mut visit, &site).open("/x")).err().unwrap();
        assert_eq!(failure.code, expected, "{takes} s");
    }
    let world = World::new(|_| Answer::TimedOut);
    let (mut visit, site) = (world.visit(5), site());
    assert_eq!(now(Browser::new(&mut visit, &site).open("/x")).err().unwrap().code, Code::Timeout);
}

#[test]
fn the_trace_has_no_queries() {
    let world = World::new(|_| page(200, ""));
    let (mut visit, site) = (world.visit(60), site());
    now(Browser::new(&mut visit, &site).open("/x?token=1")).unwrap();
    assert_eq!(
        serde_json::to_string(&visit.trace).unwrap(),
        r#"[{"method":"GET","ms":10,"path":"/app/x","status":200}]"#
    );
}

//! Pages as browsers take them: where they lead by themselves, in which encoding, and what is none.

use super::browser::Browser;
use super::browser_tests::{code, open, site};
use super::code::Code;
use super::test_support::{World, now, page};
use super::{Answer, Page};
use base::charset::Charset;
use std::time::Duration;

fn typed(status: u16, kind: &str, bytes: &[u8]) -> Answer {
    Answer::Page(Page::new(status, Some(kind.to_owned()), bytes))
}

#[test]
fn f33_a_page_that_leads_on_is_followed_for_a_while() {
    for (html, header, calls) in [
        ("<meta http-equiv=refresh content='0; url=/app/y'>", None, 2),
        ("<meta http-equiv=Refresh content='3;URL=y'>", None, 2),
        ("<noscript><meta http-equiv=refresh content='0; url=/app/y'></noscript>", None, 2),
        ("", Some("0; url=/app/y"), 2),
        ("<meta http-equiv=refresh content='0; url=/app/z'>", Some("0; url=/app/y"), 2),
        // One that only loads itself again, or that is to be read first.
        ("<meta http-equiv=refresh content='0'>", None, 1),
        ("<meta http-equiv=refresh content='5; url=/app/x'>", None, 1),
        ("<meta http-equiv=refresh content='60; url=/app/y'>", None, 1),
    ] {
        let world = World::new(|c| match (c.path().as_str(), page(200, html)) {
            ("/app/x", Answer::Page(page)) => {
                Answer::Page(Page { refresh: header.map(str::to_owned), ..page })
            }
            _ => page(200, "there"),
        });
        assert_eq!(code(&world), Ok(200), "{html} {header:?}");
        assert_eq!(world.called.borrow().len(), calls, "{html} {header:?}");
        assert!(calls == 1 || world.calls()[1] == "GET /app/y", "{:?}", world.calls());
    }
    let waits = World::new(|c| {
        if c.path() == "/app/x" {
            page(200, "<meta http-equiv=refresh content='3;url=y'>")
        } else {
            page(200, "")
        }
    });
    let before = waits.now.get();
    assert_eq!(code(&waits), Ok(200));
    assert_eq!(waits.now.get().since(before), Duration::from_millis(3020));
    // In circles, and away.
    let world = World::new(|c| page(200, &format!("<meta http-equiv=refresh content='0;url={}1'>", c.url)));
    assert_eq!(code(&world), Err(Code::Redirected));
    assert_eq!(world.called.borrow().len(), 11);
    let world = World::new(|_| page(200, "<meta http-equiv=refresh content='0;url=https://evil.example/'>"));
    assert_eq!((code(&world), world.called.borrow().len()), (Err(Code::Redirected), 1));
}

#[test]
fn f33_a_user_with_an_accent_gets_in_and_a_hidden_value_is_not_damaged() {
    let html =
        b"<form method=post action=/app/save><input type=hidden name=h value='caf\xe9'><input name=u></form>";
    for (kind, bytes, expected) in [
        ("text/html; charset=iso-8859-1", html.to_vec(), "h=caf%E9&u=us%E9r"),
        ("text/html", html.to_vec(), "h=caf%E9&u=us%E9r"),
        (
            "text/html; charset=utf-8",
            String::from_utf8_lossy(html).replace('\u{fffd}', "\u{e9}").into_bytes(),
            "h=caf%C3%A9&u=us%C3%A9r",
        ),
        (
            "text/html",
            [
                b"<meta charset=utf-8>".as_slice(),
                String::from_utf8_lossy(html).replace('\u{fffd}', "\u{e9}").as_bytes(),
            ]
            .concat(),
            "h=caf%C3%A9&u=us%C3%A9r",
        ),
    ] {
        let world =
            World::new(|c| if c.path() == "/app/x" { typed(200, kind, &bytes) } else { page(200, "") });
        let (mut visit, site) = (world.visit(60), site());
        let mut browser = Browser::new(&mut visit, &site);
        let shown = now(browser.open("/x")).unwrap();
        let mut form = shown.document.forms().remove(0);
        assert!(form.type_in("u", "us\u{e9}r"));
        now(browser.submit(&shown.url, &form)).unwrap();
        assert_eq!(world.last().body, expected, "{kind}");
    }
}

#[test]
fn f33_what_is_no_page_is_said_to_be_none() {
    for (answer, message) in [
        (typed(200, "application/json", b"{}"), Some("The answer is no HTML: application/json")),
        (
            typed(403, "text/plain; charset=utf-8", b"No"),
            Some("The answer is no HTML: text/plain; charset=utf-8"),
        ),
        (
            typed(200, "text/html; charset=shift_jis", b"x"),
            Some("The answer is in an unknown encoding: shift_jis"),
        ),
        (typed(200, "application/xhtml+xml", b"<p>"), None),
        (Answer::Page(Page::new(200, None, b"<p>")), None),
        // What these statuses say, they say whatever comes with them.
        (typed(401, "application/json", b"{}"), None),
        (typed(404, "application/json", b"{}"), None),
    ] {
        let world = World::new(|_| answer.clone());
        let failure = open(&world, "/x").err();
        assert_eq!(failure.as_ref().and_then(|f| f.message.as_deref()), message);
        assert!(failure.is_none_or(|f| f.code == Code::UnexpectedResponse));
    }
    let world = World::new(|_| typed(503, "application/json", b"{}"));
    assert_eq!(code(&world), Err(Code::ServerError));
}

#[test]
fn f33_the_kind_of_a_form_is_that_of_its_body() {
    let html =
        "<form method=post action=/app/save enctype=multipart/form-data><input name=a value='x y'></form>";
    let world = World::new(|c| if c.path() == "/app/x" { page(200, html) } else { page(200, "") });
    let (mut visit, site) = (world.visit(60), site());
    let mut browser = Browser::new(&mut visit, &site);
    let shown = now(browser.open("/x")).unwrap();
    now(browser.submit(&shown.url, &shown.document.forms()[0])).unwrap();
    let sent = world.last();
    assert_eq!(sent.header("content-type"), Some("multipart/form-data; boundary=----form-boundary"));
    assert!(sent.body.contains("name=\"a\"\r\n\r\nx y\r\n"), "{}", sent.body);
}

/// What was real: such a form was refused.
#[test]
fn f33_every_kind_of_body_is_sent_in_the_encoding_of_its_page() {
    let page_in = |label: &'static str, kind: &'static str, accepts: &'static str| {
        let html = format!(
            "<form method=post action=/app/save enctype={kind} {accepts}><input name=caf\u{e9} value='us\u{e9}r \u{142}'></form>"
        );
        let charset = Charset::of_label(label).unwrap();
        typed(200, &format!("text/html; charset={label}"), &charset.encode(&html))
    };
    let sent = |label, kind, accepts| {
        let world =
            World::new(|c| if c.path() == "/app/x" { page_in(label, kind, accepts) } else { page(200, "") });
        let (mut visit, site) = (world.visit(60), site());
        let mut browser = Browser::new(&mut visit, &site);
        let shown = now(browser.open("/x")).unwrap();
        now(browser.submit(&shown.url, &shown.document.forms()[0])).unwrap();
        world.last().bytes
    };
    let has = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    for kind in ["multipart/form-data", "text/plain"] {
        let bytes = sent("windows-1252", kind, "");
        assert!(has(&bytes, b"us\xe9r &#322;") && has(&bytes, b"caf\xe9"), "{bytes:?}");
        let bytes = sent("utf-8", kind, "");
        assert!(
            has(&bytes, "us\u{e9}r \u{142}".as_bytes()) && has(&bytes, "caf\u{e9}".as_bytes()),
            "{bytes:?}"
        );
        // The form may want another one than its page.
        assert!(has(&sent("utf-8", kind, "accept-charset=latin1"), b"us\xe9r &#322;"));
        assert!(has(&sent("windows-1252", kind, "accept-charset=utf-8"), "us\u{e9}r".as_bytes()));
    }
    assert_eq!(sent("windows-1252", "x", ""), b"caf%E9=us%E9r+%26%23322%3B");
}

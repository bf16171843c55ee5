//! Names and passwords as people and programs write them.

use super::support::{Answer, PASSWORD, Server};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

fn create(server: &Server, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    server.post("/admin/users").token(&server.admin()).json(&body).send()
}

fn path(username: &str) -> String {
    format!("/admin/users/{}", utf8_percent_encode(username, NON_ALPHANUMERIC))
}

/// U08
#[test]
fn one_name_is_one_user_however_it_is_written() {
    let server = Server::new();
    let cases: &[(&str, &str, &str, &[&str])] = &[
        ("small and capital letters", "Ada.Byron", "ada.byron", &["ADA.BYRON", "aDa.bYron"]),
        ("full-width letters", "\u{ff42}ob", "bob", &["BOB", "\u{ff22}\u{ff2f}\u{ff22}"]),
        ("composed letters", "ren\u{e9}", "ren\u{e9}", &["rene\u{301}", "RENE\u{301}", "REN\u{c9}"]),
        (
            "two marks in any order",
            "q\u{323}\u{307}",
            "q\u{323}\u{307}",
            &["q\u{307}\u{323}", "Q\u{307}\u{323}"],
        ),
        ("half-width kana", "\u{ff76}\u{ff9e}\u{ff77}", "\u{30ac}\u{30ad}", &["\u{30ab}\u{3099}\u{30ad}"]),
        (
            "Greek capitals",
            "\u{39d}\u{399}\u{39a}\u{39f}\u{3a3}-1",
            "\u{3bd}\u{3b9}\u{3ba}\u{3bf}\u{3c2}-1",
            &["\u{3bd}\u{3b9}\u{3ba}\u{3bf}\u{3c2}-1"],
        ),
        ("a dotted capital", "\u{130}zmir", "i\u{307}zmir", &["I\u{307}ZMIR"]),
        ("Hangul", "\u{d55c}\u{ae00}", "\u{d55c}\u{ae00}", &[]),
        ("Hebrew", "\u{5d3}\u{5d5}\u{5d3}", "\u{5d3}\u{5d5}\u{5d3}", &[]),
    ];
    for (what, written, canonical, spellings) in cases {
        let made = create(&server, written, PASSWORD);
        assert_eq!((made.status, made.json["username"].as_str()), (201, Some(*canonical)), "{what}");
        for spelling in [*written, *canonical].iter().chain(*spellings) {
            create(&server, spelling, PASSWORD).refused(409, "user_exists");
            assert_eq!(server.try_log_in(spelling, PASSWORD).status, 200, "{what}: {spelling}");
            let read = server.get(&path(spelling)).token(&server.admin()).send();
            assert_eq!(read.json, made.json, "{what}: {spelling}");
        }
        // One user, one limit: all the spellings count against it.
        let list = format!("/admin/sessions/active?user_id={}", made.json["id"]);
        let list = server.get(&list).token(&server.admin()).send();
        assert_eq!(list.json["sessions"].as_array().unwrap().len(), 5.min(spellings.len() + 2), "{what}");
    }
}

/// U08
#[test]
fn a_name_that_only_looks_like_another_is_another_user() {
    const OF_ALICE: &str = "the password of alice";
    let server = Server::new();
    assert_eq!(create(&server, "alice", OF_ALICE).status, 201);
    for (what, lookalike) in [
        ("Cyrillic", "\u{430}lice"),
        ("Greek", "\u{3b1}lice"),
        ("another accent", "\u{e1}lice"),
        ("a digit", "a1ice"),
        ("no dot on the i", "al\u{131}ce"),
    ] {
        server.try_log_in(lookalike, OF_ALICE).refused(401, "invalid_credentials");
        let made = create(&server, lookalike, PASSWORD);
        assert_eq!((made.status, made.json["username"].as_str()), (201, Some(lookalike)), "{what}");
    }
}

/// U08
#[test]
fn a_name_that_is_not_allowed_is_nobody_s_when_made_and_at_login() {
    let server = Server::new();
    let long = "a".repeat(129);
    for (what, username) in [
        ("a space behind", "alice "),
        ("a space before", " alice"),
        ("a space inside", "al ice"),
        ("an ideographic space", "al\u{3000}ice"),
        ("a no-break space", "al\u{a0}ice"),
        ("a line break", "alice\n"),
        ("NUL", "alice\0"),
        ("zero width", "al\u{200b}ice"),
        ("a joiner", "al\u{200d}ice"),
        ("a byte order mark", "\u{feff}alice"),
        ("a soft hyphen", "al\u{ad}ice"),
        ("right-to-left override", "\u{202e}alice"),
        ("mixed directions", "alice\u{5d0}"),
        ("an emoji", "alice\u{2764}"),
        ("a ligature", "\u{fb01}ona"),
        ("mathematical letters", "\u{1d41a}lice"),
        // RFC 8264 §9.9: refused, not composed.
        ("conjoining Hangul", "\u{1112}\u{1161}\u{11ab}"),
        ("only dots", "..."),
        ("only marks", "-_-"),
        ("129 letters", &long),
    ] {
        for answer in [create(&server, username, PASSWORD), server.try_log_in(username, PASSWORD)] {
            assert_eq!((answer.status, answer.code()), (422, "validation_error"), "{what}");
            let errors = json!([{ "field": "username", "message": "Value not allowed" }]);
            assert_eq!(answer.json["errors"], errors, "{what}");
        }
        assert_eq!(server.get(&path(username)).token(&server.admin()).send().status, 404, "{what}");
    }
    // One of 128 letters is the longest.
    assert_eq!(create(&server, &"a".repeat(128), PASSWORD).status, 201);
    assert_eq!(server.try_log_in(&"A".repeat(128), PASSWORD).status, 200);
}

/// What was real: a password that was set on one keyboard was a wrong one on another.
#[test]
fn f15_a_password_typed_on_another_keyboard_opens() {
    let server = Server::new();
    let (composed, decomposed) = ("cl\u{e9} du caf\u{e9}", "cle\u{301}\u{a0}du cafe\u{301}");
    for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
        let name = server.fresh_name("keyboard");
        assert_eq!(create(&server, &name, set).status, 201);
        for password in [typed, set, typed] {
            assert_eq!(server.try_log_in(&name, password).status, 200);
        }
        server.try_log_in(&name, "cle du cafe").refused(401, "invalid_credentials");
    }
}

#[test]
fn a_password_is_compared_exactly() {
    let server = Server::new();
    let long = "A".repeat(72);
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    for (id, what, password, others) in [
        ("U06", "64 characters", "p".repeat(64), vec!["p".repeat(63), "p".repeat(65)]),
        ("U06", "more bytes than bcrypt reads", format!("{long}x"), vec![format!("{long}y"), long.clone()]),
        (
            "U06",
            "1,000 characters",
            format!("{}y", "x".repeat(999)),
            vec![format!("{}z", "x".repeat(999)), "x".repeat(1000)],
        ),
        ("U06", "1,024 bytes", "\u{e9}".repeat(512), vec!["\u{e9}".repeat(511)]),
        ("U07", "NUL inside", "pass\0word".to_owned(), owned(&["pass", "pass\0wore", "password"])),
        ("U07", "emoji", "\u{1f510}\u{1f511} keys keys".to_owned(), owned(&["\u{1f510} keys keys"])),
        (
            "U07",
            "a space before and behind",
            " a password ".to_owned(),
            owned(&["a password", " a password", "a password "]),
        ),
        ("U07", "only spaces", " ".repeat(10), vec![" ".repeat(9), " ".repeat(11)]),
        ("U07", "capitals", "Pass Word".to_owned(), owned(&["pass word", "PASS WORD"])),
        (
            "U07",
            "an accent",
            "caf\u{e9} caf\u{e9}".to_owned(),
            owned(&["cafe cafe", "CAF\u{c9} CAF\u{c9}", "caf\u{e8} caf\u{e8}"]),
        ),
        ("U07", "line breaks", "pass\r\nword".to_owned(), owned(&["pass\nword"])),
        ("U07", "eight characters that are many bytes", "\u{4e00}".repeat(8), vec!["\u{4e00}".repeat(7)]),
    ] {
        let name = server.fresh_name("secret");
        assert_eq!(create(&server, &name, &password).status, 201, "{id} {what}");
        for other in others {
            let answer = server.try_log_in(&name, &other);
            assert_eq!((answer.status, answer.code()), (401, "invalid_credentials"), "{id} {what}");
        }
        assert_eq!(server.try_log_in(&name, &password).status, 200, "{id} {what}");
    }
}

/// U06
#[test]
fn a_password_of_another_length_cannot_be_set() {
    let server = Server::new();
    for (what, password, message) in [
        ("no characters", String::new(), "Required"),
        ("seven characters", "1234567".to_owned(), "Too short"),
        ("seven characters that are many bytes", "\u{4e00}".repeat(7), "Too short"),
        ("1,025 bytes", "x".repeat(1_025), "Too long"),
    ] {
        let answer = create(&server, &server.fresh_name("secret"), &password);
        answer.refused(422, "validation_error");
        assert_eq!(answer.json["errors"], json!([{ "field": "password", "message": message }]), "{what}");
    }
}

/// U09
#[test]
fn what_everybody_tries_first_logs_nobody_in() {
    let server = Server::new();
    server.admin();
    for (username, password) in [
        ("admin", "admin"),
        ("admin", "password"),
        ("admin", "changeme"),
        ("administrator", "administrator"),
        ("root", "root"),
        ("root", "toor"),
        ("test", "test"),
        ("user", "user"),
        ("guest", "guest"),
        ("demo", "demo"),
        ("sallyport", "sallyport"),
    ] {
        let from = format!("198.51.100.{}", server.number());
        server.login_from(username, password, &from).send().refused(401, "invalid_credentials");
    }
}

//! Bodies that are not JSON, or JSON of which nobody can say what it means: 400 on every route.

use super::support::Server;
use super::support::bodies::{ROUTES, Sender};

fn deep(open: &str, levels: usize) -> String {
    open.repeat(levels)
}

#[test]
fn a_malformed_body_is_400_on_every_route() {
    let lists = deep("[", 500) + &deep("]", 500);
    let in_a_field = format!(r#"{{"x":{lists}}}"#);
    let (many_lists, many_objects) = (deep("[", 16_000), deep(r#"{"a":"#, 2_000));
    let malformed: &[(&str, &str, &[u8])] = &[
        ("I03", "an open object", b"{"),
        ("I03", "an object cut off in a name", br#"{"username"#),
        ("I03", "an object cut off in a value", br#"{"username":"a"#),
        ("I03", "an object cut off after a colon", br#"{"username":"#),
        ("I03", "a comma at the end", br#"{"username":"a",}"#),
        ("I03", "a comma at the beginning", br#"{,"username":"a"}"#),
        ("I03", "no comma", br#"{"username":"a" "password":"b"}"#),
        ("I03", "single quotes", b"{'username':'a'}"),
        ("I03", "names without quotes", br#"{username:"a"}"#),
        ("I03", "a comment", br#"{"username":"a"/* x */}"#),
        ("I03", "two values", b"{}{}"),
        ("I03", "something behind", b"{}x"),
        ("I03", "a closing bracket too many", br#"{"a":[]]}"#),
        ("I03", "brackets crossed", br#"{"a":[}]"#),
        ("I03", "two byte order marks", "\u{feff}\u{feff}{}".as_bytes()),
        ("I03", "a byte order mark inside", "{\u{feff}}".as_bytes()),
        ("I03", "UTF-16", &[0xff, 0xfe, 0x7b, 0, 0x7d, 0]),
        ("I03", "UTF-16 without a mark", &[0, 0x7b, 0, 0x7d]),
        ("I03", "NUL", &[0]),
        ("I03", "NUL behind", &[0x7b, 0x7d, 0]),
        ("I03", "NUL in a text", b"{\"username\":\"a\0b\"}"),
        ("I03", "a line break in a text", b"{\"username\":\"a\nb\"}"),
        ("I03", "a tab in a text", b"{\"username\":\"a\tb\"}"),
        ("I03", "bytes that are not UTF-8", &[0x22, 0xff, 0x22]),
        ("I03", "an overlong slash", &[0x22, 0xc0, 0xaf, 0x22]),
        ("I03", "a surrogate in UTF-8", &[0x22, 0xed, 0xa0, 0x80, 0x22]),
        ("I03", "a character cut off", &[0x22, 0xe2, 0x82, 0x22]),
        ("I03", "an unknown escape", br#"{"username":"\x41"}"#),
        ("I03", "an escape cut off", br#"{"username":"\u00"}"#),
        ("I03", "a backslash at the end", br#"{"username":"a\"#),
        ("I03", "only white space", b" \n\t"),
        ("I03", "a form", b"username=a&password=b"),
        ("I03", "XML with an entity", br#"<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>"#),
        ("I03", "words of JavaScript", b"undefined"),
        ("I03", "True", br#"{"a":True}"#),
        ("I05", "a name twice", br#"{"username":"a","username":"b"}"#),
        ("I05", "a name twice, once escaped", br#"{"password":"a","p\u0061ssword":"b"}"#),
        ("I05", "an unknown name twice", br#"{"x":1,"x":2}"#),
        ("I05", "a name twice further down", br#"{"x":{"y":1,"y":2}}"#),
        ("I06", "16,000 lists", many_lists.as_bytes()),
        ("I06", "2,000 objects", many_objects.as_bytes()),
        ("I06", "500 lists, closed", lists.as_bytes()),
        ("I06", "500 lists in a field that is not ours", in_a_field.as_bytes()),
        ("I07", "1e400", br#"{"username":1e400}"#),
        ("I07", "-1e400", br#"{"x":-1e400}"#),
        ("I07", "NaN", br#"{"x":NaN}"#),
        ("I07", "Infinity", br#"{"x":-Infinity}"#),
        ("I07", "hexadecimal", br#"{"x":0x10}"#),
        ("I07", "a zero in front", br#"{"x":01}"#),
        ("I07", "a plus in front", br#"{"x":+1}"#),
        ("I07", "a bare point", br#"{"x":1.}"#),
        ("I07", "a minus alone", br#"{"x":-}"#),
        ("I09", "a lone high surrogate", br#"{"username":"\ud800"}"#),
        ("I09", "a lone low surrogate", br#"{"username":"\udc00"}"#),
        ("I09", "surrogates the wrong way round", br#"{"username":"\udc00\ud800"}"#),
        ("I09", "a lone surrogate in a name", br#"{"\ud800":1}"#),
    ];
    let server = Server::new();
    let sender = Sender::new(&server);
    for (id, what, body) in malformed {
        for route in ROUTES {
            let answer = sender.send(route, *body);
            assert_eq!((answer.status, answer.code()), (400, "malformed_json"), "{id} {what}: {route}");
        }
    }
    sender.is_unharmed();
}

/// I06
#[test]
fn a_hundred_thousand_levels_are_refused_at_once_for_their_size() {
    let server = Server::new();
    let sender = Sender::new(&server);
    sender.send("/auth/login", deep("[", 100_000)).refused(413, "body_too_large");
    sender.is_unharmed();
}

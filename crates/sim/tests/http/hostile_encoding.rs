//! Access tokens written, sent or sized in other ways than ours.

use super::support::tokens::{
    ALPHABET, claims_text, encode, forge, header_of, part, session_of, sign, sign_text, signing_secret,
};
use super::support::{Server, Tokens};
use base64ct::{Base64, Encoding as _};
use serde_json::json;

/// The last character, with the bits set that stand for nothing.
fn stray(part: &str) -> String {
    let last = part.chars().next_back().unwrap();
    let place = ALPHABET.find(last).unwrap() | 1;
    format!("{}{}", &part[..part.len() - 1], &ALPHABET[place..=place])
}

/// Text like this one, with as many spaces behind it as it takes.
fn spaced(text: &str, fits: impl Fn(&str) -> bool) -> String {
    (0..3).map(|n| format!("{text}{}", " ".repeat(n))).find(|text| fits(text)).unwrap()
}

/// A token of at least this length.
fn of_length(token: &str, length: usize) -> String {
    (0..4096)
        .map(|pad| forge(token, &json!({}), &json!({ "x": "x".repeat(2_600 + pad) })))
        .find(|made| made.len() >= length)
        .unwrap()
}

#[test]
fn a_token_of_another_form_is_refused() {
    let server = Server::new();
    let Tokens { access, refresh } = server.someone().1;
    let text = claims_text(&access);
    let ours = |signed: String| sign_text(&signed, signing_secret());
    let (head, claims, signature) = (part(&access, 0), part(&access, 1), part(&access, 2));
    let padded = spaced(&text, |text| Base64::encode_string(text.as_bytes()).ends_with('='));
    let odd = spaced(&text, |text| text.len() % 3 != 0);
    let mut broken = text.strip_suffix('}').unwrap().as_bytes().to_vec();
    broken.extend(b",\"x\":\"\xff\xfe\"}");

    // Claims whose base64 has the two characters in which the alphabets differ.
    let differing = format!("{},\"x\":\"\u{fbff}\u{3ffff}~~~???>>>\"}}", text.strip_suffix('}').unwrap());
    let url = sign(&header_of(&access).to_string(), &differing);
    let url_claims = part(&url, 1);
    assert!(url_claims.contains(['-', '_']));
    let ordinary = format!("{}.{}", part(&url, 0), url_claims.replace('-', "+").replace('_', "/"));
    assert_eq!(server.protected(&url).status, 200);

    let cases = [
        ("J63", "padding on the signature", format!("{access}=")),
        (
            "J63",
            "padding in the signed part",
            ours(format!(
                "{}.{}",
                Base64::encode_string(header_of(&access).to_string().as_bytes()),
                Base64::encode_string(padded.as_bytes())
            )),
        ),
        ("J64", "the ordinary alphabet of base64", ours(ordinary)),
        ("J66", "stray bits at the end of the signature", format!("{head}.{claims}.{}", stray(signature))),
        (
            "J66",
            "stray bits at the end of the claims",
            ours(format!("{head}.{}", stray(&encode(odd.as_bytes())))),
        ),
        ("J67", "claims that are not UTF-8", ours(format!("{head}.{}", encode(&broken)))),
        ("J67", "a header that is not UTF-8", ours(format!("{}.{claims}", encode(b"{\xff}")))),
        (
            "J70",
            "100,000 levels of nesting",
            ours(format!("{head}.{}", encode("[".repeat(100_000).as_bytes()))),
        ),
        ("J71", "a megabyte", forge(&access, &json!({}), &json!({ "x": "x".repeat(1_000_000) }))),
        ("J71", "a megabyte of dots", ".".repeat(1_000_000)),
        ("J72", "8 kB", forge(&access, &json!({}), &json!({ "x": "x".repeat(5_600) }))),
        ("J72", "one byte more than is looked at", of_length(&access, 4097)),
        ("J58", "a key of a service", "sp_live_0123456789abcdef0123456789abcdef".to_owned()),
        ("J58", "an id of a portal session", "session_1760000000_abcdef".to_owned()),
        ("J58", "the id of its own session", session_of(&access)),
        ("J56", "a refresh token's type", refresh),
    ];
    for (id, what, token) in cases {
        for path in ["/api/v1/protected", "/auth/sessions"] {
            let answer = server.get(path).token(&token).send();
            assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{id} {what}");
        }
        assert_eq!(server.protected(&access).status, 200, "{id} {what}");
    }
    // What is spaced out is not what is wrong with those that are, nor is a length that is just looked at.
    assert_eq!(server.protected(&ours(format!("{head}.{}", encode(odd.as_bytes())))).status, 200);
    let longest = (0..100).map(|n| forge(&access, &json!({}), &json!({ "x": "x".repeat(2_700 - n) })));
    let longest = longest.into_iter().find(|made| made.len() <= 4096).unwrap();
    assert_eq!(server.protected(&longest).status, 200);
}

#[test]
fn a_bearer_header_that_is_not_one_token_is_a_malformed_request() {
    let server = Server::new();
    let token = server.someone().1.access;
    for (id, what, made) in [
        ("J65", "a space inside", token.replacen('.', ". ", 1)),
        ("J65", "a space before a part", token.replacen('.', " .", 1)),
        ("J65", "a tab inside", token.replacen('.', ".\t", 1)),
        (
            "J73",
            "JSON in place of the three parts",
            json!({ "payload": token, "signatures": [token] }).to_string(),
        ),
        ("J77", "a second token after a comma", format!("{token}, Bearer {token}")),
        ("J77", "a second token after a space", format!("{token} {token}")),
    ] {
        for path in ["/api/v1/protected", "/auth/sessions"] {
            let answer = server.get(path).token(&made).send();
            assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{id} {what}");
        }
    }
}

/// J77
#[test]
fn two_authorization_headers_are_a_malformed_request_whichever_is_first() {
    let server = Server::new();
    let token = server.someone().1.access;
    let good = format!("Bearer {token}");
    for other in ["Bearer x.y.z", "Basic dTpw", &good] {
        let both = |one: &str, other: &str| {
            server.get("/auth/sessions").header("authorization", one).header("authorization", other).send()
        };
        both(&good, other).refused(400, "invalid_request");
        let swapped = both(other, &good);
        assert!([400, 401].contains(&swapped.status), "{}", swapped.text);
    }
}

/// J78
#[test]
fn a_cookie_counts_for_nothing_beside_a_token_or_in_place_of_one() {
    let server = Server::new();
    let (own, tokens) = server.someone();
    let others = server.someone().1.access;
    let cookie = format!("access_token={others}; session={others}");
    let both = server.get("/auth/profile").token(&tokens.access).header("cookie", &cookie).send();
    assert_eq!((both.status, both.json["id"].as_u64()), (200, Some(own.id)));
    server.get("/auth/profile").header("cookie", &cookie).send().refused(401, "not_authenticated");
}

/// J79
#[test]
fn a_token_in_the_query_or_the_body_is_not_looked_at() {
    let server = Server::new();
    let token = server.someone().1.access;
    let path = format!("/auth/profile?access_token={token}&token={token}&bearer={token}");
    server.get(&path).send().refused(401, "not_authenticated");
    let (user, own) = server.someone();
    assert_eq!(server.get(&path).token(&own.access).send().json["id"].as_u64(), Some(user.id));
    let body = json!({ "access_token": token });
    server.post("/auth/logout").json(&body).send().refused(401, "not_authenticated");
    assert_eq!(server.protected(&token).status, 200);
}

/// J80
#[test]
fn the_scheme_is_read_in_any_case() {
    let server = Server::new();
    let token = server.someone().1.access;
    for scheme in ["bearer", "BEARER", "BeArEr"] {
        let call = server.get("/auth/profile").header("authorization", &format!("{scheme} {token}"));
        assert_eq!(call.send().status, 200, "{scheme}");
    }
}

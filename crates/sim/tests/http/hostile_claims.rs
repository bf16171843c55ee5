//! Access tokens that are rightly signed, with claims that we never make, and genuine ones whose time is over.

use super::support::tokens::{
    claims_of, claims_text, forge, header_of, session_of, sign, with_claims_text, without,
};
use super::support::{Server, User};
use serde_json::{Value, json};

const HOUR: u64 = 3600;

/// The text with what stands from `from` to the next comma or the end of the object replaced.
fn replaced(text: &str, from: &str, by: &str) -> String {
    let start = text.find(from).unwrap();
    let end = start + text[start..].find([',', '}']).unwrap();
    format!("{}{by}{}", &text[..start], &text[end..])
}

#[test]
fn a_token_with_claims_that_are_not_ours_is_refused() {
    let server = Server::new();
    let token = server.someone().1.access;
    let other = session_of(&server.someone().1.access);
    let text = claims_text(&token);
    let now = server.now();
    let claims = claims_of(&token);
    let (own, sub) = (session_of(&token), claims["sub"].as_str().unwrap().to_owned());

    let with = |more: Value| forge(&token, &json!({}), &more);
    let rewritten = |text: String| with_claims_text(&token, &text);
    let exp = |value: &str| rewritten(replaced(&text, "\"exp\":", &format!("\"exp\":{value}")));
    let nbf = |value: &str| rewritten(replaced(&text, "\"nbf\":", &format!("\"nbf\":{value}")));
    let behind = |more: &str| rewritten(format!("{},{more}}}", text.strip_suffix('}').unwrap()));
    let whole = |text: &str| with_claims_text(&token, text);
    let names = ["iss", "aud", "sub", "sid", "jti", "gen", "iat", "nbf", "exp"];
    let list = Value::from_iter(names.map(|name| claims[name].clone()));
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));

    let cases: &[(&str, &str, String)] = &[
        ("J29", "no exp", without(&token, "exp")),
        ("J30", "exp null", exp("null")),
        ("J31", "exp as text", with(json!({ "exp": (now + HOUR).to_string() }))),
        ("J32", "exp \"never\"", exp("\"never\"")),
        ("J33", "exp as a list", with(json!({ "exp": [now + HOUR] }))),
        ("J34", "exp 1e300", exp("1e300")),
        ("J34", "exp that fits no number", exp("1e400")),
        ("J35", "exp 2^64-1", exp("18446744073709551615")),
        ("J35", "exp 2^64", exp("18446744073709551616")),
        ("J35", "exp 2^63", exp("9223372036854775808")),
        ("J36", "exp -1", exp("-1")),
        ("J38", "exp with a fraction", exp(&format!("{}.9", now + 60))),
        ("J38", "exp with a zero fraction", exp(&format!("{}.0", claims["exp"]))),
        ("J39", "exp in the year 9999", exp("253402300799")),
        ("J39", "a life longer than any setting allows", with(json!({ "iat": now, "exp": now + 86_401 }))),
        ("J43", "nbf an hour ahead", with(json!({ "nbf": now + HOUR }))),
        ("J43", "nbf beyond the allowance for clocks", with(json!({ "nbf": now + 60 }))),
        ("J44", "nbf as text", with(json!({ "nbf": now.to_string() }))),
        ("J45", "nbf before all time", nbf("-8334601228800")),
        ("J45", "nbf after all time", nbf("18446744073709551615")),
        ("J46", "iat an hour ahead", with(json!({ "iat": now + HOUR, "exp": now + 2 * HOUR }))),
        ("J46", "no iat", without(&token, "iat")),
        ("J46", "no nbf", without(&token, "nbf")),
        ("J47", "another iss", with(json!({ "iss": "other" }))),
        ("J47", "iss in capitals", with(json!({ "iss": "Sallyport" }))),
        ("J48", "no iss", without(&token, "iss")),
        ("J49", "another aud", with(json!({ "aud": "other" }))),
        ("J50", "no aud", without(&token, "aud")),
        ("J51", "aud as a list with ours in it", with(json!({ "aud": ["sallyport", "other"] }))),
        ("J52", "aud as a list without ours", with(json!({ "aud": ["other"] }))),
        ("J53", "no sub", without(&token, "sub")),
        ("J53", "empty sub", with(json!({ "sub": "" }))),
        ("J53", "sub as a number", with(json!({ "sub": sub.parse::<u64>().unwrap() }))),
        ("J54", "no jti", without(&token, "jti")),
        ("J55", "no sid", without(&token, "sid")),
        ("J55", "sid that is no id", with(json!({ "sid": "session" }))),
        ("J55", "sid in capitals", with(json!({ "sid": own.to_uppercase() }))),
        ("J55", "sid a digit too long", with(json!({ "sid": format!("{own}0") }))),
        ("J55", "sid with a path", with(json!({ "sid": format!("../{}", "a".repeat(61)) }))),
        ("J55", "no gen", without(&token, "gen")),
        ("J55", "negative gen", with(json!({ "gen": -1 }))),
        ("J61", "exp twice, past first", rewritten(text.replace("\"exp\":", "\"exp\":1,\"exp\":"))),
        ("J61", "exp twice, past last", behind("\"exp\":1")),
        ("J61", "exp twice, once escaped", behind("\"\\u0065xp\":1")),
        ("J62", "sub twice", behind("\"sub\":\"1\"")),
        ("J62", "sid twice", behind(&format!("\"sid\":\"{other}\""))),
        ("J68", "a byte order mark", whole(&format!("\u{feff}{text}"))),
        ("J69", "an empty list", whole("[]")),
        ("J69", "a text", whole("\"x\"")),
        ("J69", "a number", whole("1")),
        ("J69", "null", whole("null")),
        ("J69", "nothing", whole("")),
        ("J69", "two objects", whole(&format!("{text}{{}}"))),
        ("J69", "a list of the right values", whole(&list.to_string())),
        ("J70", "deep nesting", whole(&nested(1000))),
        ("J70", "deep nesting in a claim", behind(&format!("\"account\":{}", nested(900)))),
        ("J70", "deep nesting left open", behind(&format!("\"x\":{}", "{\"x\":".repeat(400)))),
    ];
    for (id, what, forged) in cases {
        for path in ["/api/v1/protected", "/auth/sessions"] {
            let answer = server.get(path).token(forged).send();
            assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{id} {what}");
        }
        assert_eq!(server.protected(&token).status, 200, "{id} {what}");
    }
    // What they are all made by changes nothing itself.
    assert_eq!(server.protected(&rewritten(text.clone())).status, 200);
    assert_eq!(server.protected(&behind("\"x\":1")).status, 200);
}

#[test]
fn a_token_has_expired_without_leeway() {
    let server = Server::new();
    let token = server.someone().1.access;
    let now = server.now();
    for (id, what, exp) in [
        ("J40", "a second ago", now - 1),
        ("J40", "this second", now),
        ("J41", "within what others allow for clocks", now - 59),
        ("J42", "beyond it", now - 62),
        ("J37", "in 1970", 0),
    ] {
        let claims = json!({ "iat": now - 900, "nbf": now - 900, "exp": exp });
        let forged = forge(&token, &json!({}), &claims);
        for path in ["/api/v1/protected", "/auth/sessions"] {
            let answer = server.get(path).token(&forged).send();
            assert_eq!((answer.status, answer.code()), (401, "token_expired"), "{id} {what}");
        }
    }
}

/// J40
#[test]
fn a_genuine_token_is_accepted_until_the_second_in_which_it_expires() {
    let server = Server::new();
    let token = server.someone().1.access;
    let end = base::clock::Timestamp::from_seconds(claims_of(&token)["exp"].as_u64().unwrap());
    server.world.at(base::clock::Timestamp::from_millis(end.millis() - 1));
    assert_eq!(server.protected(&token).status, 200);
    server.world.at(end);
    server.refused_token(&token, 401, "token_expired");
}

/// J46
#[test]
fn a_token_of_a_clock_that_is_a_little_ahead_is_accepted() {
    let server = Server::new();
    let token = server.someone().1.access;
    let ahead = json!({ "iat": server.now() + 3, "nbf": server.now() + 3 });
    assert_eq!(server.protected(&forge(&token, &json!({}), &ahead)).status, 200);
}

#[test]
fn a_token_of_a_session_or_a_generation_that_is_not_there_is_refused() {
    let server = Server::new();
    let token = server.someone().1.access;
    for sid in ["ab".repeat(32), "0".repeat(64)] {
        let forged = forge(&token, &json!({}), &json!({ "sid": sid }));
        server.refused_token(&forged, 401, "session_revoked_or_invalid");
    }
    for generation in ["1", "9007199254740992", "18446744073709551615"] {
        let claims = replaced(&claims_text(&token), "\"gen\":", &format!("\"gen\":{generation}"));
        let forged = sign(&header_of(&token).to_string(), &claims);
        server.refused_token(&forged, 401, "session_revoked_or_invalid");
    }
}

/// J53
#[test]
fn a_token_whose_sub_is_not_the_user_of_its_session_is_refused() {
    let server = Server::new();
    let token = server.someone().1.access;
    let other = session_of(&server.someone().1.access);
    let mixed = forge(&token, &json!({}), &json!({ "sid": other }));
    assert_eq!(server.protected(&mixed).status, 401);
}

#[test]
fn roles_in_a_token_count_for_nothing() {
    let server = Server::new();
    let (User { id, .. }, tokens) = server.someone();
    let account = json!({ "user_id": id, "username": "root", "roles": ["admin"], "created_at": 0 });
    let promoted = forge(&tokens.access, &json!({}), &json!({ "account": account }));
    let verify = server.get("/auth/verify").token(&promoted).send();
    assert_eq!(verify.header("x-auth-roles"), Some("user"));
    server.get("/admin/users").token(&promoted).send().refused(403, "forbidden");
}

/// J81
#[test]
fn a_token_says_nothing_about_its_user_but_the_id_and_lives_as_long_as_is_documented() {
    let server = Server::new();
    let (user, tokens) = server.someone();
    for (token, life) in [(&tokens.access, 900), (&tokens.refresh, 7 * 86_400)] {
        let claims = claims_of(token);
        let names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        let mut sorted = names.clone();
        sorted.sort();
        let auth_time = if token == &tokens.access { &["auth_time"][..] } else { &[] };
        let expected = ["exp", "gen", "iat", "iss", "jti", "nbf", "sid", "sub"];
        assert_eq!(sorted, [&["aud"][..], auth_time, &expected[..]].concat());
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), life);
        assert_eq!(claims["sub"], json!(user.id.to_string()));
        assert!(!claims.to_string().contains(&user.username));
        let header = header_of(token);
        let mut names: Vec<&String> = header.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["alg", "kid", "typ"]);
    }
}

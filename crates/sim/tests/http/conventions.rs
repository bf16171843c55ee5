//! What holds for every answer: the request's id, the language, and headers of any size.

use super::support::{PASSWORD, Server};
use serde_json::json;
use std::collections::BTreeSet;

const PATHS: [&str; 4] = ["/health", "/auth/profile", "/auth/sessions", "/nowhere"];

fn is_fresh(id: &str) -> bool {
    id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[test]
fn a_request_id_comes_back() {
    let server = Server::new();
    let token = server.someone().1.access;
    let long = "x".repeat(128);
    for id in ["a", "req-1", "0af7651916cd43dd8448eb211c80319c", "a_b.c:d=e+f/g", &long] {
        for path in PATHS {
            let answer = server.get(path).token(&token).header("x-request-id", id).send();
            assert_eq!(answer.header("x-request-id"), Some(id), "{path}");
        }
    }
}

#[test]
fn a_request_id_that_is_not_well_formed_is_replaced_by_a_new_one() {
    let server = Server::new();
    let token = server.someone().1.access;
    let (long, longer) = ("x".repeat(129), "x".repeat(10_000));
    for id in
        ["", "a b", "a,b", "a\"b", "<a>", "{}", "a;b", "\u{e9}", "%0d%0a", long.as_str(), longer.as_str()]
    {
        let ids: BTreeSet<String> = PATHS
            .iter()
            .map(|path| {
                let answer = server.get(path).token(&token).header("x-request-id", id).send();
                answer.header("x-request-id").unwrap().to_owned()
            })
            .collect();
        assert_eq!(ids.len(), 4, "{id}");
        assert!(ids.iter().all(|id| is_fresh(id)), "{ids:?}");
    }
    let two = server.get("/health").header("x-request-id", "a").header("x-request-id", "b").send();
    assert!(is_fresh(two.header("x-request-id").unwrap()));
}

/// The texts of a language: 401, 404, 422, and of a field that is not there.
fn texts(language: &str) -> [&'static str; 4] {
    match language {
        "es" => {
            ["Se requiere autenticación", "No encontrado", "Algunos campos no son válidos", "Obligatorio"]
        }
        "vi" => ["Yêu cầu chưa được xác thực", "Không tìm thấy", "Một số trường không hợp lệ", "Bắt buộc"],
        _ => ["Not authenticated", "Not found", "Some fields are wrong", "Required"],
    }
}

#[test]
fn answers_are_in_the_language_of_accept_language() {
    let server = Server::new();
    let many = format!("{}es", "fr,".repeat(10_000));
    for (language, header) in [
        ("en", "en"),
        ("es", "es-MX, en;q=0.5"),
        ("vi", "fr, vi;q=0.9, en;q=0.8"),
        ("en", "fr"),
        ("en", "*"),
        ("en", ""),
        ("en", "es;q=0"),
        ("en", "es;q=nonsense"),
        ("en", &many),
        ("es", "ES"),
    ] {
        let [unauthenticated, not_found, wrong, required] = texts(language);
        let get = |path: &str| server.get(path).header("accept-language", header).send();
        for path in ["/auth/profile", "/auth/sessions"] {
            assert_eq!(get(path).json["detail"], json!(unauthenticated), "{language}");
        }
        assert_eq!(get("/nowhere").json["detail"], json!(not_found), "{language}");
        let login = server.post("/auth/login").header("accept-language", header);
        let login = login.json(&json!({ "username": "a" })).send();
        let expected = json!({
            "detail": wrong,
            "code": "validation_error",
            "errors": [{ "field": "password", "message": required }],
        });
        assert_eq!(login.json, expected, "{language}");
    }
}

#[test]
fn answers_are_in_the_language_of_the_body_whatever_the_header_says() {
    let server = Server::new();
    for (expected, language) in [("en", "en"), ("es", "es"), ("vi", "vi"), ("vi", "vi-VN"), ("es", "es_419")]
    {
        let header = ("accept-language", if expected == "en" { "es" } else { "en" });
        let [_, _, wrong, required] = texts(expected);
        let body = json!({ "username": "a", "language": language });
        let answer = server.post("/auth/login").headers(&[header]).json(&body).send();
        assert_eq!(
            (&answer.json["detail"], &answer.json["errors"][0]["message"]),
            (&json!(wrong), &json!(required))
        );
        let credentials = match expected {
            "es" => "Usuario o contraseña incorrectos",
            "vi" => "Tên đăng nhập hoặc mật khẩu không đúng",
            _ => "Invalid username or password",
        };
        // A client of its own for each, as failures add up.
        let from = ("cf-connecting-ip", &*server.address());
        let body = json!({ "username": "nobody-at-all", "password": PASSWORD, "language": language });
        let login = server.post("/auth/login").headers(&[header, from]).json(&body).send();
        assert_eq!(login.json, json!({ "detail": credentials, "code": "invalid_credentials" }));
    }
}

#[test]
fn an_unknown_language_is_ignored() {
    let server = Server::new();
    let user = server.make_user();
    for language in ["\"fr\"", "\"xx\"", "\"\"", "\"english\"", "\"e s\"", "\"🇪🇸\"", "\"../es\"", "null"]
    {
        let language: serde_json::Value = serde_json::from_str(language).unwrap();
        let body = json!({ "refresh_token": "x", "language": language });
        let answer = server.post("/auth/refresh").header("accept-language", "es").json(&body).send();
        answer.refused(401, "token_invalid");
        assert_eq!(answer.json["detail"], json!("El token no es válido"), "{language}");
        let body = json!({ "username": user.username, "password": PASSWORD, "language": language });
        assert_eq!(server.post("/auth/login").json(&body).send().status, 200, "{language}");
    }
}

#[test]
fn a_refusal_never_has_more_in_it_than_is_promised() {
    let server = Server::new();
    for answer in [
        server.get("/auth/profile").send(),
        server.get("/nowhere").send(),
        server.get("/auth/login").send(),
        server.refresh("x"),
    ] {
        let names: Vec<&String> = answer.json.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "detail"]);
        for name in answer.headers.keys() {
            assert!(!["server", "powered", "version"].iter().any(|word| name.contains(word)), "{name}");
        }
    }
}

/// I20
#[test]
fn headers_of_128_kb_do_no_harm() {
    let server = Server::new();
    let (user, tokens) = server.someone();
    let long = "x".repeat(128 * 1024);
    for name in ["user-agent", "x-anything", "accept-language", "x-request-id", "cookie", "cf-connecting-ip"]
    {
        let answer = server.get("/auth/profile").token(&tokens.access).header(name, &long).send();
        assert_eq!(answer.status, 200, "{name}");
    }
    server.get("/auth/profile").token(&long).send().refused(401, "token_invalid");
    let many = (0..1_000)
        .fold(server.get("/auth/sessions"), |call, n| call.header(&format!("x-{n}"), &"x".repeat(100)));
    assert_eq!(many.token(&tokens.access).send().status, 200);
    let body = json!({ "username": user.username, "password": PASSWORD });
    let login = server.post("/auth/login").header("user-agent", &long).json(&body).send();
    let list = server.get("/auth/sessions").token(&login.tokens().access).send();
    let sessions = list.json["sessions"].as_array().unwrap();
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    assert_eq!(current["user_agent"], json!("x".repeat(200)));
}

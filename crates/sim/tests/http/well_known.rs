//! What anybody finds by itself: public keys and metadata.

use super::signing_keys::{EDDSA, ES256, HS256};
use super::support::{Answer, Server};
use serde_json::{Value, json};

const JWKS: &str = "/.well-known/jwks.json";
const METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

fn with_issuer(issuer: &str, keys: &str, algorithm: &str) -> Server {
    Server::with(&[("TOKEN_ISSUER", issuer), ("TOKEN_SIGNING_KEYS", keys), ("JWT_ALG", algorithm)])
}

/// J76
#[test]
fn j76_only_public_keys_are_published() {
    let server = with_issuer("sallyport", &[HS256, EDDSA, ES256].join(","), "ES256");
    let answer = server.get(JWKS).send();
    assert_eq!(answer.status, 200);
    let expected = json!({ "keys": [
        {
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "alg": "EdDSA", "use": "sig", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        },
        {
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "alg": "ES256", "use": "sig", "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
        },
    ] });
    assert_eq!(answer.json, expected);
    for entry in [HS256, EDDSA, ES256] {
        assert!(!answer.text.contains(entry.split(':').nth(1).unwrap()));
    }
    let none = Server::new().get(JWKS).send();
    assert_eq!((none.status, none.json), (200, json!({ "keys": [] })));
}

#[test]
fn any_page_may_read_what_is_public_and_any_cache_may_keep_it() {
    for origins in ["", "https://app.example.com"] {
        let server = with_issuer("https://auth.example.com", &[HS256, EDDSA].join(","), "HS256");
        server.deploy(&[("ALLOWED_ORIGINS", origins)]);
        for path in [JWKS, METADATA, OPENID] {
            for origin in ["https://app.example.com", "https://evil.test", "null"] {
                let answer = server.get(path).header("origin", origin).send();
                let header = |name: &str| answer.header(name);
                assert_eq!((answer.status, header("access-control-allow-origin")), (200, Some("*")));
                assert_eq!((header("access-control-allow-credentials"), header("vary")), (None, None));
                assert_eq!(header("cache-control"), Some("public, max-age=300"), "{path}");
                let head = server.request("HEAD", path).send();
                assert_eq!(
                    (head.status, head.header("cache-control"), head.text.as_str()),
                    (200, header("cache-control"), "")
                );
            }
            server.post(path).send().refused(405, "method_not_allowed");
        }
    }
}

#[test]
fn the_metadata_says_what_there_is_and_where() {
    let issuer = "https://auth.example.com";
    let with_keys = with_issuer(issuer, &[HS256, EDDSA].join(","), "HS256").get(METADATA).send();
    let methods = json!(["client_secret_basic", "client_secret_post"]);
    let mut expected = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "token_endpoint": "https://auth.example.com/oauth/token",
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
    });
    assert_eq!((with_keys.status, &with_keys.json), (200, &expected));
    let without = with_issuer(issuer, HS256, "HS256");
    expected.as_object_mut().unwrap().remove("jwks_uri");
    for path in [METADATA, OPENID] {
        assert_eq!(without.get(path).send().json, expected);
    }
    // Every place that it names is served.
    for (name, place) in with_keys.json.as_object().unwrap() {
        if let Some(path) =
            place.as_str().and_then(|url| url.strip_prefix(issuer)).filter(|path| !path.is_empty())
        {
            assert!(http::route::at(path).is_some(), "{name}");
        }
    }
}

/// RFC 8414 §3.1: the path of the issuer follows, and that of no other.
#[test]
fn an_issuer_with_a_path_has_its_metadata_below() {
    let issuer_of =
        |answer: Answer| if answer.status == 200 { answer.json["issuer"].clone() } else { Value::Null };
    for (issuer, path) in [
        ("https://example.com/auth", "/auth"),
        ("https://example.com/auth/", "/auth"),
        ("https://example.com/a/b.c/d", "/a/b.c/d"),
        ("https://example.com", ""),
        ("https://example.com/", ""),
        ("http://127.0.0.1:8787", ""),
        ("http://localhost:8787/x", "/x"),
    ] {
        let server = with_issuer(issuer, HS256, "HS256");
        let answer = server.get(&format!("{METADATA}{path}")).send();
        assert_eq!(answer.json["issuer"], issuer);
        let base = issuer.trim_end_matches('/');
        assert_eq!(answer.json["introspection_endpoint"], format!("{base}/oauth/introspect"));
        assert_eq!(issuer_of(server.get(OPENID).send()), issuer);
        for other in ["", "/", "/other", "/auth/", "/authx", "/%61uth", "/a/b.c"] {
            if other != path {
                server.get(&format!("{METADATA}{other}")).send().refused(404, "not_found");
            }
        }
    }
}

#[test]
fn an_issuer_that_is_no_address_has_no_metadata_and_is_told_so() {
    for issuer in [
        "sallyport",
        "http://auth.example.com",
        "https://",
        "https://a.example.com?x",
        "https://a.example.com#x",
        "ftp://a",
    ] {
        let server = with_issuer(issuer, HS256, "HS256");
        for path in [METADATA, OPENID, "/.well-known/oauth-authorization-server/x"] {
            let answer = server.get(path).header("accept-language", "es").send();
            answer.refused(404, "issuer_not_url");
            assert!(
                answer.json["detail"].as_str().unwrap().starts_with("TOKEN_ISSUER no es"),
                "{}",
                answer.text
            );
        }
        assert_eq!(server.get(JWKS).send().status, 200);
    }
}

#[test]
fn while_a_setting_is_wrong_nothing_is_published() {
    let server = with_issuer("https://auth.example.com", HS256, "EdDSA");
    for path in [JWKS, METADATA, OPENID] {
        let answer = server.get(path).unchecked();
        assert_eq!((answer.status, answer.code()), (503, "configuration_error"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

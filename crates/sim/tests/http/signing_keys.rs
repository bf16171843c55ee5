//! Tokens of pairs of keys, from login to logout; rotation while sessions live and requests are under way.

use super::support::tokens::{claims_text, encode, header_of, merged, part, parts, sign_text};
use super::support::{Answer, Server, Tokens};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use std::time::Duration;

pub const HS256: &str = "h1:signing-key-of-these-tests-0123456789abcdef";
/// RFC 8037, appendix A.1.
pub const EDDSA: &str = "EdDSA:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// RFC 7515, appendix A.3.
pub const ES256: &str = "ES256:jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const EDDSA_NEXT: &str = "EdDSA:4YDjUqe_4XLsA2V-nWGxne_9WmC6hEr0kuwsxERJxWk";
const ES256_NEXT: &str = "ES256:4YDjUqe_4XLsA2V-nWGxne_9WmC6hEr0kuwsxERJxWk";
const HS256_NEXT: &str = "h2:next-signing-key-of-these-tests-0123456789abcdef";

/// The settings of an algorithm and its keys.
fn keys<'a>(algorithm: &'a str, keys: &'a str) -> [(&'a str, &'a str); 2] {
    [("JWT_ALG", algorithm), ("TOKEN_SIGNING_KEYS", keys)]
}

fn jwks(server: &Server) -> Vec<Value> {
    server.get("/.well-known/jwks.json").send().json["keys"].as_array().unwrap().clone()
}

#[test]
fn a_session_lives_and_ends_by_tokens_of_each_algorithm() {
    for (algorithm, key) in [("EdDSA", EDDSA), ("ES256", ES256)] {
        for check in ["strict", "edge", "local"] {
            let server = Server::with(&[&keys(algorithm, key)[..], &[("SESSION_CHECK", check)]].concat());
            let (user, first) = server.someone();
            let header = header_of(&first.access);
            let [published] = jwks(&server).try_into().unwrap();
            assert_eq!((&header["alg"], &header["kid"]), (&json!(algorithm), &published["kid"]));
            assert_eq!(server.protected(&first.access).status, 200);
            let second = server.refresh(&first.refresh).tokens();
            // The answer did not come: the same pair is made again, to the byte.
            assert_eq!(server.refresh(&first.refresh).tokens().access, second.access);
            for path in ["/auth/profile", "/auth/verify", "/auth/sessions"] {
                assert_eq!(server.get(path).token(&second.access).send().status, 200, "{path}");
            }
            let out = server.post("/auth/logout").token(&second.access).send();
            assert_eq!(out.status, 200);
            assert_eq!(server.get("/auth/sessions").token(&second.access).send().status, 401);
            server.refresh(&second.refresh).refused_for("logout");
            // A stolen token that was used leads to the end of its session.
            let third = server.log_in(&user.username);
            let fourth = server.refresh(&third.refresh).tokens();
            server.world.advance(Duration::from_mins(1));
            assert_eq!(server.refresh(&fourth.refresh).status, 200);
            assert_eq!(server.refresh(&third.refresh).code(), "refresh_token_reused");
        }
    }
}

impl Answer {
    #[track_caller]
    fn refused_for(&self, reason: &str) {
        assert_eq!((self.status, &self.json["reason"]), (401, &json!(reason)), "{}", self.text);
    }
}

/// J12, J19 to J28, J73: what a key of a pair adds to what is tried with an HMAC.
#[test]
fn a_token_of_a_pair_that_was_tampered_with_is_refused() {
    for (algorithm, key) in [("EdDSA", EDDSA), ("ES256", ES256)] {
        let server = Server::with(&keys(algorithm, &[key, HS256].join(",")));
        let listener = |call: &base::call::Call| panic!("{} was called", call.url);
        server.world.upstream("keys.invalid", sim::net::Answers(listener));
        let token = server.someone().1.access;
        let before: Vec<String> = server.world.kv().into_keys().collect();
        let (header, claims) = (header_of(&token), claims_text(&token));
        let [public] = jwks(&server).try_into().unwrap();
        let text = |name: &str| public[name].as_str().unwrap_or_default().to_owned();
        let bytes = |name: &str| Base64UrlUnpadded::decode_vec(&text(name)).unwrap();
        let pem = |der: &[u8]| {
            let base64 = base64ct::Base64::encode_string(der);
            format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n")
        };
        let der = if algorithm == "EdDSA" {
            [&hex("302a300506032b6570032100")[..], &bytes("x")].concat()
        } else {
            let prefix = hex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
            [&prefix[..], &[4], &bytes("x"), &bytes("y")].concat()
        };
        // What everybody knows, as the secret of an HMAC.
        let secrets = [
            bytes("x"),
            text("x").into_bytes(),
            bytes("y"),
            text("kid").into_bytes(),
            public.to_string().into_bytes(),
            json!({ "keys": [public] }).to_string().into_bytes(),
            pem(&der).into_bytes(),
            pem(&der).trim_end().as_bytes().to_vec(),
            der,
            Vec::new(),
        ];
        let mut forged: Vec<(String, String)> = Vec::new();
        let of = |more: &Value| parts(&merged(header.clone(), more).to_string(), &claims);
        for alg in ["HS256", algorithm] {
            for secret in &secrets {
                forged.push((format!("J12 {alg} by {secret:?}"), hmac(&of(&json!({ "alg": alg })), secret)));
            }
            let named = of(&json!({ "alg": alg, "kid": "h1" }));
            let ours = HS256.split_once(':').unwrap().1;
            if alg != "HS256" {
                forged.push(("J12 a secret under the other name".to_owned(), sign_text(&named, ours)));
            }
        }
        let signature = part(&token, 2);
        for more in [
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "ES384" }),
            json!({ "alg": if algorithm == "EdDSA" { "Ed25519" } else { "ES256K" } }),
            json!({ "kid": "h1" }),
            json!({ "kid": "../../dev/null" }),
            json!({ "kid": format!("{}\n", text("kid")) }),
            json!({ "kid": "k".repeat(3_000) }),
            json!({ "kid": "blacklist:x" }),
            json!({ "kid": null }),
            json!({ "crit": ["x"] }),
            json!({ "crit": ["b64"], "b64": false }),
            json!({ "crit": [] }),
            json!({ "jwk": public }),
            json!({ "jku": "https://keys.invalid/set" }),
            json!({ "x5u": "https://keys.invalid/x" }),
        ] {
            forged.push((format!("{more} under the old signature"), format!("{}.{signature}", of(&more))));
            forged.push((format!("{more} without one"), format!("{}.", of(&more))));
        }
        let signed = format!("{}.{}", part(&token, 0), part(&token, 1));
        let zeros = encode(&[0; 64]);
        for (what, signature) in
            [("zeros", zeros.as_str()), ("no signature", ""), ("a half", &signature[..43])]
        {
            forged.push((what.to_owned(), format!("{signed}.{signature}")));
        }
        for (what, token) in &forged {
            for path in ["/api/v1/protected", "/auth/sessions"] {
                let answer = server.get(path).token(token).send();
                assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{algorithm} {what}");
            }
        }
        // The other form of a JWS is no bearer token by its letters.
        let json =
            json!({ "payload": part(&token, 1), "protected": part(&token, 0), "signature": signature });
        server.refused_token(&json.to_string(), 400, "invalid_request");
        assert_eq!(server.protected(&token).status, 200);
        assert_eq!(server.world.kv().into_keys().collect::<Vec<_>>(), before);
        assert!(server.world.logs().iter().all(|line| !line.error));
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn hmac(signed: &str, secret: &[u8]) -> String {
    use hmac::Mac as _;
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

/// J74: the order of P-256 less `s` is as good by the public key. It is not the token, before the logout and after.
#[test]
fn j74_a_malleated_copy_is_good_for_nothing() {
    let server = Server::with(&keys("ES256", ES256));
    let token = server.someone().1.access;
    let signature = Base64UrlUnpadded::decode_vec(part(&token, 2)).unwrap();
    let order = hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    let mut other = signature.clone();
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        other[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    let copy = format!("{}.{}.{}", part(&token, 0), part(&token, 1), encode(&other));
    assert_ne!(copy, token);
    server.refused_token(&copy, 401, "token_invalid");
    assert_eq!(server.post("/auth/logout").token(&token).send().status, 200);
    server.refused_token(&copy, 401, "token_invalid");
    server.protected(&token).refused_for("logout");
}

/// What a rotation goes through: from keys to keys, with what signs at each step.
fn rotation<'a>(from: (&'a str, &'a str), to: (&'a str, &'a str)) -> [(&'a str, String); 4] {
    [
        (from.0, from.1.to_owned()),
        (from.0, [from.1, to.1].join(",")),
        (to.0, [to.1, from.1].join(",")),
        (to.0, to.1.to_owned()),
    ]
}

const ROTATIONS: [[(&str, &str); 2]; 5] = [
    [("EdDSA", EDDSA), ("EdDSA", EDDSA_NEXT)],
    [("ES256", ES256), ("ES256", ES256_NEXT)],
    [("HS256", HS256), ("HS256", HS256_NEXT)],
    [("HS256", HS256), ("EdDSA", EDDSA)],
    [("EdDSA", EDDSA), ("ES256", ES256)],
];

/// A session that its client goes on with.
struct Client {
    tokens: Tokens,
}

impl Client {
    /// Every kind of request, all at once. Whatever the instances have, not one is refused.
    fn calls<'a>(&self, server: &'a Server) -> Vec<super::support::Call<'a>> {
        let Tokens { access, refresh } = &self.tokens;
        let body = json!({ "refresh_token": refresh });
        let length = body.to_string().len().to_string();
        vec![
            server.get("/auth/verify").token(access),
            server.get("/auth/profile").token(access),
            server.get("/auth/sessions").token(access),
            server.post("/auth/refresh").json(&body).header("content-length", &length),
            server.post("/auth/refresh").json(&body),
            server.get("/api/v1/protected").token(access),
        ]
    }

    fn took(&mut self, answers: &[Answer]) {
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
        // Both refreshes are of one rotation.
        let newer = answers.iter().find(|answer| answer.json["refresh_token"].is_string()).unwrap();
        self.tokens = newer.tokens();
    }
}

/// J75: some instances are a step ahead of others, back and forth, between any two requests and while requests are under way.
#[test]
fn j75_no_request_is_refused_while_keys_rotate() {
    for check in ["strict", "local"] {
        for [from, to] in ROTATIONS {
            let steps = rotation(from, to);
            let server =
                Server::with(&[&keys(steps[0].0, &steps[0].1)[..], &[("SESSION_CHECK", check)]].concat());
            let mut clients: Vec<Client> = (0..3).map(|_| Client { tokens: server.someone().1 }).collect();
            for pair in steps.windows(2) {
                let [(old_algorithm, old), (new_algorithm, new)] = pair else { panic!("two steps") };
                for turn in 0..8 {
                    let (algorithm, keys_now) =
                        if turn % 2 == 0 { (new_algorithm, new) } else { (old_algorithm, old) };
                    for client in &mut clients {
                        let calls = client.calls(&server);
                        // They are under way when the settings change.
                        let change = || server.world.set(&keys(algorithm, keys_now));
                        let answers = server.all_while(calls, turn, change);
                        client.took(&answers);
                    }
                    server.world.advance(Duration::from_secs(20));
                }
                // Every instance has it.
                server.deploy(&keys(new_algorithm, new));
                // The last step comes when the last token of the old key is over.
                for client in &mut clients {
                    let answers = server.all(client.calls(&server));
                    client.took(&answers);
                }
            }
        }
    }
}

#[test]
fn j75_after_its_removal_a_key_counts_for_nothing() {
    for [from, to] in ROTATIONS {
        let steps = rotation(from, to);
        let server = Server::with(&keys(steps[0].0, &steps[0].1));
        let old = server.someone().1;
        for (algorithm, list) in &steps[1..3] {
            server.deploy(&keys(algorithm, list));
            assert_eq!(server.protected(&old.access).status, 200);
        }
        server.deploy(&keys(steps[3].0, &steps[3].1));
        server.refused_token(&old.access, 401, "token_invalid");
        server.refresh(&old.refresh).refused(401, "token_invalid");
        assert_eq!(server.protected(&server.someone().1.access).status, 200);
    }
}

/// What verifies offline has the key before anything is signed with it, and as long as anything lives that was.
#[test]
fn the_next_key_is_published_before_it_signs_and_the_old_one_after() {
    let steps = rotation(("EdDSA", EDDSA), ("ES256", ES256_NEXT));
    let server = Server::with(&keys(steps[0].0, &steps[0].1));
    let kids = |server: &Server| jwks(server).iter().map(|key| key["kid"].clone()).collect::<Vec<_>>();
    let mut seen: Vec<Vec<Value>> = Vec::new();
    for (algorithm, list) in &steps {
        server.deploy(&keys(algorithm, list));
        let signs = header_of(&server.someone().1.access);
        let published = kids(&server);
        assert!(published.contains(&signs["kid"]) && signs["alg"] == *algorithm);
        if let Some(before) = seen.last() {
            assert!(before.contains(&signs["kid"]), "it was published a step before");
        }
        seen.push(published);
    }
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 2, 1]);
}

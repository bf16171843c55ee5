//! Access tokens whose signature, algorithm or header somebody has tampered with. The numbers are those of the checklist.

use super::support::Server;
use super::support::tokens::{
    ALPHABET, claims_text, encode, forge, header_of, kid, merged, part, parts, setting, sign, sign_text,
    sign_text_384, sign_text_512, signing_secret,
};
use serde_json::{Value, json};

type Case = (&'static str, String, String);

/// A genuine token. Nothing that is done with copies of it may touch it, KV or anybody outside.
struct Genuine {
    server: Server,
    token: String,
    before: Vec<String>,
}

impl Genuine {
    fn new() -> Self {
        let server = Server::new();
        let listener = |call: &base::call::Call| panic!("{} was called", call.url);
        server.world.upstream("keys.invalid", sim::net::Answers(listener));
        let token = server.someone().1.access;
        let before = server.world.kv().into_keys().collect();
        Self { server, token, before }
    }

    fn all_refused(&self, cases: &[Case]) {
        for (id, what, token) in cases {
            for path in ["/api/v1/protected", "/auth/sessions"] {
                let answer = self.server.get(path).token(token).send();
                assert_eq!((answer.status, answer.code()), (401, "token_invalid"), "{id} {what}");
            }
            assert_eq!(self.server.protected(&self.token).status, 200, "{id} {what}");
        }
        assert_eq!(self.server.world.kv().into_keys().collect::<Vec<_>>(), self.before);
        assert!(self.server.world.logs().iter().all(|line| !line.error));
    }

    fn header(&self, more: &Value) -> String {
        merged(header_of(&self.token), more).to_string()
    }

    /// With this header, and the genuine claims, rightly signed.
    fn with_header(&self, header: &str) -> String {
        sign(header, &claims_text(&self.token))
    }
}

/// Another character in the same place, with one of the bits that count flipped.
fn flip(part: &str, at: usize) -> String {
    let mut text: Vec<u8> = part.bytes().collect();
    let place = ALPHABET.bytes().position(|b| b == text[at]).unwrap();
    text[at] = ALPHABET.as_bytes()[place ^ 32];
    String::from_utf8(text).unwrap()
}

#[test]
fn a_token_that_was_tampered_with_is_refused() {
    let genuine = Genuine::new();
    let token = &genuine.token;
    let (header, payload, signature) = (part(token, 0), part(token, 1), part(token, 2));
    let mut cases: Vec<Case> = [
        (
            "J01",
            "a bit of the signature flipped at its beginning",
            format!("{header}.{payload}.{}", flip(signature, 0)),
        ),
        (
            "J01",
            "a bit of the signature flipped at its end",
            format!("{header}.{payload}.{}", flip(signature, 42)),
        ),
        ("J02", "a bit of the payload flipped", format!("{header}.{}.{signature}", flip(payload, 20))),
        ("J02", "a bit of the header flipped", format!("{}.{payload}.{signature}", flip(header, 20))),
        (
            "J02",
            "another payload under the old signature",
            format!("{header}.{}.{signature}", encode(br#"{"sub":"1"}"#)),
        ),
        ("J03", "no signature", format!("{header}.{payload}.")),
        ("J04", "two parts", format!("{header}.{payload}")),
        ("J04", "one part", header.to_owned()),
        ("J05", "four parts", format!("{token}.{signature}")),
        ("J05", "five parts", format!("{token}.{payload}.{signature}")),
        ("J05", "an empty part before", format!(".{token}")),
        ("J05", "an empty part after", format!("{token}.")),
        ("J06", "dots", "..".to_owned()),
        ("J06", "a signature cut short", format!("{header}.{payload}.{}", &signature[..22])),
        ("J06", "a signature too long", format!("{token}AAAA")),
    ]
    .map(|(id, what, token)| (id, what.to_owned(), token))
    .into();
    for (id, alg) in [("J07", "none"), ("J08", "None"), ("J09", "NONE"), ("J10", "nOnE"), ("J11", "")] {
        let unsigned = format!("{}.{payload}.", encode(genuine.header(&json!({ "alg": alg })).as_bytes()));
        cases.push((id, format!("alg {alg:?} with the old signature"), format!("{unsigned}{signature}")));
        cases.push((id, format!("alg {alg:?} without a signature"), unsigned));
        cases.push((
            id,
            format!("alg {alg:?}, rightly signed"),
            forge(token, &json!({ "alg": alg }), &json!({})),
        ));
    }
    genuine.all_refused(&cases);
}

#[test]
fn a_token_made_with_another_algorithm_or_key_is_refused() {
    let genuine = Genuine::new();
    let token = &genuine.token;
    let claims = claims_text(token);
    let named = |alg: &str| parts(&genuine.header(&json!({ "alg": alg })), &claims);
    let with_key = |secret: &str| {
        let signed = format!("{}.{}", part(token, 0), part(token, 1));
        sign_text(&signed, secret)
    };
    let forged = |header: Value| forge(token, &header, &json!({}));
    let secret = signing_secret();
    let cases = [
        ("J11", "HS384 with our key", sign_text_384(&named("HS384"), secret)),
        ("J11", "HS512 with our key", sign_text_512(&named("HS512"), secret)),
        ("J11", "HS512 that says HS256", sign_text_512(&named("HS256"), secret)),
        ("J11", "HS256 that says HS512", sign_text(&named("HS512"), secret)),
        ("J12", "ES256 named over an HMAC", forged(json!({ "alg": "ES256" }))),
        ("J13", "an empty key", with_key("")),
        ("J13", "the name of the key as the key", with_key(kid())),
        ("J13", "the whole setting as the key", with_key(setting("TOKEN_SIGNING_KEYS"))),
        ("J13", "the key that seals", with_key(setting("SEALING_KEYS").split_once(':').unwrap().1)),
        ("J14", "hs256 in small letters", forged(json!({ "alg": "hs256" }))),
        ("J14", "alg of another type", forged(json!({ "alg": ["HS256"] }))),
        ("J14", "alg null", forged(json!({ "alg": null }))),
        ("J14", "no alg", genuine.with_header(&json!({ "kid": kid(), "typ": "at+jwt" }).to_string())),
    ];
    genuine.all_refused(&cases.map(|(id, what, token)| (id, what.to_owned(), token)));
    // What the forgeries have in common is right: one that changes nothing is let in.
    assert_eq!(genuine.server.protected(&forged(json!({}))).status, 200);
    assert_eq!(genuine.server.protected(&with_key(secret)).status, 200);
}

#[test]
fn a_token_with_a_header_that_is_not_ours_is_refused_and_nothing_is_fetched() {
    // A listener of the attacker's: a name that nobody can own (RFC 6761).
    const LISTENER: &str = "https://keys.invalid/set";
    let genuine = Genuine::new();
    let token = &genuine.token;
    let guessed = "x".repeat(32);
    let jwk = json!({ "kty": "oct", "alg": "HS256", "kid": kid(), "k": encode(guessed.as_bytes()) });
    let attacker = |more: Value| sign_text(&parts(&genuine.header(&more), &claims_text(token)), &guessed);
    let forged = |header: Value| forge(token, &header, &json!({}));
    let with_header = |header: &str| genuine.with_header(&header.replace("k1", kid()));
    let first_key = genuine.before.first().unwrap().clone();
    let cases = [
        ("J15", "the attacker's key in jwk", attacker(json!({ "jwk": jwk }))),
        ("J15", "jwk beside our key", forged(json!({ "jwk": jwk }))),
        ("J16", "jku", attacker(json!({ "jku": LISTENER }))),
        ("J16", "jku beside our key", forged(json!({ "jku": LISTENER }))),
        ("J17", "x5u", attacker(json!({ "x5u": LISTENER }))),
        ("J17", "x5u beside our key", forged(json!({ "x5u": LISTENER }))),
        ("J18", "x5c", attacker(json!({ "x5c": ["MIIB"] }))),
        ("J19", "kid that is a path", forged(json!({ "kid": "../../dev/null" }))),
        (
            "J19",
            "kid that is a path, empty key",
            sign_text(&parts(&genuine.header(&json!({ "kid": "../../dev/null" })), &claims_text(token)), ""),
        ),
        ("J20", "kid that is SQL", forged(json!({ "kid": "' OR 1=1--" }))),
        ("J21", "kid with a line break", forged(json!({ "kid": format!("{}\n", kid()) }))),
        ("J21", "kid with NUL", forged(json!({ "kid": format!("{}\0", kid()) }))),
        ("J22", "kid of 10 kB", forged(json!({ "kid": "k".repeat(10_000) }))),
        ("J22", "kid of 2 kB", forged(json!({ "kid": "k".repeat(2_000) }))),
        ("J23", "kid with a prefix of KV's", forged(json!({ "kid": "blacklist:x" }))),
        ("J23", "kid that names a session's record", forged(json!({ "kid": first_key }))),
        ("J24", "unknown kid", forged(json!({ "kid": "k2" }))),
        ("J24", "kid in capitals", forged(json!({ "kid": kid().to_uppercase() }))),
        ("J24", "empty kid", forged(json!({ "kid": "" }))),
        ("J25", "no kid", with_header(r#"{"alg":"HS256","typ":"at+jwt"}"#)),
        ("J25", "kid that is a number", forged(json!({ "kid": 1 }))),
        ("J26", "crit", forged(json!({ "crit": ["x"], "x": 1 }))),
        ("J27", "crit b64", forged(json!({ "crit": ["b64"], "b64": false }))),
        ("J27", "b64 without crit", forged(json!({ "b64": false }))),
        ("J28", "empty crit", forged(json!({ "crit": [] }))),
        ("J59", "typ of a refresh token", forged(json!({ "typ": "rt+jwt" }))),
        ("J59", "typ JWT", forged(json!({ "typ": "JWT" }))),
        ("J59", "typ in capitals", forged(json!({ "typ": "AT+JWT" }))),
        ("J59", "no typ", with_header(r#"{"alg":"HS256","kid":"k1"}"#)),
        (
            "J60",
            "alg twice, none first",
            with_header(r#"{"alg":"none","alg":"HS256","kid":"k1","typ":"at+jwt"}"#),
        ),
        (
            "J60",
            "alg twice, none last",
            with_header(r#"{"alg":"HS256","alg":"none","kid":"k1","typ":"at+jwt"}"#),
        ),
        ("J60", "kid twice", with_header(r#"{"alg":"HS256","kid":"k1","kid":"k1","typ":"at+jwt"}"#)),
        ("J69", "a header that is a list of the right values", with_header(r#"["HS256","k1","at+jwt"]"#)),
        ("J69", "a header that is text", with_header(r#""HS256""#)),
        ("J69", "an empty header", with_header("{}")),
    ];
    genuine.all_refused(&cases.map(|(id, what, token)| (id, what.to_owned(), token)));
    let right = with_header(r#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#);
    assert_eq!(genuine.server.protected(&right).status, 200);
}

/// J75: what can be seen of rotation with one key; several keys are tested where the keyring is made.
#[test]
fn the_key_is_chosen_by_its_id() {
    let genuine = Genuine::new();
    let (server, token) = (&genuine.server, &genuine.token);
    server.refused_token(&forge(token, &json!({ "kid": "k0" }), &json!({})), 401, "token_invalid");
    let signed = format!("{}.{}", part(token, 0), part(token, 1));
    let other = sign_text(&signed, "another secret of thirty-two bytes");
    server.refused_token(&other, 401, "token_invalid");
    assert_eq!(server.protected(&forge(token, &json!({}), &json!({}))).status, 200);
}

#[test]
fn the_answer_to_a_bad_token_is_the_same_whatever_is_wrong_with_it() {
    let genuine = Genuine::new();
    let token = &genuine.token;
    let (header, payload, signature) = (part(token, 0), part(token, 1), part(token, 2));
    let answers = [
        format!("{header}.{payload}.{}", flip(signature, 0)),
        forge(token, &json!({ "alg": "ES256" }), &json!({})),
        forge(token, &json!({ "jku": "https://keys.invalid/set" }), &json!({})),
    ]
    .map(|token| {
        let answer = genuine.server.get("/auth/sessions").token(&token).send();
        answer.refused(401, "token_invalid");
        answer.text
    });
    assert!(answers.iter().all(|text| *text == answers[0]), "{answers:?}");
}

use super::*;
use base::ids::UserId;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn key(kid: &str) -> NamedKey {
    NamedKey { kid: kid.to_owned(), secret: Secret::new(format!("{kid}-0123456789abcdefghijklmnopqrstuv")) }
}

fn ring(kids: &[&str]) -> KeyRing {
    KeyRing::new("sallyport", "sallyport", Algorithm::Hs256, &kids.iter().map(|k| key(k)).collect::<Vec<_>>())
}

fn sid() -> SessionId {
    SessionId::issued("ab".repeat(32))
}

fn grant() -> Grant {
    Grant {
        generation: 3,
        issued_at: NOW,
        access_expires_at: Timestamp::from_seconds(NOW.seconds() + 900),
        refresh_expires_at: Timestamp::from_seconds(NOW.seconds() + 86_400),
        authenticated_at: Some(Timestamp::from_seconds(NOW.seconds() - 60)),
    }
}

fn pair(ring: &KeyRing) -> Pair {
    ring.pair(&sid(), "7", &grant(), None).unwrap()
}

/// A token with its parts changed and signed again by the right key.
fn resigned(token: &Secret, change: impl Fn(&mut Value, &mut Value)) -> String {
    let parts: Vec<&str> = token.expose().split('.').collect();
    let part = |i: usize| serde_json::from_slice(&decode(parts[i]).unwrap()).unwrap();
    let (mut header, mut claims): (Value, Value) = (part(0), part(1));
    change(&mut header, &mut claims);
    signed(&header.to_string(), &claims.to_string())
}

fn signed(header: &str, claims: &str) -> String {
    let secret = key("k1").secret;
    jws::Key::hs256(secret.expose().as_bytes()).sign(&jws::encode(header.as_bytes()), claims.as_bytes())
}

#[test]
fn a_token_of_four_kilobytes_is_read_and_a_longer_one_is_not() {
    let ring = ring(&["k1"]);
    let access = pair(&ring).access;
    let of = |digits: usize| resigned(&access, |_, claims| claims["sub"] = json!("7".repeat(digits)));
    // Base64 makes four characters of three bytes, so not every length can be had.
    let (longest, longer) =
        (1..TOKEN_BYTES_MAX).map(|n| (of(n), of(n + 1))).find(|(_, t)| t.len() > TOKEN_BYTES_MAX).unwrap();
    assert_eq!(longest.len(), TOKEN_BYTES_MAX);
    assert!(ring.verify_access(&longest, NOW).is_ok());
    assert_eq!(ring.verify_access(&longer, NOW), Err(TokenError::Invalid));
}

#[test]
fn a_pair_says_whose_it_is_and_which_generation() {
    let ring = ring(&["k1"]);
    let pair = pair(&ring);
    let access = ring.verify_access(pair.access.expose(), NOW).unwrap();
    assert_eq!((access.subject.as_str(), access.generation), ("7", 3));
    assert_eq!((access.session_id.clone(), access.jti), (sid(), format!("{}.3", sid())));
    assert_eq!(access.expires_at, grant().access_expires_at);
    let refresh = ring.verify_refresh(pair.refresh.expose(), NOW).unwrap();
    assert_eq!((refresh.jti, refresh.generation), (format!("{}.3.r", sid()), 3));
    assert_eq!(
        pair,
        ring.pair(&sid(), "7", &grant(), None).unwrap(),
        "made anew, it is the same to the byte"
    );
}

#[test]
fn the_kinds_are_not_interchangeable() {
    let ring = ring(&["k1"]);
    let pair = pair(&ring);
    assert_eq!(ring.verify_refresh(pair.access.expose(), NOW), Err(TokenError::Invalid));
    assert_eq!(ring.verify_access(pair.refresh.expose(), NOW), Err(TokenError::Invalid));
}

#[test]
fn expiry_is_exact() {
    let ring = ring(&["k1"]);
    let token = pair(&ring).access;
    let last = Timestamp::from_millis(grant().access_expires_at.millis() - 1);
    assert!(ring.verify_access(token.expose(), last).is_ok());
    assert_eq!(ring.verify_access(token.expose(), grant().access_expires_at), Err(TokenError::Expired));
    assert!(ring.read_access(token.expose(), grant().refresh_expires_at).is_ok());
}

#[test]
fn clocks_may_differ_by_the_leeway_and_no_more() {
    let ring = ring(&["k1"]);
    let token = pair(&ring).access;
    let early = |seconds| Timestamp::from_seconds(NOW.seconds() - seconds);
    assert!(ring.verify_access(token.expose(), early(LEEWAY_SECONDS)).is_ok());
    assert_eq!(ring.verify_access(token.expose(), early(LEEWAY_SECONDS + 1)), Err(TokenError::Invalid));
}

#[test]
fn the_first_key_signs_and_all_verify() {
    let old = pair(&ring(&["k1"])).access;
    let both = ring(&["k2", "k1"]);
    assert!(both.verify_access(old.expose(), NOW).is_ok());
    let new = pair(&both).access;
    assert!(ring(&["k2"]).verify_access(new.expose(), NOW).is_ok());
    assert_eq!(ring(&["k2"]).verify_access(old.expose(), NOW), Err(TokenError::Invalid));
}

#[test]
fn rightly_signed_tokens_of_another_form_are_refused() {
    let ring = ring(&["k1"]);
    let token = pair(&ring).access;
    let refused = |what: &str, text: &str| {
        assert_eq!(ring.verify_access(text, NOW), Err(TokenError::Invalid), "{what}");
    };
    assert!(ring.verify_access(&resigned(&token, |_, _| ()), NOW).is_ok(), "the tool itself works");
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS512")),
        ("alg", json!("hs256")),
        ("typ", json!("JWT")),
        ("typ", json!("rt+jwt")),
        ("kid", json!("k9")),
        ("kid", json!(1)),
        ("crit", json!(["x"])),
        ("crit", json!([])),
        ("jwk", json!({})),
        ("jku", json!("https://keys.example.com")),
        ("b64", json!(false)),
    ] {
        refused(name, &resigned(&token, |header, _| header[name] = value.clone()));
    }
    for name in ["iss", "aud", "sub", "sid", "jti", "gen", "iat", "nbf", "exp"] {
        refused(name, &resigned(&token, |_, claims| _ = claims.as_object_mut().unwrap().remove(name)));
        refused(name, &resigned(&token, |_, claims| claims[name] = Value::Null));
        refused(name, &resigned(&token, |_, claims| claims[name] = json!([claims[name]])));
    }
    let future = NOW.seconds() + 60;
    for (name, value) in [
        ("iss", json!("somebody")),
        ("aud", json!("somebody")),
        ("aud", json!(["sallyport"])),
        ("sub", json!("")),
        ("sid", json!("../other")),
        ("sid", json!("AB".repeat(32))),
        ("exp", json!(future.to_string())),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!(f64::from(2_000_000_000) + 0.9)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(NOW.seconds() + ACCESS_SECONDS_MAX + 1)),
        ("nbf", json!(future)),
        ("nbf", json!(-8_334_601_228_800_i64)),
        ("iat", json!(future)),
    ] {
        refused(&format!("{name} {value}"), &resigned(&token, |_, claims| claims[name] = value.clone()));
    }
}

#[test]
fn a_name_twice_is_refused() {
    let ring = ring(&["k1"]);
    let header = r#"{"alg":"HS256","kid":"k1","typ":"at+jwt"}"#;
    let exp = grant().access_expires_at.seconds();
    let iat = NOW.seconds();
    let body = format!(
        r#""iss":"sallyport","aud":"sallyport","sub":"7","sid":"{}","jti":"j","gen":0,"iat":{iat},"nbf":{iat},"exp":{exp}"#,
        sid()
    );
    assert!(ring.verify_access(&signed(header, &format!("{{{body}}}")), NOW).is_ok());
    for twice in [r#""sub":"8""#, r#""exp":9999999999"#, r#""sid":"x""#] {
        assert!(ring.verify_access(&signed(header, &format!("{{{body},{twice}}}")), NOW).is_err(), "{twice}");
    }
    for header in [
        r#"{"alg":"none","alg":"HS256","kid":"k1","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","alg":"none","kid":"k1","typ":"at+jwt"}"#,
    ] {
        assert!(ring.verify_access(&signed(header, &format!("{{{body}}}")), NOW).is_err());
    }
}

#[test]
fn the_account_travels_only_where_it_is_asked_for() {
    let ring = ring(&["k1"]);
    let account = Account {
        user_id: UserId::issued(7),
        username: "u".into(),
        roles: vec!["a".into()],
        created_at: Timestamp::default(),
    };
    let pair = ring.pair(&sid(), "7", &grant(), Some(&account)).unwrap();
    assert_eq!(ring.verify_access(pair.access.expose(), NOW).unwrap().account, Some(account));
    assert_eq!(ring.verify_refresh(pair.refresh.expose(), NOW).unwrap().account, None);
}

proptest! {
    #[test]
    fn whatever_is_changed_in_a_token_it_is_refused(index in 0_usize..400, to in any::<u8>()) {
        let ring = ring(&["k1"]);
        let mut bytes = pair(&ring).access.expose().as_bytes().to_vec();
        let index = index % bytes.len();
        prop_assume!(bytes[index] != to);
        bytes[index] = to;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert_eq!(ring.verify_access(&text, NOW), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn any_text_is_refused_without_harm(text in ".{0,300}") {
        prop_assert_eq!(ring(&["k1"]).verify_access(&text, NOW), Err(TokenError::Invalid));
    }
}

/// OIDC Back-Channel Logout 1.0, §2.4 and §2.6.
#[test]
fn a_logout_token_names_the_session_and_lets_nobody_in() {
    let ring = ring(&["k1", "k2"]);
    let token = ring.logout_token(&sid(), "7", "j1", NOW).unwrap();
    let parts = Parts::of(token.expose()).unwrap();
    assert!(jws::Key::hs256(key("k1").secret.expose().as_bytes()).has_signed(&parts));
    let part = |text: &str| serde_json::from_slice::<Value>(&jws::decode(text).unwrap()).unwrap();
    assert_eq!(part(parts.header), json!({ "alg": "HS256", "kid": "k1", "typ": "logout+jwt" }));
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let (iat, exp, sid) = (NOW.seconds(), NOW.seconds() + 120, sid());
    let claims = json!({ "iss": "sallyport", "aud": "sallyport", "iat": iat, "exp": exp, "jti": "j1", "sub": "7",
        "sid": sid.as_str(), "events": event });
    assert_eq!(part(parts.payload), claims, "and no nonce");
    for refused in [ring.verify_access(token.expose(), NOW), ring.verify_refresh(token.expose(), NOW)] {
        assert_eq!(refused, Err(TokenError::Invalid));
    }
}

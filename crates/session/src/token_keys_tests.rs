//! Tokens of each algorithm; keys that follow each other.

use super::tokens::{Algorithm, KeyRing, TokenError};
use super::{Grant, Pair};
use base::clock::Timestamp;
use base::ids::SessionId;
use base::secret::Secret;
use base::settings::NamedKey;
use jws::{decode, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ALGORITHMS: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256];

/// One that no other number has.
fn key(algorithm: Algorithm, number: u8) -> NamedKey {
    let (kid, secret) = match algorithm {
        Algorithm::Hs256 => (format!("k{number}"), format!("{number}-0123456789abcdefghijklmnopqrstuv")),
        _ => (algorithm.as_str().to_owned(), encode(&[number; 32])),
    };
    NamedKey { kid, secret: Secret::new(secret) }
}

fn ring(algorithm: Algorithm, keys: &[NamedKey]) -> KeyRing {
    KeyRing::new("sallyport", "sallyport", algorithm, keys)
}

/// One key of each algorithm.
fn of_all(signs: Algorithm) -> KeyRing {
    ring(signs, &ALGORITHMS.map(|algorithm| key(algorithm, 1)))
}

fn pair(ring: &KeyRing) -> Pair {
    let grant = Grant {
        generation: 3,
        issued_at: NOW,
        access_expires_at: Timestamp::from_seconds(NOW.seconds() + 900),
        refresh_expires_at: Timestamp::from_seconds(NOW.seconds() + 86_400),
        authenticated_at: None,
    };
    ring.pair(&SessionId::issued("ab".repeat(32)), "7", &grant, None).unwrap()
}

fn header_of(token: &str) -> Value {
    serde_json::from_slice(&decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

#[test]
fn every_algorithm_signs_and_is_read_the_same_way() {
    for algorithm in ALGORITHMS {
        let ring = of_all(algorithm);
        let made = pair(&ring);
        let access = ring.verify_access(made.access.expose(), NOW).unwrap();
        assert_eq!((access.subject.as_str(), access.generation), ("7", 3));
        assert!(ring.verify_refresh(made.refresh.expose(), NOW).is_ok());
        assert_eq!(ring.verify_refresh(made.access.expose(), NOW), Err(TokenError::Invalid));
        assert_eq!(ring.verify_access(made.refresh.expose(), NOW), Err(TokenError::Invalid));
        assert_eq!(made, pair(&ring), "made anew, it is the same to the byte");
        let kid = match algorithm {
            Algorithm::Hs256 => "k1".to_owned(),
            _ => ring.published().find(|key| key.algorithm == algorithm).unwrap().kid.clone(),
        };
        let header = header_of(made.access.expose());
        assert_eq!(header, json!({ "alg": algorithm.as_str(), "kid": kid, "typ": "at+jwt" }));
    }
}

#[test]
fn a_logout_token_is_signed_as_the_others_and_lets_nobody_in() {
    for algorithm in ALGORITHMS {
        let ring = of_all(algorithm);
        let token = ring.logout_token(&SessionId::issued("ab".repeat(32)), "7", "j1", NOW).unwrap();
        let (logout, access) = (header_of(token.expose()), header_of(pair(&ring).access.expose()));
        assert_eq!((&logout["alg"], &logout["kid"]), (&access["alg"], &access["kid"]));
        assert_eq!(logout["typ"], "logout+jwt");
        assert_eq!(ring.verify_access(token.expose(), NOW), Err(TokenError::Invalid));
        assert_eq!(ring.verify_refresh(token.expose(), NOW), Err(TokenError::Invalid));
    }
}

#[test]
fn without_a_key_of_the_algorithm_nothing_is_signed() {
    let grant = Grant {
        generation: 0,
        issued_at: NOW,
        access_expires_at: NOW,
        refresh_expires_at: NOW,
        authenticated_at: None,
    };
    for keys in [vec![], vec![key(Algorithm::Hs256, 1)], vec![key(Algorithm::Es256, 1)]] {
        let ring = ring(Algorithm::EdDsa, &keys);
        assert!(ring.pair(&SessionId::issued("ab".repeat(32)), "7", &grant, None).is_err());
    }
}

/// J76
#[test]
fn what_is_published_is_every_pair_and_nothing_private() {
    let keys = [
        key(Algorithm::EdDsa, 1),
        key(Algorithm::Hs256, 1),
        key(Algorithm::Es256, 1),
        key(Algorithm::EdDsa, 2),
    ];
    let ring = ring(Algorithm::Hs256, &keys);
    let published: Vec<_> = ring.published().collect();
    let algorithms: Vec<Algorithm> = published.iter().map(|key| key.algorithm).collect();
    assert_eq!(algorithms, [Algorithm::EdDsa, Algorithm::Es256, Algorithm::EdDsa]);
    let mut kids: Vec<&str> = published.iter().map(|key| key.kid.as_str()).collect();
    kids.dedup();
    assert!(kids.len() == 3 && kids.iter().all(|kid| kid.len() == 43), "{kids:?}");
    let shown = format!("{ring:?}");
    for key in &keys {
        assert!(!shown.contains(key.secret.expose()), "{shown}");
    }
}

/// J11, J12, J14: whatever a header says, a key is for its own algorithm; what is public signs nothing.
#[test]
fn j12_no_key_verifies_by_another_algorithm() {
    let ring = of_all(Algorithm::EdDsa);
    let names =
        ["HS256", "EdDSA", "ES256", "HS384", "RS256", "ES384", "Ed25519", "none", "eddsa", "es256", ""];
    let claims = decode(pair(&ring).access.expose().split('.').nth(1).unwrap()).unwrap();
    for named in ALGORITHMS {
        let genuine = pair(&of_all(named));
        let header = header_of(genuine.access.expose());
        let public = ring.published().find(|key| key.algorithm == named).map(|key| key.key.clone());
        let mut secrets = vec![Vec::new(), header["kid"].as_str().unwrap().as_bytes().to_vec()];
        for part in public.iter().flat_map(|key| [Some(&key.x), key.y.as_ref()]).flatten() {
            secrets.extend([part.clone().into_bytes(), decode(part).unwrap()]);
        }
        for alg in names {
            let mut header = header.clone();
            header["alg"] = json!(alg);
            let header = encode(header.to_string().as_bytes());
            let right = alg == named.as_str();
            // By every key that we have, as if it were the named one.
            for signer in ALGORITHMS {
                let signer = key(signer, 1);
                let signer = match Algorithm::of_pairs(&signer.kid) {
                    Some(algorithm) => jws::Key::pair(algorithm, signer.secret.expose()).unwrap(),
                    None => jws::Key::hs256(signer.secret.expose().as_bytes()),
                };
                let good = right && signer.algorithm() == named;
                let token = signer.sign(&header, &claims);
                assert_eq!(ring.verify_access(&token, NOW).is_ok(), good, "{alg} {named:?} {signer:?}");
            }
            // By what everybody knows, and by the private key as if it were an HMAC's.
            let private = key(named, 1).secret;
            let own = [private.expose().as_bytes().to_vec(), decode(private.expose()).unwrap_or_default()];
            let own = own.into_iter().filter(|_| named != Algorithm::Hs256);
            for secret in secrets.iter().cloned().chain(own) {
                let token = jws::Key::hs256(&secret).sign(&header, &claims);
                assert_eq!(ring.verify_access(&token, NOW), Err(TokenError::Invalid), "{alg} {named:?}");
            }
        }
    }
}

/// J75: an instance may be a step ahead of another; each takes what the other signs.
#[test]
fn j75_no_step_of_a_rotation_refuses_a_token_of_the_step_beside_it() {
    let moves = [
        (Algorithm::Hs256, Algorithm::Hs256),
        (Algorithm::EdDsa, Algorithm::EdDsa),
        (Algorithm::Es256, Algorithm::Es256),
        (Algorithm::Hs256, Algorithm::EdDsa),
        (Algorithm::EdDsa, Algorithm::Es256),
        (Algorithm::Es256, Algorithm::Hs256),
    ];
    for (from, to) in moves {
        let (old, new) = (key(from, 1), key(to, 2));
        let steps = [
            ring(from, std::slice::from_ref(&old)),
            ring(from, &[old.clone(), new.clone()]),
            ring(to, &[new.clone(), old.clone()]),
            ring(to, std::slice::from_ref(&new)),
        ];
        for (at, signs) in steps.iter().enumerate() {
            let made = pair(signs);
            for (other, verifies) in steps.iter().enumerate() {
                let by_new = at >= 2;
                let known = if by_new { other >= 1 } else { other <= 2 };
                let read = verifies.verify_access(made.access.expose(), NOW).is_ok();
                assert_eq!(read, known, "{from:?} to {to:?}: of step {at}, at step {other}");
                assert_eq!(verifies.verify_refresh(made.refresh.expose(), NOW).is_ok(), known);
            }
        }
        // Published before it signs, and after it has.
        let kids = |ring: &KeyRing| ring.published().map(|key| key.kid.clone()).collect::<Vec<_>>();
        let (mut before, mut after) = (kids(&steps[1]), kids(&steps[2]));
        before.sort();
        after.sort();
        assert_eq!(before, after);
    }
}

proptest! {
    #[test]
    fn whatever_is_changed_in_a_token_of_a_pair_it_is_refused(index in 0_usize..500, to in any::<u8>(), eddsa in any::<bool>()) {
        let ring = of_all(if eddsa { Algorithm::EdDsa } else { Algorithm::Es256 });
        let mut bytes = pair(&ring).access.expose().as_bytes().to_vec();
        let index = index % bytes.len();
        prop_assume!(bytes[index] != to);
        bytes[index] = to;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert_eq!(ring.verify_access(&text, NOW), Err(TokenError::Invalid));
        }
    }
}

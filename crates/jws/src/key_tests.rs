//! By the examples of the standards, and beside the libraries' own verifiers.

use super::*;
use ed25519_dalek::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

/// RFC 8037, appendix A.
const ED_D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// RFC 7515, appendix A.3. Its signature is made with a random number.
const ES_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const ES_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn eddsa() -> Key {
    Key::pair(Algorithm::EdDsa, ED_D).unwrap()
}

fn es256() -> Key {
    Key::pair(Algorithm::Es256, ES_D).unwrap()
}

fn has_signed(key: &Key, token: &str) -> bool {
    key.has_signed(&Parts::of(token).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The signature of a token of ES256, and whether the library's verifier finds it good.
fn by_public_key(token: &str) -> (Signature, bool) {
    let public = es256().public().unwrap();
    let (x, y) = (decode(&public.x).unwrap(), decode(&public.y.unwrap()).unwrap());
    let key = VerifyingKey::from_sec1_bytes(&[&[4][..], &x, &y].concat()).unwrap();
    let parts = Parts::of(token).unwrap();
    let signature = Signature::from_slice(&decode(parts.signature).unwrap()).unwrap();
    (signature, key.verify(parts.signed.as_bytes(), &signature).is_ok())
}

#[test]
fn eddsa_is_that_of_the_standard() {
    let key = eddsa();
    let parts = Parts::of(ED_TOKEN).unwrap();
    assert!(has_signed(&key, ED_TOKEN));
    assert_eq!(key.sign(parts.header, &decode(parts.payload).unwrap()), ED_TOKEN);
    let public = key.public().unwrap();
    assert_eq!((public.family, public.curve), ("OKP", "Ed25519"));
    assert_eq!((public.x.as_str(), &public.y), ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", &None));
    assert_eq!(public.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// RFC 6979, appendix A.2.5: with SHA-256, of "sample" and of "test".
#[test]
fn es256_takes_its_number_from_the_message() {
    let d = encode(&hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"));
    let Kind::Es256(key) = Key::pair(Algorithm::Es256, &d).unwrap().0 else { panic!("another algorithm") };
    for (message, r, s) in [
        (
            "sample",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            "test",
            "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
        ),
    ] {
        assert_eq!(p256(&key, message.as_bytes()), [hex(r), hex(s)].concat(), "{message}");
    }
}

#[test]
fn es256_is_good_by_the_public_key_of_the_standard() {
    let public = es256().public().unwrap();
    assert_eq!((public.family, public.curve), ("EC", "P-256"));
    assert_eq!(public.x, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    assert_eq!(public.y.as_deref(), Some("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
    let parts = Parts::of(ES_TOKEN).unwrap();
    let ours = es256().sign(parts.header, &decode(parts.payload).unwrap());
    assert!(has_signed(&es256(), &ours));
    assert!(by_public_key(&ours).1 && by_public_key(ES_TOKEN).1);
    // Another signature of the same by the same key: good, and not the one that we make.
    assert!(ours != ES_TOKEN && !has_signed(&es256(), ES_TOKEN));
}

#[test]
fn j74_a_signature_turned_into_another_good_one_is_none() {
    let ours = es256().sign("e30", b"{}");
    let (signature, _) = by_public_key(&ours);
    let other = Signature::from_scalars(signature.r().to_bytes(), (-*signature.s()).to_bytes()).unwrap();
    let (signed, _) = ours.rsplit_once('.').unwrap();
    let malleated = format!("{signed}.{}", encode(&other.to_bytes()));
    assert!(by_public_key(&malleated).1, "it is good by the public key");
    assert!(ours != malleated && !has_signed(&es256(), &malleated));
}

#[test]
fn any_other_letter_is_another_token() {
    for (key, token) in [(eddsa(), ED_TOKEN.to_owned()), (es256(), es256().sign("e30", b"{}"))] {
        assert!(has_signed(&key, &token));
        for at in (0..token.len()).filter(|at| token.as_bytes()[*at] != b'.') {
            let mut changed = token.clone();
            let other = if token.as_bytes()[at] == b'g' { "w" } else { "g" };
            changed.replace_range(at..=at, other);
            assert!(!has_signed(&key, &changed), "{at}");
        }
        for changed in [format!("{token}AA"), token[..token.len() - 2].to_owned(), "e30.e30.".to_owned()] {
            assert!(!has_signed(&key, &changed), "{changed}");
        }
    }
}

/// The bytes are the same, the algorithm is not.
#[test]
fn j12_a_key_is_for_one_algorithm() {
    let bytes = decode(ED_D).unwrap();
    let keys = [
        eddsa(),
        Key::pair(Algorithm::Es256, ED_D).unwrap(),
        Key::hs256(&bytes),
        Key::hs256(ED_D.as_bytes()),
    ];
    for (at, signer) in keys.iter().enumerate() {
        let token = signer.sign("e30", b"{}");
        for (other, key) in keys.iter().enumerate() {
            assert_eq!(has_signed(key, &token), at == other, "{key:?} of {signer:?}");
        }
    }
    let public = eddsa().public().unwrap();
    for secret in [public.x.clone().into_bytes(), decode(&public.x).unwrap(), Vec::new()] {
        assert!(!has_signed(&eddsa(), &Key::hs256(&secret).sign("e30", b"{}")));
    }
}

#[test]
fn what_is_no_private_key_is_none() {
    let order = encode(&hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));
    let below = encode(&hex("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550"));
    let zero = encode(&[0; 32]);
    for (d, eddsa, es256) in [
        (ED_D, true, true),
        (&below, true, true),
        (&order, true, false),
        (&zero, true, false),
        ("", false, false),
        (&ED_D[1..], false, false),
        (&format!("{ED_D}AA"), false, false),
        (&format!("{ED_D}="), false, false),
        ("-----BEGIN PRIVATE KEY-----", false, false),
    ] {
        for (algorithm, good) in [(Algorithm::EdDsa, eddsa), (Algorithm::Es256, es256)] {
            assert_eq!(Key::is_private(algorithm, d), good, "{algorithm:?} {d}");
            assert_eq!(Key::pair(algorithm, d).is_some(), good, "{algorithm:?} {d}");
        }
        assert!(!Key::is_private(Algorithm::Hs256, d) && Key::pair(Algorithm::Hs256, d).is_none());
    }
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(
        format!("{:?} {:?} {:?}", eddsa(), es256(), Key::hs256(b"x")),
        "Key(EdDSA) Key(ES256) Key(HS256)"
    );
    assert_eq!(Key::hs256(b"x").public(), None);
    assert_eq!(Algorithm::of_pairs("HS256"), None);
    assert_eq!(
        ["EdDSA", "ES256", "eddsa"].map(|name| Algorithm::of_pairs(name).is_some()),
        [true, true, false]
    );
}

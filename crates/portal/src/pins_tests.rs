//! What portal logins store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::browser::Jar;
use super::state::{
    Ended, Farewell, Flight, Live, Login, Reached, Refused, RefusedKey, Trouble, Untold, Work,
};
use super::{
    Asked, Code, Command, Credentials, Done, EMODAL, End, Refusal, Reply, Request, Session, Told, Waiting,
    Wizard, identity,
};
use base::secret::Secret;
use base::settings::NamedKey;
use base::vault::Vault;
use support::{check, line, section, shows};

#[test]
fn commands_and_replies() {
    check::<Asked>("portal", "asked");
    check::<Command>("portal", "command");
    shows::<Request>("portal", "command");
    check::<Reply>("portal", "reply");
    shows::<Session>("portal", "reply");
    shows::<Done>("portal", "reply");
    shows::<Told>("portal", "reply");
    shows::<Waiting>("portal", "reply");
    shows::<Refusal>("portal", "reply");
    check::<End>("portal", "end");
    check::<Code>("portal", "code");
}

#[test]
fn the_stored_login() {
    check::<Login>("portal", "login");
    shows::<Live>("portal", "login");
    shows::<Ended>("portal", "login");
    shows::<Refused>("portal", "login");
    shows::<Trouble>("portal", "login");
    shows::<RefusedKey>("portal", "login");
    shows::<Flight>("portal", "login");
    shows::<Farewell>("portal", "login");
    shows::<Untold>("portal", "login");
    check::<Work>("portal", "work");
    check::<Reached>("portal", "reached");
}

/// What lies sealed beside it, in part.
#[test]
fn credentials_wizards_and_cookies() {
    check::<Credentials>("portal", "credentials");
    check::<Wizard>("portal", "wizard");
    let stored = line("portal", "jar");
    let jar = Jar::load(&Secret::new(stored)).unwrap();
    let read = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap();
    let (mut now, mut before) = (read(jar.save().expose()), read(stored));
    // In no order.
    for cookies in [&mut now, &mut before] {
        cookies.sort_by_key(ToString::to_string);
    }
    assert_eq!((now.len(), now), (3, before));
}

#[test]
fn names_of_logins() {
    let key = |kid: &str| NamedKey {
        kid: kid.to_owned(),
        secret: Secret::new(format!("{kid}-0123456789abcdefghijklmnopqrstuv")),
    };
    let vault = Vault::new(&[key("s2"), key("s1")]);
    let credentials = Credentials {
        username: "driver".to_owned(),
        password: Secret::new("pass"),
        captcha_api_key: Secret::new("ck"),
    };
    assert_eq!(identity::names(&vault, EMODAL, &credentials), section("portal", "names of logins"));
}

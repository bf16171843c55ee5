//! What sessions store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::tokens::{Algorithm, KeyRing, SessionMint};
use super::{
    Account, Acknowledgement, Device, EndPropagated, Ended, Envelope, Expire, ExternalToken, Grant, Live,
    Mint, Open, OpenReply, Owner, Pair, Peek, Presence, Reauthenticate, RenewReply, Renewal, Revoke, Revoked,
    Rotate, RotateReply, Session, SetAccount, State, Tokens, Tombstone, Touch, Unnoted,
};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::rpc::Command as _;
use base::secret::Secret;
use base::settings::NamedKey;
use base::vault::Vault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{check, line, section, shows};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ISSUED_AT: Timestamp = Timestamp::from_millis(1_763_719_200_123);
const AUTHENTICATED_AT: Timestamp = Timestamp::from_millis(1_763_719_100_123);

fn keys(kid: &str) -> Vec<NamedKey> {
    let secret = Secret::new(format!("{kid}-0123456789abcdefghijklmnopqrstuv"));
    vec![NamedKey { kid: kid.to_owned(), secret }]
}

fn account() -> Account {
    let roles = vec!["user".to_owned(), "admin".to_owned()];
    Account { user_id: UserId::issued(7), username: "asha".to_owned(), roles, created_at: ISSUED_AT }
}

/// The tokens of generation 3, signed with fixed keys.
fn minted(carry_account: bool, authenticated_at: Option<Timestamp>) -> [String; 2] {
    let ring = KeyRing::new("issuer", "audience", Algorithm::Hs256, &keys("k1"));
    let session_id = &SessionId::issued(ID);
    let mint = SessionMint { keys: &ring, session_id, carry_account };
    let grant = Grant {
        generation: 3,
        issued_at: ISSUED_AT,
        access_expires_at: Timestamp::from_millis(1_763_720_100_123),
        refresh_expires_at: Timestamp::from_millis(1_764_324_000_123),
        authenticated_at,
    };
    let Ok(Pair { access, refresh, .. }) = mint.mint(&grant, &account()) else { panic!("no tokens") };
    [access, refresh].map(|token| token.expose().to_owned())
}

#[test]
fn commands() {
    check::<Envelope>("session", "command");
    check::<Renewal>("session", "renewal");
    shows::<Open>("session", "command");
    shows::<Touch>("session", "command");
    shows::<Rotate>("session", "command");
    shows::<Reauthenticate>("session", "command");
    shows::<Revoke>("session", "command");
    shows::<SetAccount>("session", "command");
    shows::<ExternalToken>("session", "command");
    shows::<super::EndReason>("session", "command");
    for name in ["command", "state"] {
        shows::<Account>("session", name);
        shows::<Device>("session", name);
    }
}

/// What is sent is what is read.
#[test]
fn commands_are_sent_in_their_envelopes() {
    for line in section("session", "command") {
        let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { continue };
        let text = match &envelope {
            Envelope::Open(command) => command.to_json(),
            Envelope::Touch(command) => command.to_json(),
            Envelope::Rotate(command) => command.to_json(),
            Envelope::Reauthenticate(command) => command.to_json(),
            Envelope::Revoke(command) => command.to_json(),
            Envelope::SetAccount(command) => command.to_json(),
            Envelope::Peek => Peek.to_json(),
            Envelope::Expire => Expire.to_json(),
            Envelope::EndPropagated => EndPropagated.to_json(),
            Envelope::Unnoted => Unnoted.to_json(),
        };
        assert_eq!(text.unwrap(), serde_json::to_string(&envelope).unwrap());
    }
    for line in section("session", "renewal") {
        assert_eq!(serde_json::from_str::<Renewal>(line).unwrap().to_json().unwrap(), line);
    }
}

/// Each text is a reply to at least one command, and whoever reads it prints it as it stands there.
#[test]
fn replies() {
    let readers = [
        reread::<OpenReply>,
        reread::<Presence>,
        reread::<RotateReply>,
        reread::<Revoked>,
        reread::<Acknowledgement>,
        reread::<RenewReply>,
    ];
    let mut lines = section("session", "reply").into_iter();
    while let Some(line) = lines.next() {
        let (text, printed) = match line.strip_prefix("old ") {
            Some(old) => (old, lines.next().and_then(|l| l.strip_prefix("new ")).unwrap()),
            None => (line, line),
        };
        let read: Vec<_> = readers.iter().filter_map(|reread| reread(text)).collect();
        assert!(!read.is_empty(), "no reply: {text}");
        for again in read {
            assert_eq!(again, printed);
        }
    }
    for members in [
        shows::<OpenReply>,
        shows::<Presence>,
        shows::<RotateReply>,
        shows::<Revoked>,
        shows::<Acknowledgement>,
        shows::<RenewReply>,
        shows::<Tokens>,
        shows::<Pair>,
        shows::<Live>,
        shows::<Ended>,
    ] {
        members("session", "reply");
    }
}

fn reread<T: Serialize + DeserializeOwned>(text: &str) -> Option<String> {
    serde_json::from_str::<T>(text).ok().map(|value| serde_json::to_string(&value).unwrap())
}

#[test]
fn the_stored_state() {
    check::<State>("session", "state");
    shows::<Session>("session", "state");
    shows::<super::state::Rotation>("session", "state");
    shows::<Grant>("session", "state");
    shows::<Tombstone>("session", "state");
    shows::<super::events::Outbox>("session", "state");
    shows::<super::events::Queue>("session", "state");
    shows::<super::events::Event>("session", "state");
    let texts = section("session", "state").join("\n");
    for event in base::event::EventType::ALL.iter().filter(|event| event.as_str().starts_with("session.")) {
        assert!(texts.contains(&format!("\"type\":\"{}\"", event.as_str())), "{event:?}");
    }
}

#[test]
fn tokens_as_they_are_signed() {
    // The first two are what a grant of the release before comes to.
    let ([access, refresh], [carrying, _]) = (minted(false, None), minted(true, None));
    assert_eq!(access, line("session", "access token"));
    assert_eq!(carrying, line("session", "access token with the account"));
    assert_eq!(refresh, line("session", "refresh token"));
    let [timed, refresh] = minted(false, Some(AUTHENTICATED_AT));
    assert_eq!(timed, line("session", "access token with the time of the login"));
    assert_eq!(refresh, line("session", "refresh token"));
}

#[test]
fn tokens_as_they_are_read() {
    let ring = KeyRing::new("issuer", "audience", Algorithm::Hs256, &keys("k1"));
    for (name, account) in [("access token", None), ("access token with the account", Some(account()))] {
        let token = ring.verify_access(line("session", name), ISSUED_AT).unwrap();
        assert_eq!((token.subject.as_str(), token.session_id.as_str(), token.generation), ("7", ID, 3));
        assert_eq!((token.expires_at, token.account), (Timestamp::from_seconds(1_763_720_100), account));
        assert_eq!((token.jti, token.authenticated_at), (format!("{ID}.3"), None));
    }
    let timed = line("session", "access token with the time of the login");
    let authenticated_at = ring.verify_access(timed, ISSUED_AT).unwrap().authenticated_at;
    assert_eq!(authenticated_at, Some(Timestamp::from_seconds(AUTHENTICATED_AT.seconds())));
    let token = ring.verify_refresh(line("session", "refresh token"), ISSUED_AT).unwrap();
    assert_eq!((token.jti, token.expires_at), (format!("{ID}.3.r"), Timestamp::from_seconds(1_764_324_000)));
}

/// Sealed by the object under this purpose, for the session's id.
#[test]
fn the_sealed_external_token() {
    let opened =
        Vault::new(&keys("s1")).open("session-external", ID, line("session", "sealed external token"));
    assert_eq!(opened.unwrap(), b"outside");
}

#[test]
fn names_of_the_objects_of_those_who_have_sessions() {
    let names = [Owner::User("asha"), Owner::PostLogin("VPB-SME-1")].map(|owner| owner.object());
    assert_eq!(names.to_vec(), section("session", "owner"));
}

//! What portal logins store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::browser::Jar;
use super::protocol::{ByOpener, Envelope, LoginCommand};
use super::registry::{
    self, BrowserReply, Counted, Counts, Excess, Find, FindByAlias, FindByAliasReply, FindOwn, FindReply,
    GiveBrowser, KeyUsageReply, ListOwn, Listed, NamesReply, Place, Remove, Removed, Row, Surplus,
    TakeBrowser, Upsert, UsernameRefused,
};
use super::state::{
    Ended, LastFailure, Live, Login, OpenBrowser, PendingLogout, PendingSync, Person, Reached, Refused,
    RefusedKey, RetryState, Saved, Task, Work,
};
use super::{
    Answered, Asked, Close, CloseReply, Code, Credentials, Done, EMODAL, End, Get, GetReply, KeptPage, Look,
    LookReply, OfService, PageReply, ReadPage, ReadState, Refusal, Request, Run, RunReply, Seat, Session,
    SessionState, StateReply, Waiting, Wizard, identity,
};
use base::ids::ServiceKeyId;
use base::rpc::Command as _;
use base::secret::Secret;
use base::settings::NamedKey;
use base::vault::Vault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{check, line, section, shows};

#[test]
fn commands() {
    check::<Asked<Envelope>>("portal", "asked");
    check::<Envelope>("portal", "command");
    shows::<Get>("portal", "command");
    shows::<Run>("portal", "command");
    shows::<Close>("portal", "command");
    shows::<ByOpener>("portal", "command");
    shows::<ReadState>("portal", "command");
    shows::<Request>("portal", "command");
    check::<End>("portal", "end");
    check::<Code>("portal", "code");
    check::<registry::Envelope>("portal", "registry command");
    shows::<Upsert>("portal", "registry command");
    shows::<Row>("portal", "registry command");
    shows::<registry::More>("portal", "registry command");
    shows::<Ended>("portal", "registry command");
    shows::<Remove>("portal", "registry command");
    shows::<Find>("portal", "registry command");
    shows::<FindOwn>("portal", "registry command");
    shows::<ListOwn>("portal", "registry command");
    shows::<FindByAlias>("portal", "registry command");
    shows::<UsernameRefused>("portal", "registry command");
    shows::<Excess>("portal", "registry command");
    shows::<TakeBrowser>("portal", "registry command");
    shows::<GiveBrowser>("portal", "registry command");
    shows::<registry::BrowserUse>("portal", "registry command");
}

/// What is sent is what is read.
#[test]
fn commands_are_sent_in_their_envelopes() {
    fn sent<C: LoginCommand>(command: C) -> String {
        Asked { name: "n".to_owned(), command }.to_json().unwrap()
    }
    fn own<C: LoginCommand>(opener: ServiceKeyId, command: C) -> String {
        sent(OfService { opener: Some(opener), command })
    }
    for line in section("portal", "command") {
        let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { continue };
        let asked = Asked { name: "n".to_owned(), command: envelope.clone() };
        let text = match envelope {
            Envelope::Get(get) => sent(OfService { opener: None, command: get }),
            Envelope::Run(run) => sent(run),
            Envelope::Close(close) => sent(close),
            Envelope::Look => sent(Look),
            Envelope::ReadPage => sent(ReadPage),
            Envelope::ReadState(read) => sent(read),
            Envelope::ByOpener(ByOpener { opener, command }) => match *command {
                Envelope::Get(get) => own(opener, get),
                Envelope::Run(run) => own(opener, run),
                Envelope::Close(close) => own(opener, close),
                Envelope::ReadState(read) => own(opener, read),
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(text, serde_json::to_string(&asked).unwrap());
    }
    const { assert!(!Asked::<Run>::REPEATABLE && Asked::<Get>::REPEATABLE) };
    for line in section("portal", "registry command") {
        let Ok(envelope) = serde_json::from_str::<registry::Envelope>(line) else { continue };
        let text = match &envelope {
            registry::Envelope::Upsert(command) => command.to_json(),
            registry::Envelope::Remove(command) => command.to_json(),
            registry::Envelope::Find(command) => command.to_json(),
            registry::Envelope::FindOwn(command) => command.to_json(),
            registry::Envelope::ListOwn(command) => command.to_json(),
            registry::Envelope::FindByAlias(command) => command.to_json(),
            registry::Envelope::List => registry::List.to_json(),
            registry::Envelope::Count => registry::Count.to_json(),
            registry::Envelope::KeyUsage => registry::KeyUsage.to_json(),
            registry::Envelope::Names => registry::Names.to_json(),
            registry::Envelope::Excess(command) => command.to_json(),
            registry::Envelope::TakeBrowser(command) => command.to_json(),
            registry::Envelope::GiveBrowser(command) => command.to_json(),
        };
        assert_eq!(text.unwrap(), serde_json::to_string(&envelope).unwrap());
    }
}

/// Each text is a reply to at least one command, and whoever reads it prints it as it stands there.
#[test]
fn replies() {
    check_replies(
        "reply",
        &[
            reread::<GetReply>,
            reread::<RunReply>,
            reread::<CloseReply>,
            reread::<LookReply>,
            reread::<PageReply>,
            reread::<StateReply>,
        ],
    );
    shows::<GetReply>("portal", "reply");
    shows::<RunReply>("portal", "reply");
    shows::<CloseReply>("portal", "reply");
    shows::<LookReply>("portal", "reply");
    shows::<PageReply>("portal", "reply");
    shows::<StateReply>("portal", "reply");
    shows::<SessionState>("portal", "reply");
    shows::<KeptPage>("portal", "reply");
    shows::<super::Place>("portal", "reply");
    shows::<Session>("portal", "reply");
    shows::<Done>("portal", "reply");
    shows::<Answered>("portal", "reply");
    shows::<Waiting>("portal", "reply");
    shows::<Refusal>("portal", "reply");
    check_replies(
        "registry reply",
        &[
            reread::<Surplus>,
            reread::<Removed>,
            reread::<FindReply>,
            reread::<FindByAliasReply>,
            reread::<Listed>,
            reread::<Counted>,
            reread::<KeyUsageReply>,
            reread::<NamesReply>,
            reread::<BrowserReply>,
        ],
    );
    shows::<Place>("portal", "registry reply");
    shows::<Counts>("portal", "registry reply");
    shows::<registry::BrowserTime>("portal", "registry reply");
    for members in [shows::<FindReply>, shows::<FindByAliasReply>, shows::<Listed>, shows::<Counted>] {
        members("portal", "registry reply");
    }
    shows::<BrowserReply>("portal", "registry reply");
}

fn reread<T: Serialize + DeserializeOwned>(text: &str) -> Option<String> {
    serde_json::from_str::<T>(text).ok().map(|value| serde_json::to_string(&value).unwrap())
}

fn check_replies(name: &str, readers: &[fn(&str) -> Option<String>]) {
    let mut lines = section("portal", name).into_iter();
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
}

#[test]
fn the_stored_login() {
    check::<Login>("portal", "login");
    shows::<Live>("portal", "login");
    shows::<Ended>("portal", "login");
    shows::<Refused>("portal", "login");
    shows::<RetryState>("portal", "login");
    shows::<RefusedKey>("portal", "login");
    shows::<Task>("portal", "login");
    shows::<PendingLogout>("portal", "login");
    shows::<PendingSync>("portal", "login");
    shows::<LastFailure>("portal", "login");
    shows::<Saved>("portal", "login");
    shows::<Person>("portal", "login");
    shows::<OpenBrowser>("portal", "login");
    shows::<super::events::Outbox>("portal", "login");
    shows::<super::events::Event>("portal", "login");
    check::<Work>("portal", "work");
    check::<Reached>("portal", "reached");
}

/// What lies sealed beside it, in part.
#[test]
fn credentials_wizards_and_cookies() {
    check::<Credentials>("portal", "credentials");
    check::<Wizard>("portal", "wizard");
    check::<Seat>("portal", "seat");
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
        totp_secret: None,
    };
    assert_eq!(identity::names(&vault, EMODAL, &credentials), section("portal", "names of logins"));
}

//! What users and service keys store and say must not change: see `tests/pins/support.rs`.

#[path = "../../../tests/pins/support.rs"]
mod support;

use super::index::{self, AddKeyReply, AdminReply, ClaimReply, RegisterReply, ServiceKeys, Users};
use super::password::{self, HashParams, Verdict};
use super::service_key::{PresentedKey, Scope, ServiceKey};
use super::{
    Activity, Admit, AdmitIfFree, AdmitKnowing, AdmitReply, AffectedSessions, AtLimit, Attempt, AttemptDone,
    AttemptReply, ChangePassword, ChangePasswordReply, CheckPassword, CheckPasswordReply, Close, Create,
    CreateReply, Displaced, Done, End, EndReply, Ending, EndingReply, Envelope, ForNobody, Found, Get,
    GetDataReply, GetReply, Login, LoginReply, NotedAdmin, Opened, OpenedReply, Profile, PutData,
    PutDataReply, ReadData, Refused, RemoveUser, RequireNewPassword, Reserve, ReserveReply, Reserved, Slot,
    Synced, Task, Throttled, Unlock, Update, UpdateReply, User,
};
use base::clock::Timestamp;
use base::rpc::Command as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use support::{check, line, section, shows};

const NOW: Timestamp = Timestamp::from_millis(1_763_719_200_123);

#[test]
fn commands() {
    check::<Envelope>("directory", "command");
    for members in [
        shows::<Login>,
        shows::<Reserve>,
        shows::<Admit>,
        shows::<Opened>,
        shows::<Close>,
        shows::<Ending>,
        shows::<Synced>,
        shows::<End>,
        shows::<Create>,
        shows::<Update>,
        shows::<RemoveUser>,
        shows::<ReadData>,
        shows::<PutData>,
        shows::<ChangePassword>,
        shows::<CheckPassword>,
        shows::<RequireNewPassword>,
        shows::<Unlock>,
        shows::<Attempt>,
        shows::<AttemptDone>,
        shows::<ForNobody>,
        shows::<NotedAdmin>,
        shows::<Activity>,
        shows::<Found>,
    ] {
        members("directory", "command");
    }
    check::<index::Envelope>("directory", "index command");
    for members in [
        shows::<index::Register>,
        shows::<index::SetAdmin>,
        shows::<index::ClaimReset>,
        shows::<index::HashCost>,
        shows::<index::Remove>,
        shows::<index::Name>,
        shows::<index::Find>,
        shows::<index::List>,
    ] {
        members("directory", "index command");
    }
}

/// What is sent is what is read.
#[test]
fn commands_are_sent_in_their_envelopes() {
    for line in section("directory", "command") {
        let Ok(envelope) = serde_json::from_str::<Envelope>(line) else { continue };
        let text = match &envelope {
            Envelope::Login(command) => command.to_json(),
            Envelope::Reserve(command) => command.to_json(),
            Envelope::Admit(Admit { account, session_id, activity, replaces, confirms: true })
                if activity.is_empty() =>
            {
                let (account, session_id, replaces) = (account.clone(), session_id.clone(), replaces.clone());
                AdmitIfFree { account, session_id, replaces }.to_json()
            }
            Envelope::Admit(command) => AdmitKnowing(command.clone()).to_json(),
            Envelope::Close(command) => command.to_json(),
            Envelope::Ending(command) => command.to_json(),
            Envelope::Synced(command) => command.to_json(),
            Envelope::End(command) => command.to_json(),
            Envelope::Create(command) => command.to_json(),
            Envelope::Update(command) => command.to_json(),
            Envelope::Opened(command) => command.to_json(),
            Envelope::RemoveUser(command) => command.to_json(),
            Envelope::ReadData(command) => command.to_json(),
            Envelope::Get => Get.to_json(),
            // Only the first release sends them.
            Envelope::Remove | Envelope::GetData => continue,
            Envelope::PutData(command) => command.to_json(),
            Envelope::ChangePassword(command) => command.to_json(),
            Envelope::CheckPassword(command) => command.to_json(),
            Envelope::RequireNewPassword(command) => command.to_json(),
            Envelope::Unlock(command) => command.to_json(),
            Envelope::Attempt(command) => command.to_json(),
            Envelope::AttemptDone(command) => command.to_json(),
            Envelope::NotedAdmin(command) => command.to_json(),
        };
        assert_eq!(text.unwrap(), serde_json::to_string(&envelope).unwrap());
    }
    for line in section("directory", "index command") {
        let envelope = serde_json::from_str::<index::Envelope>(line).unwrap();
        let text = match &envelope {
            index::Envelope::Register(command) => command.to_json(),
            index::Envelope::SetAdmin(command) => command.to_json(),
            index::Envelope::Remove(command) => command.to_json(),
            index::Envelope::Name(command) => command.to_json(),
            index::Envelope::Find(command) => command.to_json(),
            index::Envelope::List(command) => command.to_json(),
            index::Envelope::AddKey(command) => command.to_json(),
            index::Envelope::Key(command) => command.to_json(),
            index::Envelope::Keys => index::Keys.to_json(),
            index::Envelope::KeyIds => index::KeyIds.to_json(),
            index::Envelope::HashCost(command) => command.to_json(),
            index::Envelope::RevokeKey(command) => command.to_json(),
            index::Envelope::ReplaceKey(command) => command.to_json(),
            index::Envelope::ClaimReset(command) => command.to_json(),
            index::Envelope::KeyUsed(command) => command.to_json(),
        };
        assert_eq!(text.unwrap(), line);
    }
}

/// Each text is a reply to at least one command, and whoever reads it prints it as it stands there.
#[test]
fn replies() {
    check_replies(
        "reply",
        &[
            reread::<LoginReply>,
            reread::<ReserveReply>,
            reread::<AdmitReply>,
            reread::<OpenedReply>,
            reread::<Done>,
            reread::<EndingReply>,
            reread::<EndReply>,
            reread::<CreateReply>,
            reread::<UpdateReply>,
            reread::<GetReply>,
            reread::<GetDataReply>,
            reread::<PutDataReply>,
            reread::<ChangePasswordReply>,
            reread::<CheckPasswordReply>,
            reread::<AttemptReply>,
        ],
    );
    for members in [
        shows::<LoginReply>,
        shows::<ReserveReply>,
        shows::<AdmitReply>,
        shows::<OpenedReply>,
        shows::<Displaced>,
        shows::<Done>,
        shows::<EndingReply>,
        shows::<EndReply>,
        shows::<CreateReply>,
        shows::<UpdateReply>,
        shows::<GetReply>,
        shows::<GetDataReply>,
        shows::<PutDataReply>,
        shows::<ChangePasswordReply>,
        shows::<CheckPasswordReply>,
        shows::<AttemptReply>,
        shows::<Reserved>,
        shows::<AtLimit>,
        shows::<Refused>,
        shows::<Throttled>,
        shows::<AffectedSessions>,
        shows::<Profile>,
        shows::<Task>,
    ] {
        members("directory", "reply");
    }
    check_replies(
        "index reply",
        &[
            reread::<RegisterReply>,
            reread::<AdminReply>,
            reread::<ClaimReply>,
            reread::<Users>,
            reread::<AddKeyReply>,
            reread::<ServiceKeys>,
            reread::<index::ServiceKeyIds>,
            reread::<HashParams>,
        ],
    );
    for members in [
        shows::<RegisterReply>,
        shows::<AdminReply>,
        shows::<ClaimReply>,
        shows::<Users>,
        shows::<AddKeyReply>,
        shows::<ServiceKeys>,
        shows::<index::ServiceKeyIds>,
        shows::<HashParams>,
        shows::<index::Entry>,
    ] {
        members("directory", "index reply");
    }
}

/// An earlier release had a name for it and no case in which it came.
const NEVER_SENT: (&str, &str) = ("index reply", "\"no_user\"");

fn reread<T: Serialize + DeserializeOwned>(text: &str) -> Option<String> {
    serde_json::from_str::<T>(text).ok().map(|value| serde_json::to_string(&value).unwrap())
}

fn check_replies(name: &str, readers: &[fn(&str) -> Option<String>]) {
    let mut lines = section("directory", name).into_iter().filter(|line| (name, *line) != NEVER_SENT);
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
fn the_stored_user() {
    check::<User>("directory", "user");
    shows::<super::state::Stored>("directory", "user");
    shows::<Slot>("directory", "user");
    shows::<super::state::Removed>("directory", "user");
    shows::<super::state::Pending>("directory", "user");
    shows::<super::state::AdminSync>("directory", "user");
    shows::<super::state::Change>("directory", "user");
    shows::<super::state::Unrecorded>("directory", "user");
    shows::<Task>("directory", "user");
    shows::<super::Throttle>("directory", "user");
    shows::<super::Attempts>("directory", "user");
}

#[test]
fn service_keys() {
    check::<ServiceKey>("directory", "service key");
    let scopes = [Scope::TokensRead, Scope::TokensWrite, Scope::Portal, Scope::Introspect];
    let (kept, shown) = ServiceKey::new(7, &[1; 32], "a service".to_owned(), &scopes, None, NOW);
    assert_eq!(serde_json::to_string(&kept).unwrap(), line("directory", "service key of ones"));
    assert_eq!(shown.expose(), line("directory", "service key as shown"));
    assert!(
        PresentedKey::parse(line("directory", "service key as shown"))
            .is_some_and(|key| kept.admits(&key, NOW))
    );
}

#[test]
fn password_hashes() {
    let params = HashParams { memory_kib: 64, iterations: 1 };
    let stored = line("directory", "password of ones");
    assert_eq!(password::hash("correct horse", params, [1; 16]).as_deref(), Some(stored));
    assert_eq!(password::verify("correct horse", stored, params, params), Verdict::Match);
}

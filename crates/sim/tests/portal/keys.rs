//! Sealing keys that change: a login is found under its old name, and what is stored is sealed anew.

use super::play::{Play, credentials, get_of, secs};
use base::ids::PortalId;
use base::rpc::Class;
use base::secret::Secret;
use portal::registry::{FindByAlias, FindByAliasReply, KeyUsage, KeyUsageReply};
use portal::{Credentials, GetReply, LookReply, RunReply, identity};

const OLD: &str = "k1:sealing-key-of-the-simulation-0123456789abcdef";
const NEW: &str = "k2:another-key-of-the-simulation-0123456789abcdef";

fn names(play: &Play) -> Vec<String> {
    identity::names(&play.app().vault, portal::EMODAL, &credentials("driver", "ck"))
}

fn get(play: &Play, name: &str) -> GetReply {
    let get = get_of(credentials("driver", "ck"), true);
    play.tell(name, get)
}

fn usage(play: &Play) -> Vec<(String, u64)> {
    let KeyUsageReply::Kids(kids) = play.world.send(&portal::registry_address(), &KeyUsage).unwrap();
    kids.into_iter().collect()
}

#[test]
fn a_session_begun_under_the_key_before_goes_on_under_its_old_name() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let old = play.name.clone();
    play.alone.set(false);
    play.world.deploy(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    let new = names(&play).remove(0);
    assert_ne!(new, old);
    // Whoever comes by the new name is told where it is, and nothing is left of having asked there.
    assert_eq!(get(&play, &new), GetReply::Moved(old.clone()));
    assert!(play.world.rows(Class::Portal, &new).is_empty());
    let GetReply::Session(session) = get(&play, &old) else { panic!() };
    assert_eq!((session.live.session_id, session.is_new), (id.clone(), false));
    let run = portal::Run {
        session_id: None,
        credentials: Some(credentials("driver", "ck")),
        ..Play::run_command(&PortalId::issued(""), "get_containers", &serde_json::json!({}))
    };
    assert_eq!(play.tell(&new, run), RunReply::Moved(old.clone()));
    assert_eq!((play.site.logins(), usage(&play)), (1, vec![("k1".to_owned(), 1)]));
    // The Cron Trigger has it sealed anew; then the old key can go, and it is still found.
    assert_eq!(play.tell(&old, portal::Look), LookReply::Looked);
    assert_eq!(usage(&play), [("k2".to_owned(), 1)]);
    let sealed = ["credentials", "jar"].map(|row| play.world.rows(Class::Portal, &old)[row].clone());
    assert!(sealed.iter().all(|text| text.starts_with("k2.")), "{sealed:?}");
    play.world.deploy(&[("SEALING_KEYS", NEW)]);
    assert_eq!(get(&play, &new), GetReply::Moved(old.clone()));
    let GetReply::Session(session) = get(&play, &old) else { panic!() };
    assert_eq!((session.live.session_id, play.site.logins()), (id.clone(), 1));
    let find = FindByAlias { names: names(&play), excluding: new.clone(), usernames: vec![] };
    let found = play.world.send(&portal::registry_address(), &find).unwrap();
    assert!(matches!(found, FindByAliasReply::Found(place) if place.session_id == id));
    // Once it is over, the next begins under the new name: the old one says so.
    let close = Play::close_command(&id, portal::End::Closed);
    play.tell(&old, close);
    assert!(matches!(get(&play, &old), GetReply::Unknown | GetReply::Moved(_)));
    assert!(matches!(get(&play, &new), GetReply::Session(session) if session.is_new));
    assert_eq!(play.listed().len(), 1);
}

#[test]
fn a_session_is_never_begun_under_an_older_name() {
    let play = Play::new(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    play.alone.set(false);
    let all = names(&play);
    assert_eq!(get(&play, &all[1]), GetReply::Moved(all[0].clone()));
    assert_eq!(play.site.calls(), 0);
    assert!(play.world.rows(Class::Portal, &all[1]).is_empty());
}

#[test]
fn where_the_registry_cannot_be_asked_there_is_no_login() {
    let play = Play::new(&[]);
    play.world.register::<Broken>(Class::PortalRegistry);
    let refusal = play.get_refused(true);
    assert_eq!((refusal.code, play.site.calls()), (portal::Code::Interrupted, 0));
    play.run_for(secs(60));
    assert_eq!(play.site.calls(), 0);
}

/// A registry that is down.
#[derive(Clone)]
pub struct Broken;

impl engine::host::DurableObject<sim::SimHost> for Broken {
    fn new(_: sim::SimHost) -> Self {
        Self
    }
}

#[test]
fn an_end_is_told_when_the_registry_is_back() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<Broken>(Class::PortalRegistry);
    let closing = play.start(play.name.clone(), Play::close_command(&id, portal::End::Closed));
    assert_eq!(play.wait(&closing), None, "it cannot be told");
    assert!(play.login().session.is_none() && play.login().pending_sync.is_some());
    play.run_for(secs(90));
    assert!(play.login().pending_sync.is_some());
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<engine::portal_registry::PortalRegistry<sim::SimHost>>(Class::PortalRegistry);
    play.run_for(secs(40));
    assert!(play.listed().is_empty() && play.login().pending_sync.is_none());
    assert_eq!(play.find(&id), portal::registry::FindReply::Ended(portal::End::Closed));
}

#[test]
fn an_old_name_serves_nobody_but_those_whose_session_it_has() {
    let play = Play::new(&[]);
    play.get(true);
    let old = play.name.clone();
    play.alone.set(false);
    play.world.deploy(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    play.tell(&old, portal::Look);
    play.world.deploy(&[("SEALING_KEYS", NEW)]);
    let good = credentials("driver", "ck");
    let others = [
        Credentials { username: "driver1".to_owned(), ..good.clone() },
        Credentials { password: Secret::new("driver1-pass"), ..good },
    ];
    for credentials in others {
        let get = get_of(credentials, true);
        assert_eq!(play.tell(&old, get), GetReply::Unknown);
    }
    assert!(matches!(get(&play, &old), GetReply::Session(session) if !session.is_new));
}

/// An operation has sealed the cookies under the new key; the credentials lie under the old one.
#[test]
fn a_key_is_in_use_for_as_long_as_anything_lies_sealed_under_it() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.alone.set(false);
    play.world.deploy(&[("SEALING_KEYS", &format!("{NEW},{OLD}"))]);
    play.tell(&play.name, Play::run_command(&id, "get_containers", &serde_json::json!({})));
    let rows = play.world.rows(Class::Portal, &play.name);
    assert!(rows["jar"].starts_with("k2.") && rows["credentials"].starts_with("k1."));
    play.world.advance(secs(2));
    assert!(matches!(get(&play, &play.name), GetReply::Session(_)));
    assert_eq!(usage(&play), [("k1".to_owned(), 1)]);
}

#[test]
fn where_the_registry_cannot_be_asked_that_is_tried_once_for_all_who_wait() {
    let play = Play::new(&[]);
    play.world.register::<Broken>(Class::PortalRegistry);
    let waiting = ["ck", "other"].map(|key| play.start_get(credentials("driver", key), true));
    for get in &waiting {
        let Some(GetReply::Refused(refusal)) = play.wait(get) else { panic!() };
        assert_eq!(refusal.code, portal::Code::Interrupted);
    }
    let logs = play.world.logs();
    assert_eq!(logs.iter().filter(|line| line.text.contains("portal registry")).count(), 1);
}

//! The directory: its SQL is the real one, on the database that the platform has.

use super::support::*;
use base::clock::Timestamp;
use base::ids::{ServiceKeyId, UserId};
use base::ports::Clock as _;
use base::rpc::{Class, Command};
use directory::index::{
    AddKey, AddKeyReply, AdminReply, Entry, Key, Keys, List, Name, Register, RegisterReply, Remove,
    RevokeKey, SetAdmin,
};
use directory::service_key::{Scope, ServiceKey};
use directory::{DirectoryObject, directory_address};
use sim::World;
use std::time::Duration;

fn ask<C>(world: &World, command: C) -> C::Reply
where
    C: Command<Object = DirectoryObject> + Clone + 'static,
    C::Reply: 'static,
{
    world.send(&directory_address(), &command).unwrap()
}

fn register(world: &World, username: &str) -> UserId {
    let register = Register { username: username.into(), admin: false, bootstrap: false };
    match ask(world, register) {
        RegisterReply::Id(id) => id,
        RegisterReply::AdminExists => panic!("that is asked by the bootstrap key only"),
    }
}

fn set_admin(world: &World, username: &str, admin: bool) -> AdminReply {
    // As a Worker of the release before does.
    let (user_id, account_version, asks) = (None, None, false);
    ask(world, SetAdmin { username: username.into(), admin, user_id, account_version, asks })
}

fn remove(world: &World, username: &str) -> AdminReply {
    ask(world, Remove { username: username.into(), user_id: None })
}

fn bootstrap(world: &World, username: &str) -> RegisterReply {
    ask(world, Register { username: username.into(), admin: true, bootstrap: true })
}

fn id(number: u64) -> UserId {
    UserId::issued(number)
}

fn names(world: &World, after: UserId, limit: u32) -> Vec<(UserId, String)> {
    let users = ask(world, List { after, limit }).users;
    users.into_iter().map(|Entry { id, username }| (id, username)).collect()
}

fn key(number: u64, name: &str, expires_at: Option<Timestamp>, now: Timestamp) -> ServiceKey {
    ServiceKey::new(number, &[1; 32], name.to_owned(), &[Scope::Portal], expires_at, now).0
}

#[test]
fn a_name_has_one_id_and_no_id_comes_back() {
    let world = world(&[]);
    assert_eq!((register(&world, "a"), register(&world, "b"), register(&world, "a")), (id(1), id(2), id(1)));
    assert_eq!(ask(&world, Name { user_id: id(2) }).users, [Entry { id: id(2), username: "b".into() }]);
    assert_eq!(remove(&world, "b"), AdminReply::Done);
    assert_eq!(remove(&world, "b"), AdminReply::Done, "it may be asked twice");
    world.restart();
    assert_eq!(register(&world, "b"), id(3));
    assert!(ask(&world, Name { user_id: id(2) }).users.is_empty());
    for no_id in [0, 4, u64::MAX, 1 << 53] {
        assert!(ask(&world, Name { user_id: id(no_id) }).users.is_empty());
    }
}

#[test]
fn the_bootstrap_key_works_until_there_is_an_admin_and_for_that_one_again() {
    let world = world(&[]);
    assert_eq!(bootstrap(&world, "root"), RegisterReply::Id(id(1)));
    assert_eq!(bootstrap(&world, "root"), RegisterReply::Id(id(1)), "the answer was lost");
    assert_eq!(bootstrap(&world, "other"), RegisterReply::AdminExists);
    assert_eq!(names(&world, id(0), 9), [(id(1), "root".into())], "who is refused is not registered");
    // Somebody who is no admin closes nothing.
    let second = super::support::world(&[]);
    register(&second, "a");
    assert_eq!(bootstrap(&second, "b"), RegisterReply::Id(id(2)));
}

#[test]
fn somebody_is_always_an_admin() {
    let world = world(&[]);
    bootstrap(&world, "a");
    register(&world, "b");
    assert_eq!(set_admin(&world, "a", false), AdminReply::LastAdmin);
    assert_eq!(remove(&world, "a"), AdminReply::LastAdmin);
    assert_eq!(set_admin(&world, "b", false), AdminReply::Done, "who is none can be none");
    assert_eq!(set_admin(&world, "b", true), AdminReply::Done);
    assert_eq!(set_admin(&world, "a", false), AdminReply::Done);
    assert_eq!(remove(&world, "b"), AdminReply::LastAdmin);
    assert_eq!(remove(&world, "a"), AdminReply::Done);
    assert_eq!(set_admin(&world, "nobody", true), AdminReply::Done);
    assert_eq!(remove(&world, "b"), AdminReply::LastAdmin, "a name that is not there is no admin");
}

#[test]
fn a_list_has_pages_and_a_name_is_only_a_name() {
    let world = world(&[]);
    let odd = ["a'; DROP TABLE users; --", "\u{e9}\u{1f510}", "%", "a?", ""];
    for name in odd {
        register(&world, name);
    }
    let all: Vec<(UserId, String)> = (1..).map(id).zip(odd.map(str::to_owned)).collect();
    assert_eq!(names(&world, id(0), 100), all);
    assert_eq!(names(&world, id(0), 2), all[..2]);
    assert_eq!(names(&world, id(2), 2), all[2..4]);
    assert_eq!(names(&world, id(4), 2), all[4..]);
    assert!(names(&world, id(5), 2).is_empty() && names(&world, id(0), 0).is_empty());
    assert!(names(&world, id(u64::MAX), 2).is_empty());
    remove(&world, odd[1]);
    assert_eq!(names(&world, id(0), 2), [all[0].clone(), all[2].clone()]);
}

#[test]
fn a_key_is_kept_once_found_by_its_id_and_revoked_once() {
    let world = world(&[]);
    let now = world.host().now();
    let (one, two) = (key(1, "one", None, now), key(2, "two", Some(now.plus(Duration::from_secs(5))), now));
    for _ in 0..2 {
        assert_eq!(ask(&world, AddKey(one.clone())), AddKeyReply::Done);
    }
    // An id that is taken stays with who has it.
    ask(&world, AddKey(ServiceKey { name: "thief".into(), ..one.clone() }));
    world.advance(MS);
    ask(&world, AddKey(two.clone()));
    assert_eq!(ask(&world, Key(one.id.clone())).keys, std::slice::from_ref(&one));
    assert!(ask(&world, Key(ServiceKeyId::issued("0123456789ab"))).keys.is_empty());
    assert_eq!(ask(&world, Keys).keys, [one.clone(), two.clone()]);
    let revoked = ask(&world, RevokeKey(one.id.clone())).keys;
    let at = world.host().now();
    assert_eq!(revoked, [ServiceKey { revoked_at: Some(at), ..one.clone() }]);
    world.advance(Duration::from_secs(9));
    assert_eq!(ask(&world, RevokeKey(one.id.clone())).keys, revoked, "it was revoked before");
    assert!(ask(&world, RevokeKey(ServiceKeyId::issued("0123456789ab"))).keys.is_empty());
    // What is not good any more is listed for a while.
    assert_eq!(ask(&world, Keys).keys.len(), 2);
    world.advance(Duration::from_hours(30 * 24).saturating_sub(Duration::from_secs(5)));
    assert_eq!(ask(&world, Keys).keys.len(), 1, "the one that expired a little later");
    world.advance(Duration::from_secs(5));
    assert!(ask(&world, Keys).keys.is_empty());
}

#[test]
fn a_thousand_keys_may_be_good_and_a_thousand_more_are_listed() {
    let world = world(&[]);
    let now = world.host().now();
    for number in 0..1000 {
        assert_eq!(ask(&world, AddKey(key(number, "k", None, now))), AddKeyReply::Done);
    }
    assert_eq!(ask(&world, AddKey(key(1000, "k", None, now))), AddKeyReply::TooManyKeys);
    assert_eq!(ask(&world, AddKey(key(0, "k", None, now))), AddKeyReply::Done, "it is there already");
    for number in 0..1000 {
        let id = key(number, "k", None, now).id;
        world.advance(MS);
        ask(&world, RevokeKey(id));
    }
    // Revoked keys take no place, and of those that ended only the latest are kept.
    for number in 1000..1010 {
        assert_eq!(ask(&world, AddKey(key(number, "k", None, now))), AddKeyReply::Done);
        ask(&world, RevokeKey(key(number, "k", None, now).id));
    }
    let keys = ask(&world, Keys).keys;
    assert_eq!(keys.len(), 1000);
    assert!(keys.iter().all(|k| k.id != key(3, "k", None, now).id), "the first that ended are gone");
    let rows = world.sql(Class::Directory, "directory", "SELECT count(*) AS n FROM service_keys");
    assert_eq!(rows[0]["n"], 1000);
}

#[test]
fn a_batch_that_was_not_durable_is_gone_as_a_whole() {
    let world = world(&[]);
    register(&world, "a");
    world.weather().rough(sim::weather::Odds { flush: 1000, ..sim::weather::Odds::default() });
    let (host, command) = (world.host(), Register { username: "b".into(), admin: false, bootstrap: false });
    world.spawn(async move {
        let json = command.to_json().unwrap();
        let name = base::rpc::Name::Name("directory".into());
        let reply =
            base::rpc::Peers::attempt(&host, Class::Directory, &name, base::rpc::Method::Command, &json)
                .await;
        assert!(reply.is_err());
    });
    world.settle();
    world.kill(Class::Directory, "directory");
    world.settle();
    world.weather().clear();
    assert_eq!(names(&world, id(0), 9), [(id(1), "a".into())]);
    assert_eq!(register(&world, "c"), id(2));
}

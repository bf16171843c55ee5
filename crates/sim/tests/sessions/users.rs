//! The object of a user: passwords, throttling, the document, and what its alarm does when nobody else has.

use super::support::*;
use base::account::{EndReason, Owner};
use base::clock::Timestamp;
use base::ids::{SessionId, UserId};
use base::ports::Clock as _;
use base::rpc::Class;
use base::secret::Secret;
use directory::{
    AdmitIfFree, AdmitIfFreeReply, Close, Done, End, Get, GetDataReply, GetReply, LoginReply, NewPassword,
    Opened, OpenedReply, PutData, PutDataReply, ReadData, RemoveUser, Task, Update, UpdateReply,
};
use session::{EndPropagated, OpenReply, State};
use sim::World;
use sim::weather::Odds;
use std::time::Duration;

fn somebody() -> World {
    let world = world(&[]);
    create_asha(&world);
    world
}

fn alarm(world: &World) -> Option<Timestamp> {
    world.alarm(Class::User, ASHA_OBJECT)
}

fn change() -> Update {
    Update::default()
}

fn remove_user() -> RemoveUser {
    RemoveUser { user_id: UserId::issued(7) }
}

fn read_data() -> ReadData {
    ReadData { user_id: UserId::issued(7) }
}

fn reason(world: &World, id: &SessionId) -> Option<EndReason> {
    match stored(world, id) {
        Some(State::Ended(tombstone)) => Some(tombstone.reason),
        _ => None,
    }
}

#[test]
fn a_password_is_kept_as_a_hash_and_every_guess_counts() {
    let world = somebody();
    let row = world.rows(Class::User, ASHA_OBJECT)["user"].clone();
    assert!(row.contains("$argon2id$") && !row.contains(PASSWORD));
    let id = fresh_id(&world);
    let mut refused = 0;
    loop {
        match login(&world, &id, "wrong horse") {
            LoginReply::Refused(reply) => assert_eq!(reply.user_id, Some(UserId::issued(7))),
            LoginReply::Throttled(reply) => {
                assert!(reply.retry_after_ms > 0 && reply.user_id == Some(UserId::issued(7)));
                break;
            }
            other => panic!("{other:?}"),
        }
        refused += 1;
        world.evict(Class::User, ASHA_OBJECT);
    }
    assert_eq!(refused, 10, "LOGIN_MAX_FAILURES");
    // Nobody looks at the password now, right as it is, and this try is not counted.
    let before = world.rows(Class::User, ASHA_OBJECT);
    assert!(matches!(login(&world, &id, PASSWORD), LoginReply::Throttled(_)));
    assert_eq!(world.rows(Class::User, ASHA_OBJECT), before);
    world.advance(Duration::from_secs(1));
    assert!(matches!(login(&world, &id, PASSWORD), LoginReply::Reserved(_)));
}

#[test]
fn guesses_at_once_do_not_get_past_the_limit() {
    let world = somebody();
    let id = fresh_id(&world);
    let command = directory::Login {
        password: Secret::new("wrong horse"),
        address: "net".into(),
        session_id: id,
        replaces: None,
        device: None,
        nobody: None,
        refusal: None,
        confirms: true,
    };
    let json = base::rpc::Command::to_json(&command).unwrap();
    let heard: Vec<Heard> = (0..50)
        .map(|_| {
            let (host, json, slot) = (world.host(), json.clone(), Heard::default());
            let filled = slot.clone();
            world.spawn(async move {
                let name = base::rpc::Name::Name(ASHA_OBJECT.into());
                let reply =
                    base::rpc::Peers::attempt(&host, Class::User, &name, base::rpc::Method::Command, &json)
                        .await;
                *filled.borrow_mut() = Some(reply);
            });
            slot
        })
        .collect();
    world.settle();
    let replies = heard.iter().map(|slot| slot.borrow_mut().take().unwrap().unwrap());
    let looked_at = replies.filter(|text| text.contains("refused")).count();
    assert_eq!(looked_at, 10);
}

#[test]
fn a_name_that_was_only_tried_leaves_nothing() {
    let world = world(&[]);
    assert!(
        matches!(login(&world, &fresh_id(&world), PASSWORD), LoginReply::Refused(r) if r.user_id.is_none())
    );
    assert!(world.rows(Class::User, ASHA_OBJECT).is_empty());
    assert_eq!(alarm(&world), None);
    assert_eq!(user(&world, ASHA, Get), GetReply::NoUser);
    assert!(world.rows(Class::User, ASHA_OBJECT).is_empty(), "asking leaves nothing behind");
}

#[test]
fn a_hash_of_other_parameters_is_replaced_at_login() {
    let world = somebody();
    let mut kept = stored_user(&world);
    let other = directory::HashParams { memory_kib: 16, iterations: 1 };
    let old = directory::password::hash(PASSWORD, other, [3; 16]).unwrap();
    kept.profile.as_mut().unwrap().password.clone_from(&old);
    world.put_row(Class::User, ASHA_OBJECT, "user", &serde_json::to_string(&kept).unwrap());
    logged_in(&world);
    let new = stored_user(&world).profile.unwrap().password;
    assert_ne!(new, old);
    assert!(matches!(login(&world, &fresh_id(&world), PASSWORD), LoginReply::Reserved(_)));
    assert_eq!(stored_user(&world).profile.unwrap().password, new, "and then it stays");
}

#[test]
fn two_hashes_of_one_password_have_their_own_salts() {
    let world = somebody();
    let first = stored_user(&world).profile.unwrap().password;
    updated(&world, Update { password: Some(NewPassword(Secret::new(PASSWORD))), ..change() });
    assert_ne!(stored_user(&world).profile.unwrap().password, first);
}

#[test]
fn a_place_whose_session_is_live_is_kept_and_one_that_was_never_opened_is_freed() {
    let world = somebody();
    let (live, _) = logged_in(&world);
    let unopened = fresh_id(&world);
    assert!(matches!(login(&world, &unopened, PASSWORD), LoginReply::Reserved(_)));
    assert_eq!(stored_user(&world).slots.len(), 2);
    world.advance(Duration::from_secs(30));
    let slots = stored_user(&world).slots;
    assert_eq!(slots.len(), 1);
    assert_eq!((slots[0].session_id.as_str(), slots[0].reserved_until), (live.as_str(), None));
    assert_eq!(
        reason(&world, &unopened),
        Some(EndReason::Evicted),
        "an opening that comes later opens nothing"
    );
    assert!(matches!(tell(&world, &unopened, open_command(asha())), OpenReply::Ended(_)));
    // An alarm that was set in case this one had failed comes once more, and finds nothing to do.
    world.advance(Duration::from_secs(10).saturating_sub(MS));
    assert!(alarm(&world).is_some());
    world.advance(MS);
    // Nobody has said that the session was opened, and so nobody that KV has its record.
    assert!(world.kv().contains_key(&format!("session:{live}")));
    world.advance(Duration::from_secs(30));
    assert_eq!(alarm(&world), None);
}

#[test]
fn what_an_admin_decided_and_did_not_finish_is_done_by_the_alarm() {
    let cases = [
        (Update { is_active: Some(false), ..change() }, EndReason::Disabled),
        (
            Update { password: Some(NewPassword(Secret::new("battery staple"))), ..change() },
            EndReason::Password,
        ),
    ];
    for (update, why) in cases {
        let world = somebody();
        let ids = [logged_in(&world).0, logged_in(&world).0];
        let reply = updated(&world, update);
        assert_eq!((reply.sessions.len(), reply.task), (2, Some(Task::End(why))));
        assert!(stored_user(&world).slots.is_empty());
        world.advance(Duration::from_secs(9));
        assert!(ids.iter().all(|id| reason(&world, id).is_none()), "whoever decided has a while to do it");
        world.advance(Duration::from_secs(1));
        assert!(ids.iter().all(|id| reason(&world, id) == Some(why)));
        assert!(stored_user(&world).pending.is_empty());
        assert!(ids.iter().all(|id| noted(&world, id).as_deref() == Some(why.as_str())));
    }
}

#[test]
fn new_roles_reach_the_sessions_by_the_alarm_and_only_once() {
    let world = somebody();
    let (id, _) = logged_in(&world);
    let roles = vec!["user".to_owned(), "admin".to_owned()];
    let reply = updated(&world, Update { roles: Some(roles.clone()), ..change() });
    assert_eq!(reply.task, Some(Task::Sync));
    assert_eq!(peek(&world, &id).account.roles, ["user"]);
    world.advance(Duration::from_secs(10));
    assert_eq!(peek(&world, &id).account.roles, roles);
    assert!(stored_user(&world).pending.is_empty());
    let row = world.rows(Class::Session, id.as_str());
    world.advance(Duration::from_secs(45));
    assert_eq!(world.rows(Class::Session, id.as_str()), row);
}

#[test]
fn work_that_fails_is_done_again() {
    let world =
        world(&[("SESSION_INACTIVITY_TIMEOUT_SECONDS", "300"), ("ACCESS_TOKEN_EXPIRE_SECONDS", "300")]);
    create_asha(&world);
    let (id, _) = logged_in(&world);
    updated(&world, Update { is_active: Some(false), ..change() });
    world.weather().rough(Odds { lost: 1000, ..Odds::default() });
    world.advance(Duration::from_secs(40));
    assert_eq!(stored_user(&world).pending.len(), 1);
    assert!(world.take_logs().iter().any(|line| line.text.contains("user alarm work")));
    // From here on it is the session's own alarm that KV has to be there for.
    world.weather().rough(Odds { kv_down: 1000, ..Odds::default() });
    world.advance(Duration::from_secs(40));
    assert_eq!(reason(&world, &id), Some(EndReason::Disabled));
    assert!(stored_user(&world).pending.is_empty());
    assert!(world.take_logs().iter().any(|line| line.text.contains("settling an end")));
    world.weather().clear();
    world.advance(Duration::from_mins(1));
    assert_eq!(noted(&world, &id).as_deref(), Some("disabled"));
}

#[test]
fn killed_in_the_middle_of_its_alarm_it_begins_again() {
    let world = somebody();
    let ids = [logged_in(&world).0, logged_in(&world).0];
    updated(&world, Update { is_active: Some(false), ..change() });
    world.weather().rough(Odds { kill: 300, slow: 500, flush: 300, ..Odds::default() });
    world.advance(Duration::from_mins(2));
    world.weather().clear();
    if alarm(&world).is_none() {
        // The platform has dropped an alarm that failed too often; whatever happens next sets it again.
        user(&world, ASHA, Close { session_id: SessionId::issued("another") });
        user(
            &world,
            ASHA,
            End {
                only: None,
                keep: None,
                reason: EndReason::Admin,
                user_id: None,
                change_id: None,
                among: None,
            },
        );
    }
    world.advance(Duration::from_mins(2));
    assert!(ids.iter().all(|id| reason(&world, id) == Some(EndReason::Disabled)));
    assert!(stored_user(&world).pending.is_empty());
}

#[test]
fn a_session_id_of_nobody_is_closed_and_nobody_is_asked() {
    let world = somebody();
    let mut kept = stored_user(&world);
    let slot = |session_id: String| directory::Slot {
        session_id: SessionId::issued(session_id),
        created_at: world.host().now(),
        expires_at: world.host().now().plus(POLICY.absolute),
        reserved_until: Some(world.host().now()),
        evicts: Vec::new(),
        replaces: None,
        active_at: None,
    };
    // As an object of another namespace would be called.
    kept.slots = vec![slot("f".repeat(64))];
    world.put_row(Class::User, ASHA_OBJECT, "user", &serde_json::to_string(&kept).unwrap());
    user(
        &world,
        ASHA,
        End {
            only: Some(SessionId::issued("x")),
            keep: None,
            reason: EndReason::Admin,
            user_id: None,
            change_id: None,
            among: None,
        },
    );
    assert_eq!(affected(user(&world, ASHA, remove_user())).sessions, [SessionId::issued("f".repeat(64))]);
    world.advance(Duration::from_mins(10));
    assert!(world.rows(Class::User, ASHA_OBJECT).is_empty());
    assert!(world.take_logs().iter().all(|line| !line.error));
}

#[test]
fn a_removed_user_leaves_nothing_once_the_sessions_are_ended() {
    let world = somebody();
    let (id, _) = logged_in(&world);
    assert_eq!(user(&world, ASHA, PutData { json: "{\"a\":1}".into(), user_id: None }), PutDataReply::Done);
    assert_eq!(affected(user(&world, ASHA, remove_user())).sessions, std::slice::from_ref(&id));
    let rows = world.rows(Class::User, ASHA_OBJECT);
    assert!(rows.contains_key("user") && !rows.contains_key("data"));
    assert_eq!(user(&world, ASHA, read_data()), GetDataReply::NoUser);
    assert_eq!(user(&world, ASHA, PutData { json: "{}".into(), user_id: None }), PutDataReply::NoUser);
    assert_eq!(user(&world, ASHA, change()), UpdateReply::NoUser);
    world.advance(Duration::from_secs(10));
    assert_eq!(reason(&world, &id), Some(EndReason::Disabled));
    assert_eq!(stored_user(&world).removed.map(|removed| removed.user_id), Some(UserId::issued(7)));
    world.advance(Duration::from_mins(10));
    assert!(world.rows(Class::User, ASHA_OBJECT).is_empty());
    assert_eq!(alarm(&world), None);
    // The name is free again, and its document is not the old one.
    create_asha(&world);
    assert_eq!(user(&world, ASHA, read_data()), GetDataReply::Data { json: None });
}

#[test]
fn the_document_is_a_row_of_its_own() {
    let world = somebody();
    assert_eq!(user(&world, ASHA, read_data()), GetDataReply::Data { json: None });
    let before = world.rows(Class::User, ASHA_OBJECT)["user"].clone();
    user(&world, ASHA, PutData { json: "{\"a\":1}".into(), user_id: None });
    assert_eq!(world.rows(Class::User, ASHA_OBJECT)["user"], before);
    world.evict(Class::User, ASHA_OBJECT);
    assert_eq!(user(&world, ASHA, read_data()), GetDataReply::Data { json: Some("{\"a\":1}".into()) });
}

#[test]
fn with_the_last_session_of_somebody_externally_authenticated_everything_goes() {
    let world = world(&[]);
    let owner = Owner::PostLogin(SUBJECT);
    let name = owner.object();
    let id = fresh_id(&world);
    let admit = AdmitIfFree { account: customer(), session_id: id.clone(), replaces: None };
    assert!(matches!(user(&world, owner, admit), AdmitIfFreeReply::Reserved(_)));
    assert!(world.rows(Class::User, &name).is_empty(), "nothing before it is open");
    open(&world, &id, customer());
    let opened = Opened { session_id: id.clone(), account_version: 0, unrecorded: false };
    assert_eq!(user(&world, owner, opened), OpenedReply::Kept { displaced: vec![] });
    user(&world, owner, PutData { json: "{}".into(), user_id: None });
    world.advance(Duration::from_secs(49));
    assert_eq!(world.rows(Class::User, &name).len(), 2);
    world.advance(Duration::from_secs(1));
    assert_eq!(reason(&world, &id), Some(EndReason::Lifetime));
    assert!(world.rows(Class::User, &name).is_empty());
    world.advance(MS);
    assert_eq!(world.alarm(Class::User, &name), None);
    assert_eq!(user(&world, owner, Close { session_id: id.clone() }), Done::Done);
    tell(&world, &id, EndPropagated);
    assert!(world.rows(Class::User, &name).is_empty(), "to be told twice leaves nothing behind");
}

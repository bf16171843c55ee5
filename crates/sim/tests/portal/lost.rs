//! A session that the portal has ended: what its callers are told, and whom it takes to get it back.

use super::keys::Broken;
use super::play::{Play, secs};
use super::queue::until_called;
use base::rpc::Class;
use portal::{Code, End, RunReply};
use sim::fakes::portal::Down;

#[test]
fn why_the_new_login_failed_is_told_unless_that_says_no_more_than_that_it_is_over() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    play.site.state().mumbles = true;
    // What came back for the password was not understood.
    assert_eq!(play.run(&id), RunReply::Ended(End::LoggedOut));

    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    play.site.state().passwords.clear();
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::CredentialsRefused);
}

#[test]
fn that_another_one_has_ended_before_is_not_told_of_one_that_is_only_to_be_tried_later() {
    let play = Play::new(&[("PORTAL_RELOGIN", "off")]);
    let before = play.get(true).live.session_id;
    play.site.kick();
    assert_eq!(play.run(&before), RunReply::Ended(End::LoggedOut));
    play.world.deploy(&[("PORTAL_RELOGIN", "on")]);
    let id = play.get(true).live.session_id;
    play.site.kick();
    let running = play.start_run(&id);
    until_called(&play, "GET /portal/login");
    play.site.state().down = Some(Down::Unreachable);
    let Some(RunReply::Done(done)) = play.wait(&running) else { panic!() };
    assert_eq!((done.session_id, done.result.unwrap_err().code), (id.clone(), Code::Unreachable));
    assert_eq!(play.session_id(), Some(id));
}

/// Whether the account is locked, nobody can say then.
#[test]
fn where_the_registry_cannot_be_asked_it_waits_half_a_minute_and_keeps_its_id() {
    let play = Play::new(&[]);
    let id = play.get(false).live.session_id;
    play.site.kick();
    play.site.state().slow = Some(("portal/login", secs(120)));
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_err()));
    play.site.state().slow = None;
    play.run_for(secs(20));
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<Broken>(Class::PortalRegistry);
    let refusal = play.get_refused(false);
    assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::Interrupted, Some(30)));
    assert_eq!(play.site.logins(), 1);
    play.world.kill(Class::PortalRegistry, "registry");
    play.world.register::<engine::portal_registry::PortalRegistry<sim::SimHost>>(Class::PortalRegistry);
    play.run_for(secs(30));
    assert_eq!(play.get(false).live.session_id, id);
}

#[test]
fn a_keep_alive_that_finds_the_portal_down_is_no_logout() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().down = Some(Down::Error(503));
    play.run_for(secs(400));
    assert!(!play.site.state().in_vain.is_empty());
    assert_eq!(play.login().session.map(|live| (live.session_id, live.lost_since)), Some((id, None)));
    assert_eq!(play.site.count("GET /portal/login"), 1);
}

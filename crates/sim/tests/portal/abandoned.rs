//! A session that is kept alive and that nobody uses.

use super::play::{Play, secs};
use portal::{End, RunReply};
use sim::fakes::portal::Down;

const DAY: u64 = 86_400;

#[test]
fn f30_an_abandoned_session_is_not_logged_in_again_by_itself() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    // Within a day of its last use it is, each time.
    play.run_for(secs(DAY - 1000));
    play.site.kick();
    play.run_for(secs(600));
    assert_eq!((play.site.logins(), play.session_id().as_ref()), (2, Some(&id)));
    // Then it is kept alive, and nothing more.
    play.run_for(secs(3 * DAY));
    assert_eq!((play.site.logins(), play.session_id().as_ref()), (2, Some(&id)));
    play.site.kick();
    play.run_for(secs(3 * DAY));
    assert_eq!((play.site.logins(), play.site.count("POST /in.php"), play.listed().len()), (2, 2, 0));
    // Whoever comes next is told why, and has a new one.
    let ended = play.login().ended.map(|ended| ended.reason);
    assert_eq!((ended, play.session_id()), (None, None), "forgotten after a day");
    assert!(play.get(true).is_new);
}

#[test]
fn f30_the_next_caller_is_told_why() {
    let play = Play::new(&[("PORTAL_RELOGIN_UNUSED_SECONDS", "3600")]);
    let id = play.get(true).live.session_id;
    play.run_for(secs(3600));
    play.site.kick();
    play.run_for(secs(400));
    assert_eq!(play.run(&id), RunReply::Ended(End::Unused));
    assert_eq!((play.get(true).previous, play.site.logins()), (Some(End::Unused), 2));
}

/// An operation is a use, so that the one that finds it ended by the portal has it logged in again.
#[test]
fn f30_for_whoever_uses_it_it_is_logged_in_again_however_long_it_was_not_used() {
    let play = Play::new(&[("PORTAL_KEEP_ALIVE_SECONDS", "86400")]);
    play.site.state().idle = secs(10 * DAY);
    let id = play.get(true).live.session_id;
    play.run_for(secs(2 * DAY));
    play.site.kick();
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!((play.site.logins(), play.session_id()), (2, Some(id)));
}

#[test]
fn f30_with_a_person_who_works_at_the_portal_it_stops_fighting_after_a_day() {
    let play = Play::new(&[]);
    play.get(true);
    for _ in 0..7 * 24 {
        play.site.kick();
        play.run_for(secs(3600));
    }
    assert!((24..=26).contains(&play.site.logins()), "{} logins", play.site.logins());
}

/// Lost while the portal was down, and nobody came until the day was over.
#[test]
fn f30_one_that_waits_for_its_login_ends_as_well() {
    let play = Play::new(&[("PORTAL_RELOGIN_UNUSED_SECONDS", "7200")]);
    play.get(true);
    play.run_for(secs(5400));
    play.site.kick();
    while play.login().session.is_some_and(|live| live.lost_since.is_none()) {
        play.turn(play.now().plus(secs(600)));
    }
    play.site.state().down = Some(Down::Unreachable);
    play.run_for(secs(1000));
    assert!(play.session_id().is_some());
    play.run_for(secs(1500));
    assert_eq!((play.session_id(), play.login().ended.map(|e| e.reason)), (None, Some(End::Unused)));
    assert_eq!(play.site.logins(), 1);
}

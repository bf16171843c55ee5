//! What a keep-alive leaves undone, because it costs: no row before its first call, none for cookies that are the same, no
//! report of what the registry knows. And that nothing is lost by that.

use super::play::{MILLI, Play, secs};
use super::queue::until_called;
use base::clock::Timestamp;
use base::rpc::Class;
use portal::RunReply;
use portal::registry::{Remove, Upsert};
use sim::fakes::portal::Down;
use sim::weather::Odds;

const PAGE: &str = "GET /portal/containers";

fn rows(play: &Play) -> std::collections::BTreeMap<String, String> {
    play.world.rows(Class::Portal, &play.name)
}

/// Until the keep-alive that is due next has called the portal.
fn begin(play: &Play) {
    play.run_until(play.login().session.unwrap().refresh_at.minus(secs(1)));
    until_called(play, PAGE);
}

#[test]
fn nothing_is_stored_before_it_is_known_what_came_of_it_and_the_cookies_only_if_they_changed() {
    let play = Play::new(&[]);
    play.get(true);
    play.run_for(secs(1000));
    let before = rows(&play);
    begin(&play);
    assert_eq!((rows(&play), play.alarm()), (before.clone(), None), "the alarm runs");
    play.run_for(secs(5));
    let after = rows(&play);
    let live = play.login().session.unwrap();
    assert!(play.now().since(live.confirmed_at) < secs(6));
    assert_eq!(play.alarm(), Some(live.refresh_at));
    let changed: Vec<_> = after.keys().filter(|row| after[*row] != before[*row]).collect();
    assert_eq!(changed, ["login"]);
    play.site.state().rotates = true;
    begin(&play);
    play.run_for(secs(5));
    assert_ne!(rows(&play)["jar"], after["jar"]);
}

/// By the alarm, which the platform gives again, and not by anything that was stored.
#[test]
fn one_whose_instance_dies_is_made_again_at_once_and_without_a_cron_trigger() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.without_cron();
    for _ in 0..3 {
        begin(&play);
        play.die();
        let loads = play.site.count(PAGE);
        play.run_for(secs(5));
        assert_eq!((play.site.count(PAGE), play.session_id().as_ref()), (loads + 1, Some(&id)));
    }
    assert_eq!(play.site.logins(), 1);
}

#[test]
fn one_whose_instance_dies_and_whose_alarm_is_lost_is_made_by_the_next_look() {
    let play = Play::new(&[]);
    play.get(true);
    play.without_cron();
    begin(&play);
    play.die();
    // The platform gives it again, and loses that one, too.
    play.run_for(secs(1));
    play.watch.borrow_mut().alarm_lost = true;
    play.world.lose_alarm(Class::Portal, &play.name);
    play.run_for(secs(300));
    let loads = play.site.count(PAGE);
    play.look();
    play.run_for(secs(5));
    assert_eq!(play.site.count(PAGE), loads + 1);
    assert_eq!(play.alarm(), play.login().session.map(|live| live.refresh_at));
}

/// A look that comes meanwhile is no second one, and a caller waits for its turn.
#[test]
fn while_one_is_under_way_there_is_no_other() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.site.state().slow = Some(("containers", secs(20)));
    begin(&play);
    let loads = play.site.count(PAGE);
    play.look();
    play.run_for(secs(10));
    assert_eq!(play.site.count(PAGE), loads);
    play.site.state().slow = None;
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    // Its own, and what the operation reads.
    let after = play.site.count(PAGE);
    play.run_for(secs(120));
    assert_eq!(play.site.count(PAGE), after, "what was due is done");
}

/// The portal is not asked again and again where nothing can be stored.
#[test]
fn one_whose_end_cannot_be_stored_comes_again_after_a_while() {
    let play = Play::new(&[]);
    play.get(true);
    begin(&play);
    play.alone.set(false);
    play.world.weather().rough(Odds { write: 1000, ..Odds::default() });
    let loads = play.site.count(PAGE);
    play.run_for(secs(600));
    let more = play.site.count(PAGE) - loads;
    assert!((1..=20).contains(&more), "{more} in ten minutes");
    play.world.weather().clear();
    play.run_for(secs(120));
    assert!(play.now().since(play.login().session.unwrap().confirmed_at) < secs(120));
}

#[test]
fn a_failure_is_one_of_the_keep_alive_and_no_use() {
    let play = Play::new(&[]);
    play.get(true);
    let used = play.login().session.unwrap().last_used;
    play.site.state().down = Some(Down::Error(500));
    play.run_for(secs(400));
    let login = play.login();
    assert_eq!((login.session.unwrap().last_used, login.task), (used, None));
    assert!(login.trouble.is_some_and(|trouble| !trouble.down));
}

/// At the first one after a use, in case the report of that was lost; then there is nothing that the registry does not know.
#[test]
fn the_registry_is_told_of_a_use_once_more_and_then_no_more() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let forget = || {
        let as_of = play.now();
        let remove = Remove { name: play.name.clone(), ended: None, as_of, refused: None };
        play.world.send(&portal::registry_address(), &remove).unwrap();
        assert!(play.listed().is_empty());
    };
    forget();
    play.run_for(secs(400));
    assert_eq!(play.listed().len(), 1);
    forget();
    play.run_for(secs(2000));
    assert!(play.listed().is_empty(), "it is not told what it was told");
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    play.run_for(secs(400));
    assert_eq!(play.listed().len(), 1);
}

#[test]
fn a_report_of_before_a_session_was_kept_alive_does_not_take_that_back() {
    let play = Play::new(&[]);
    play.get(false);
    let row = play.listed().remove(0);
    play.get(true);
    let upsert = Upsert { row, max: 10, ended: None, usernames: vec![], openers: vec![] };
    play.world.send(&portal::registry_address(), &upsert).unwrap();
    assert!(play.listed()[0].keep_alive);
    // That of another session does.
    let mut row = play.listed().remove(0);
    (row.keep_alive, row.session_id) = (false, base::ids::PortalId::issued("another"));
    let upsert = Upsert { row, max: 10, ended: None, usernames: vec![], openers: vec![] };
    play.world.send(&portal::registry_address(), &upsert).unwrap();
    assert!(!play.listed()[0].keep_alive);
}

#[test]
fn portal_sessions_are_looked_at_every_tenth_minute() {
    let play = Play::new(&[]);
    play.world.register::<engine::roster::Roster<sim::SimHost>>(Class::Roster);
    play.without_cron();
    play.get(true);
    for minute in 1..=20 {
        play.watch.borrow_mut().alarm_lost = true;
        play.world.lose_alarm(Class::Portal, &play.name);
        let (worker, at) = (play.world.worker(), Timestamp::from_seconds(minute * 60 + 59));
        play.world.run_until(async move { engine::cron::triggered(&worker, "* * * * *", at).await }).unwrap();
        assert_eq!(play.alarm().is_some(), minute % 10 == 0, "minute {minute}");
    }
}

/// A look costs no alarm where the one that is set comes early enough, and mends one that comes too late.
#[test]
fn a_look_sets_the_alarm_only_where_it_has_to() {
    let play = Play::new(&[]);
    play.without_cron();
    let used = play.get(false).live.last_used;
    let alarms = || play.world.usage().alarms_set;
    play.world.evict(Class::Portal, &play.name);
    let before = alarms();
    play.look();
    assert_eq!((alarms(), play.alarm().is_some()), (before, true));
    // A deploy says that a session is over sooner.
    play.world.deploy(&[("PORTAL_SESSION_IDLE_SECONDS", "600")]);
    play.look();
    assert_eq!(play.alarm(), Some(used.plus(secs(600) + MILLI)));
}

//! When a session is kept alive, when it ends, and what is left of it.

use super::play::{MILLI, Play, credentials, get_of, secs};
use base::ids::PortalId;
use base::rpc::Class;
use portal::registry::{Remove, Upsert};
use portal::{CloseReply, Code, End, GetReply, LookReply, RunReply};
use serde_json::json;
use sim::fakes::portal::Down;

fn loads(play: &Play) -> Vec<u64> {
    let calls = &play.site.state().calls;
    calls.iter().filter(|c| c.what == "GET /portal/containers").map(|c| c.at.seconds()).collect()
}

#[test]
fn a_page_is_loaded_every_five_minutes_a_tenth_more_or_less() {
    let play = Play::new(&[]);
    play.get(true);
    play.run_for(secs(6 * 3600));
    let loads = loads(&play);
    let gaps: Vec<_> = loads.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() > 60 && gaps.iter().all(|gap| (269..=333).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap < 290) && gaps.iter().any(|gap| *gap > 310), "all at once: {gaps:?}");
}

#[test]
fn a_use_puts_the_next_load_off() {
    let play = Play::new(&[("PORTAL_KEEP_ALIVE_JITTER_PERCENT", "0")]);
    let id = play.get(true).live.session_id;
    play.run_for(secs(200));
    play.run(&id);
    let used = loads(&play).last().copied().unwrap();
    play.run_for(secs(299));
    assert_eq!(loads(&play).last(), Some(&used));
    play.run_for(secs(3));
    assert_eq!(loads(&play).last().map(|at| (300..=302).contains(&(at - used))), Some(true));
}

/// A wizard that wants more of its caller has not asked the portal anything.
#[test]
fn what_is_known_without_the_portal_puts_nothing_off() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    let before = play.login().session.unwrap();
    play.run_for(secs(100));
    let calls = play.site.calls();
    let run = Play::run_command(&id, "check_appointments", &json!({}));
    assert!(matches!(play.tell(&play.name, run), RunReply::Done(done) if done.result.is_ok()));
    let after = play.login().session.unwrap();
    assert_eq!((after.confirmed_at, after.refresh_at), (before.confirmed_at, before.refresh_at));
    assert_eq!((after.last_used, play.site.calls()), (play.now(), calls));
}

#[test]
fn an_operation_takes_no_longer_than_it_may() {
    let play = Play::new(&[("PORTAL_OPERATION_TIMEOUT_SECONDS", "30")]);
    let id = play.get(true).live.session_id;
    play.site.state().slow = Some(("containers", secs(45)));
    let began = play.now();
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::Timeout);
    assert_eq!(play.now().since(began), secs(30));
}

#[test]
fn a_session_that_nobody_keeps_alive_ends_half_an_hour_after_its_last_use_to_the_millisecond() {
    let play = Play::new(&[]);
    let session = play.get(false);
    let end = session.expires_at.unwrap();
    play.run_until(end);
    assert_eq!((play.session_id().as_ref(), loads(&play).len()), (Some(&session.live.session_id), 1));
    assert_eq!(play.alarm(), Some(end.plus(MILLI)));
    play.run_until(end.plus(MILLI));
    assert_eq!((play.session_id(), play.login().ended.unwrap().reason), (None, End::Idle));
    play.run_for(secs(10));
    assert_eq!((play.site.state().logouts, play.is_quiet(), play.listed().len()), (1, true, 0));
    assert_eq!(play.run(&session.live.session_id), RunReply::Ended(End::Idle));
}

#[test]
fn a_session_is_made_one_that_is_kept_alive_by_whoever_wants_that_and_stays_one() {
    let play = Play::new(&[]);
    let id = play.get(false).live.session_id;
    let kept = play.get(true);
    assert_eq!(
        (kept.live.session_id, kept.expires_at, play.listed()[0].keep_alive),
        (id.clone(), None, true)
    );
    assert!(play.get(false).live.keep_alive);
    play.run_for(secs(4000));
    assert_eq!(play.session_id(), Some(id));
}

#[test]
fn refused_credentials_cool_down_longer_each_time() {
    let play = Play::new(&[]);
    play.site.state().passwords.clear();
    for wait in [900, 1800, 3600] {
        let refusal = play.get_refused(true);
        assert_eq!((refusal.code, refusal.retry_after_seconds), (Code::CredentialsRefused, Some(wait)));
        let logins = play.site.logins();
        play.run_for(secs(wait).saturating_sub(secs(1)));
        assert_eq!(play.get_refused(true).retry_after_seconds, Some(1));
        assert_eq!(play.site.logins(), logins);
        play.run_for(secs(1));
    }
    let play = Play::new(&[]);
    play.site.state().locked = true;
    assert_eq!(play.get_refused(true).code, Code::AccountLocked);
    // A refused login leaves the page that it failed at for an hour, and nothing a day after its cool-down.
    assert_eq!(play.row_names(), ["login", "name", "page", "page_since"]);
    play.run_for(secs(3600));
    assert_eq!(play.row_names(), ["login", "name"]);
    play.run_for(secs(900 + 86_400 + 60));
    assert_eq!((play.row_names(), play.alarm()), (Vec::new(), None));
}

#[test]
fn what_a_portal_says_that_is_down_is_the_refusal_with_the_wait() {
    for (down, code) in [
        (Down::Unreachable, Code::Unreachable),
        (Down::Silent, Code::Timeout),
        (Down::Error(502), Code::ServerError),
        (Down::Limited(200), Code::RateLimited),
    ] {
        let play = Play::new(&[]);
        play.site.state().down = Some(down);
        let refusal = play.get_refused(true);
        let wait = refusal.retry_after_seconds.unwrap();
        let most = if down == Down::Limited(200) { 200..=200 } else { 15..=19 };
        assert!(refusal.code == code && most.contains(&wait), "{refusal:?}");
        let calls = play.site.calls();
        assert_eq!((play.get_refused(true).code, play.site.calls()), (code, calls));
        play.site.state().down = None;
        play.run_for(secs(wait));
        assert!(play.get(true).is_new);
    }
}

#[test]
fn the_hour_has_six_logins() {
    let play = Play::new(&[]);
    for _ in 0..6 {
        let id = play.get(true).live.session_id;
        play.close(&id);
    }
    let refusal = play.get_refused(true);
    assert_eq!(refusal.code, Code::LoginBudgetExhausted);
    play.run_for(secs(refusal.retry_after_seconds.unwrap()));
    assert!(play.get(true).is_new);
    assert_eq!(play.site.logins(), 7);
}

#[test]
fn the_cron_trigger_sets_a_lost_alarm_again_and_calls_no_portal() {
    let play = Play::new(&[]);
    play.without_cron();
    play.get(true);
    for asleep in [false, true] {
        if asleep {
            play.world.evict(Class::Portal, &play.name);
        }
        play.world.lose_alarm(Class::Portal, &play.name);
        let calls = play.site.calls();
        assert_eq!(play.look(), LookReply::Looked);
        assert_eq!((play.alarm().is_some(), play.site.calls()), (true, calls));
    }
    // One that nobody knows is not made by that.
    let name = play.name_of(&credentials("driver1", "ck"));
    assert_eq!(play.tell(&name, portal::Look), LookReply::Unknown);
    assert!(play.world.rows(Class::Portal, &name).is_empty());
}

#[test]
fn the_cron_trigger_finds_a_session_that_is_over_and_a_row_of_one_that_is_gone() {
    let play = Play::new(&[]);
    play.without_cron();
    let session = play.get(false);
    play.watch.borrow_mut().alarm_lost = true;
    play.world.lose_alarm(Class::Portal, &play.name);
    play.run_until(session.expires_at.unwrap().plus(secs(10)));
    assert_eq!(play.session_id().as_ref(), Some(&session.live.session_id));
    play.look();
    assert_eq!((play.session_id(), play.listed().len()), (None, 0));
    // A row that was left behind goes with the next look.
    let row = portal::registry::Row {
        name: play.name.clone(),
        alias: None,
        kid: None,
        session_id: session.live.session_id,
        username: None,
        created_at: session.live.created_at,
        last_used: play.now(),
        keep_alive: false,
        more: portal::registry::More::default(),
    };
    play.world
        .send(
            &portal::registry_address(),
            &Upsert { row, max: 10, ended: None, usernames: vec![], openers: vec![] },
        )
        .unwrap();
    assert_eq!(play.listed().len(), 1);
    play.look();
    assert_eq!(play.listed().len(), 0);
    // So does one of an object that knows nothing.
    let row = portal::registry::Row {
        name: "emodal/nothing".to_owned(),
        alias: None,
        kid: None,
        session_id: PortalId::issued("nothing"),
        username: None,
        created_at: play.now(),
        last_used: play.now(),
        keep_alive: true,
        more: portal::registry::More::default(),
    };
    play.world
        .send(
            &portal::registry_address(),
            &Upsert { row, max: 10, ended: None, usernames: vec![], openers: vec![] },
        )
        .unwrap();
    play.world.register::<engine::roster::Roster<sim::SimHost>>(Class::Roster);
    play.world.cron("* * * * *").unwrap();
    assert_eq!(play.listed().len(), 0);
    // One that is missing is there again as soon as somebody wants the session.
    play.run_for(secs(10));
    play.get(true);
    let remove = Remove { name: play.name.clone(), ended: None, as_of: play.now(), refused: None };
    play.world.send(&portal::registry_address(), &remove).unwrap();
    assert_eq!(play.listed().len(), 0);
    play.run_for(secs(2));
    play.get(true);
    assert_eq!(play.listed().len(), 1);
}

#[test]
fn a_report_that_was_overtaken_takes_nothing_back() {
    let play = Play::new(&[]);
    let before = play.get(true);
    let stale = play.listed().remove(0);
    let ended_at = play.now();
    play.close(&before.live.session_id);
    play.run_for(secs(5));
    let id = play.get(true).live.session_id;
    let remove = Remove { name: play.name.clone(), ended: None, as_of: ended_at, refused: None };
    play.world.send(&portal::registry_address(), &remove).unwrap();
    play.world
        .send(
            &portal::registry_address(),
            &Upsert { row: stale, max: 10, ended: None, usernames: vec![], openers: vec![] },
        )
        .unwrap();
    let listed: Vec<_> = play.listed().into_iter().map(|row| row.session_id).collect();
    assert_eq!(listed, [id]);
}

#[test]
fn what_cannot_be_opened_costs_a_login_at_most() {
    let broken = |rows: &[&str]| {
        let play = Play::new(&[]);
        let id = play.get(true).live.session_id;
        for row in rows {
            let mut text = play.world.rows(Class::Portal, &play.name)[*row].clone();
            let last = text.pop().unwrap();
            text.push(if last == 'A' { 'B' } else { 'A' });
            play.world.put_row(Class::Portal, &play.name, row, &text);
        }
        (play, id)
    };
    // The cookies: one new login, the same session.
    let (play, id) = broken(&["jar"]);
    play.alone.set(false);
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!((play.site.logins(), play.session_id()), (2, Some(id)));
    // The credentials: it is good for as long as the portal has it.
    let (play, id) = broken(&["credentials"]);
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!(play.close(&id), CloseReply::Closed);
    // Both: it ends, and a new one can be got.
    let (play, id) = broken(&["credentials", "jar"]);
    play.alone.set(false);
    let RunReply::Done(done) = play.run(&id) else { panic!() };
    assert_eq!(done.result.unwrap_err().code, Code::Unreadable);
    assert_eq!(play.get(true).previous, Some(End::Unreadable));
}

#[test]
fn without_the_portals_address_nothing_is_done_and_nothing_is_lost() {
    let play = Play::new(&[]);
    let id = play.get(true).live.session_id;
    play.world.deploy(&[("EMODAL_BASE_URL", "")]);
    let calls = play.site.calls();
    play.alone.set(false);
    play.without_cron();
    play.run_for(secs(1000));
    assert_eq!((play.site.calls(), play.session_id().as_ref()), (calls, Some(&id)));
    play.world.deploy(&[("EMODAL_BASE_URL", "https://portal.example.com/portal")]);
    let get = get_of(credentials("driver", "ck"), true);
    assert!(
        matches!(play.tell(&play.name, get), GetReply::Session(session) if session.live.session_id == id)
    );
}

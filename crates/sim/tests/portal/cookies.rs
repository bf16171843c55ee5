//! A portal that gives a session another cookie with each page: the one that came last counts.

use super::play::{Play, secs};
use super::queue::until_called;
use portal::{CloseReply, RunReply};

fn rotating() -> Play {
    let play = Play::new(&[]);
    play.get(true);
    play.site.state().rotates = true;
    play
}

#[test]
fn the_cookies_that_an_operation_or_a_keep_alive_leaves_are_those_that_it_goes_on_with() {
    let play = rotating();
    let id = play.session_id().unwrap();
    for _ in 0..3 {
        assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    }
    play.run_for(secs(1000));
    assert!(matches!(play.run(&id), RunReply::Done(done) if done.result.is_ok()));
    assert_eq!((play.site.logins(), play.site.live_sessions().len()), (1, 1));
}

#[test]
fn closed_while_an_operation_runs_it_is_logged_out_with_the_cookies_that_the_operation_leaves() {
    let play = rotating();
    let id = play.session_id().unwrap();
    let running = play.start_run(&id);
    until_called(&play, "GET /portal/containers");
    assert_eq!(play.close(&id), CloseReply::Closed);
    assert!(matches!(play.wait(&running), Some(RunReply::Done(done)) if done.result.is_ok()));
    play.run_for(secs(10));
    assert_eq!((play.site.live_sessions(), play.is_quiet()), (vec![], true));
}

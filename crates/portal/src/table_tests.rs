//! Every event in every kind of state: what is to be done, and what the state is then. What cannot happen must do no harm either.

use super::login_support::*;
use super::*;
use base::ids::PortalId;
use std::fmt::Write;

/// The states, by name. The clock stands at the last event.
fn states() -> Vec<(&'static str, Play)> {
    let with = |mut p: Play, f: &dyn Fn(&mut Play)| {
        f(&mut p);
        p
    };
    let fresh = Play::new;
    vec![
        ("nothing", fresh()),
        ("live", living(false)),
        ("kept", living(true)),
        ("lost", lost(false)),
        ("kept and lost", lost(true)),
        (
            "lost, and the portal is back",
            with(lost(true), &|p| {
                p.advance(secs(20));
            }),
        ),
        (
            "refused",
            with(living(true), &|p| {
                p.start_task(Work::KeepAlive);
                p.event(Event::LoggedOut { again: false });
                p.fail(Code::CredentialsRefused);
            }),
        ),
        (
            "in trouble",
            with(living(true), &|p| {
                p.fail_keep_alive(Code::ServerError);
            }),
        ),
        (
            "in trouble without a session",
            with(fresh(), &|p| {
                p.fail(Code::Timeout);
            }),
        ),
        ("logging in", with(fresh(), &|p| p.start_task(Work::LogIn))),
        (
            "signed in",
            with(fresh(), &|p| {
                p.start_task(Work::LogIn);
                p.event(Event::SignedIn);
            }),
        ),
        (
            "logging in again",
            with(living(true), &|p| {
                p.start_task(Work::KeepAlive);
                p.event(Event::LoggedOut { again: false });
                p.start_task(Work::LogIn);
            }),
        ),
        ("being kept alive", with(living(true), &|p| p.start_task(Work::KeepAlive))),
        ("running", with(living(false), &Play::run)),
        (
            "closed",
            with(living(true), &|p| {
                p.close(End::Closed);
            }),
        ),
        (
            "logging out",
            with(living(true), &|p| {
                p.close(End::Closed);
                p.start_task(Work::LogOut);
            }),
        ),
        (
            "broken off",
            with(fresh(), &|p| {
                p.start_task(Work::LogIn);
                p.event(Event::SignedIn);
                p.event(Event::Interrupted);
            }),
        ),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let session_id = || PortalId::issued(ID);
    let failed = |code| Event::Failed(Failure::new(code));
    let login_failed = |code| Event::LoginFailed(Failure::new(code));
    vec![
        ("wanted", Event::Wanted { keep_alive: false }),
        ("wanted kept", Event::Wanted { keep_alive: true }),
        ("resumed", Event::Resumed { session_id: session_id() }),
        ("resumed other", Event::Resumed { session_id: PortalId::issued("session_0") }),
        ("logged in", Event::LoggedIn { session_id: PortalId::issued("session_2"), keep_alive: false }),
        ("login timeout", login_failed(Code::Timeout)),
        ("login refused", login_failed(Code::CredentialsRefused)),
        ("captcha unsolved", login_failed(Code::CaptchaUnsolved)),
        ("captcha key", login_failed(Code::CaptchaKeyRefused)),
        ("not signed in", Event::NotSignedIn),
        ("confirmed", Event::Confirmed { used: true }),
        ("logged out", Event::LoggedOut { again: false }),
        ("logged out again", Event::LoggedOut { again: true }),
        ("unreachable", failed(Code::Unreachable)),
        ("unintelligible", failed(Code::UnexpectedResponse)),
        ("input refused", failed(Code::InputRefused)),
        ("closed", Event::Closed { session_id: session_id(), reason: End::Closed }),
        ("closed other", Event::Closed { session_id: PortalId::issued("session_0"), reason: End::Closed }),
        ("unreadable", Event::Unreadable),
        ("woke", Event::Woke),
        ("interrupted", Event::Interrupted),
        ("said farewell", Event::LogoutFinished { done: true }),
        ("no farewell", Event::LogoutFinished { done: false }),
    ]
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Serve => "serve".to_owned(),
        Verdict::LogIn => "LOG IN".to_owned(),
        Verdict::KeepAlive => "KEEP ALIVE".to_owned(),
        Verdict::LogOut => "LOG OUT".to_owned(),
        Verdict::Refuse(refusal) => {
            let code = refusal.code.as_str().trim_start_matches("portal_");
            let wait = refusal.retry_after_seconds.map(|n| format!(" {n}")).unwrap_or_default();
            format!("{code}{wait}")
        }
        Verdict::Ended(end) => format!("ended {}", end.as_str()),
        Verdict::Unknown => "unknown".to_owned(),
        Verdict::Forget => "forget".to_owned(),
        Verdict::GoOn => "go on".to_owned(),
        Verdict::LetGo => "let go".to_owned(),
        Verdict::Nothing => "-".to_owned(),
    }
}

fn state(p: &Play) -> String {
    let login = &p.login;
    let mut words = Vec::new();
    match (&login.session, p.ended()) {
        (Some(live), _) => {
            words.push(if live.keep_alive { "kept" } else { "live" });
            words.extend(live.lost_since.map(|_| "lost"));
            words.extend((live.session_id != ID).then_some("new"));
        }
        (None, Some(end)) => words.push(end.as_str()),
        (None, None) => words.push("none"),
    }
    words.extend(login.task.as_ref().map(|task| match task.work {
        Work::LogIn if task.abandoned => "+login for nobody",
        Work::LogIn => "+login",
        Work::KeepAlive => "+keep-alive",
        Work::Run(_) => "+run",
        Work::LogOut => "+logout",
    }));
    words.extend(login.refused.map(|_| "+refused"));
    words.extend(login.trouble.map(|_| "+trouble"));
    words.extend(login.signed_in.then_some("+signed in"));
    words.extend(login.logout.map(|f| if f.broken_off { "+come back" } else { "+farewell" }));
    words.join(" ")
}

fn table() -> String {
    let mut table = String::new();
    for (name, _) in states() {
        let named = |(n, p): (&str, Play)| (n == name).then_some(p);
        let begin = states().into_iter().find_map(named).unwrap();
        writeln!(table, "\n{name} ({})", state(&begin)).unwrap();
        for (event_name, event) in events() {
            let mut p = states().into_iter().find_map(named).unwrap();
            let verdict = verdict(&p.event(event));
            writeln!(table, "  {event_name:17} {verdict:26} {}", state(&p)).unwrap();
        }
    }
    table
}

#[test]
fn every_event_in_every_state() {
    let table = table();
    let wrong = table.lines().zip(TABLE.lines()).find(|(is, should)| is != should);
    assert!(table == TABLE, "{wrong:?}\n{table}");
}

/// State, event, verdict, state.
const TABLE: &str = include_str!("table.txt");

use super::captcha::{Captcha, Solver};
use super::code::Code;
use super::test_support::{World, now, page};
use super::{Answer, Failure};
use base::secret::Secret;
use std::time::Duration;
use url::Url;

const NOT_READY: &str = r#"{"status":0,"request":"CAPCHA_NOT_READY"}"#;
const TAKEN: &str = r#"{"status":1,"request":"77"}"#;
const SOLVED: &str = r#"{"status":1,"request":"tok"}"#;

fn captcha() -> Captcha {
    Captcha {
        base_url: "https://captcha.example.com/".to_owned(),
        poll: Duration::from_secs(5),
        timeout: Duration::from_mins(2),
        tasks_max: 3,
        call_timeout: Duration::from_secs(10),
    }
}

fn text(code: &str) -> Answer {
    page(200, &format!(r#"{{"status":0,"request":"{code}"}}"#))
}

/// Plays the answers of each address one after the other; the last one goes on for ever.
fn solve(ins: &[Answer], results: &[Answer], times: usize) -> (Vec<Result<String, Code>>, World<'static>) {
    let (ins, results) = (ins.to_vec(), results.to_vec());
    let (mut a, mut b) = (0, 0);
    let world = World::new(move |called| {
        let (list, at) = if called.path() == "/in.php" { (&ins, &mut a) } else { (&results, &mut b) };
        let answer = list[(*at).min(list.len() - 1)].clone();
        *at += 1;
        answer
    });
    let (captcha, key) = (captcha(), Secret::new("ck-1"));
    let mut ends = Vec::new();
    {
        let mut visit = world.visit(600);
        let mut solver = Solver::new(&captcha, &key, world.now.get());
        let page = Url::parse("https://id.example.com/login?ReturnUrl=x#y").unwrap();
        for _ in 0..times {
            let end = now(solver.solve(&mut visit, "6L", &page));
            ends.push(end.map(|s| s.expose().to_owned()).map_err(|f: Failure| f.code));
        }
        assert!(!serde_json::to_string(&visit.trace).unwrap().contains("ck-1"));
    }
    assert!(world.now.get().since(super::test_support::START) <= Duration::from_mins(2));
    (ends, world)
}

#[test]
fn a_solution_is_asked_for_until_it_is_there() {
    let (ends, world) =
        solve(&[page(200, TAKEN)], &[page(200, NOT_READY), page(200, NOT_READY), page(200, SOLVED)], 1);
    assert_eq!(ends, [Ok("tok".to_owned())]);
    assert_eq!((world.count("POST /in.php"), world.count("GET /res.php")), (1, 3));
    let first = world.called.borrow()[0].clone();
    assert_eq!(
        first.body,
        "key=ck-1&method=userrecaptcha&googlekey=6L&pageurl=https%3A%2F%2Fid.example.com%2Flogin&json=1"
    );
    assert_eq!(world.last().url, "https://captcha.example.com/res.php?key=ck-1&action=get&id=77&json=1");
    assert!(world.now.get().since(super::test_support::START) >= Duration::from_secs(15));
}

#[test]
fn each_code_means_what_it_means() {
    let taken = [page(200, TAKEN)];
    // Answer, of in.php and of res.php: how it ends, and after how many puzzles.
    for (answer, by_in, by_res) in [
        (text("ERROR_WRONG_USER_KEY"), (Code::CaptchaKeyRefused, 1), (Code::CaptchaKeyRefused, 1)),
        (page(200, "ERROR_WRONG_USER_KEY"), (Code::CaptchaKeyRefused, 1), (Code::CaptchaKeyRefused, 1)),
        (page(403, "ERROR_WRONG_USER_KEY"), (Code::CaptchaKeyRefused, 1), (Code::CaptchaKeyRefused, 1)),
        (text("ERROR_KEY_DOES_NOT_EXIST"), (Code::CaptchaKeyRefused, 1), (Code::CaptchaKeyRefused, 1)),
        (text("ERROR_ZERO_BALANCE"), (Code::CaptchaNoBalance, 1), (Code::CaptchaNoBalance, 1)),
        (text("IP_BANNED"), (Code::CaptchaFailed, 1), (Code::CaptchaFailed, 1)),
        (text("ERROR_GOOGLEKEY"), (Code::CaptchaFailed, 1), (Code::CaptchaFailed, 1)),
        (text("ERROR_CAPTCHA_UNSOLVABLE"), (Code::CaptchaUnsolved, 3), (Code::CaptchaUnsolved, 3)),
        (page(200, "<html>busy</html>"), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(200, r#"{"status":1,"request":"#), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(200, r#"{"status":1,"request":""}"#), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(200, r#"{"status":2,"request":"x"}"#), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(502, TAKEN), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(429, ""), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (page(302, ""), (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (Answer::Unreachable, (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (Answer::TimedOut, (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
        (Answer::TooLong, (Code::CaptchaFailed, 3), (Code::CaptchaTimeout, 1)),
    ] {
        let (ends, world) = solve(std::slice::from_ref(&answer), &[page(200, NOT_READY)], 1);
        assert_eq!(
            (ends[0].clone().err(), world.count("POST /in.php")),
            (Some(by_in.0), by_in.1),
            "{answer:?}"
        );
        let (ends, world) = solve(&taken, std::slice::from_ref(&answer), 1);
        assert_eq!(
            (ends[0].clone().err(), world.count("POST /in.php")),
            (Some(by_res.0), by_res.1),
            "{answer:?}"
        );
    }
}

#[test]
fn nobody_free_is_waited_out_and_costs_nothing() {
    let busy = text("ERROR_NO_SLOT_AVAILABLE");
    let ins = [busy.clone(), busy.clone(), busy.clone(), busy.clone(), page(200, TAKEN)];
    let (ends, world) = solve(&ins, &[page(200, SOLVED)], 1);
    assert_eq!((ends[0].clone(), world.count("POST /in.php")), (Ok("tok".to_owned()), 5));
    let (ends, world) = solve(&[busy], &[page(200, SOLVED)], 1);
    assert_eq!(ends, [Err(Code::CaptchaBusy)]);
    assert!(world.count("POST /in.php") > 10);
}

#[test]
fn a_lost_answer_of_res_php_is_asked_for_again() {
    let results =
        [Answer::Unreachable, page(500, ""), page(200, "<html>"), page(200, NOT_READY), page(200, SOLVED)];
    let (ends, world) = solve(&[page(200, TAKEN)], &results, 1);
    assert_eq!((ends[0].clone(), world.count("POST /in.php")), (Ok("tok".to_owned()), 1));
}

#[test]
fn solutions_that_are_not_taken_count_too() {
    let (ends, world) = solve(&[page(200, TAKEN)], &[page(200, SOLVED)], 5);
    let solved = || Ok("tok".to_owned());
    let none = || Err(Code::CaptchaUnsolved);
    assert_eq!(ends, [solved(), solved(), solved(), none(), none()]);
    assert_eq!(world.count("POST /in.php"), 3);
    // So does one whose answer was lost.
    let (ends, world) = solve(&[Answer::TimedOut, page(200, TAKEN)], &[page(200, SOLVED)], 3);
    assert_eq!(ends, [solved(), solved(), none()]);
    assert_eq!(world.count("POST /in.php"), 3);
}

#[test]
fn time_is_bounded() {
    let (ends, world) = solve(&[page(200, TAKEN)], &[page(200, NOT_READY)], 1);
    assert_eq!((ends[0].clone(), world.count("POST /in.php")), (Err(Code::CaptchaTimeout), 1));
    // Also by the visit.
    let world = World::new(|c| page(200, if c.path() == "/in.php" { TAKEN } else { NOT_READY }));
    let (captcha, key, mut visit) = (captcha(), Secret::new("ck-1"), world.visit(12));
    let mut solver = Solver::new(&captcha, &key, world.now.get());
    let end = now(solver.solve(&mut visit, "6L", &Url::parse("https://id.example.com/").unwrap()));
    assert_eq!(end.err().map(|f| f.code), Some(Code::CaptchaTimeout));
    assert!(world.now.get() <= visit.deadline);
    assert!(world.called.borrow().iter().all(|c| c.timeout <= Duration::from_secs(10)));
}

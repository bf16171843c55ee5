use super::super::test_support::{World, now, page, with_cookies};
use super::super::{Answer, Code, Driver as _, Failure, Outcome};
use super::play::{HEADS, LOGGED_OUT, Other, Portal, emodal, inside, portal, request};
use serde_json::{Value, json};

fn run(portal: &Portal, operation: &str, fields: &Value) -> (Result<Outcome, Failure>, Vec<String>) {
    let world = World::new(|called| portal.serve(called));
    let mut visit = logged_in(&world);
    world.called.borrow_mut().clear();
    let result = now(emodal().run(&mut visit, &request(operation, fields, None)));
    (result, world.calls())
}

/// A visit with the portal's session cookie.
pub fn logged_in<'a>(world: &'a World<'_>) -> super::Visit<'a> {
    let mut visit = world.visit(600);
    let setting = World::new(|_| with_cookies(page(200, ""), &[".AspNetCore.Cookies=1; path=/portal"]));
    let mut other = setting.visit(600);
    let site = emodal().site().unwrap();
    now(super::Browser::new(&mut other, &site).open("/x")).unwrap();
    visit.jar = other.jar.clone();
    visit
}

fn containers(fields: &Value) -> Value {
    Value::Object(run(&portal(), "get_containers", fields).0.unwrap().answer)
}

#[test]
fn so_many_containers_are_loaded_as_are_wanted() {
    for (fields, total, cycles, reason, found) in [
        (json!({}), 137, 5, "end_of_list", json!(null)),
        (json!({ "infinite_scrolling": true }), 137, 5, "end_of_list", json!(null)),
        (json!({ "infinite_scrolling": false }), 40, 0, "single_page", json!(null)),
        (
            json!({ "infinite_scrolling": false, "target_count": 50 }),
            60,
            1,
            "target_count_reached",
            json!(null),
        ),
        (json!({ "target_count": 40 }), 40, 0, "target_count_reached", json!(null)),
        (json!({ "target_count": 500 }), 137, 5, "end_of_list", json!(null)),
        (
            json!({ "target_container_id": "MSCU1000045", "target_count": 1, "infinite_scrolling": false }),
            60,
            1,
            "target_found",
            json!(true),
        ),
        (
            json!({ "target_container_id": "mscu1000045", "target_count": 1 }),
            137,
            5,
            "end_of_list",
            json!(false),
        ),
    ] {
        let answer = containers(&fields);
        assert_eq!(answer["total_containers"], total, "{fields}");
        assert_eq!(answer["containers"].as_array().unwrap().len(), total, "{fields}");
        assert_eq!(
            (&answer["scroll_cycles"], &answer["stopped_reason"]),
            (&json!(cycles), &json!(reason)),
            "{fields}"
        );
        assert_eq!(answer.get("found_target_container").cloned().unwrap_or_default(), found, "{fields}");
        assert_eq!(answer.get("debug"), None);
    }
}

#[test]
fn containers_have_the_columns_of_the_page() {
    let answer = containers(&json!({ "infinite_scrolling": false, "debug": true }));
    let row = answer["containers"][3].as_object().unwrap();
    assert_eq!(row.len(), HEADS.len());
    assert!(HEADS.iter().all(|head| row.contains_key(*head)));
    assert_eq!((&row["Container #"], &row["Trade Type"]), (&json!("MSCU1000003"), &json!("A & <B>")));
    let calls = json!([{ "method": "GET", "path": "/portal/containers", "status": 200, "ms": 10 }]);
    assert_eq!(answer["debug"], json!({ "calls": calls }));
}

#[test]
fn a_row_on_two_pages_counts_once() {
    let portal = portal();
    portal.state.borrow_mut().overlaps = true;
    let answer = run(&portal, "get_containers", &json!({})).0.unwrap().answer;
    assert_eq!(answer["total_containers"], 137);
}

#[test]
fn no_containers_are_an_answer() {
    let portal = portal();
    portal.state.borrow_mut().containers = 0;
    let answer = run(&portal, "get_containers", &json!({})).0.unwrap().answer;
    assert_eq!((&answer["total_containers"], &answer["stopped_reason"]), (&json!(0), &json!("end_of_list")));
}

fn table(rows: &str, after: &str) -> Answer {
    page(200, &inside(&format!("<table id=containers><tr><th>Container #</th></tr>{rows}</table>{after}")))
}

#[test]
fn a_list_that_goes_round_in_circles_ends() {
    for (other, calls, total) in [
        // To itself, to and fro, and to ever the same rows.
        ((|_| Some(table("<tr><td>A</td></tr>", "<a rel=next href='/portal/containers'>"))) as Other, 1, 1),
        (
            |c| {
                let (row, next) = if c.url.ends_with("p=2") { ("B", "") } else { ("A", "?p=2") };
                Some(table(
                    &format!("<tr><td>{row}"),
                    &format!("<a rel=next href='/portal/containers{next}'>"),
                ))
            },
            2,
            2,
        ),
        (
            |c| {
                Some(table(
                    "<tr><td>A</td></tr>",
                    &format!("<a rel=next href='/portal/containers?p={}'>", c.url.len()),
                ))
            },
            2,
            1,
        ),
    ] {
        let portal = portal();
        portal.state.borrow_mut().other = Some(other);
        let (outcome, called) = run(&portal, "get_containers", &json!({}));
        let answer = outcome.unwrap().answer;
        assert_eq!((called.len(), &answer["total_containers"]), (calls, &json!(total)));
        assert_eq!(answer["stopped_reason"], "no_progress");
    }
    let portal = portal();
    portal.state.borrow_mut().containers = 1_000_000;
    let (outcome, called) = run(&portal, "get_containers", &json!({}));
    let answer = outcome.unwrap().answer;
    assert_eq!((called.len(), &answer["stopped_reason"]), (200, &json!("limit_reached")));
}

#[test]
fn a_list_that_is_not_whole_is_no_answer() {
    for (other, expected) in [
        ((|_| Some(page(200, LOGGED_OUT))) as Other, Code::LoggedOut),
        (|c| c.url.ends_with("page=2").then(|| page(200, LOGGED_OUT)), Code::LoggedOut),
        (|c| c.url.ends_with("page=3").then(|| page(503, "")), Code::ServerError),
        (|c| c.url.ends_with("page=3").then_some(Answer::TimedOut), Code::Timeout),
        (|c| c.url.ends_with("page=3").then(|| page(429, "")), Code::RateLimited),
        (|c| c.url.ends_with("page=3").then(|| page(404, &inside(""))), Code::UnexpectedResponse),
        (|_| Some(page(200, &inside("<table id=other></table>"))), Code::UnexpectedResponse),
        (
            |_| Some(page(200, &inside("<table id=containers><tr><th>Other</th></tr></table>"))),
            Code::UnexpectedResponse,
        ),
        (|_| Some(table("<tr><td>A<td>B</tr>", "")), Code::UnexpectedResponse),
        (
            |_| Some(table("<tr><td>A</td></tr>", "<a rel=next href='https://evil.example/'>")),
            Code::Redirected,
        ),
        (
            |_| {
                Some(page(
                    200,
                    "<html><body><a href='/portal/logout'>x</a><table id=containers><tr><th>Container #</th></tr><tr><td>A",
                ))
            },
            Code::UnexpectedResponse,
        ),
        (
            |_| {
                Some(page(
                    200,
                    "<html><body><a href='/portal/logout'>x</a><table id=containers><tr><th>Container #</th></tr></table><a rel=nex",
                ))
            },
            Code::UnexpectedResponse,
        ),
        (|_| Some(page(403, &inside(""))), Code::UnexpectedResponse),
        (|_| Some(page(404, "")), Code::UnexpectedResponse),
        (|_| Some(Answer::TooLong), Code::UnexpectedResponse),
    ] {
        let portal = portal();
        portal.state.borrow_mut().other = Some(other);
        let failure = run(&portal, "get_containers", &json!({})).0.unwrap_err();
        assert_eq!(failure.code, expected);
    }
}

#[test]
fn a_timeline_is_read() {
    let (outcome, calls) =
        run(&portal(), "get_container_timeline", &json!({ "container_id": "MSCU1000001" }));
    assert_eq!(calls, ["GET /portal/containers/MSCU1000001"]);
    assert_eq!(
        Value::Object(outcome.unwrap().answer),
        json!({
            "container_id": "MSCU1000001",
            "passed_pregate": true,
            "milestone_count": 2,
            "timeline": [
                { "milestone": "Departed Terminal", "date": "N/A", "status": "pending" },
                { "milestone": "Pregate", "date": "10/28/2026 07:30", "status": "completed" },
            ],
        })
    );
}

#[test]
fn who_has_passed_pregate_and_who_has_not() {
    for (milestone, status, passed) in
        [("Pregate", "Completed", true), ("Pregate", "Pending", false), ("Gate Out", "Completed", false)]
    {
        let rows = format!("<tr><td>{milestone}<td>10/28/2026<td>{status}</tr>");
        let body = format!("<table id=timeline><tr><th>Milestone<th>Date<th>Status</tr>{rows}</table>");
        let world = World::new(|_| page(200, &inside(&body)));
        let mut visit = logged_in(&world);
        let request = request("get_container_timeline", &json!({ "container_id": "MSCU1000001" }), None);
        let answer = now(emodal().run(&mut visit, &request)).unwrap().answer;
        assert_eq!(answer["passed_pregate"], passed, "{milestone} {status}");
    }
}

#[test]
fn a_container_that_is_not_there_is_told() {
    for (id, expected, call) in [
        ("MSCU9", Code::NotFound, Some("GET /portal/containers/MSCU9")),
        ("a/b?c#d", Code::NotFound, Some("GET /portal/containers/a%2Fb%3Fc%23d")),
        ("..", Code::InputRefused, None),
        ("", Code::InputRefused, None),
    ] {
        let (outcome, calls) = run(&portal(), "get_container_timeline", &json!({ "container_id": id }));
        assert_eq!(outcome.unwrap_err().code, expected, "{id}");
        assert_eq!(calls.first().map(String::as_str), call);
    }
    let lost = portal();
    lost.state.borrow_mut().other = Some(|_| Some(page(404, LOGGED_OUT)));
    let failure = run(&lost, "get_container_timeline", &json!({ "container_id": "x" })).0.unwrap_err();
    assert_eq!(failure.code, Code::LoggedOut);
}

/// 10,000 rows of a kilobyte in one table: as much as fits into one answer, and the rest by the next.
#[test]
fn f35_a_listing_of_ten_megabytes_comes_in_answers_of_four() {
    let cell = "x".repeat(1_000);
    let row = |i: u32| format!("<tr><td>C{i:05}</td><td>{cell}</td></tr>");
    let rows: Vec<String> = (0..10_000).map(row).collect();
    // A page has 4 MB at most.
    let pages: Vec<String> = rows.chunks(2_500).map(<[String]>::concat).collect();
    let world = World::new(|called| {
        let at = called.url.split_once("p=").map_or(0, |(_, at)| at.parse::<usize>().unwrap());
        let next =
            if at + 1 < pages.len() { format!("<a rel=next href='?p={}'>", at + 1) } else { String::new() };
        let heads = "<tr><th>Container #</th><th>Holds</th></tr>";
        page(200, &inside(&format!("<table id=containers>{heads}{}</table>{next}", pages[at])))
    });
    let (mut skip, mut all, mut answers) = (0, Vec::new(), Vec::new());
    loop {
        let mut visit = logged_in(&world);
        let request = request("get_containers", &json!({ "skip": skip }), None);
        let answer = now(emodal().run(&mut visit, &request)).unwrap().answer;
        answers.push(serde_json::to_string(&answer).unwrap().len());
        for row in answer["containers"].as_array().unwrap() {
            all.push(row["Container #"].as_str().unwrap().to_owned());
        }
        let Some(next) = answer.get("next_skip").and_then(Value::as_u64) else {
            assert_eq!(answer["stopped_reason"], "end_of_list");
            break;
        };
        assert_eq!((&answer["stopped_reason"], next), (&json!("limit_reached"), all.len() as u64));
        skip = next;
    }
    assert!(
        answers.len() == 3 && answers.iter().all(|bytes| *bytes < 4 * 1024 * 1024 + 20_000),
        "{answers:?}"
    );
    let expected: Vec<String> = (0..10_000).map(|i| format!("C{i:05}")).collect();
    assert_eq!(all, expected);
}

/// Without further pages there is nothing to go on with.
#[test]
fn f35_a_table_of_one_answer_that_does_not_fit_is_none() {
    let cell = "x".repeat(1_500_000);
    let world = World::new(|_| {
        let row = format!("<tr><td>Pregate</td><td>N/A</td><td>{cell}</td></tr>").repeat(2);
        let heads = "<tr><th>Milestone</th><th>Date</th><th>Status</th></tr>";
        page(200, &inside(&format!("<table id=timeline>{heads}{row}{row}</table>")))
    });
    let mut visit = logged_in(&world);
    let request = request("get_container_timeline", &json!({ "container_id": "C1" }), None);
    assert_eq!(now(emodal().run(&mut visit, &request)).unwrap_err().code, Code::UnexpectedResponse);
}

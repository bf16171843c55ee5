//! What a request holds in memory, counted by the allocator: an instance has 128 MB for all that it does at once.

#![allow(unsafe_code)] // An allocator cannot be written without.

use super::portal_pages::Play;
use base::page::{Answer, Fetch};
use serde_json::{Value, json};
use sim::fakes::portal::{Door, Site};
use sim::fakes::portal_pages::inside;
use sim::net::{Answering, Upstream};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;

/// Counts what each thread holds, as each test has a thread of its own.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static MOST: Cell<i64> = const { Cell::new(0) };
}

fn count(bytes: i64) {
    // A thread that ends has no counters any more.
    let held = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        held.get()
    });
    if let Ok(held) = held {
        let _ = MOST.try_with(|most| most.set(most.get().max(held)));
    }
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: each call is the system allocator's, with its own arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout.size()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(size(layout.size()));
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-size(layout.size()));
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        // Both may be held for a moment.
        count(size(new));
        let moved = unsafe { System.realloc(at, layout, new) };
        count(-size(layout.size()));
        moved
    }
}

/// The most that a piece of work holds at once, beside what was held before, in bytes.
fn most(work: impl FnOnce()) -> i64 {
    let before = HELD.get();
    MOST.set(before);
    work();
    MOST.get() - before
}

const ROWS: usize = 10_000;
const ROWS_OF_A_PAGE: usize = 200;
const COLUMNS: usize = 10;
/// Of a cell, so that all rows are ten megabytes.
const CELL: usize = 100;

/// A portal whose list of containers is long.
struct Long(Rc<Site>);

impl Upstream for Long {
    fn fetch<'a>(&'a self, fetch: &'a Fetch) -> Answering<'a, Answer> {
        Box::pin(async {
            let answer = Door(self.0.clone()).fetch(fetch).await;
            let is_list =
                matches!(&answer, Answer::Page(page) if page.body.expose().contains("id='containers'"));
            let page = fetch.url.split_once("?page=").and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
            if is_list { listing(page) } else { answer }
        })
    }
}

fn listing(page: usize) -> Answer {
    let mut html = "<table id='containers'><thead><tr><th>Container #</th>".to_owned();
    for column in 1..COLUMNS {
        let _ = write!(html, "<th>Column {column}</th>");
    }
    html.push_str("</tr></thead><tbody>");
    let first = page * ROWS_OF_A_PAGE;
    for row in first..(first + ROWS_OF_A_PAGE).min(ROWS) {
        let _ = write!(html, "<tr><td>MSCU{}</td>", 1_000_000 + row);
        for column in 1..COLUMNS {
            let _ = write!(html, "<td>{:x<CELL$}</td>", format!("{row}.{column}"));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    if first + ROWS_OF_A_PAGE < ROWS {
        let _ = write!(html, "<a rel=next href='/portal/containers?page={}'>Next</a>", page + 1);
    }
    inside(&html)
}

/// What was real: such a list twice at once took 97 MB of an instance's 128.
#[test]
fn f35_two_lists_of_ten_thousand_rows_at_once_leave_room_for_the_rest() {
    let play = Play::new();
    play.server.world.upstream("portal.example.com", Long(play.site.clone()));
    for n in 1..=2 {
        play.site.state().passwords.insert(format!("driver{n}"), format!("driver{n}-pass"));
    }
    let call = |n: u32, skip: u64| {
        let body = json!({
            "username": format!("driver{n}"), "password": format!("driver{n}-pass"), "captcha_api_key": "ck",
            "infinite_scrolling": true, "skip": skip,
        });
        play.server.post("/get_containers").header("x-api-key", &play.key).json(&body)
    };
    // Logged in before, so that it is the lists that are measured.
    for n in 1..=2 {
        let first = call(n, 9_990).send();
        assert_eq!((first.status, &first.json["total_containers"]), (200, &json!(10)), "{}", first.text);
    }
    let mut rows = 0;
    let mut skip = 0;
    let mut peak = 0;
    // One answer after the other, until both have all.
    loop {
        let mut answers = Vec::new();
        peak = peak.max(most(|| answers = play.server.unread(vec![call(1, skip), call(2, skip)])));
        let (mut counts, mut next) = (Vec::new(), None);
        for answer in answers {
            let body: Value = serde_json::from_str(&answer.body.unwrap()).unwrap();
            assert_eq!(answer.status, 200, "{body}");
            counts.push(body["total_containers"].as_u64().unwrap());
            next = body["next_skip"].as_u64();
        }
        assert_eq!(counts[0], counts[1]);
        rows += counts[0];
        match next {
            Some(next) => skip = next,
            None => break,
        }
    }
    assert_eq!(rows, ROWS as u64);
    assert!(peak < 64 * 1024 * 1024, "{} KiB", peak / 1024);
    // It is what they hold, and not nothing.
    assert!(peak > 8 * 1024 * 1024, "{} KiB", peak / 1024);
}

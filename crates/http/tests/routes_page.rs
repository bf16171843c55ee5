//! Keeps docs/routes.md true: it lists every route of the table, once, and no other.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

/// The routes in the first cells of the page's tables.
fn listed(page: &str) -> Vec<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(route, _)| route.to_owned())
        .collect()
}

#[test]
fn every_route_is_listed_and_no_other() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/routes.md");
    let listed = listed(&std::fs::read_to_string(path).unwrap());
    let once: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
    assert_eq!(listed.len(), once.len(), "a route is listed twice");
    assert_eq!(once, http::route::ROUTES.iter().map(|row| row.name).collect::<BTreeSet<_>>());
}

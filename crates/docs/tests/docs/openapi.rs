//! docs/openapi.yaml has every route and every word, and no other.

use super::support::{between, read};
use base::account::EndReason;
use docs::tables;
use keeper::protocol::Operation;
use keeper::state::{Health, Source};
use std::collections::BTreeSet;

#[test]
fn every_route_is_in_openapi_and_no_other() {
    let mut routes = BTreeSet::new();
    for row in http::route::ROUTES {
        match row.name.split_once(' ') {
            Some((method, path)) => drop(routes.insert((method.to_lowercase(), path.to_owned()))),
            // Without a method: forward authentication, which takes every one.
            None => routes.extend(
                ["get", "head", "post", "put", "patch", "delete", "options"]
                    .map(|m| (m.to_owned(), row.name.to_owned())),
            ),
        }
    }
    let openapi = read("docs/openapi.yaml");
    let mut listed = BTreeSet::new();
    let mut path = "";
    for line in between(&openapi, "\npaths:\n", "\ncomponents:\n").lines() {
        let Some(key) = line.strip_suffix(':') else { continue };
        match key.trim_start() {
            key if line.starts_with("  /") => path = key,
            key if line.starts_with("    ") && !line.starts_with("     ") && key != "parameters" => {
                listed.insert((key.to_owned(), path.to_owned()));
            }
            _ => {}
        }
    }
    assert_eq!(listed, routes);
}

#[test]
fn every_word_is_in_openapi_and_no_other() {
    let openapi = read("docs/openapi.yaml");
    let listed = between(&openapi, "\n    ErrorCode:\n", "\n    EndReason:\n");
    let listed: BTreeSet<&str> = listed.lines().filter_map(|l| l.trim().strip_prefix("- ")).collect();
    assert_eq!(listed, tables::codes().into_iter().map(|(code, _)| code).collect());
    let words = |schema: &str| -> BTreeSet<&str> {
        let (_, rest) = openapi.split_once(&format!("\n    {schema}:\n")).unwrap();
        between(rest, "enum: [", "]").split(", ").collect()
    };
    assert_eq!(words("EndReason"), EndReason::ALL.iter().map(|w| w.as_str()).collect());
    assert_eq!(words("PortalEnd"), portal::End::ALL.iter().map(|w| w.as_str()).collect());
    assert_eq!(words("TokenHealth"), Health::ALL.iter().map(|w| w.as_str()).collect());
    assert_eq!(words("TokenSource"), Source::ALL.iter().map(|w| w.as_str()).collect());
    assert_eq!(words("TokenHistory"), Operation::ALL.iter().map(|w| w.as_str()).collect());
}

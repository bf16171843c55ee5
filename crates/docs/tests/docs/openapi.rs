//! docs/openapi.json, and what is served of it, are current and whole.

use super::support::{path, read, write_or_compare};
use docs::openapi::{ANY_OPERATION, document, example, fits, of};
use http::route::ROUTES;
use serde_json::Value;
use std::collections::BTreeSet;

fn current() -> Value {
    document(env!("CARGO_PKG_VERSION"))
}

#[test]
fn openapi_is_current() {
    let document = current();
    for (page, text) in [
        ("docs/openapi.json", format!("{document:#}\n")),
        ("assets/openapi.json", document.to_string()),
        ("assets/llms.txt", docs::llms::text(&document)),
    ] {
        let there = if path(page).is_file() { read(page) } else { String::new() };
        write_or_compare(page, &there, &text);
    }
}

#[test]
fn every_row_says_what_it_is_and_what_it_answers() {
    let document = current();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let mut ids = BTreeSet::new();
    for row in ROUTES {
        let operation = of(row);
        assert!(!operation.id.is_empty() && !operation.summary.is_empty(), "{}", row.name);
        assert!(ids.insert(operation.id), "{} twice", operation.id);
        assert!(tags.contains(operation.tag), "{}: {}", row.name, operation.tag);
        assert!(operation.answers.iter().any(|answer| answer.status < 300), "{}", row.name);
    }
    // Each is in the document.
    let methods: usize = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().keys().filter(|key| *key != "parameters").count())
        .sum();
    // Forward authentication takes seven methods.
    assert_eq!(methods, ROUTES.len() + 6);
}

/// Wherever a body or an answer is described there is an example of it.
#[test]
fn every_body_and_every_answer_has_an_example() {
    let document = current();
    let mut seen = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = operation.get("requestBody");
            let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
            for (status, one) in
                body.map(|body| ("body", body)).into_iter().chain(answers.map(|(s, a)| (s.as_str(), a)))
            {
                let Some(content) = one.pointer("/content/application~1json") else { continue };
                let schema = &content["schema"];
                let is_any = schema.get("description").is_some_and(|about| about == "Any JSON.");
                if is_any || schema.get("anyOf").is_some_and(|_| status != "body") {
                    continue;
                }
                let example =
                    content.get("example").unwrap_or_else(|| panic!("{method} {path} {status}: no example"));
                fits(schema, example).unwrap_or_else(|error| panic!("{method} {path} {status}: {error}"));
                seen += 1;
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn every_example_is_of_a_schema() {
    let document = current();
    let schemas = document.pointer("/components/schemas").unwrap().as_object().unwrap();
    let operations: BTreeSet<&str> =
        portal::document::emodal().operations.iter().map(|o| o.name.as_str()).collect();
    let examples: Value = serde_json::from_str(&read("crates/docs/src/openapi/examples.json")).unwrap();
    for name in examples.as_object().unwrap().keys() {
        assert!(
            schemas.contains_key(name) || name == ANY_OPERATION || operations.contains(name.as_str()),
            "{name}"
        );
        assert!(example(name).is_some());
    }
}

//! Pages that say more of a word than the code does: what to do about it, what it is an answer to. They have every word, and
//! no other.

use super::support::{between, first_cells, read};
use base::account::EndReason;
use base::call::Code;
use base::settings::SETTINGS;
use docs::tables;
use keeper::state::Health;
use portal::document::{emodal, emodal_pages};
use std::collections::BTreeSet;

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> BTreeSet<String> {
    all.iter().map(|one| word(*one).to_owned()).collect()
}

#[test]
fn every_end_of_a_session_is_in_its_page() {
    let page = read("docs/sessions.md");
    let listed = first_cells(between(&page, "\n## Ends\n", "\n### "));
    assert_eq!(listed, words(EndReason::ALL, EndReason::as_str));
}

#[test]
fn every_word_of_a_token_is_in_its_page() {
    let page = read("docs/keeper.md");
    let listed = first_cells(between(&page, "\n## What `status` says\n", "\n## "));
    assert_eq!(listed, words(Health::ALL, Health::as_str));
    let listed = first_cells(between(&page, "\n## When the upstream fails\n", "\n### "));
    assert_eq!(listed, words(Code::ALL, Code::as_str));
}

#[test]
fn every_word_of_a_portal_is_in_its_page() {
    let page = read("docs/portal.md");
    let listed = first_cells(between(&page, "\n## Errors\n", "\n## "));
    let codes = words(portal::Code::ALL, portal::Code::as_str);
    assert!(codes.is_subset(&listed), "docs/portal.md lacks {:?}", &codes - &listed);
    let known: BTreeSet<String> = tables::codes().into_iter().map(|(code, _)| code.to_owned()).collect();
    assert!(listed.is_subset(&known), "docs/portal.md has {:?}", &listed - &known);

    let listed = first_cells(between(&page, "\n### Ends\n", "\n## "));
    assert_eq!(listed, words(portal::End::ALL, portal::End::as_str));

    let is_portals = |name: &&str| {
        ["EMODAL_", "PORTALS", "PORTAL_", "APPOINTMENT_", "CAPTCHA_"].iter().any(|p| name.starts_with(p))
    };
    let settings: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).filter(is_portals).collect();
    let named = between(&page, "\n## Settings\n", "\n### ").split('`').skip(1).step_by(2);
    assert_eq!(named.filter(is_portals).collect::<BTreeSet<_>>(), settings);
}

#[test]
fn the_pages_of_a_portal_are_documented_with_their_defaults() {
    let defaults = emodal_pages();
    let page = read("docs/portal.md");
    let table = between(&page, "\n### Pages\n", "\n## ");
    assert_eq!(first_cells(table), defaults.keys().cloned().collect());
    for (member, default) in defaults {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        let row = table.lines().find(|line| line.starts_with(&format!("| `{member}`"))).unwrap();
        assert_eq!(row.split(" | ").nth(1).unwrap().trim(), format!("`{default}`"), "{member}");
    }
}

#[test]
fn every_operation_of_a_portal_is_in_its_page() {
    let page = read("docs/portal.md");
    for operation in &emodal().operations {
        let name = &operation.name;
        assert!(page.contains(&format!("`POST /{name}`")), "{name} is not in docs/portal.md");
        for field in &operation.fields {
            assert!(page.contains(&format!("`{}`", field.name)), "{} is not in docs/portal.md", field.name);
        }
    }
}

/// Each key that a program of an old system may read has something to ask instead, and what is to be asked is served.
#[test]
fn f29_every_key_of_the_old_systems_is_replaced() {
    let page = read("docs/migration.md");
    let section = between(&page, "### What replaces each key", "\n## ");
    let keys = first_cells(section);
    for key in [
        "facturify:auth:token",
        "upstox_access_token:{account_id}",
        "upstox_access_token",
        "token_info:{account_id}",
        "access_token_blacklist:{jti}",
        "session:{jti}",
    ] {
        assert!(keys.contains(key), "{key}");
    }
    let mut routes = 0;
    for named in section.split('`') {
        let Some((method @ ("GET" | "POST"), path)) = named.split_once(' ') else { continue };
        let path = path.split('?').next().unwrap().replace(['{', '}'], "");
        assert!(matches!(http::route::find(method, &path), Ok(http::route::Found::Route(..))), "{named}");
        routes += 1;
    }
    assert!(routes > 5, "{routes}");
    // The code asks for it where the table says.
    assert!(section.contains("{base_url}/api/v1/facturify/auth/token"));
    assert!(section.contains("${baseUrl}/accounts/${id}/token"));
}

/// Every member of a portal's document is in the page of it, under the kind of its object.
#[test]
fn every_member_of_a_portals_document_is_in_its_page() {
    let page = read("docs/portal-documents.md");
    let mut documented = BTreeSet::new();
    for part in ["\n## Members\n", "\n## Documents for a browser\n", "\n## Documents for an API\n"] {
        for section in between(&page, part, "\n## ").split("\n### `").skip(1) {
            let (kind, table) = section.split_once('`').unwrap();
            documented.extend(first_cells(table).into_iter().map(|member| (kind.to_owned(), member)));
        }
    }
    let read = portal::document::members().into_iter();
    let read: BTreeSet<_> = read.map(|(kind, member)| (kind.to_owned(), member.to_owned())).collect();
    assert_eq!(documented, read);
}

#[test]
fn the_document_in_the_page_is_one() {
    let page = read("docs/portal-documents.md");
    let document = between(&page, "\n```json\n", "\n```");
    let document = portal::Document::read(serde_json::from_str(document).unwrap()).unwrap();
    assert_eq!(document.operations[0].name, "list_loads");
}

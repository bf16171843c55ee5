//! Keeps the pages true: codes, routes, audit actions, faults, alerts, portals' pages and links are compared with the source,
//! as text.
//!
//! Over 400 lines: a list of comparisons, each with its page.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|e| panic!("{relative}: {e}"))
}

/// What lies between the first `from` and the first `to` after it.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

/// The text in double quotes directly after each `marker`.
fn quoted_after(text: &str, marker: &str) -> BTreeSet<String> {
    let opened = format!("{marker}\"");
    text.split(&opened).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The first cells of the table rows that begin with code, such as ``| `name` |``.
fn first_cells(markdown: &str) -> BTreeSet<String> {
    markdown
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(cell, _)| cell.to_owned())
        .collect()
}

/// All files below a folder that end in `extension`, relative to the project.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&name, extension));
        } else if Path::new(&name).extension().is_some_and(|e| e == extension) {
            found.push(name);
        }
    }
    found
}

/// The codes of upstreams.
fn keeper_codes() -> BTreeSet<String> {
    let codes = quoted_after(between(&read("crates/base/src/call.rs"), "fn as_str(", "\n    }\n"), "=> ");
    assert!(codes.len() > 10, "{codes:?}");
    codes
}

/// The codes of portals.
fn portal_codes() -> BTreeSet<String> {
    let codes = quoted_after(between(&read("crates/portal/src/code.rs"), "fn as_str(", "\n    }\n"), "=> ");
    assert!(codes.len() > 20, "{codes:?}");
    codes
}

/// The words of the first `enum` after a schema's name in docs/openapi.yaml.
fn openapi_enum(schema: &str) -> BTreeSet<String> {
    let openapi = read("docs/openapi.yaml");
    let (_, rest) = openapi.split_once(&format!("\n    {schema}:\n")).unwrap();
    between(rest, "enum: [", "]").split(", ").map(str::to_owned).collect()
}

#[test]
fn every_error_code_is_documented_and_no_other() {
    let source = read("crates/http/src/error.rs");
    let mut codes = quoted_after(between(&source, "fn code(", "\n    }\n"), "=> ");
    assert!(codes.len() > 20, "{codes:?}");
    codes.extend(keeper_codes());
    codes.extend(portal_codes());

    let openapi = read("docs/openapi.yaml");
    let listed = between(&openapi, "\n    ErrorCode:\n", "\n    EndReason:\n");
    let listed: BTreeSet<String> =
        listed.lines().filter_map(|l| l.trim().strip_prefix("- ")).map(str::to_owned).collect();
    assert_eq!(listed, codes, "docs/openapi.yaml and crates/http/src/error.rs");

    assert_eq!(first_cells(&read("docs/errors.md")), codes, "docs/errors.md and crates/http/src/error.rs");
}

#[test]
fn every_end_reason_is_documented_and_no_other() {
    let reasons = quoted_after(&read("crates/base/src/account.rs"), "=> ");
    let sessions = read("docs/sessions.md");
    assert_eq!(first_cells(between(&sessions, "\n## Ends\n", "\n### ")), reasons, "docs/sessions.md");

    assert_eq!(openapi_enum("EndReason"), reasons, "docs/openapi.yaml");
}

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
    assert!(routes.len() > 40, "{routes:?}");

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
    assert_eq!(listed, routes, "docs/openapi.yaml and the table of routes");
}

#[test]
fn every_audit_action_is_documented_and_no_other() {
    let mut actions = BTreeSet::new();
    for file in files("crates/http/src", "rs").into_iter().chain(files("src", "rs")) {
        let source = read(&file);
        if file.ends_with("/log.rs") {
            continue;
        }
        actions.extend(quoted_after(&source, "action: "));
        // A file whose action is not written in the record itself has it in one of these two ways.
        let chosen = source.lines().find(|line| line.contains("let action = "));
        let recorded = source.contains("|action: &str");
        if let Some(line) = chosen {
            actions.extend(line.split('"').skip(1).step_by(2).map(str::to_owned));
        }
        if recorded {
            actions.extend(quoted_after(&source, "record("));
        }
        assert!(
            !source.contains("Audit { action,") || chosen.is_some() || recorded,
            "{file}: where does its action come from?"
        );
    }
    // What alarms do is written without a request.
    actions.extend(quoted_after(&read("crates/engine/src/log.rs"), "\"action\": "));
    // What the objects of upstream accounts do is named by the operation.
    let operations =
        quoted_after(between(&read("crates/keeper/src/protocol/task.rs"), "fn action(", "\n    }\n"), "=> ");
    assert!(operations.len() > 5, "{operations:?}");
    actions.extend(operations);
    // What is done at a portal, by the kind of the work.
    let works =
        quoted_after(between(&read("crates/engine/src/log.rs"), "pub fn portal(", "\n    };\n"), "=> (");
    assert!(works.len() > 3, "{works:?}");
    actions.extend(works);
    assert!(actions.len() > 20, "{actions:?}");

    let logs = read("docs/logs.md");
    assert_eq!(first_cells(between(&logs, "\n## Audit\n", "\n## Alerts\n")), actions, "docs/logs.md");
}

#[test]
fn every_fault_is_documented() {
    let logs = read("docs/logs.md");
    let (_, documented) = logs.split_once("\n## Faults\n").unwrap();
    for file in files("crates", "rs")
        .iter()
        .chain(&files("src", "rs"))
        .filter(|f| !f.ends_with("/log.rs") && !f.ends_with("tests/docs.rs") && !f.starts_with("crates/sim/"))
    {
        for what in faults(file, &read(file)) {
            assert!(documented.contains(&format!("`{what}`")), "{file}: {what:?} is not in docs/logs.md");
        }
    }
}

/// The names of the faults that a file logs. Where a variable stands in the place of the name, it is the first of a loop
/// over pairs, `for (what, …) in [("name", …), …]`, and the names are there; or an argument, and those who call say it.
fn faults(file: &str, source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for marker in [".fault(", "log::fault("] {
        for (at, _) in source.match_indices(marker) {
            let (before, argument) = (&source[..at], source[at + marker.len()..].trim_start());
            // Settings and fields have faults, too, which are not logged as such.
            let is_of_a_field = argument.split(';').next().is_some_and(|call| call.contains("FieldFault::"));
            if is_of_a_field
                || file.starts_with("crates/base/src/settings/")
                || file.ends_with("http/src/json.rs")
                || file.ends_with("portal/src/operation.rs")
            {
                continue;
            }
            if let Some(literal) = argument.strip_prefix('"') {
                names.insert(literal.split('"').next().unwrap().to_owned());
                continue;
            }
            let variable = argument.split([',', ')']).next().unwrap();
            if before.rsplit("fn ").next().unwrap().contains(&format!("{variable}: &str")) {
                continue;
            }
            let pairs = before.rsplit_once(&format!("for ({variable}, ")).map(|(_, rest)| rest);
            let pairs = pairs.and_then(|rest| rest.split_once("in [")?.1.split_once("] {")).map(|(p, _)| p);
            let listed = quoted_after(pairs.unwrap_or_default(), "(");
            assert!(!listed.is_empty(), "{file}: what is {variable:?} in a fault?");
            names.extend(listed);
        }
    }
    names
}

#[test]
fn every_alert_and_every_word_of_status_is_documented() {
    let keeper = read("docs/keeper.md");
    let alerts = quoted_after(between(&read("crates/keeper/src/alert.rs"), "fn as_str(", "\n    }\n"), "=> ");
    let listed: BTreeSet<String> = first_cells(between(&keeper, "\n## Alerts\n", "\n## "))
        .iter()
        .filter_map(|cell| cell.strip_prefix("token."))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, alerts, "docs/keeper.md and crates/keeper/src/alert.rs");

    let words = variants(&read("crates/keeper/src/state.rs"), "pub enum Health {");
    let section = between(&keeper, "\n## What `status` says\n", "\n## ");
    assert_eq!(first_cells(section), words, "docs/keeper.md and crates/keeper/src/state.rs");
    let codes = between(&keeper, "\n## When the upstream fails\n", "\n### ");
    assert_eq!(first_cells(codes), keeper_codes(), "docs/keeper.md and crates/base/src/call.rs");

    for (schema, source, opening) in [
        ("TokenHealth", "crates/keeper/src/state.rs", "pub enum Health {"),
        ("TokenSource", "crates/keeper/src/state.rs", "pub enum Source {"),
        ("TokenHistory", "crates/keeper/src/protocol/task.rs", "pub enum Operation {"),
    ] {
        assert_eq!(openapi_enum(schema), variants(&read(source), opening), "{schema} in docs/openapi.yaml");
    }
}

#[test]
fn every_portal_code_end_and_setting_is_in_its_page() {
    let page = read("docs/portal.md");
    let listed = first_cells(between(&page, "\n## Errors\n", "\n## "));
    let codes = portal_codes();
    assert!(codes.is_subset(&listed), "docs/portal.md lacks {:?}", &codes - &listed);
    let source = read("crates/http/src/error.rs");
    let others = quoted_after(between(&source, "fn code(", "\n    }\n"), "=> ");
    let unknown: Vec<_> = listed.difference(&codes).filter(|code| !others.contains(*code)).collect();
    assert!(unknown.is_empty(), "docs/portal.md has {unknown:?}");

    let ends = quoted_after(between(&read("crates/portal/src/state.rs"), "fn as_str(", "\n    }\n"), "=> ");
    assert!(ends.len() > 3, "{ends:?}");
    assert_eq!(first_cells(between(&page, "\n### Ends\n", "\n## ")), ends, "docs/portal.md");
    assert_eq!(openapi_enum("PortalEnd"), ends, "PortalEnd in docs/openapi.yaml");

    let is_portals = |name: &String| {
        ["EMODAL_", "PORTAL_", "APPOINTMENT_", "CAPTCHA_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let settings: BTreeSet<String> =
        (read("crates/base/src/settings/portals.rs").split("pub const ").skip(1))
            .filter_map(|rest| rest.split_once(": Setting").map(|(name, _)| name.to_owned()))
            .filter(is_portals)
            .collect();
    assert!(settings.len() > 10, "{settings:?}");
    let named = between(&page, "\n## Settings\n", "\n### ").split('`').skip(1).step_by(2);
    let named: BTreeSet<String> = named.map(str::to_owned).filter(is_portals).collect();
    assert_eq!(named, settings, "docs/portal.md and crates/base/src/settings/portals.rs");
}

#[test]
fn the_pages_of_a_portal_are_documented_with_their_defaults() {
    let source = read("crates/portal/src/emodal/pages.rs");
    let members = between(&source, "pub struct Pages {", "\n}\n").lines();
    let members: BTreeSet<String> = (members)
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(members.len() > 10, "{members:?}");

    let page = read("docs/portal.md");
    let table = between(&page, "\n### Pages\n", "\n## ");
    assert_eq!(first_cells(table), members, "docs/portal.md and crates/portal/src/emodal/pages.rs");

    let defaults = between(&source, "fn default(", "\n    }\n");
    for member in members {
        let (_, value) = defaults.split_once(&format!("\n            {member}: ")).unwrap();
        // Up to the next member.
        let value = value.split("\n            ").next().unwrap();
        let texts: Vec<&str> = value.split('"').skip(1).step_by(2).collect();
        assert!(!texts.is_empty(), "{member}: {value}");
        let default = if value.starts_with("vec!") {
            format!("[\"{}\"]", texts.join("\",\""))
        } else {
            texts[0].to_owned()
        };
        let row = table.lines().find(|line| line.starts_with(&format!("| `{member}`"))).unwrap();
        let cell = row.split(" | ").nth(1).unwrap().trim();
        assert_eq!(cell, format!("`{default}`"), "{member} in docs/portal.md");
    }
}

#[test]
fn every_operation_of_a_portal_has_a_route_and_its_fields_are_documented() {
    let source = read("crates/portal/src/emodal/operations.rs");
    let names = quoted_after(&source, "\n        name: ");
    assert!(names.len() > 3, "{names:?}");
    let mut fields = quoted_after(&source, "text(");
    fields.extend(quoted_after(&source, "flag("));
    fields.extend(quoted_after(&source, "Field { name: "));
    assert!(fields.len() > 10, "{fields:?}");
    let (page, openapi) = (read("docs/portal.md"), read("docs/openapi.yaml"));
    for name in names {
        assert!(page.contains(&format!("`POST /{name}`")), "{name} is not in docs/portal.md");
        assert!(openapi.contains(&format!("\n  /{name}:\n")), "{name} is not in docs/openapi.yaml");
    }
    for field in fields {
        assert!(page.contains(&format!("`{field}`")), "{field} is not in docs/portal.md");
        assert!(openapi.contains(&format!(" {field}:")), "{field} is not in docs/openapi.yaml");
    }
}

/// The variants of an enum without data, in snake case.
fn variants(source: &str, opening: &str) -> BTreeSet<String> {
    let body = between(source, opening, "\n}\n");
    let names = body.lines().filter_map(|line| line.trim().strip_suffix(','));
    names.filter(|name| name.chars().all(char::is_alphabetic)).map(snake).collect()
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn links_lead_somewhere() {
    let mut pages = files("docs", "md");
    pages.extend(["README.md", "CHANGELOG.md"].map(str::to_owned));
    for page in pages {
        let text = read(&page);
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = if file.is_empty() { path(&page) } else { path(&page).parent().unwrap().join(file) };
            assert!(to.is_file(), "{page} links to {target}, which is not there");
            if !heading.is_empty() {
                let slugs: Vec<String> = fs::read_to_string(&to).unwrap().lines().filter_map(slug).collect();
                assert!(slugs.iter().any(|s| s == heading), "{page} links to {target}: no such heading");
            }
        }
    }
}

/// The anchor of a heading.
fn slug(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.collect::<String>().to_lowercase().replace(' ', "-"))
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
    let openapi = read("docs/openapi.yaml");
    let routes: BTreeSet<&str> = section
        .split('`')
        .filter_map(|code| code.strip_prefix("GET ").or(code.strip_prefix("POST ")))
        .map(|path| path.split('?').next().unwrap())
        .collect();
    assert!(routes.len() > 5, "{routes:?}");
    for route in routes {
        assert!(openapi.contains(&format!("\n  {route}:\n")), "{route} is not served");
    }
    // The code asks for it where the table says.
    assert!(section.contains("{base_url}/api/v1/facturify/auth/token"));
    assert!(section.contains("${baseUrl}/accounts/${id}/token"));
}

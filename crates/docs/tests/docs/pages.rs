//! The tables that are made from the code are current: with `WRITE_DOCS=1` they are written, without it compared.

use super::support::{path, read, write_or_compare};
use docs::{marked, tables};

#[test]
fn tables_are_current() {
    for (page, name, table) in tables::all() {
        let text = read(page);
        let current = marked::replaced(&text, name, &table)
            .unwrap_or_else(|| panic!("{page} has no marks <!-- {name} --> and <!-- /{name} -->"));
        write_or_compare(page, &text, &current);
    }
}

/// For scripts. The table of docs/settings.md is made beside the settings.
#[test]
fn settings_table_as_json_is_current() {
    let page = "docs/settings.json";
    let there = if path(page).is_file() { read(page) } else { String::new() };
    write_or_compare(page, &there, &format!("{:#}\n", docs::settings::json()));
}

#[test]
fn every_action_says_how_it_can_come_out() {
    for action in base::audit::Action::ALL {
        assert!(action.about().contains(" Outcome: "), "{}", action.as_str());
    }
}

#[test]
fn every_code_has_a_sample() {
    let samples = http::error::Reason::samples();
    for (code, _) in tables::codes() {
        assert!(samples.iter().any(|reason| reason.code() == code), "{code}");
    }
}

//! Pages, by their paths within the project.

use std::fs;
use std::path::{Path, PathBuf};

pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

pub fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|e| panic!("{relative}: {e}"))
}

/// Writes what is current with `WRITE_DOCS=1`; else it has to be there already.
pub fn write_or_compare(relative: &str, there: &str, current: &str) {
    if std::env::var_os("WRITE_DOCS").is_some() {
        if there != current {
            fs::write(path(relative), current).unwrap();
        }
    } else {
        assert!(there == current, "{relative} is not current: WRITE_DOCS=1 cargo test -p sallyport-docs");
    }
}

/// What lies between the first `from` and the first `to` after it.
pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

/// The first cells of the table rows that begin with code, such as ``| `name` |``.
pub fn first_cells(markdown: &str) -> std::collections::BTreeSet<String> {
    let rows = markdown.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(cell, _)| cell.to_owned()).collect()
}

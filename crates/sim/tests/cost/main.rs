//! What each kind of request uses of what the platform bills, by the real handlers and objects, and what a million of it costs.
//! The counts are held exactly, so that a change shows; the sums are held to what they may be, and what is above is listed. `docs/costs.md` has the table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod audit;
mod limit;
mod portals;
mod prices;
mod scenarios;
mod upstreams;
mod world;

use prices::{SOURCE, dollars, millidollars};
use sim::Usage;
use std::fmt::Write as _;
use std::path::Path;

/// What costs more than it should.
const ABOVE: &[&str] = &[];

/// What is counted.
struct Row {
    what: &'static str,
    /// How often that is done in what was counted.
    times: u64,
    usage: Usage,
    /// Of a processor's time, each time: measured elsewhere, and rounded up.
    cpu_micros: u64,
    /// What a million may cost, in thousandths of a dollar.
    goal: Option<u64>,
}

const BEGIN: &str = "<!-- counted: begin -->\n";
const END: &str = "<!-- counted: end -->";

fn table(rows: &[Row]) -> String {
    let mut table = String::from(
        "| what | requests | object requests | rows written | alarms set | rows read | KV reads | KV writes | CPU, ms | a million | goal |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for Row { what, times, usage, cpu_micros, goal } in rows {
        let each = |count: u64| {
            if count.is_multiple_of(*times) {
                (count / times).to_string()
            } else {
                format!("{count} / {times}")
            }
        };
        let kv_writes = usage.kv_writes + usage.kv_deletes + usage.kv_lists;
        let sum = dollars(millidollars(usage, *cpu_micros, *times));
        let goal = goal.map_or_else(|| "–".to_owned(), |goal| format!("≤ {}", dollars(goal)));
        writeln!(
            table,
            "| {what} | {} | {} | {} | {} | {} | {} | {} | {} | {sum} | {goal} |",
            each(usage.requests),
            each(usage.object_requests),
            each(usage.rows_written),
            each(usage.alarms_set),
            each(usage.rows_read),
            each(usage.kv_reads),
            each(kv_writes),
            f64::from(u32::try_from(*cpu_micros).unwrap()) / 1_000.0,
        )
        .unwrap();
    }
    table
}

#[test]
fn what_a_million_costs_is_what_the_document_says_and_within_the_goals() {
    let rows = scenarios::all();
    for Row { what, times, usage, cpu_micros, goal } in &rows {
        let sum = millidollars(usage, *cpu_micros, *times);
        let is_above = goal.is_some_and(|goal| sum > goal);
        assert_eq!(is_above, ABOVE.contains(what), "{what}: {} with {usage:?}", dollars(sum));
    }
    let of = |what: &str| {
        let row = rows.iter().find(|row| row.what.starts_with(what)).unwrap();
        millidollars(&row.usage, row.cpu_micros, row.times)
    };
    let month = portals::KEEP_ALIVES_A_MONTH * of("keep-alive of a portal session")
        + portals::LOOKS_A_MONTH * of("reconciling a portal session");
    assert!(
        month <= portals::MONTH,
        "a portal session is kept alive for two cents a month, looks included: {month}"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/costs.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its table");
    let (written, after) = rest.split_once(END).expect("the page has its table");
    let counted = format!("\n{}\n", table(&rows));
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{counted}{END}{after}")).unwrap();
        return;
    }
    // Whatever the formatter has done to its columns.
    let cells = |text: &str| -> Vec<Vec<String>> {
        let row = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect();
        text.lines().filter(|line| line.starts_with('|') && !line.contains("---")).map(row).collect()
    };
    assert_eq!(cells(written), cells(&counted), "WRITE_DOCS=1 writes it anew");
    assert!(page.contains(SOURCE), "the page says where the prices are from");
}

//! Tables and definition lists, as rows of text.

use super::nodes::{Node, attribute};
use super::visible;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The head, as it says. Empty if there is none.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether its end is there: else rows may be missing.
    pub closed: bool,
}

/// A cell under way: where it begins, and whether it goes over several columns.
struct Cell {
    from: usize,
    is_head: bool,
    wide: bool,
}

#[derive(Default)]
struct Row {
    cells: Vec<String>,
    all_heads: bool,
    wide: bool,
}

/// Reads what is in a table. A table in a cell is text of that cell.
pub fn read(nodes: &[Node], closed: bool) -> Table {
    let mut table = Table { closed, ..Table::default() };
    let (mut row, mut cell): (Option<Row>, Option<Cell>) = (None, None);
    let (mut depth, mut part) = (0_usize, "tbody");
    for (i, node) in nodes.iter().enumerate() {
        match node {
            Node::Start("table", _) => depth += 1,
            Node::End("table") => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Node::Start(name @ ("tr" | "td" | "th" | "thead" | "tbody" | "tfoot"), _) => {
                // Ends may be left out.
                end_cell(nodes, i, &mut row, &mut cell);
                match *name {
                    "tr" => end_row(&mut table, part, row.replace(Row::begun())),
                    "td" | "th" => {
                        row.get_or_insert_with(Row::begun);
                        let wide = attribute(node, "colspan").is_some_and(|span| span.trim() != "1");
                        cell = Some(Cell { from: i + 1, is_head: *name == "th", wide });
                    }
                    name => {
                        end_row(&mut table, part, row.take());
                        part = name;
                    }
                }
            }
            Node::End("td" | "th") => end_cell(nodes, i, &mut row, &mut cell),
            Node::End("tr" | "thead" | "tbody" | "tfoot") => {
                end_cell(nodes, i, &mut row, &mut cell);
                end_row(&mut table, part, row.take());
                if matches!(node, Node::End("thead" | "tfoot")) {
                    part = "tbody";
                }
            }
            _ => {}
        }
    }
    end_cell(nodes, nodes.len(), &mut row, &mut cell);
    end_row(&mut table, part, row);
    table
}

impl Row {
    fn begun() -> Self {
        Self { all_heads: true, ..Self::default() }
    }
}

fn end_cell(nodes: &[Node], to: usize, row: &mut Option<Row>, cell: &mut Option<Cell>) {
    if let (Some(row), Some(cell)) = (row, cell.take()) {
        row.cells.push(visible(nodes.get(cell.from..to).unwrap_or_default()));
        row.all_heads &= cell.is_head;
        row.wide |= cell.wide;
    }
}

fn end_row(table: &mut Table, part: &str, row: Option<Row>) {
    let Some(row) = row.filter(|row| !row.cells.is_empty()) else { return };
    let first = table.columns.is_empty() && table.rows.is_empty();
    // A single cell over all columns is a note ("No data").
    let note = row.wide && row.cells.len() == 1;
    if part == "thead" || (first && row.all_heads) {
        if table.columns.is_empty() {
            table.columns = row.cells;
        }
    } else if part != "tfoot" && !note {
        table.rows.push(row.cells);
    }
}

/// Terms with their definitions, in their order. A term without a definition has an empty one.
pub fn definitions(nodes: &[Node]) -> Vec<(String, String)> {
    let is_edge =
        |node: &Node| matches!(node, Node::Start("dt" | "dd" | "dl", _) | Node::End("dt" | "dd" | "dl"));
    let mut found: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        at += 1;
        let Node::Start(name @ ("dt" | "dd"), _) = node else { continue };
        let rest = nodes.get(at..).unwrap_or_default();
        let length = rest.iter().position(is_edge).unwrap_or(rest.len());
        let text = visible(rest.get(..length).unwrap_or_default());
        at += length;
        match (*name, found.last_mut()) {
            ("dt", _) => found.push((text, String::new())),
            (_, Some((_, definition))) if definition.is_empty() => *definition = text,
            (_, Some((_, definition))) => {
                definition.push_str(", ");
                definition.push_str(&text);
            }
            (_, None) => {}
        }
    }
    found
}

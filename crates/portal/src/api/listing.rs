//! Lists that come page by page from an API.

use super::ApiDriver;
use super::template::Values;
use crate::code::{Code, Failure};
use crate::document::ApiList;
use crate::driver::Visit;
use crate::html::Table;
use crate::operation::{Columns, Listing};
use crate::pages::listing::{LIMIT_REACHED, Listed, PAGES_MAX, Wanted};
use serde_json::{Map, Value};

impl ApiDriver {
    pub(super) async fn list(
        &self,
        visit: &mut Visit<'_>,
        listing: &Listing,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let list = listing.api.as_ref().ok_or(Failure::new(Code::UnexpectedResponse))?;
        visit.goes_to("list", format!("rows at {}", list.rows_at));
        let mut rows = Listed::of(listing, fields);
        let mut answer = Map::new();
        let (mut cycles, mut came) = (0, self.add(visit, &mut rows, listing, (list, fields, 1)).await?);
        if let Some(paging) = &listing.paging {
            // Rows have members only once there is one.
            let wanted = if came.of == 0 { Wanted::All } else { Wanted::read(paging, fields, &rows)? };
            let reason = loop {
                if let Some(reason) = wanted.met(&rows) {
                    break reason;
                }
                if came.is_last {
                    break if rows.cut { LIMIT_REACHED } else { "end_of_list" };
                }
                if rows.cut || rows.is_full() || cycles + 1 >= PAGES_MAX {
                    break LIMIT_REACHED;
                }
                if came.new == 0 {
                    break "no_progress";
                }
                visit.goes_to("next_page", format!("rows at {}", list.rows_at));
                cycles += 1;
                came = self.add(visit, &mut rows, listing, (list, fields, cycles + 1)).await?;
            };
            rows.ended(paging, &wanted, cycles, reason, &mut answer);
        } else if rows.cut || !came.is_last {
            return Err(Failure::new(Code::UnexpectedResponse));
        }
        for name in &listing.repeats {
            answer.insert(name.clone(), fields.get(name).cloned().unwrap_or_default());
        }
        rows.into_answer(listing, &mut answer);
        Ok(answer)
    }

    /// Adds the rows of a page.
    async fn add(
        &self,
        visit: &mut Visit<'_>,
        rows: &mut Listed,
        listing: &Listing,
        (list, fields, number): (&ApiList, &Map<String, Value>, usize),
    ) -> Result<Came, Failure> {
        let values = Values { fields, answers: &[] };
        let mut json = values.fill(&list.call.json).unwrap_or_default();
        if let (Some((member, _)), Value::Object(members)) = (&list.page, &mut json) {
            members.insert(member.clone(), number.into());
        }
        let answer = self.call(visit, &list.call.path, &json).await?;
        let unexpected = || Failure::with_status(Code::UnexpectedResponse, 200);
        let read = answer.pointer(&list.rows_at).and_then(Value::as_array).ok_or_else(unexpected)?;
        let is_last = list.page.as_ref().is_none_or(|(_, size)| read.len() < *size);
        let new = match table(&listing.columns, read).ok_or_else(unexpected)? {
            Some(table) => rows.add(listing, table)?,
            None => 0,
        };
        Ok(Came { of: read.len(), new, is_last })
    }
}

/// What a page had.
struct Came {
    of: usize,
    /// Rows that no page before had.
    new: usize,
    is_last: bool,
}

/// Rows as a table. The heads are the members of the rows: those of the first one, if the document does not name them. `None` for what
/// is no row, nothing for no rows.
#[allow(clippy::option_option)]
fn table(columns: &Columns, rows: &[Value]) -> Option<Option<Table>> {
    let Some(first) = rows.first() else { return Some(None) };
    let first = first.as_object()?;
    let columns: Vec<String> = match columns {
        Columns::Named(named) => named.iter().map(|column| column.head.clone()).collect(),
        Columns::AsTheHeadSays { .. } => first.keys().cloned().collect(),
    };
    let mut read = Vec::new();
    for row in rows {
        let row = row.as_object()?;
        // A column that the document names and no row has: the API is not what it was.
        if columns.iter().any(|column| !first.contains_key(column)) {
            return None;
        }
        read.push(columns.iter().map(|column| text(row.get(column))).collect::<Option<Vec<_>>>()?);
    }
    Some(Some(Table { columns, rows: read, closed: true }))
}

pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(on)) => Some(on.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => None,
    }
}

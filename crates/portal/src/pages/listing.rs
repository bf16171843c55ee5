//! The interpreter of listings.

use super::super::browser::{Browser, Shown};
use super::super::code::{Code, Failure};
use super::super::html::Table;
use super::super::operation::{Columns, Listing, Paging};
use super::PageDriver;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A list ends here, whatever the portal says: it may go round in circles.
pub const PAGES_MAX: usize = 200;
const ROWS_MAX: usize = 10_000;
/// Of one answer, about. Rows are held some four times over on their way into one, and an instance has 128 MB for all that it
/// does at once. What is left over is for the next answer.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Of a cell in the answer: two pairs of quotation marks, a colon and a comma.
const MARKS: usize = 6;

type Row = Vec<String>;

/// The rows so far.
#[derive(Default)]
pub struct Listed {
    /// The members, by the columns of the table. `None` for a column that is not wanted.
    pub members: Vec<Option<String>>,
    pub rows: Vec<Row>,
    /// How long they are in the answer, about.
    bytes: usize,
    /// Those of earlier pages: where a list moves under the reader, the last of one page are the first of the next.
    seen: BTreeSet<Print>,
    /// How many there were, also those that are left out.
    passed: usize,
    /// So many from the first on are left out: an answer before had them.
    pub skip: usize,
    /// Whether one was left out because the answer is full.
    pub cut: bool,
}

/// What tells rows apart without keeping them.
type Print = [u64; 2];

fn print(row: &Row) -> Print {
    [0_u8, 1].map(|part| {
        let mut hasher = DefaultHasher::new();
        (part, row).hash(&mut hasher);
        hasher.finish()
    })
}

/// How much of a list is wanted.
pub enum Wanted {
    Target { column: usize, value: String },
    Count(usize),
    All,
    OnePage,
}

impl PageDriver {
    pub(super) async fn list(
        &self,
        browser: &mut Browser<'_, '_>,
        listing: &Listing,
        fields: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let path = listing.path.as_str();
        let table = format!("the table #{} with {}", listing.table, listing.columns.said());
        browser.visit.goes_to("list", table.as_str());
        let shown = self.page(browser, &address(path, fields)?).await;
        // Only what the caller names can be missing.
        let mut shown = shown.map_err(|f| if path.contains('{') { f } else { super::not_that(f) })?;
        let mut rows = Listed::of(listing, fields);
        add(&mut rows, listing, &shown)?;
        if rows.cut && listing.paging.is_none() {
            return Err(Failure::with_status(Code::UnexpectedResponse, shown.status));
        }
        let mut answer = Map::new();
        if let Some(paging) = &listing.paging {
            let wanted = Wanted::read(paging, fields, &rows)?;
            let mut visited = BTreeSet::from([shown.url.to_string()]);
            // Further pages, and those of them that have only rows which an answer before had.
            let (mut cycles, mut gone_over) = (0_usize, 0_usize);
            let reason = loop {
                if let Some(reason) = wanted.met(&rows) {
                    break reason;
                }
                let next = shown.document.link("next");
                if rows.cut || (next.is_some() && (cycles - gone_over + 1 >= PAGES_MAX || rows.is_full())) {
                    break LIMIT_REACHED;
                }
                let Some(next) = next else { break "end_of_list" };
                let next = shown.url.join(next).map_err(|_| Failure::new(Code::UnexpectedResponse))?;
                if !visited.insert(next.to_string()) {
                    break "no_progress";
                }
                browser.visit.goes_to("next_page", table.as_str());
                shown = browser.click(&shown.url, next.as_str()).await?;
                self.whole(&shown).map_err(super::not_that)?;
                cycles += 1;
                let before = rows.rows.len();
                if add(&mut rows, listing, &shown)? == 0 {
                    break "no_progress";
                }
                gone_over += usize::from(rows.rows.len() == before && !rows.cut);
            };
            rows.ended(paging, &wanted, cycles, reason, &mut answer);
        }
        for name in &listing.repeats {
            answer.insert(name.clone(), fields.get(name).cloned().unwrap_or_default());
        }
        rows.into_answer(listing, &mut answer);
        Ok(answer)
    }
}

pub const TARGET_FOUND: &str = "target_found";
pub const LIMIT_REACHED: &str = "limit_reached";

impl Wanted {
    /// A target is more than a number of rows, and that is more than all of them.
    pub fn read(paging: &Paging, fields: &Map<String, Value>, rows: &Listed) -> Result<Self, Failure> {
        let given = |name: &Option<String>| name.as_ref().and_then(|name| fields.get(name));
        if let Some(target) = &paging.target
            && let Some(Value::String(value)) = fields.get(&target.field)
        {
            let is_column = |m: &Option<String>| m.as_ref() == Some(&target.column);
            let column = rows.members.iter().position(is_column);
            let column = column.ok_or(Failure::new(Code::UnexpectedResponse))?;
            return Ok(Self::Target { column, value: value.clone() });
        }
        if let Some(count) = given(&paging.target_count).and_then(Value::as_u64) {
            return Ok(Self::Count(usize::try_from(count).unwrap_or(usize::MAX)));
        }
        Ok(if given(&paging.all) == Some(&Value::Bool(false)) { Self::OnePage } else { Self::All })
    }

    pub fn met(&self, rows: &Listed) -> Option<&'static str> {
        match self {
            Self::Target { column, value } => {
                rows.rows.iter().any(|row| row.get(*column) == Some(value)).then_some(TARGET_FOUND)
            }
            Self::Count(count) => (rows.rows.len() >= *count).then_some("target_count_reached"),
            Self::All => None,
            Self::OnePage => Some("single_page"),
        }
    }
}

/// Adds the rows of the table of a page, which must be there as a whole.
fn add(rows: &mut Listed, listing: &Listing, shown: &Shown) -> Result<usize, Failure> {
    let unintelligible = || Failure::with_status(Code::UnexpectedResponse, shown.status);
    let table =
        shown.document.table(&listing.table).filter(|table| table.closed).ok_or_else(unintelligible)?;
    rows.add(listing, table).map_err(|_| unintelligible())
}

impl Listed {
    pub fn of(listing: &Listing, fields: &Map<String, Value>) -> Self {
        let skip =
            listing.paging.as_ref().and_then(|paging| fields.get(&paging.skip)).and_then(Value::as_u64);
        Self { skip: skip.map_or(0, |skip| usize::try_from(skip).unwrap_or(usize::MAX)), ..Self::default() }
    }

    pub fn is_full(&self) -> bool {
        self.rows.len() >= ROWS_MAX || self.bytes >= ANSWER_BYTES_MAX
    }

    /// Adds the rows of a page. Says how many of them are new.
    pub fn add(&mut self, listing: &Listing, table: Table) -> Result<usize, Failure> {
        let unintelligible = || Failure::new(Code::UnexpectedResponse);
        let members = members(&listing.columns, &table).ok_or_else(unintelligible)?;
        if self.members.is_empty() {
            self.members = members;
        } else if self.members != members {
            return Err(unintelligible());
        }
        let mut new = Vec::new();
        for row in table.rows {
            if row.len() != self.members.len() {
                return Err(unintelligible());
            }
            let print = print(&row);
            if self.seen.contains(&print) {
                continue;
            }
            new.push(print);
            if self.passed + new.len() <= self.skip {
                continue;
            }
            self.cut |= self.is_full();
            if !self.cut {
                self.bytes += self.length(&row);
                self.rows.push(row);
            }
        }
        self.passed += new.len();
        let count = new.len();
        self.seen.extend(new);
        Ok(count)
    }

    /// How and why the list ended.
    pub fn ended(
        &self,
        paging: &Paging,
        wanted: &Wanted,
        cycles: usize,
        reason: &str,
        answer: &mut Map<String, Value>,
    ) {
        answer.insert(paging.cycles.clone(), cycles.into());
        answer.insert(paging.reason.clone(), reason.into());
        if reason == LIMIT_REACHED {
            answer.insert(paging.next.clone(), (self.skip + self.rows.len()).into());
        }
        if let (Wanted::Target { .. }, Some(target)) = (wanted, &paging.target) {
            answer.insert(target.found.clone(), (reason == TARGET_FOUND).into());
        }
    }

    /// Of a row in the answer, about: escapes are not counted.
    fn length(&self, row: &Row) -> usize {
        let cells = row.iter().zip(&self.members);
        cells.map(|(cell, member)| cell.len() + member.as_ref().map_or(0, String::len) + MARKS).sum()
    }

    pub fn into_answer(self, listing: &Listing, answer: &mut Map<String, Value>) {
        let Self { members, rows, .. } = self;
        let object = |row: Row| {
            let named = members.iter().zip(row).filter_map(|(member, value)| {
                let member = member.clone()?;
                let lower = listing.columns.lowers(&member);
                Some((member, if lower { value.to_lowercase() } else { value }))
            });
            named.map(|(member, value)| (member, Value::String(value))).collect::<Map<_, _>>()
        };
        let rows: Vec<_> = rows.into_iter().map(object).collect();
        for flag in &listing.flags {
            let is_it = |row: &Map<String, Value>| {
                flag.row.iter().all(|(member, value)| {
                    row.get(member).and_then(Value::as_str).is_some_and(|v| v.eq_ignore_ascii_case(value))
                })
            };
            answer.insert(flag.member.clone(), rows.iter().any(is_it).into());
        }
        answer.insert(listing.count.clone(), rows.len().into());
        answer.insert(listing.rows.clone(), rows.into());
    }
}

impl Columns {
    /// Whether the values of this member are put in lower case.
    fn lowers(&self, member: &str) -> bool {
        matches!(self, Self::Named(all) if all.iter().any(|column| column.lower && column.member == member))
    }

    /// For whoever is told that they are not there.
    pub fn said(&self) -> String {
        match self {
            Self::AsTheHeadSays { needed } => format!("the column {needed}"),
            Self::Named(names) => {
                let names: Vec<_> = names.iter().map(|column| column.head.as_str()).collect();
                format!("the columns {}", names.join(", "))
            }
        }
    }
}

/// What the columns of a table are called. `None` if it is not the table that is meant.
fn members(columns: &Columns, table: &Table) -> Option<Vec<Option<String>>> {
    let heads = table.columns.iter();
    match columns {
        Columns::AsTheHeadSays { needed } => {
            let there = table.columns.iter().any(|head| head == needed);
            there.then(|| heads.map(|head| Some(head.clone()).filter(|head| !head.is_empty())).collect())
        }
        Columns::Named(names) => {
            let member = |head: &String| {
                let found = names.iter().find(|column| column.head.eq_ignore_ascii_case(head));
                found.map(|column| column.member.clone())
            };
            let members: Vec<_> = heads.map(member).collect();
            names
                .iter()
                .all(|column| members.iter().flatten().any(|x| *x == column.member))
                .then_some(members)
        }
    }
}

/// All but what is never reserved (RFC 3986 §2.3).
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address with the caller's fields in it, each as one segment.
pub fn address(path: &str, fields: &Map<String, Value>) -> Result<String, Failure> {
    let mut address = String::new();
    let mut rest = path;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(b, a)| Some((b, a.split_once('}')?)))
    {
        let value = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        // Nothing or dots would be another address.
        if value.chars().all(|c| c == '.') {
            return Err(Failure::with_message(Code::InputRefused, name));
        }
        address.push_str(before);
        address.extend(utf8_percent_encode(value, &SEGMENT));
        rest = after;
    }
    address.push_str(rest);
    Ok(address)
}

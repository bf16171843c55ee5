//! What the platform keeps of one object: rows, a database, an alarm. What a turn writes is one batch: until it is durable,
//! a kill takes all of it back.

use crate::weather::Kind;
use base::clock::Timestamp;
use base::fault::Fault;
use base::rpc::Class;
use engine::host::SqlValue;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::{Value as Raw, ValueRef};
use rusqlite::{Batch, Connection, Statement};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What an alarm is set to.
type Alarm = Option<Timestamp>;

/// Statements of one object that are kept prepared: more than the directory has.
const PREPARED: usize = 64;

thread_local! {
    /// Databases whose objects are gone, empty again. Their tables are left: an object makes those that it has, unless they
    /// are there.
    static SPARE: RefCell<BTreeMap<Class, Vec<Connection>>> = RefCell::default();
}

#[derive(Default)]
pub struct Storage {
    rows: BTreeMap<String, String>,
    /// What was there before the present batch, the oldest first.
    undo: Vec<(String, Option<String>)>,
    database: Database,
    alarm: Option<Timestamp>,
    /// The alarm as it was before the present batch, if that has changed it.
    alarm_before: Option<Alarm>,
}

impl Storage {
    /// With a database that another object of the class has used before, if there is one, and that another one uses after.
    pub fn reusing(class: Class) -> Self {
        let database = Database { connection: None, in_transaction: false, spare: Some(class) };
        Self { database, ..Self::default() }
    }

    /// How many emptied databases of a class wait for an object.
    pub fn spare(class: Class) -> usize {
        SPARE.with_borrow(|all| all.get(&class).map_or(0, Vec::len))
    }

    pub fn get(&self, row: &str) -> Option<&String> {
        self.rows.get(row)
    }

    pub fn rows(&self) -> &BTreeMap<String, String> {
        &self.rows
    }

    pub fn put(&mut self, row: &str, value: &str) {
        let before = self.rows.insert(row.to_owned(), value.to_owned());
        self.undo.push((row.to_owned(), before));
    }

    /// Says whether it was there.
    pub fn delete(&mut self, row: &str) -> bool {
        let before = self.rows.remove(row);
        let was_there = before.is_some();
        if was_there {
            self.undo.push((row.to_owned(), before));
        }
        was_there
    }

    pub fn alarm(&self) -> Option<Timestamp> {
        self.alarm
    }

    pub fn set_alarm(&mut self, at: Option<Timestamp>) {
        if self.alarm_before.is_none() {
            self.alarm_before = Some(self.alarm);
        }
        self.alarm = at;
    }

    /// The alarm that comes now is not set any more. One that the present batch has set stays.
    pub fn take_alarm(&mut self) {
        match &mut self.alarm_before {
            Some(before) => *before = None,
            None => self.alarm = None,
        }
    }

    /// The platform sets an alarm by itself, outside of any batch.
    pub fn retry_alarm(&mut self, at: Timestamp) {
        match &mut self.alarm_before {
            Some(before) => *before = Some(at),
            None => self.alarm = Some(at),
        }
    }

    pub fn delete_all(&mut self) -> Result<(), Fault> {
        let rows: Vec<String> = self.rows.keys().cloned().collect();
        for row in rows {
            self.delete(&row);
        }
        self.set_alarm(None);
        if self.database.connection.is_some() {
            let query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
            for table in self.sql(query, &[])? {
                let name = table.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                self.sql(&format!("DROP TABLE \"{name}\""), &[])?;
            }
        }
        Ok(())
    }

    pub fn sql(&mut self, statements: &str, values: &[SqlValue]) -> Result<Vec<Map<String, Value>>, Fault> {
        self.sql_in(&|_| false, statements, values).map(|(rows, _)| rows)
    }

    /// The same in a weather, where a write may fail, before or after it is done. Says also how many rows it has written, those
    /// of indexes included.
    pub fn sql_in(
        &mut self,
        strikes: &dyn Fn(Kind) -> bool,
        statements: &str,
        values: &[SqlValue],
    ) -> Result<(Vec<Map<String, Value>>, u64), Fault> {
        let (database, in_transaction) = self.database.open()?;
        // One statement is prepared once; several are prepared one after the other, since a table that one of them makes
        // is there for the next.
        let (mut found, before) = (Vec::new(), database.total_changes());
        let written = || database.total_changes() - before;
        if !statements.trim_end().trim_end_matches(';').contains(';') {
            let mut statement = database.prepare_cached(statements).map_err(fault)?;
            // Every command makes its tables first: that is mostly no write.
            let writes = !statement.readonly() && !statements.starts_with("CREATE");
            if writes && strikes(Kind::WriteBefore) {
                return Err("the write failed".into());
            }
            begin(database, in_transaction, &statement)?;
            run(&mut statement, values, &mut found)?;
            if writes && strikes(Kind::WriteAfter) {
                return Err("the write failed, though it was done".into());
            }
            return Ok((found, written()));
        }
        // Tables and indexes are made by every command: each is prepared once, too. A text may have a semicolon in it.
        if !statements.contains('\'') {
            for one in statements.split(';').filter(|one| !one.trim().is_empty()) {
                let mut statement = database.prepare_cached(one).map_err(fault)?;
                begin(database, in_transaction, &statement)?;
                run(&mut statement, values, &mut found)?;
            }
            return Ok((found, written()));
        }
        let mut batch = Batch::new(database, statements);
        while let Some(mut statement) = batch.next().map_err(fault)? {
            begin(database, in_transaction, &statement)?;
            run(&mut statement, values, &mut found)?;
        }
        Ok((found, written()))
    }

    /// Whether something is written that is not durable yet.
    pub fn is_dirty(&self) -> bool {
        !self.undo.is_empty() || self.alarm_before.is_some() || self.database.in_transaction
    }

    /// Makes the batch durable. Says whether the alarm was set or taken away.
    pub fn commit(&mut self) -> bool {
        self.undo.clear();
        self.database.end_transaction("COMMIT");
        self.alarm_before.take().is_some()
    }

    /// Takes the batch back.
    pub fn roll_back(&mut self) {
        for (row, before) in self.undo.drain(..).rev() {
            match before {
                Some(value) => self.rows.insert(row, value),
                None => self.rows.remove(&row),
            };
        }
        if let Some(alarm) = self.alarm_before.take() {
            self.alarm = alarm;
        }
        self.database.end_transaction("ROLLBACK");
    }
}

/// The database of one object, once it has one.
#[derive(Default)]
struct Database {
    connection: Option<Connection>,
    in_transaction: bool,
    /// Whose spare ones are used, and get this one.
    spare: Option<Class>,
}

impl Database {
    fn open(&mut self) -> Result<(&Connection, &mut bool), Fault> {
        let used = |class| SPARE.with_borrow_mut(|all| all.get_mut(&class)?.pop());
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(if let Some(used) = self.spare.and_then(used) {
                used
            } else {
                let made = Connection::open_in_memory().map_err(fault)?;
                made.set_prepared_statement_cache_capacity(PREPARED);
                made
            }),
        };
        Ok((connection, &mut self.in_transaction))
    }

    fn end_transaction(&mut self, statement: &str) {
        if std::mem::take(&mut self.in_transaction)
            && let Some(connection) = &self.connection
        {
            let ended = connection.prepare_cached(statement).and_then(|mut s| s.execute([]));
            ended.expect("a database in memory ends its transaction");
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.end_transaction("ROLLBACK");
        if let (Some(class), Some(connection)) = (self.spare, self.connection.take())
            && emptied(&connection).is_ok()
        {
            SPARE.with_borrow_mut(|all| all.entry(class).or_default().push(connection));
        }
    }
}

/// Takes away all rows, and what the database remembers of numbers that were given.
fn emptied(database: &Connection) -> rusqlite::Result<()> {
    let tables: Vec<String> = database
        .prepare_cached("SELECT name FROM sqlite_master WHERE type = 'table'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        database.prepare_cached(&format!("DELETE FROM \"{table}\""))?.execute([])?;
    }
    Ok(())
}

/// What only reads needs no batch.
fn begin(database: &Connection, begun: &mut bool, statement: &Statement<'_>) -> Result<(), Fault> {
    if !*begun && !statement.readonly() {
        database.prepare_cached("BEGIN").and_then(|mut s| s.execute([])).map_err(fault)?;
        *begun = true;
    }
    Ok(())
}

/// Runs a statement; its rows take the place of those of the one before.
fn run(
    statement: &mut Statement<'_>,
    values: &[SqlValue],
    found: &mut Vec<Map<String, Value>>,
) -> Result<(), Fault> {
    found.clear();
    if statement.column_count() == 0 {
        let bound = if statement.parameter_count() == 0 { &[] } else { values };
        statement.execute(rusqlite::params_from_iter(bound.iter().map(raw))).map_err(fault)?;
        return Ok(());
    }
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let bound = if statement.parameter_count() == 0 { &[] } else { values };
    let mut rows = statement.query(rusqlite::params_from_iter(bound.iter().map(raw))).map_err(fault)?;
    while let Some(row) = rows.next().map_err(fault)? {
        let mut columns = Map::new();
        for (at, name) in names.iter().enumerate() {
            columns.insert(name.clone(), json(row.get_ref(at).map_err(fault)?));
        }
        found.push(columns);
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // For `map_err`.
fn fault(error: rusqlite::Error) -> Fault {
    Fault(error.to_string())
}

fn raw(value: &SqlValue) -> Raw {
    match value {
        SqlValue::Null => Raw::Null,
        SqlValue::Integer(number) => Raw::Integer(*number),
        SqlValue::Text(text) => Raw::Text(text.clone()),
    }
}

fn json(value: ValueRef) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => bytes.into(),
    }
}

//! Named rows of JSON in an object's `SQLite` storage. All calls are synchronous.

use serde::Deserialize;
use std::cell::Cell;
use worker::{Result, SqlStorage, State};

/// The table is made at the first write, so that asking for an object that was never used leaves nothing behind.
pub struct Rows {
    sql: SqlStorage,
    ready: Cell<bool>,
}

#[derive(Deserialize)]
struct Row {
    json: String,
}

#[derive(Deserialize)]
struct Count {
    n: u32,
}

impl Rows {
    pub fn new(state: &State) -> Self {
        Self { sql: state.storage().sql(), ready: Cell::new(false) }
    }

    fn ready(&self) -> Result<bool> {
        if !self.ready.get() {
            let query = "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'rows'";
            self.ready.set(self.sql.exec(query, None)?.one::<Count>()?.n > 0);
        }
        Ok(self.ready.get())
    }

    pub fn get(&self, name: &str) -> Result<Option<String>> {
        if !self.ready()? {
            return Ok(None);
        }
        let rows =
            self.sql.exec("SELECT json FROM rows WHERE name = ?", vec![name.into()])?.to_array::<Row>()?;
        Ok(rows.into_iter().next().map(|row| row.json))
    }

    pub fn put(&self, name: &str, json: String) -> Result<()> {
        if !self.ready()? {
            self.sql
                .exec("CREATE TABLE IF NOT EXISTS rows (name TEXT PRIMARY KEY, json TEXT NOT NULL)", None)?;
            self.ready.set(true);
        }
        let query = "INSERT INTO rows (name, json) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET json = excluded.json";
        self.sql.exec(query, vec![name.into(), json.into()])?;
        Ok(())
    }

    pub fn delete(&self, name: &str) -> Result<()> {
        if self.ready()? {
            self.sql.exec("DELETE FROM rows WHERE name = ?", vec![name.into()])?;
        }
        Ok(())
    }

    /// To be called when all storage was deleted, and the table with it.
    pub fn forget(&self) {
        self.ready.set(false);
    }
}

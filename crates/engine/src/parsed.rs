//! A row as a value, parsed once.

use crate::host::Rows;
use base::fault::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;

/// What was parsed from a row last, or written to it, with the text that it goes with. The row itself is read in any case: an
/// instance that the platform has replaced fails there and cannot answer from the past, and what has another text is parsed
/// anew. So nothing has to be forgotten when a write fails, whether it was done or not.
pub struct Parsed<T, V> {
    row: &'static str,
    last: RefCell<Option<(T, V)>>,
}

impl<T: PartialEq, V: Clone + Default + PartialEq + Serialize + DeserializeOwned> Parsed<T, V> {
    pub const fn of(row: &'static str) -> Self {
        Self { row, last: RefCell::new(None) }
    }

    /// The row's value; where there is no row, the one that everything begins with.
    pub fn read(&self, rows: &impl Rows<Text = T>) -> Result<V, Fault> {
        let Some(text) = rows.read(self.row)? else { return Ok(V::default()) };
        let mut last = self.last.borrow_mut();
        if let Some((known, value)) = &*last
            && *known == text
        {
            return Ok(value.clone());
        }
        let value: V = base::json::read(&rows.text(&text)?)?;
        *last = Some((text, value.clone()));
        Ok(value)
    }

    pub fn write(&self, rows: &impl Rows<Text = T>, value: &V) -> Result<(), Fault> {
        let text = serde_json::to_string(value)?;
        debug_assert!(base::json::read::<V>(&text).is_ok_and(|read| read == *value), "it is read as it was");
        let text = rows.write(self.row, &text)?;
        *self.last.borrow_mut() = Some((text, value.clone()));
        Ok(())
    }
}

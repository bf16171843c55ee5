//! What can be wrong with a field of a request.

use std::borrow::Cow;

/// Whether a character may stand in what is shown to people: none that controls a terminal, breaks a line, or turns the
/// direction of what stands around it.
pub fn is_presentable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A field of a body or query that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: Cow<'static, str>,
    pub fault: FieldFault,
}

impl FieldError {
    pub fn new(field: impl Into<Cow<'static, str>>, fault: FieldFault) -> Self {
        Self { field: field.into(), fault }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    Required,
    WrongType,
    TooShort,
    TooLong,
    NotAllowed,
    /// A password that is tried first.
    TooCommon,
}

impl FieldFault {
    /// All, for the documents.
    #[cfg(not(target_arch = "wasm32"))]
    pub const ALL: &'static [Self] =
        &[Self::Required, Self::WrongType, Self::TooShort, Self::TooLong, Self::NotAllowed, Self::TooCommon];
}

//! What can be wrong with a field of a request.

/// A field of a body or query that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub fault: FieldFault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    Required,
    WrongType,
    TooShort,
    TooLong,
    NotAllowed,
}

//! The tree.

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// From 1; 0 for no place in particular.
    pub(crate) line: u32,
    /// In characters, from 1; 0 for no place in particular.
    pub(crate) column: u32,
}

impl Position {
    /// The file as a whole.
    pub(crate) const UNKNOWN: Self = Self { line: 0, column: 0 };
}

/// A value and where it stands. The place of an alias is the place of the alias, not of its anchor.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// What YAML's core schema makes of a value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    /// As it is written, so that a decimal keeps all its digits.
    Number(String),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A member of a mapping, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_position: Position,
    pub(crate) node: Node,
}

impl Value {
    /// What to call it in an error.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

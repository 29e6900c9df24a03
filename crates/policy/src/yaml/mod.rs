//! Policy text as a tree that knows where everything stands.
//!
//! The tree is read by hand ([`Mapping`]) instead of through derived structs: those stop at the first error and
//! know no path, and an operator needs all errors with their paths.

mod field;
mod limits;
mod mapping;
mod node;
mod parse;
mod raw;

pub(crate) use field::Field;
pub(crate) use limits::{MAX_FILE_BYTES, too_large};
pub(crate) use mapping::{Mapping, Named, named};
pub(crate) use node::{Position, Value};
pub(crate) use parse::parse;

//! Databases have signed numbers only.

use crate::error::Fault;

pub(crate) fn signed(number: u64) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| Fault::Failed(format!("{number} is out of range")))
}

pub(crate) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Content(format!("{number} is out of range")))
}

/// As [`unsigned`], of what may be missing.
pub(crate) fn maybe(number: Option<i64>) -> Result<Option<u64>, Fault> {
    number.map(unsigned).transpose()
}

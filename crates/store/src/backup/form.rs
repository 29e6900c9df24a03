//! The lines of a backup.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Head;

/// Which form of lines this is.
pub(super) const FORM: u32 = 1;

/// The first line.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    pub(super) writ_backup: u32,
    pub(super) schema: i64,
    epoch: u64,
    min_iat: u64,
    latest: u64,
    revocation: u64,
    keys: u64,
}

/// Every other line but the last.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row<'l> {
    #[serde(borrow)]
    pub(super) table: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) row: &'l RawValue,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Last {
    pub(super) rows: u64,
    /// Of all bytes before this line.
    pub(super) sha256: String,
}

impl First {
    pub(super) fn new(schema: i64, head: Head) -> Self {
        let Head { epoch, min_iat, latest, revocation, keys } = head;
        Self { writ_backup: FORM, schema, epoch, min_iat, latest, revocation, keys }
    }

    pub(super) fn head(&self) -> Head {
        let Self { writ_backup: _, schema: _, epoch, min_iat, latest, revocation, keys } = *self;
        Head { epoch, min_iat, latest, revocation, keys }
    }
}

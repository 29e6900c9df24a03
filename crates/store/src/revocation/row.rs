//! Revocations as they are stored.

use serde::Serialize;

use super::{Lifted, Revocation};
use crate::{
    error::Fault,
    number::{maybe, signed, unsigned},
};

/// Columns of a [`Row`], in its order.
macro_rules! columns {
    ($of:literal) => {
        concat!(
            $of,
            "seq, ",
            $of,
            "level, ",
            $of,
            "name, ",
            $of,
            "audience, ",
            $of,
            "reason, ",
            $of,
            "revoked_by, ",
            $of,
            "revoked_at, ",
            $of,
            "expires_at, ",
            $of,
            "lifted_seq, ",
            $of,
            "lifted_by, ",
            $of,
            "lifted_at"
        )
    };
}
pub(crate) use columns;

pub(crate) type Row = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    String,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

pub(crate) fn read(row: Row) -> Result<Revocation, Fault> {
    let (seq, level, name, audience, reason, by, at, expires_at, lifted_seq, lifted_by, lifted_at) = row;
    let bad = |what: &str| Fault::Content(format!("revocation {seq}: {what}"));
    let lifted = match (lifted_seq, lifted_by, lifted_at) {
        (None, None, None) => None,
        (Some(seq), Some(by), Some(at)) => Some(Lifted { seq: unsigned(seq)?, by, at: unsigned(at)? }),
        _ => return Err(bad("it is half lifted")),
    };
    Ok(Revocation {
        seq: unsigned(seq)?,
        level: level.parse().map_err(|_| bad("its level is unknown"))?,
        name,
        audience,
        reason,
        by,
        at: unsigned(at)?,
        expires_at: maybe(expires_at)?,
        lifted,
    })
}

/// A new row, as JSON that the database takes apart.
#[derive(Serialize)]
pub(crate) struct NewRow<'r> {
    seq: i64,
    level: &'static str,
    name: &'r str,
    audience: Option<&'r str>,
    reason: Option<&'r str>,
    revoked_by: &'r str,
    revoked_at: i64,
    expires_at: Option<i64>,
    lifted_seq: Option<i64>,
    lifted_by: Option<&'r str>,
    lifted_at: Option<i64>,
}

impl<'r> NewRow<'r> {
    pub(crate) fn new(revocation: &'r Revocation) -> Result<Self, Fault> {
        let Revocation { seq, level, name, audience, reason, by, at, expires_at, lifted } = revocation;
        let lifted = lifted.as_ref();
        Ok(Self {
            seq: signed(*seq)?,
            level: level.name(),
            name,
            audience: audience.as_deref(),
            reason: reason.as_deref(),
            revoked_by: by,
            revoked_at: signed(*at)?,
            expires_at: expires_at.map(signed).transpose()?,
            lifted_seq: lifted.map(|lifted| signed(lifted.seq)).transpose()?,
            lifted_by: lifted.map(|lifted| lifted.by.as_str()),
            lifted_at: lifted.map(|lifted| signed(lifted.at)).transpose()?,
        })
    }
}

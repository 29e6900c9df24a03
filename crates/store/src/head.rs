//! What counts for the whole store: its one row.

use crate::{
    Store,
    error::{Fault, StoreError},
    link::on_link,
    number::unsigned,
    store::bounded,
};

/// What counts for the whole store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The first part of every snapshot's version. Raised when a backup is restored.
    pub epoch: u64,
    /// Tokens issued before this instant, Unix seconds, are refused.
    pub min_iat: u64,
    /// The generation that all replicas serve; 0 before the first.
    pub latest: u64,
    /// Raised by each revocation and each lifting; its values are their places in the order.
    pub revocation: u64,
    /// Raised with every change of signing keys.
    pub keys: u64,
}

/// The part of a [`Head`] that policy is published by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyHead {
    /// See [`Head::epoch`].
    pub epoch: u64,
    /// See [`Head::min_iat`].
    pub min_iat: u64,
    /// See [`Head::latest`].
    pub latest: u64,
}

impl Head {
    /// What policy is published by: equal for as long as the same policy counts.
    #[must_use]
    pub fn policy(&self) -> PolicyHead {
        let Self { epoch, min_iat, latest, revocation: _, keys: _ } = *self;
        PolicyHead { epoch, min_iat, latest }
    }
}

/// The columns of a [`Row`].
macro_rules! head_columns {
    () => {
        "epoch, min_iat, latest_generation, revocation, keys"
    };
}
pub(crate) use head_columns;

pub(crate) const HEAD: &str = concat!("SELECT ", head_columns!(), " FROM store");

pub(crate) type Row = (i64, i64, i64, i64, i64);

pub(crate) fn head((epoch, min_iat, latest, revocation, keys): Row) -> Result<Head, Fault> {
    Ok(Head {
        epoch: unsigned(epoch)?,
        min_iat: unsigned(min_iat)?,
        latest: unsigned(latest)?,
        revocation: unsigned(revocation)?,
        keys: unsigned(keys)?,
    })
}

impl Store {
    /// Reads what is latest, without the policy itself.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn head(&self) -> Result<Head, StoreError> {
        let mut lease = self.lease().await?;
        let row: Result<Row, Fault> =
            on_link!(&mut lease.link, link => bounded(sqlx::query_as(HEAD).fetch_one(link)).await);
        let head = row.and_then(head).map_err(|fault| lease.error(fault))?;
        lease.give_back();
        Ok(head)
    }
}

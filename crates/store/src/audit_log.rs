//! The audit log, read.

use audit::{Batch, Digest, Extent, Head, Pruned};

use crate::{
    Store,
    error::{Fault, StoreError},
    number::unsigned,
    query::Query,
};

/// Which batches, by their time. Chains are read with [`Store::audit_chain`].
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Sealed at this instant or later, Unix milliseconds.
    pub from: Option<u64>,
    /// Sealed before this instant.
    pub until: Option<u64>,
    /// Only batches whose text holds, of each of these lists, at least one. Case counts or not, as the database likes: it
    /// narrows, and whoever asks looks again.
    pub containing: Vec<Vec<String>>,
    /// Only batches that follow this one in the order of time, writer and place: the last of the page before.
    pub after: Option<AuditPlace>,
    /// At most so many. One batch may have some megabytes.
    pub limit: u32,
}

/// Where a batch is in the order of all batches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuditPlace {
    /// Unix milliseconds.
    pub sealed_at: u64,
    /// Whose.
    pub writer: String,
    /// Its place in that writer's chain.
    pub seq: u64,
}

const BATCH: &str = "SELECT writer, seq, sealed_at, events, body, previous, hash, mac FROM audit_batches";
const WRITER: &str = "SELECT writer, head_seq, head_hash, head_mac, pruned_seq, pruned_hash, pruned_mac \
    FROM audit_writers";
const UNLISTED: &str =
    "SELECT DISTINCT writer FROM audit_batches WHERE writer NOT IN (SELECT writer FROM audit_writers)";

pub(crate) type BatchRow = (String, i64, i64, i64, String, String, String, String);
pub(crate) type ExtentRow = (String, i64, String, String, i64, String, String);

impl Store {
    /// Batches of all writers, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_batches(&self, filter: &AuditFilter) -> Result<Vec<Batch>, StoreError> {
        let AuditFilter { from, until, containing, after, limit } = filter.clone();
        let mut query = Query::new(BATCH);
        query.number("sealed_at >= ?", from);
        query.number("sealed_at < ?", until);
        for texts in containing {
            query.any_contained("body", &texts);
        }
        if let Some(AuditPlace { sealed_at, writer, seq }) = after {
            query.number("sealed_at >= ?", Some(sealed_at));
            query.after(["sealed_at", "writer", "seq"], sealed_at, writer, seq);
        }
        self.rows(query.ending("sealed_at, writer, seq", limit), batch).await
    }

    /// Batches of one writer after the place `after` in its chain.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_chain(&self, writer: &str, after: u64, limit: u32) -> Result<Vec<Batch>, StoreError> {
        let mut query = Query::new(BATCH);
        query.text("writer = ?", Some(writer.to_owned()));
        query.number("seq > ?", Some(after));
        self.rows(query.ending("seq", limit), batch).await
    }

    /// From where to where each writer's chain is kept, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_writers(&self) -> Result<Vec<Extent>, StoreError> {
        self.rows(Query::new(WRITER).ending("writer", u32::MAX), extent).await
    }

    /// The same, of one writer.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_writer(&self, writer: &str) -> Result<Option<Extent>, StoreError> {
        let mut query = Query::new(WRITER);
        query.text("writer = ?", Some(writer.to_owned()));
        Ok(self.rows(query.ending("writer", 1), extent).await?.pop())
    }

    /// Names that batches have and no writer: somebody put them there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn unlisted_audit_writers(&self) -> Result<Vec<String>, StoreError> {
        self.rows(Query::new(UNLISTED).ending("writer", u32::MAX), |(writer,)| Ok(writer)).await
    }
}

pub(crate) fn batch(
    (writer, seq, sealed_at, events, body, previous, hash, mac): BatchRow,
) -> Result<Batch, Fault> {
    Ok(Batch {
        seq: unsigned(seq)?,
        sealed_at: unsigned(sealed_at)?,
        events: unsigned(events)?,
        previous: digest(&previous),
        hash: digest(&hash),
        mac: digest(&mac),
        body,
        writer,
    })
}

pub(crate) fn extent(row: ExtentRow) -> Result<Extent, Fault> {
    let (writer, head_seq, head_hash, head_mac, pruned_seq, pruned_hash, pruned_mac) = row;
    let pruned = match (pruned_seq, pruned_hash.as_str(), pruned_mac.as_str()) {
        (0, "", "") => Pruned::default(),
        _ => Pruned { seq: unsigned(pruned_seq)?, hash: digest(&pruned_hash), mac: digest(&pruned_mac) },
    };
    let head = Head { seq: unsigned(head_seq)?, hash: digest(&head_hash), writer };
    Ok(Extent { head, mac: digest(&head_mac), pruned })
}

/// A text that is no digest was put there by somebody else. It reads as one that nothing has: verification tells, and
/// what else is in the log can be read.
fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap_or(Digest([0xff; 32]))
}

//! The audit log, read.

use audit::{Batch, Digest};

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

/// A writer, and what is left of its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditWriter {
    /// Its last batch.
    pub head: audit::Head,
    /// The keyed hash of that batch.
    pub mac: Digest,
    /// When it sealed its first, Unix seconds.
    pub started_at: u64,
    /// The last batch that was removed for its age; 0 for none.
    pub pruned_seq: u64,
    /// Its hash, which the first batch that is left names; all zeros for none.
    pub pruned_hash: Digest,
}

const BATCH: &str = "SELECT writer, seq, sealed_at, events, body, previous, hash, mac FROM audit_batches";
const WRITER: &str = "SELECT writer, started_at, head_seq, head_hash, head_mac, pruned_seq, pruned_hash \
    FROM audit_writers";

type BatchRow = (String, i64, i64, i64, String, String, String, String);
type WriterRow = (String, i64, i64, String, String, i64, String);

impl Store {
    /// Batches of all writers, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_batches(&self, filter: &AuditFilter) -> Result<Vec<Batch>, StoreError> {
        let AuditFilter { from, until, after, limit } = filter.clone();
        let mut query = Query::new(BATCH);
        query.number("sealed_at >= ?", from);
        query.number("sealed_at < ?", until);
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

    /// All writers, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn audit_writers(&self) -> Result<Vec<AuditWriter>, StoreError> {
        self.rows(Query::new(WRITER).ending("writer", u32::MAX), writer).await
    }
}

fn batch((writer, seq, sealed_at, events, body, previous, hash, mac): BatchRow) -> Result<Batch, Fault> {
    let bad = |what: &str| Fault::Content(format!("audit batch {seq} of `{writer}`: {what} is no hash"));
    Ok(Batch {
        seq: unsigned(seq)?,
        sealed_at: unsigned(sealed_at)?,
        events: unsigned(events)?,
        previous: Digest::parse(&previous).ok_or_else(|| bad("`previous`"))?,
        hash: Digest::parse(&hash).ok_or_else(|| bad("`hash`"))?,
        mac: Digest::parse(&mac).ok_or_else(|| bad("`mac`"))?,
        body,
        writer,
    })
}

fn writer(row: WriterRow) -> Result<AuditWriter, Fault> {
    let (writer, started_at, head_seq, head_hash, head_mac, pruned_seq, pruned_hash) = row;
    let bad = |what: &str| Fault::Content(format!("audit writer `{writer}`: {what} is no hash"));
    let mac = Digest::parse(&head_mac).ok_or_else(|| bad("`head_mac`"))?;
    let hash = Digest::parse(&head_hash).ok_or_else(|| bad("`head_hash`"))?;
    let pruned_hash = match pruned_hash.as_str() {
        "" => Digest::default(),
        text => Digest::parse(text).ok_or_else(|| bad("`pruned_hash`"))?,
    };
    Ok(AuditWriter {
        head: audit::Head { seq: unsigned(head_seq)?, hash, writer },
        mac,
        started_at: unsigned(started_at)?,
        pruned_seq: unsigned(pruned_seq)?,
        pruned_hash,
    })
}

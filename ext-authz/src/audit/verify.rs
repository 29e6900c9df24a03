//! Holding the whole log of a store against its key.

use audit::{ChainKey, Checkpoint, Claims, Report, Verifier};
use store::{AuditFilter, AuditPlace, Store, StoreError};

/// Batches that are read at once: each may have some megabytes.
const READ: u32 = 16;

/// Verifies every chain, while servers may write and prune.
///
/// # Errors
/// The store cannot be read.
pub async fn verify(
    store: &Store,
    key: &ChainKey,
    checkpoint: Option<&Checkpoint>,
) -> Result<Report, StoreError> {
    // First what is claimed: what is written from here on is more than that.
    let mut claims = anchors(store, key).await?;
    if let Some(checkpoint) = checkpoint {
        claims.add_checkpoint(checkpoint);
    }
    let mut verifier = Verifier::new(key.clone(), claims);
    for extent in store.audit_writers().await? {
        let writer = extent.head.writer.clone();
        let mut last = extent.pruned.seq;
        let mut chain = verifier.chain(extent);
        loop {
            let batches = store.audit_chain(&writer, last, READ).await?;
            batches.iter().for_each(|batch| chain.batch(batch));
            match batches.last() {
                Some(batch) => last = batch.seq,
                None => break,
            }
        }
        chain.end(store.audit_writer(&writer).await?);
    }
    for writer in store.unlisted_audit_writers().await? {
        verifier.unlisted(&writer);
    }
    Ok(verifier.finish())
}

async fn anchors(store: &Store, key: &ChainKey) -> Result<Claims, StoreError> {
    let mut claims = Claims::new();
    let mut filter = AuditFilter {
        containing: vec![vec![Claims::MARK.to_owned()]],
        limit: READ,
        ..AuditFilter::default()
    };
    loop {
        let batches = store.audit_batches(&filter).await?;
        batches.iter().for_each(|batch| claims.collect(key, batch));
        let Some(last) = batches.last() else { return Ok(claims) };
        let (sealed_at, writer, seq) = (last.sealed_at, last.writer.clone(), last.seq);
        filter.after = Some(AuditPlace { sealed_at, writer, seq });
    }
}

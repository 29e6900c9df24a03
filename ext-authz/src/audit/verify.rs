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

#[cfg(test)]
mod tests {
    use audit::{Chain, Event, Lines};
    use store::{Ledger, Retention, Write};
    use test_databases::Database;

    use super::*;
    use crate::clock;

    async fn ages(database: Database) {
        let key = ChainKey::from_bytes([5; 32]);
        let chain = Chain::begin("w".to_owned(), key.clone());
        let location: store::StoreLocation = database.url().parse().unwrap();
        let (ledger, writing) = Ledger::open(location.clone(), chain).await.unwrap();
        let writing = tokio::spawn(writing);
        let note = || Lines::of(&Event::dropped(1, 1, None));
        for _ in 0..5 {
            ledger.write(Write::Note, note()).await.unwrap();
        }
        let store = Store::existing(location);
        let extent = store.audit_writer("w").await.unwrap().unwrap();
        let checkpoint = Checkpoint::seal(&key, 1, vec![extent.head]);
        assert!(verify(&store, &key, Some(&checkpoint)).await.unwrap().is_clean());
        // All of it is older than nothing, as soon as the second is over.
        let retention = Retention { tasks: 0, audit: 0 };
        let mut pruned = 0;
        while pruned < 5 {
            pruned += store.prune(clock::now().0, retention, &key).await.unwrap().audit_batches;
        }
        assert!(verify(&store, &key, Some(&checkpoint)).await.unwrap().is_clean());
        ledger.write(Write::Note, note()).await.unwrap();
        let report = verify(&store, &key, Some(&checkpoint)).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.batches, report.events), (1, 1));
        // Somebody removes what was not old.
        database.execute("DELETE FROM audit_batches").await;
        assert!(!verify(&store, &key, Some(&checkpoint)).await.unwrap().is_clean());
        drop(ledger);
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn what_was_removed_for_its_age_is_no_finding() {
        ages(Database::sqlite()).await;
    }

    #[tokio::test]
    async fn nor_is_it_with_postgres() {
        ages(Database::postgres()).await;
    }
}

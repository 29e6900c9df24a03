//! The chains of other servers, held fast in this one's.

use std::{collections::BTreeMap, time::Duration};

use audit::{Digest, Event, Head, Lines};
use store::{Store, StoreError, Write};
use tokio::time::{MissedTickBehavior, interval};

use super::AuditLog;
use crate::{clock, listen::Shutdown, server::Api, telemetry::audit as metrics};

/// How much of a chain can be cut off without another telling.
const INTERVAL: Duration = Duration::from_secs(60);

/// Says in the log that this server writes from now on, and names the heads of all other chains there and then, and once a
/// minute those that moved since.
pub async fn keep_anchors(api: &Api, mut shutdown: Shutdown) {
    let AuditLog { writer, node, .. } = &api.audit;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut started = Some(clock::now_millis().0);
    let mut anchored = BTreeMap::<String, (u64, Digest)>::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.requested() => return,
            _ = ticks.tick() => {}
        }
        let heads = match other_heads(&api.scans, writer).await {
            Ok(heads) => heads,
            Err(error) => {
                tracing::warn!(%error, "the audit log's other chains cannot be read: they are not anchored");
                continue;
            }
        };
        let mut lines = Lines::new();
        if let Some(at) = started {
            lines.push(&Event::writer_started(at, node, writer));
        }
        let moved = |head: &&Head| anchored.get(&head.writer) != Some(&(head.seq, head.hash));
        for head in heads.iter().filter(moved) {
            lines.push(&Event::anchor(clock::now_millis().0, head));
        }
        if lines.is_empty() {
            continue;
        }
        match api.ledger.write(Write::Note, lines).await {
            Ok(_) => {
                started = None;
                anchored =
                    heads.into_iter().map(|Head { writer, seq, hash }| (writer, (seq, hash))).collect();
            }
            Err(error) => {
                metrics::failed();
                tracing::warn!(%error, "the audit log's other chains are not anchored");
            }
        }
    }
}

/// The ends of all chains but `writer`'s, as far as anything is left of them.
async fn other_heads(store: &Store, writer: &str) -> Result<Vec<Head>, StoreError> {
    // After a restore a chain goes on under its name and the epoch.
    let is_own = |head: &Head| {
        head.writer.strip_prefix(writer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let extents = store.audit_writers().await?.into_iter();
    let left = extents.filter(|extent| extent.head.seq > extent.pruned.seq).map(|extent| extent.head);
    Ok(left.filter(|head| !is_own(head)).collect())
}

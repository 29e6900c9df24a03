//! Reading the log in order until a page is full.

use audit::{Batch, Event};
use serde::Serialize;
use store::{AuditFilter, AuditPlace, Store, StoreError};

use super::{filter::Filter, place::Place};

/// Batches that are read at once: each may have some megabytes.
const READ: u32 = 16;
/// Bytes that one page looks at. A page that ends for it has a `next`, and perhaps no event.
const BYTES: usize = 16 << 20;

/// Some events, oldest first.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    events: Vec<Entry>,
    /// What to give as `after` for the next page; absent if this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An event and where it is.
#[derive(Debug, Serialize)]
struct Entry {
    /// Whose chain.
    writer: String,
    /// Which batch of it.
    batch: u64,
    /// Which line of that, from 1.
    line: u64,
    #[serde(flatten)]
    event: Event<'static>,
}

/// The page that `filter` asks for.
pub(super) async fn scan(store: &Store, filter: &Filter) -> Result<Page, StoreError> {
    let mut page = Page { events: Vec::new(), next: None };
    let mut bytes = 0;
    // A batch of which a page had some lines is read again.
    let mut batches = match filter.after() {
        Some(Place { batch, lines }) => {
            let first = store.audit_chain(&batch.writer, batch.seq.saturating_sub(1), 1).await?;
            if let Some(first) = first.iter().find(|first| first.seq == batch.seq)
                && !page.take(first, *lines, filter)
            {
                return Ok(page);
            }
            read(store, filter, Some(batch.clone())).await?
        }
        None => read(store, filter, None).await?,
    };
    while let Some(last) = batches.last().map(place) {
        for batch in &batches {
            bytes += batch.body.len();
            if !page.take(batch, 0, filter) {
                return Ok(page);
            }
        }
        if batches.len() < READ as usize {
            return Ok(page);
        }
        if bytes > BYTES {
            let lines = batches.last().map_or(0, |last| last.events);
            page.next = Some(Place { batch: last, lines }.to_string());
            return Ok(page);
        }
        batches = read(store, filter, Some(last)).await?;
    }
    Ok(page)
}

async fn read(store: &Store, filter: &Filter, after: Option<AuditPlace>) -> Result<Vec<Batch>, StoreError> {
    let filter = AuditFilter {
        from: filter.sealed_from(),
        until: filter.sealed_until(),
        containing: filter.texts(),
        after,
        limit: READ,
    };
    store.audit_batches(&filter).await
}

fn place(batch: &Batch) -> AuditPlace {
    let Batch { sealed_at, writer, seq, .. } = batch;
    AuditPlace { sealed_at: *sealed_at, writer: writer.clone(), seq: *seq }
}

impl Page {
    /// Adds what is asked for of a batch behind its first `skipped` lines. `false`: the page is full.
    fn take(&mut self, batch: &Batch, skipped: u64, filter: &Filter) -> bool {
        for (line, (_, event)) in (1..).zip(batch.entries()).skip_while(|(line, _)| *line <= skipped) {
            // A line of a later version, or none of ours: verification tells.
            let Some(event) = event.filter(|event| filter.matches(event)) else { continue };
            if self.events.len() >= filter.limit() {
                self.next = Some(Place { batch: place(batch), lines: line - 1 }.to_string());
                return false;
            }
            let (writer, event) = (batch.writer.clone(), event.into_owned());
            self.events.push(Entry { writer, batch: batch.seq, line, event });
        }
        true
    }
}

//! Holding a log against what its writers sealed.
//!
//! A chain is read in order, one batch at a time; nothing of it is kept but where it is. The log may grow meanwhile, and
//! what is old may leave it: so [`Claims`] are collected first, each writer's [`Extent`] is read before its batches and
//! again after them, and all that grew in between is held against the keys and links like the rest.

use crate::{Batch, ChainKey, Claims, Digest, Extent, Fault, Finding, Head, Pruned, claims::ChainClaims};

/// Most findings that are told; the rest is counted. A log under another key is one long list of them.
const MOST_FINDINGS: usize = 1000;
/// How many places are tried for a batch that may have been moved, and for how many batches.
const MOST_PLACES: u64 = 1 << 20;
const MOST_SEARCHES: u32 = 64;

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Chains that were read.
    pub writers: u64,
    /// Batches that were read.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// What is wrong, at most 1000 of it.
    pub findings: Vec<Finding>,
    /// Findings beyond these.
    pub more: u64,
}

impl Report {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, writer: &str, seq: u64, fault: Fault) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding { writer: writer.to_owned(), seq, fault });
        } else {
            self.more += 1;
        }
    }
}

/// The verification of a whole log, chain after chain.
#[derive(Debug)]
pub struct Verifier {
    key: ChainKey,
    claims: Claims,
    report: Report,
    searches: u32,
}

/// The verification of one chain.
#[derive(Debug)]
pub struct ChainVerifier<'v> {
    verifier: &'v mut Verifier,
    before: Extent,
    claims: ChainClaims,
    /// The last batch that was read, or the place where reading begins.
    last: Head,
    /// Batches that are missing at the beginning: they may have been pruned since.
    missing: Option<(u64, u64)>,
}

impl Verifier {
    /// Begins, with what is said of the chains elsewhere.
    #[must_use]
    pub fn new(key: ChainKey, claims: Claims) -> Self {
        Self { key, claims, report: Report::default(), searches: 0 }
    }

    /// Begins a chain, whose batches are to follow from the one after `extent.pruned` on.
    pub fn chain(&mut self, extent: Extent) -> ChainVerifier<'_> {
        let Extent { head, mac, pruned } = &extent;
        let writer = head.writer.as_str();
        self.report.writers += 1;
        // A writer is listed with its first batch: none has a head before it.
        if head.seq == 0 || !self.key.of_batch(&head.hash).is(mac) {
            self.report.add(writer, head.seq, Fault::HeadForged);
        }
        if !pruned.is_keyed(&self.key, writer) {
            self.report.add(writer, pruned.seq, Fault::PruningForged);
        }
        let claims = self.claims.take(writer);
        let last = Head { writer: writer.to_owned(), seq: pruned.seq, hash: pruned.hash };
        ChainVerifier { verifier: self, before: extent, claims, last, missing: None }
    }

    /// There are batches of `writer`, which is not listed: its chain is not read.
    pub fn unlisted(&mut self, writer: &str) {
        self.claims.take(writer);
        self.report.add(writer, 0, Fault::Unlisted);
    }

    /// Ends, when every chain was read.
    #[must_use]
    pub fn finish(self) -> Report {
        let Self { claims, mut report, .. } = self;
        for (writer, _, by) in claims.into_highest() {
            report.add(&writer, 0, Fault::WriterRemoved { by });
        }
        report
    }

    /// The batch itself, wherever it stands.
    fn check_batch(&mut self, batch: &Batch, most_places: u64) {
        let Batch { writer, seq, events, body, .. } = batch;
        self.report.batches += 1;
        self.report.events += events;
        let is_keyed = batch.is_keyed(&self.key);
        if batch.digest() != batch.hash {
            // Only a hash that a writer made says where the batch belongs.
            let may_search = is_keyed && self.searches < MOST_SEARCHES;
            self.searches += u32::from(may_search);
            let from = may_search.then(|| batch.sealed_place(most_places.min(MOST_PLACES))).flatten();
            self.report.add(writer, *seq, from.map_or(Fault::Edited, |from| Fault::Moved { from }));
        }
        if !is_keyed {
            self.report.add(writer, *seq, Fault::Forged);
        }
        let lines = body.lines().count() as u64;
        if lines != *events {
            self.report.add(writer, *seq, Fault::Miscounted { events: *events, lines });
        }
        if let Some(line) = batch.first_bad_line() {
            self.report.add(writer, *seq, Fault::NoEvent { line });
        }
    }
}

impl ChainVerifier<'_> {
    /// The next batch.
    pub fn batch(&mut self, batch: &Batch) {
        let most_places = self.before.head.seq.max(batch.seq);
        self.verifier.check_batch(batch, most_places);
        let expected = self.last.seq + 1;
        if batch.seq < expected {
            self.add(batch.seq, Fault::Reordered);
            return;
        }
        if batch.seq > expected {
            if self.last.seq == self.before.pruned.seq {
                self.missing = Some((expected, batch.seq - 1));
            } else {
                self.add(expected, Fault::Removed { to: batch.seq - 1 });
            }
        } else if batch.previous != self.last.hash {
            self.add(batch.seq, Fault::Unlinked);
        }
        self.check_claims(batch.seq, batch.hash);
        let head = &self.before.head;
        if head.seq == batch.seq && head.hash != batch.hash {
            self.add(batch.seq, Fault::HeadDiffers);
        }
        (self.last.seq, self.last.hash) = (batch.seq, batch.hash);
    }

    /// Ends the chain, with what its writer has become meanwhile; `None` if it is listed no more.
    pub fn end(mut self, after: Option<Extent>) {
        let Some(Extent { head: after, mac: _, pruned }) = after else {
            self.add(0, Fault::HeadWentBack);
            return;
        };
        let before = self.before.head.seq;
        // A statement of somebody without the key counts for nothing.
        let is_keyed = pruned.is_keyed(&self.verifier.key, &self.before.head.writer);
        let pruned = if is_keyed { pruned } else { self.before.pruned.clone() };
        self.settle_missing(&pruned);
        let last = self.last.seq;
        if after.seq < before {
            self.add(after.seq, Fault::HeadWentBack);
        }
        if last < before && last >= pruned.seq {
            self.add(last + 1, Fault::CutTail { to: before, by: None });
        }
        if last > after.seq.max(before) {
            self.add(after.seq + 1, Fault::BehindHead);
        }
        self.check_pruned_claim(&pruned);
        let end = last.max(before).max(pruned.seq);
        let beyond = self.claims.split_off(&(end + 1));
        if let Some((to, claims)) = beyond.into_iter().next_back() {
            let by = claims.into_iter().next().map(|(_, by)| by);
            self.add(end + 1, Fault::CutTail { to, by });
        }
    }

    /// What is missing at the beginning was pruned while the chain was read, or removed.
    fn settle_missing(&mut self, pruned: &Pruned) {
        let Some((from, to)) = self.missing.take() else { return };
        if pruned.seq < to {
            self.add(from, Fault::Removed { to });
        }
    }

    /// The last batch that was pruned is the only one of them that something is known of.
    fn check_pruned_claim(&mut self, pruned: &Pruned) {
        if pruned.seq > 0 {
            self.check_claims(pruned.seq, pruned.hash);
        }
    }

    fn check_claims(&mut self, seq: u64, hash: Digest) {
        for (claimed, by) in self.claims.remove(&seq).unwrap_or_default() {
            if claimed != hash {
                self.add(seq, Fault::Contradicted { by });
            }
        }
    }

    fn add(&mut self, seq: u64, fault: Fault) {
        self.verifier.report.add(&self.before.head.writer, seq, fault);
    }
}

//! A log as a store keeps it: rows of batches and rows of writers, for a test to change at will.

use std::collections::BTreeMap;

use audit::{
    Batch, Chain, ChainKey, Checkpoint, Claims, Digest, Event, Extent, Fault, Head, Lines, Pruned, Report,
    Verifier,
};

pub(crate) const KEY: ChainKey = ChainKey::from_bytes([7; 32]);

#[derive(Clone, Default)]
pub(crate) struct Log {
    chains: BTreeMap<String, Chain>,
    pub(crate) batches: BTreeMap<(String, u64), Batch>,
    pub(crate) writers: BTreeMap<String, Extent>,
    now: u64,
}

impl Log {
    /// Two writers with so many batches each, which anchor each other at the end; the second one stopped.
    pub(crate) fn of(first: usize, second: usize) -> Self {
        let mut log = Self::default();
        for _ in 0..second {
            log.decide("two");
        }
        for _ in 0..first {
            log.decide("one");
        }
        log.anchor("one");
        log
    }

    pub(crate) fn write(&mut self, writer: &str, lines: Lines) {
        self.now += 1;
        let chain =
            self.chains.entry(writer.to_owned()).or_insert_with(|| Chain::begin(writer.to_owned(), KEY));
        let batch = chain.seal(lines, self.now);
        chain.advance(&batch);
        let extent = Extent { head: chain.head().clone(), mac: batch.mac, pruned: Pruned::default() };
        let row = self.writers.entry(writer.to_owned()).or_insert(extent);
        (row.head, row.mac) = (chain.head().clone(), batch.mac);
        self.batches.insert((writer.to_owned(), batch.seq), batch);
    }

    /// One decision and one refusal.
    pub(crate) fn decide(&mut self, writer: &str) {
        let task = format!("task-{}", self.now);
        let mut lines = Lines::of(&Event::task_completed(self.now, "client", &task, Some("it is\ndone")));
        lines.push(&Event::refusals(self.now, "missing_token", "logs.internal", 3));
        self.write(writer, lines);
    }

    /// `writer` names the heads of all others.
    pub(crate) fn anchor(&mut self, writer: &str) {
        let mut lines = Lines::new();
        for extent in self.writers.values().filter(|extent| extent.head.writer != writer) {
            lines.push(&Event::anchor(self.now, &extent.head));
        }
        self.write(writer, lines);
    }

    pub(crate) fn prune(&mut self, writer: &str, to: u64) {
        let hash = self.batches[&(writer.to_owned(), to)].hash;
        self.row(writer).pruned = Pruned::seal(&KEY, writer, to, hash);
        self.batches.retain(|(of, seq), _| of != writer || *seq > to);
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let heads = self.writers.values().map(|extent| extent.head.clone()).collect();
        Checkpoint::seal(&KEY, self.now, heads)
    }

    pub(crate) fn row(&mut self, writer: &str) -> &mut Extent {
        self.writers.get_mut(writer).expect("a writer")
    }

    pub(crate) fn batch(&mut self, writer: &str, seq: u64) -> &mut Batch {
        self.batches.get_mut(&(writer.to_owned(), seq)).expect("a batch")
    }

    pub(crate) fn remove(&mut self, writer: &str, seq: u64) -> Batch {
        self.batches.remove(&(writer.to_owned(), seq)).expect("a batch")
    }

    pub(crate) fn head(&self, writer: &str) -> Head {
        self.writers[writer].head.clone()
    }

    /// Sets the head to what is the last batch now, as somebody does who covers their tracks.
    pub(crate) fn mend_head(&mut self, writer: &str) {
        let last = self.batches.range((writer.to_owned(), 0)..=(writer.to_owned(), u64::MAX)).next_back();
        let (seq, hash, mac) = last.map_or((0, Digest::default(), Digest::default()), |(_, batch)| {
            (batch.seq, batch.hash, batch.mac)
        });
        let row = self.row(writer);
        (row.head.seq, row.head.hash, row.mac) = (seq, hash, mac);
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_against(None)
    }

    pub(crate) fn verify_against(&self, checkpoint: Option<&Checkpoint>) -> Report {
        let mut claims = Claims::new();
        if let Some(checkpoint) = checkpoint {
            claims.add_checkpoint(checkpoint);
        }
        for batch in self.batches.values() {
            claims.collect(&KEY, batch);
        }
        let mut verifier = Verifier::new(KEY, claims);
        for (writer, extent) in &self.writers {
            let mut chain = verifier.chain(extent.clone());
            let rows = self.batches.iter().filter(|((of, _), _)| of == writer);
            rows.for_each(|(_, batch)| chain.batch(batch));
            chain.end(Some(extent.clone()));
        }
        let mut unlisted: Vec<&String> = self.batches.keys().map(|(writer, _)| writer).collect();
        unlisted.dedup();
        for writer in unlisted.into_iter().filter(|writer| !self.writers.contains_key(*writer)) {
            verifier.unlisted(writer);
        }
        verifier.finish()
    }

    /// What is found, each with writer and place.
    pub(crate) fn faults(&self) -> Vec<(String, u64, Fault)> {
        let findings = self.verify().findings;
        findings.into_iter().map(|finding| (finding.writer, finding.seq, finding.fault)).collect()
    }
}

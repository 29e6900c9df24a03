//! Each way to tamper, and what exactly is told of it.

use audit::{Batch, Chain, ChainKey, Claims, Digest, Fault, Pruned, Source, Verifier};

use crate::support::{KEY, Log};

fn at(writer: &str, seq: u64, fault: Fault) -> (String, u64, Fault) {
    (writer.to_owned(), seq, fault)
}

/// As somebody without the key seals.
fn reseal(batch: &mut Batch) {
    batch.hash = batch.digest();
    batch.mac = batch.keyed(&ChainKey::from_bytes([0; 32]));
}

#[test]
fn an_honest_log_is_clean() {
    let mut log = Log::of(5, 4);
    assert!(log.verify().is_clean());
    assert_eq!((log.verify().writers, log.verify().batches, log.verify().events), (2, 10, 19));
    log.prune("one", 3);
    log.prune("two", 4);
    assert!(log.verify().is_clean());
    assert!(Log::default().verify().is_clean());
}

#[test]
fn an_edit_is_found() {
    let mut log = Log::of(3, 1);
    let body = &mut log.batch("one", 2).body;
    *body = body.replace("client", "friend");
    assert_eq!(log.faults(), [at("one", 2, Fault::Edited)]);
    reseal(log.batch("one", 2));
    assert_eq!(log.faults(), [at("one", 2, Fault::Forged), at("one", 3, Fault::Unlinked)]);
}

#[test]
fn a_removal_is_found() {
    let mut log = Log::of(6, 1);
    log.remove("one", 3);
    log.remove("one", 4);
    assert_eq!(log.faults(), [at("one", 3, Fault::Removed { to: 4 })]);
    log.remove("one", 1);
    let found = [at("one", 3, Fault::Removed { to: 4 }), at("one", 1, Fault::Removed { to: 1 })];
    assert_eq!(log.faults(), found);
}

#[test]
fn a_removal_does_not_pass_for_pruning() {
    let mut log = Log::of(6, 1);
    let hash = log.remove("one", 1).hash;
    log.row("one").pruned = Pruned { seq: 1, hash, mac: Digest::default() };
    assert_eq!(log.faults(), [at("one", 1, Fault::PruningForged)]);
    // Nor with what was said of another writer.
    log.row("one").pruned = Pruned::seal(&KEY, "two", 1, hash);
    assert_eq!(log.faults(), [at("one", 1, Fault::PruningForged)]);
    // Nor with what was said of an earlier batch.
    log.row("one").pruned = Pruned::seal(&KEY, "one", 1, hash);
    assert_eq!(log.faults(), []);
    log.remove("one", 2);
    assert_eq!(log.faults(), [at("one", 2, Fault::Removed { to: 2 })]);
}

/// A writer is listed with its first batch.
#[test]
fn a_writer_without_a_batch_is_found() {
    let mut log = Log::default();
    log.decide("two");
    log.remove("two", 1);
    log.mend_head("two");
    assert_eq!(log.faults(), [at("two", 0, Fault::HeadForged)]);
}

#[test]
fn an_exchange_is_found() {
    let mut log = Log::of(5, 1);
    let (mut second, mut fourth) = (log.remove("one", 2), log.remove("one", 4));
    (second.seq, fourth.seq) = (4, 2);
    log.batches.insert(("one".into(), 4), second);
    log.batches.insert(("one".into(), 2), fourth);
    let found = log.faults();
    assert!(found.contains(&at("one", 2, Fault::Moved { from: 4 })), "{found:?}");
    assert!(found.contains(&at("one", 4, Fault::Moved { from: 2 })), "{found:?}");
}

#[test]
fn a_batch_of_another_chain_is_found() {
    let mut log = Log::of(5, 5);
    let mut moved = log.remove("two", 2);
    moved.writer = "one".into();
    log.batches.insert(("one".into(), 2), moved);
    let found = log.faults();
    assert!(found.contains(&at("one", 2, Fault::Edited)), "{found:?}");
    assert!(found.contains(&at("two", 2, Fault::Removed { to: 2 })), "{found:?}");
}

#[test]
fn an_insertion_is_found() {
    let mut log = Log::of(2, 1);
    let mut forged = log.batch("one", 3).clone();
    (forged.seq, forged.previous) = (4, forged.hash);
    reseal(&mut forged);
    log.batches.insert(("one".into(), 4), forged);
    assert_eq!(log.faults(), [at("one", 4, Fault::Forged), at("one", 4, Fault::BehindHead)]);
    log.mend_head("one");
    assert_eq!(log.faults(), [at("one", 4, Fault::HeadForged), at("one", 4, Fault::Forged)]);
}

#[test]
fn a_cut_tail_is_found() {
    let mut log = Log::of(4, 4);
    log.remove("two", 4);
    log.remove("two", 3);
    let cut = |by| at("two", 3, Fault::CutTail { to: 4, by });
    assert_eq!(log.faults(), [cut(None)]);
    // The head is set back: the anchor in the other chain tells.
    log.mend_head("two");
    assert_eq!(log.faults(), [cut(Some(Source::Anchor { writer: "one".into(), seq: 5 }))]);
}

#[test]
fn a_writer_that_is_gone_is_found() {
    let mut log = Log::of(2, 2);
    let row = log.writers.remove("two");
    assert_eq!(log.faults(), [at("two", 0, Fault::Unlisted)]);
    log.remove("two", 1);
    log.remove("two", 2);
    let by = Source::Anchor { writer: "one".into(), seq: 3 };
    assert_eq!(log.faults(), [at("two", 0, Fault::WriterRemoved { by })]);
    log.writers.insert("two".into(), row.unwrap());
    assert_eq!(log.faults(), [at("two", 1, Fault::CutTail { to: 2, by: None })]);
}

#[test]
fn a_head_that_names_another_batch_is_found() {
    let mut log = Log::of(2, 2);
    let stranger = log.batch("one", 1).clone();
    let row = log.row("two");
    (row.head.hash, row.mac) = (stranger.hash, stranger.mac);
    assert_eq!(log.faults(), [at("two", 2, Fault::HeadDiffers)]);
}

#[test]
fn lines_that_are_no_events_are_found() {
    for (body, fault) in [
        ("no event\n", Fault::NoEvent { line: 1 }),
        ("{\"at\":1}\n", Fault::NoEvent { line: 1 }),
        ("[1,\"decision\"]\n", Fault::NoEvent { line: 1 }),
        ("{\"at\":1,\"event\":\"of a later version\"}\n\n", Fault::Miscounted { events: 1, lines: 2 }),
        ("", Fault::Miscounted { events: 1, lines: 0 }),
    ] {
        let mut log = Log::default();
        log.decide("one");
        let batch = log.batch("one", 1);
        (batch.body, batch.events) = (body.to_owned(), 1);
        // Whoever has the key seals even that.
        batch.hash = batch.digest();
        batch.mac = batch.keyed(&KEY);
        log.mend_head("one");
        let found = log.faults();
        assert!(found.contains(&at("one", 1, fault)), "{body:?}: {found:?}");
    }
}

#[test]
fn another_key_is_one_long_bounded_list() {
    let log = Log::of(2000, 0);
    let mut verifier = Verifier::new(ChainKey::from_bytes([1; 32]), Claims::new());
    let extent = log.writers["one"].clone();
    let mut chain = verifier.chain(extent.clone());
    log.batches.values().for_each(|batch| chain.batch(batch));
    chain.end(Some(extent));
    let report = verifier.finish();
    assert_eq!((report.findings.len(), report.more), (1000, 1002));
}

/// What a server writes, and prunes, while its chain is read.
#[test]
fn a_log_that_moves_while_it_is_read_is_clean() {
    let before = Log::of(4, 1);
    let mut after = before.clone();
    after.decide("one");
    after.prune("one", 2);
    let mut verifier = Verifier::new(KEY, Claims::new());
    let mut chain = verifier.chain(before.writers["one"].clone());
    after.batches.values().filter(|batch| batch.writer == "one").for_each(|batch| chain.batch(batch));
    chain.end(Some(after.writers["one"].clone()));
    assert_eq!(verifier.finish().findings, []);
}

#[test]
fn a_chain_goes_on_only_from_what_is_kept() {
    let mut chain = Chain::begin("w".to_owned(), KEY);
    let lost = chain.seal(audit::Lines::new(), 1);
    let kept = chain.seal(audit::Lines::new(), 2);
    assert_eq!((lost.seq, kept.seq), (1, 1));
    chain.advance(&kept);
    let next = chain.seal(audit::Lines::new(), 3);
    assert_eq!((next.seq, next.previous), (2, kept.hash));
}

//! Any single change by somebody without the key is found.

use audit::{ChainKey, Digest};
use proptest::{prelude::*, sample::Index};

use crate::support::Log;

#[derive(Clone, Debug)]
enum Tampering {
    EditByte(Index, Index),
    EditTime(Index),
    EditCount(Index),
    EditPrevious(Index),
    EditHash(Index),
    EditMac(Index),
    Reseal(Index),
    Remove(Index),
    Exchange(Index, Index),
    Copy(Index),
    Rename(Index),
    CutTail(Index),
    CutTailAndMend(Index),
    RemoveWriter,
    SetHead(Index),
    PassForPruning(Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    use Tampering::*;
    let place = any::<Index>;
    prop_oneof![
        (place(), place()).prop_map(|(batch, byte)| EditByte(batch, byte)),
        place().prop_map(EditTime),
        place().prop_map(EditCount),
        place().prop_map(EditPrevious),
        place().prop_map(EditHash),
        place().prop_map(EditMac),
        place().prop_map(Reseal),
        place().prop_map(Remove),
        (place(), place()).prop_map(|(one, other)| Exchange(one, other)),
        place().prop_map(Copy),
        place().prop_map(Rename),
        place().prop_map(CutTail),
        place().prop_map(CutTailAndMend),
        Just(RemoveWriter),
        place().prop_map(SetHead),
        place().prop_map(PassForPruning),
    ]
}

/// Tampers; `false` where the change would be none.
fn tamper(log: &mut Log, tampering: &Tampering) -> bool {
    let keys: Vec<(String, u64)> = log.batches.keys().cloned().collect();
    let pick = |index: &Index| index.get(&keys).clone();
    // The chain that was anchored, whose end the other one tells.
    let anchored = log.head("two").seq;
    match tampering {
        Tampering::EditByte(batch, byte) => {
            let (writer, seq) = pick(batch);
            let batch = log.batch(&writer, seq);
            let mut body = std::mem::take(&mut batch.body).into_bytes();
            let at = byte.index(body.len());
            body[at] = if body[at] == b'x' { b'y' } else { b'x' };
            batch.body = String::from_utf8(body).unwrap();
        }
        Tampering::EditTime(batch) => {
            let (writer, seq) = pick(batch);
            log.batch(&writer, seq).sealed_at += 1;
        }
        Tampering::EditCount(batch) => {
            let (writer, seq) = pick(batch);
            log.batch(&writer, seq).events += 1;
        }
        Tampering::EditPrevious(batch) => {
            let (writer, seq) = pick(batch);
            log.batch(&writer, seq).previous.0[0] ^= 1;
        }
        Tampering::EditHash(batch) => {
            let (writer, seq) = pick(batch);
            log.batch(&writer, seq).hash.0[31] ^= 1;
        }
        Tampering::EditMac(batch) => {
            let (writer, seq) = pick(batch);
            log.batch(&writer, seq).mac.0[7] ^= 1;
        }
        Tampering::Reseal(batch) => {
            let (writer, seq) = pick(batch);
            let batch = log.batch(&writer, seq);
            batch.body = batch.body.replace("task", "tusk");
            batch.sealed_at += 1;
            batch.hash = batch.digest();
            batch.mac = batch.keyed(&ChainKey::from_bytes([0; 32]));
            log.mend_head(&writer);
        }
        Tampering::Remove(batch) => {
            let (writer, seq) = pick(batch);
            log.remove(&writer, seq);
        }
        Tampering::Exchange(one, other) => {
            let ((first, second), (third, fourth)) = (pick(one), pick(other));
            if (&first, second) == (&third, fourth) {
                return false;
            }
            let (mut a, mut b) = (log.remove(&first, second), log.remove(&third, fourth));
            (a.writer, a.seq, b.writer, b.seq) = (third.clone(), fourth, first.clone(), second);
            log.batches.insert((third.clone(), fourth), a);
            log.batches.insert((first.clone(), second), b);
            log.mend_head(&first);
            log.mend_head(&third);
        }
        Tampering::Copy(batch) => {
            let (writer, seq) = pick(batch);
            let mut copy = log.batch(&writer, seq).clone();
            copy.seq = log.head(&writer).seq + 1;
            log.batches.insert((writer.clone(), copy.seq), copy);
            log.mend_head(&writer);
        }
        Tampering::Rename(batch) => {
            let (writer, _) = pick(batch);
            let mut extent = log.writers.remove(&writer).unwrap();
            extent.head.writer = "nobody".into();
            log.writers.insert("nobody".into(), extent);
            for (_, seq) in keys.iter().filter(|(of, _)| *of == writer) {
                let mut batch = log.remove(&writer, *seq);
                batch.writer = "nobody".into();
                log.batches.insert(("nobody".into(), *seq), batch);
            }
        }
        Tampering::CutTail(from) => {
            let (writer, seq) = pick(from);
            log.batches.retain(|(of, place), _| *of != writer || *place < seq);
        }
        Tampering::CutTailAndMend(from) => {
            let seq = from.index(usize::try_from(anchored).unwrap()) as u64 + 1;
            log.batches.retain(|(of, place), _| of != "two" || *place < seq);
            log.mend_head("two");
        }
        Tampering::RemoveWriter => {
            log.writers.remove("two");
            log.batches.retain(|(of, _), _| of != "two");
        }
        Tampering::SetHead(batch) => {
            let (writer, seq) = pick(batch);
            let Some((hash, mac)) = (seq < log.head(&writer).seq).then(|| {
                let batch = log.batch(&writer, seq);
                (batch.hash, batch.mac)
            }) else {
                return false;
            };
            let row = log.row(&writer);
            (row.head.seq, row.head.hash, row.mac) = (seq, hash, mac);
        }
        Tampering::PassForPruning(batch) => {
            let (writer, seq) = pick(batch);
            let (hash, mac) = (log.batch(&writer, seq).hash, log.batch(&writer, seq).mac);
            log.batches.retain(|(of, place), _| *of != writer || *place > seq);
            let pruned = &mut log.row(&writer).pruned;
            (pruned.seq, pruned.hash, pruned.mac) = (seq, hash, mac);
        }
    }
    true
}

proptest! {
    #[test]
    fn every_change_without_the_key_is_found(
        first in 1_usize..12,
        second in 1_usize..12,
        pruned in any::<Option<Index>>(),
        tampering in tampering(),
    ) {
        let mut log = Log::of(first, second);
        if let Some(pruned) = pruned.filter(|_| second > 1) {
            log.prune("two", pruned.index(second - 1) as u64 + 1);
        }
        prop_assert!(log.verify().is_clean());
        let checkpoint = log.checkpoint();
        let before = log.batches.clone();
        prop_assume!(tamper(&mut log, &tampering));
        prop_assert!(!log.verify().is_clean(), "{:?}", tampering);
        prop_assert!(!log.verify_against(Some(&checkpoint)).is_clean());
        prop_assert!(before.values().all(|batch| batch.hash != Digest::default()));
    }
}

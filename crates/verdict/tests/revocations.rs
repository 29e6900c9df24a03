//! The set of what is revoked, held to a map; its records; and what a revision of a snapshot changes.

mod common;

use std::collections::BTreeMap;

use common::{claims, code, document, get, judge_at, snapshot, token};
use proptest::prelude::*;
use verdict::{
    Body, UnixTime,
    revocation::{Full, Hash, Kind, MAX, Record, Revocations},
};

/// One of few hashes, so that operations meet.
fn few_hashes() -> impl Strategy<Value = Hash> {
    // The first byte spreads them over lists, the last one within a list.
    (0_u8..4, 0_u8..8).prop_map(|(first, last)| {
        let mut hash = [0; 16];
        (hash[0], hash[15]) = (first * 0x55, last);
        hash
    })
}

#[derive(Clone, Debug)]
enum Operation {
    Revoke(Record),
    Lift(Hash),
    Expire(u64),
    /// The set so far is kept, and must stay as it is.
    Keep,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        6 => (few_hashes(), 0_u32..20).prop_map(|(hash, until)| Operation::Revoke(Record { hash, until })),
        2 => few_hashes().prop_map(Operation::Lift),
        1 => (0_u64..20).prop_map(Operation::Expire),
        1 => Just(Operation::Keep),
    ];
    prop::collection::vec(operation, 0..120)
}

type Model = BTreeMap<Hash, u32>;

fn apply(model: &mut Model, operation: &Operation) {
    match operation {
        Operation::Revoke(Record { hash, until }) => {
            let known = model.entry(*hash).or_insert(*until);
            *known = if *known == 0 || *until == 0 { 0 } else { (*known).max(*until) };
        }
        Operation::Lift(hash) => {
            model.remove(hash);
        }
        Operation::Expire(now) => model.retain(|_, until| *until == 0 || u64::from(*until) >= *now),
        Operation::Keep => {}
    }
}

fn content(set: &Revocations) -> Vec<(Hash, u32)> {
    set.iter().map(|record| (record.hash, record.until)).collect()
}

proptest! {
    #[test]
    fn a_set_is_a_map_of_hashes(operations in operations(), asked in few_hashes()) {
        let (mut set, mut model) = (Revocations::default(), Model::new());
        let mut kept = Vec::new();
        for operation in &operations {
            apply(&mut model, operation);
            match operation {
                Operation::Revoke(record) => set.revoke(*record).unwrap(),
                Operation::Lift(hash) => set.lift(hash),
                Operation::Expire(now) => set.expire(UnixTime(*now)),
                Operation::Keep => kept.push((set.clone(), model.clone())),
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert_eq!(set.is_empty(), model.is_empty());
            prop_assert_eq!(set.contains(&asked), model.contains_key(&asked));
        }
        prop_assert_eq!(content(&set), model.into_iter().collect::<Vec<_>>());
        for (set, model) in kept {
            prop_assert_eq!(content(&set), model.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn records_come_back_from_their_wire_form(hash: Hash, until: u32, more: Hash) {
        let records = [Record { hash, until }, Record { hash: more, until: 0 }];
        let bytes: Vec<u8> = records.iter().flat_map(|record| record.to_bytes()).collect();
        prop_assert_eq!(&bytes[..16], &hash[..]);
        prop_assert_eq!(&bytes[16..20], &until.to_be_bytes()[..]);
        prop_assert_eq!(Record::read_all(&bytes).unwrap().collect::<Vec<_>>(), records);
        prop_assert!(Record::read_all(&bytes[1..]).is_err());
    }
}

#[test]
fn a_record_is_of_use_until_its_second_has_passed() {
    let until = |until| Record::new([1; 16], until);
    assert_eq!(until(None).until, 0);
    assert!(!until(None).is_over(UnixTime(u64::MAX)));
    assert!(!until(Some(UnixTime(7))).is_over(UnixTime(7)));
    assert!(until(Some(UnixTime(7))).is_over(UnixTime(8)));
    // Neither end of what can be said is mistaken for another time.
    assert!(until(Some(UnixTime(0))).is_over(UnixTime(2)));
    assert!(!until(Some(UnixTime(u64::MAX))).is_over(UnixTime(u64::MAX)));
}

fn numbered(number: usize) -> Hash {
    // An odd factor spreads consecutive numbers over the lists, each to a place of its own.
    (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()
}

#[test]
fn a_full_set_takes_nothing_in_and_forgets_nothing() {
    let mut set = Revocations::default();
    for number in 0..MAX {
        set.revoke(Record { hash: numbered(number), until: u32::from(number % 2 == 0) }).unwrap();
    }
    assert_eq!(set.len(), MAX);
    assert_eq!(set.revoke(Record { hash: numbered(MAX), until: 0 }), Err(Full));
    assert_eq!(set.len(), MAX);
    assert!(!set.contains(&numbered(MAX)) && (0..MAX).all(|number| set.contains(&numbered(number))));
    // What is there may be prolonged, and what has expired or is lifted makes room.
    set.revoke(Record { hash: numbered(0), until: 0 }).unwrap();
    set.lift(&numbered(1));
    set.revoke(Record { hash: numbered(MAX), until: 0 }).unwrap();
    assert_eq!(set.revoke(Record { hash: numbered(1), until: 0 }), Err(Full));
    set.expire(UnixTime(2));
    assert_eq!(set.len(), MAX / 2 + 1);
    assert!(set.contains(&numbered(0)) && !set.contains(&numbered(2)));
    set.revoke(Record { hash: numbered(1), until: 0 }).unwrap();
}

#[test]
fn a_revision_changes_what_is_revoked_and_nothing_else() {
    let base = snapshot(&document());
    let fields = get("/my-bucket/logs/2026-05/app.log", &token(&claims()), &[]);
    let judge = |snapshot| code(&judge_at(snapshot, &fields, Body::Absent, common::NOW));
    assert_eq!(judge(&base), "allow");

    let mut revocations = base.revocations().clone();
    let hash = base.hash_key().hash(Kind::Task, "task-1");
    revocations.revoke(Record::new(hash, Some(UnixTime(common::NOW + 120)))).unwrap();
    let revised = base.revised(4, revocations.clone());
    assert_eq!(judge(&revised), "revoked");
    assert_eq!(revised.version().revocation, 4);
    assert_eq!(revised.version().generation, base.version().generation);
    assert!(revised.keeps_proofs_of(&base));
    // The one before is as it was: others may still judge by it.
    assert_eq!((judge(&base), base.version().revocation), ("allow", 3));

    revocations.lift(&hash);
    assert_eq!(judge(&revised.revised(5, revocations)), "allow");
}

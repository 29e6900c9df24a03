use audit::{ChainKey, Checkpoint, CheckpointError, Fault};

use crate::support::{KEY, Log};

#[test]
fn an_old_checkpoint_holds_while_the_log_only_grows_and_ages() {
    let mut log = Log::of(3, 3);
    let old = log.checkpoint();
    log.decide("one");
    log.decide("three");
    log.anchor("one");
    assert!(log.verify_against(Some(&old)).is_clean());
    log.prune("one", 2);
    assert!(log.verify_against(Some(&old)).is_clean());
    // All of it is gone for its age, up to the head that the checkpoint names and then beyond it.
    log.prune("two", 3);
    log.prune("one", 6);
    assert!(log.verify_against(Some(&old)).is_clean());
}

#[test]
fn a_tail_that_was_cut_from_the_whole_log_contradicts_a_checkpoint() {
    let mut log = Log::of(2, 2);
    let before = log.clone();
    log.decide("one");
    let checkpoint = log.checkpoint();
    assert!(before.verify().is_clean(), "the log alone does not tell");
    let report = before.verify_against(Some(&checkpoint));
    assert!(matches!(report.findings[0].fault, Fault::CutTail { to: 4, by: Some(_) }), "{report:?}");
    assert_eq!((report.findings[0].writer.as_str(), report.findings[0].seq), ("one", 4));
}

#[test]
fn another_chain_of_the_same_length_contradicts_a_checkpoint() {
    let log = Log::of(2, 2);
    let checkpoint = log.checkpoint();
    // Whoever has the key can make one.
    let mut other = Log::default();
    other.decide("zero");
    for _ in 0..2 {
        other.decide("two");
    }
    for _ in 0..3 {
        other.decide("one");
    }
    let report = other.verify_against(Some(&checkpoint));
    let contradicted: Vec<_> =
        report.findings.iter().map(|finding| (&*finding.writer, finding.seq)).collect();
    assert_eq!(contradicted, [("one", 3), ("two", 2)]);
    assert!(report.findings.iter().all(|finding| matches!(finding.fault, Fault::Contradicted { .. })));
}

#[test]
fn a_checkpoint_goes_through_json_and_no_change_of_it_does() {
    let checkpoint = Log::of(2, 2).checkpoint();
    let text = serde_json::to_string(&checkpoint).unwrap();
    assert_eq!(Checkpoint::read(&KEY, text.as_bytes()).unwrap(), checkpoint);
    let other = ChainKey::from_bytes([8; 32]);
    assert!(matches!(Checkpoint::read(&other, text.as_bytes()), Err(CheckpointError::Mac)));
    for (from, to) in [("\"seq\":2", "\"seq\":1"), ("\"one\"", "\"own\""), ("\"at\":", "\"at\":1")] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(matches!(Checkpoint::read(&KEY, changed.as_bytes()), Err(CheckpointError::Mac)), "{changed}");
    }
    let later = text.replacen("\"version\":1", "\"version\":2", 1);
    assert!(matches!(Checkpoint::read(&KEY, later.as_bytes()), Err(CheckpointError::Version(2))));
    for text in ["", "[]", "{}", "null"] {
        assert!(matches!(Checkpoint::read(&KEY, text.as_bytes()), Err(CheckpointError::Form(_))), "{text}");
    }
}

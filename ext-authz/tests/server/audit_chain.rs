//! Somebody with the database and without the key: what they change is found.

use serde_json::json;
use test_databases::Database;

use crate::support::{
    MAY, Setup, Writ,
    audit::faults,
    policy::opening,
    replicas::{first_replica, over_both, replica},
};

over_both! {
    a_log_that_is_gone_is_found,
    edits_and_removals_are_found,
    a_cut_tail_is_found_by_who_was_there_and_by_a_checkpoint,
}

async fn start_tasks(writ: &Writ, count: usize) {
    for _ in 0..count {
        writ.access_token(MAY).await;
    }
}

/// A stopped server's log, of which every batch but the first has an event of a task.
async fn written(database: &Database) -> Setup {
    let setup = first_replica(database, &opening("/open"));
    let writ = setup.serve().await;
    writ.audit_until("event=writer_started", |events| !events.is_empty()).await;
    start_tasks(&writ, 6).await;
    writ.stop().await;
    setup
}

async fn a_log_that_is_gone_is_found(database: Database) {
    let setup = written(&database).await;
    assert_eq!(setup.verify(&[]).0, 0);
    database.execute("DELETE FROM audit_batches").await;
    database.execute("DELETE FROM audit_writers").await;
    let (code, report) = setup.verify(&[]);
    assert_eq!((code, &report["verified"], &report["writers"]), (1, &json!(false), &json!(0)));
    let (code, text, _) = setup.run_with(&["audit", "verify"], "");
    assert!(code == 1 && text.contains("there is no log"), "{text}");
}

async fn edits_and_removals_are_found(database: Database) {
    let setup = written(&database).await;
    let (code, report) = setup.verify(&[]);
    assert_eq!((code, &report["findings"]), (0, &json!([])));
    let with_task = "body LIKE '%task_started%' AND seq =";
    let seq = "(SELECT MIN(seq) + 1 FROM audit_batches WHERE body LIKE '%task_started%')";
    let change = |what: &str| format!("UPDATE audit_batches SET {what} WHERE {with_task} {seq}");
    for (there, back) in [
        ("body = replace(body, 'hashed', 'hasher')", "body = replace(body, 'hasher', 'hashed')"),
        ("sealed_at = sealed_at - 1000", "sealed_at = sealed_at + 1000"),
        ("writer = writer", "writer = writer"),
    ] {
        database.execute(&change(there)).await;
        let (code, report) = setup.verify(&[]);
        if there == back {
            assert_eq!(code, 0, "{report}");
        } else {
            assert_eq!(
                (code, faults(&report).as_slice().first().map(|(_, fault)| *fault)),
                (1, Some("edited"))
            );
        }
        database.execute(&change(back)).await;
        assert_eq!(setup.verify(&[]).0, 0);
    }
    let (code, text, _) = {
        database.execute(&change("mac = 'nothing of the kind'")).await;
        setup.run_with(&["audit", "verify"], "")
    };
    assert!(code == 1 && text.contains("by somebody without the key"), "{text}");
    database.execute(&format!("DELETE FROM audit_batches WHERE {with_task} {seq}")).await;
    let (code, report) = setup.verify(&[]);
    let found = faults(&report);
    assert_eq!((code, found.len(), found[0].1), (1, 1, "removed"), "{report}");
    // A removal that is passed for one of age.
    database
        .execute(&format!(
            "UPDATE audit_writers SET pruned_seq = {}, pruned_hash = (SELECT previous FROM audit_batches WHERE seq = {})",
            found[0].0,
            found[0].0 + 1
        ))
        .await;
    database.execute(&format!("DELETE FROM audit_batches WHERE seq <= {}", found[0].0)).await;
    let (code, report) = setup.verify(&[]);
    assert_eq!((code, faults(&report)), (1, vec![(found[0].0, "pruning_forged")]));
}

/// The head is set back as well: of the log alone only what another server wrote tells, and of that a checkpoint.
async fn a_cut_tail_is_found_by_who_was_there_and_by_a_checkpoint(database: Database) {
    let setup = written(&database).await;
    let first = setup.serve().await;
    start_tasks(&first, 2).await;
    let second_setup = replica(&database, &setup, &opening("/open"));
    let second = second_setup.serve().await;
    let anchors = second.audit_until("event=anchor", |events| events.len() >= 3).await;
    let of_first = anchors.iter().filter(|anchor| anchor["writer"] == anchors[2]["writer"]);
    assert_eq!(of_first.count(), 2, "the second server anchors both runs of the first: {anchors:?}");
    let (writer, seq) = (anchors[2]["name"].as_str().unwrap(), anchors[2]["seq"].as_u64().unwrap());
    let checkpoint = setup.path("checkpoint.json").display().to_string();
    assert_eq!(setup.run_with(&["audit", "checkpoint", "--output", &checkpoint], "").0, 0);
    first.stop().await;
    second.stop().await;
    assert_eq!(setup.verify(&["--checkpoint", &checkpoint]).0, 0);

    let cut = |writer: &str, last: u64| {
        let last = format!("writer = '{writer}' AND seq = {last}");
        [
            format!(
                "DELETE FROM audit_batches WHERE writer = '{writer}' AND seq > (SELECT seq FROM audit_batches WHERE {last})"
            ),
            format!(
                "UPDATE audit_writers SET head_seq = (SELECT seq FROM audit_batches WHERE {last}), \
                 head_hash = (SELECT hash FROM audit_batches WHERE {last}), \
                 head_mac = (SELECT mac FROM audit_batches WHERE {last}) WHERE writer = '{writer}'"
            ),
        ]
    };
    for statement in cut(writer, seq - 1) {
        database.execute(&statement).await;
    }
    let (code, report) = setup.verify(&[]);
    assert_eq!((code, faults(&report)), (1, vec![(seq, "cut_tail")]), "{report}");
    assert!(report["findings"][0]["by"]["anchor"]["writer"].is_string(), "{report}");
    // Everything that the last server wrote is cut as well, and with it all anchors.
    let last = anchors[2]["writer"].as_str().unwrap();
    database.execute(&format!("DELETE FROM audit_batches WHERE writer = '{last}'")).await;
    database.execute(&format!("DELETE FROM audit_writers WHERE writer = '{last}'")).await;
    assert_eq!(setup.verify(&[]).0, 0, "an earlier state of the whole log shows nothing by itself");
    let (code, report) = setup.verify(&["--checkpoint", &checkpoint]);
    let mut found: Vec<_> = faults(&report).into_iter().map(|(_, fault)| fault).collect();
    found.sort_unstable();
    assert_eq!((code, found), (1, vec!["cut_tail", "writer_removed"]), "{report}");
}

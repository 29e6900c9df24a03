//! `writ dataplane list`: who follows the feed, what they hold, what they refused.

use proto::v1::Report;

use crate::support::{
    Setup,
    feed::report,
    policy::{FOUND_SOON, opening},
};

#[tokio::test]
async fn streams_of_one_envoy_are_shown_together() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let generation = writ.generation().await;
    let (code, stdout, _) = setup.run_with(&["dataplane", "list"], "");
    assert_eq!(
        (code, stdout),
        (0, format!("no data plane is connected; the newest generation is {generation}\n"))
    );

    let (_, help, _) = setup.run_with(&["dataplane", "list", "--help"], "");
    assert!(help.contains("HOLDS is") && help.contains("epoch.generation.revocation"), "{help}");

    let (first, snapshot) = writ.watch_anew().await;
    let (second, _) = writ.watch_anew().await;
    for watch in [&first, &second] {
        watch.ack(snapshot.version).await;
        let decided = Report { decided: 3, ..Report::default() };
        watch.send(report(decided)).await;
    }
    writ.data_planes(|planes| planes.iter().filter(|plane| plane["decided"] == 3).count() == 2).await;
    let (code, listed) = setup.run_json(&["dataplane", "list", "--check"], "");
    let plane = &listed["data_planes"][0];
    assert_eq!(
        (code, &listed["generation"], listed["data_planes"].as_array().unwrap().len()),
        (0, &generation.into(), 1)
    );
    assert_eq!(
        (&plane["node"], &plane["streams"], &plane["decided"]),
        (&"envoy-1".into(), &2.into(), &6.into())
    );
    assert_eq!(plane["version"]["generation"], generation);
    let (_, stdout, _) = setup.run_with(&["dataplane", "list"], "");
    assert!(stdout.contains("envoy-1") && stdout.contains("test-1") && stdout.contains("none"), "{stdout}");
}

#[tokio::test]
async fn what_is_behind_or_refused_is_shown_with_its_reason() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let before = writ.generation().await;
    let (mut watch, snapshot) = writ.watch_anew().await;
    watch.ack(snapshot.version).await;
    writ.data_planes(|planes| planes.iter().all(|plane| !plane["version"].is_null())).await;
    std::fs::write(setup.path("policies/logs.yaml"), opening("/open")).unwrap();
    writ.reloaded(before).await;
    let newer = watch.snapshot().await;
    let (code, listed) = setup.run_json(&["dataplane", "list", "--check"], "");
    assert_eq!(code, 1, "not acknowledged yet");
    assert!(listed["data_planes"][0]["behind_generations"].as_u64().unwrap() > 0);

    // A filter is no more trusted with a terminal than anybody else.
    watch.nack(newer.version, "requires `limits`\u{1b}[2J").await;
    writ.data_planes(|planes| planes.iter().all(|plane| !plane["nack"].is_null())).await;
    let (code, stdout, _) = setup.run_with(&["dataplane", "list"], "");
    let refused = format!("refused {}.{}.0 ", newer.version.epoch, newer.version.generation);
    assert!(code == 0 && stdout.contains(&refused) && stdout.contains(": requires `limits`"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout:?}");
    assert_eq!(setup.run(&["dataplane", "list", "--check"]).status.code(), Some(1));

    watch.ack(newer.version).await;
    writ.data_planes(|planes| planes.iter().all(|plane| plane["nack"].is_null())).await;
    assert_eq!(setup.run(&["dataplane", "list", "--check"]).status.code(), Some(0));
}

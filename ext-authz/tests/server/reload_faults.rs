//! Bad edits of the policy change nothing, and show.

use std::fs;

use crate::support::{
    Setup, Writ,
    http::get,
    policy::{FOUND_SOON, generation, opening, small},
};

const FAULT: &str = "policies/logs.yaml:2:1: isuer: unknown field";

fn bad() -> String {
    format!("namespace: logs\nisuer: x\n{}", opening("/bad").replace("namespace: logs", ""))
}

#[tokio::test]
async fn a_bad_edit_keeps_the_last_good_policy_and_shows_everywhere() {
    let setup = Setup::new().config(FOUND_SOON);
    let mut writ = setup.serve().await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &bad());
    let ready = writ.rejected(FAULT).await;
    assert_eq!((generation(&ready), &ready["status"]), (before, &"ready".into()));
    assert!(ready["policy_rejected"]["since"].as_u64().unwrap() >= before);
    assert!(get(writ.admin, "/config").await.json()["policy_rejected"].to_string().contains(FAULT));
    assert!(writ.metric("writ_policy_rejected 1").await);
    assert!(writ.metric(r#"writ_policy_reloads_total{outcome="rejected"} 1"#).await);
    assert!(writ.is_open("/healthz").await && !writ.is_open("/bad").await);
    writ.log(FAULT).await;

    setup.replace("policies/logs.yaml", &opening("/good"));
    writ.reloaded(before).await;
    assert!(writ.is_open("/good").await && writ.metric("writ_policy_rejected 0").await);
    let (_, _, log) = writ.stop().await;
    assert_eq!(log.matches(FAULT).count(), 1, "{log}");
    assert_eq!(log.matches("accepted again").count(), 1, "{log}");
}

#[tokio::test]
async fn a_bad_edit_that_is_taken_back_changes_nothing() {
    let setup = Setup::new().config(FOUND_SOON);
    let mut writ = setup.serve().await;
    let before = writ.generation().await;
    let good = fs::read_to_string(setup.path("policies/logs.yaml")).unwrap();
    setup.replace("policies/logs.yaml", &bad());
    writ.rejected(FAULT).await;
    setup.replace("policies/logs.yaml", &good);
    let ready = writ.until(|ready| ready["policy_rejected"].is_null()).await;
    assert_eq!(generation(&ready), before);
    writ.log("accepted again").await;
}

#[tokio::test]
async fn a_namespace_with_a_fault_does_not_hold_up_another() {
    let setup = Setup::new().config(FOUND_SOON).write("policies/more.yaml", &small("more", "/old"));
    let writ = setup.serve().await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &bad());
    writ.rejected(FAULT).await;
    setup.replace("policies/more.yaml", &small("more", "/new"));
    let ready = writ.until(|ready| generation(ready) > before).await;
    assert!(ready["policy_rejected"].to_string().contains(FAULT));
    let exemptions = get(writ.admin, "/config").await.json()["exemptions"].to_string();
    assert!(exemptions.contains("more.internal/new") && !exemptions.contains("/bad"), "{exemptions}");
}

#[tokio::test]
async fn an_empty_directory_and_none_are_no_policy() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let before = writ.generation().await;
    let good = fs::read_to_string(setup.path("policies/logs.yaml")).unwrap();
    fs::remove_file(setup.path("policies/logs.yaml")).unwrap();
    let ready = writ.rejected("policies: holds no policy file").await;
    assert_eq!(generation(&ready), before);
    fs::remove_dir(setup.path("policies")).unwrap();
    let ready = writ.rejected("policies: cannot be read: ").await;
    assert_eq!(generation(&ready), before);
    assert!(writ.is_open("/healthz").await);
    let setup = setup.write("policies/logs.yaml", &good);
    writ.until(|ready| ready["policy_rejected"].is_null()).await;
    setup.replace("policies/logs.yaml", &opening("/again"));
    writ.reloaded(before).await;
}

async fn assert_last_good(writ: &mut Writ, fault: &str) {
    let ready = writ.rejected(fault).await;
    assert_eq!(ready["status"], "ready");
    assert!(writ.is_open("/kept").await);
    assert!(writ.metric("writ_policy_rejected 1").await);
    assert!(get(writ.admin, "/config").await.json()["policy_rejected"].to_string().contains(fault));
    writ.log(fault).await;
    writ.log("started with the last good policy").await;
}

#[tokio::test]
async fn a_start_with_a_bad_directory_goes_on_with_the_last_good_policy() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &opening("/kept"));
    let before = writ.reloaded(before).await;
    setup.replace("policies/logs.yaml", &bad());
    writ.rejected(FAULT).await;
    writ.stop().await;

    let mut writ = setup.serve().await;
    assert_last_good(&mut writ, FAULT).await;
    assert_eq!(writ.generation().await, before);
    writ.stop().await;

    fs::remove_dir_all(setup.path("policies")).unwrap();
    let mut writ = setup.serve_with(&["--policy-dir", "policies"]).await;
    assert_last_good(&mut writ, "policies: cannot be read: ").await;
    let before = writ.generation().await;
    let _setup = setup.write("policies/logs.yaml", &opening("/back"));
    writ.reloaded(before).await;
    assert!(writ.is_open("/back").await);
}

/// What was left out of a generation is still bad at the next start.
#[tokio::test]
async fn a_start_with_a_namespace_that_is_bad_still_goes_on_with_what_was_published() {
    let setup = Setup::new().config(FOUND_SOON).write("policies/more.yaml", &small("more", "/old"));
    let writ = setup.serve().await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &bad());
    writ.rejected(FAULT).await;
    setup.replace("policies/more.yaml", &small("more", "/new"));
    let ready = writ.until(|ready| generation(ready) > before).await;
    writ.stop().await;
    let writ = setup.serve().await;
    assert_eq!(generation(&writ.rejected(FAULT).await), generation(&ready));
}

#[tokio::test]
async fn a_last_good_policy_that_others_could_change_or_that_does_not_fit_is_none() {
    let setup = Setup::new();
    setup.serve().await.stop().await;
    setup.replace("policies/logs.yaml", &bad());
    setup.set_mode("writ-data/writ.db", 0o644);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("writ.db") && stderr.contains("mode 644"), "{stderr}");

    let setup = setup.config("namespaces: {other: {}}\n");
    setup.set_mode("writ-data/writ.db", 0o600);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 64, "{stderr}");
    assert!(
        stderr.contains(FAULT) && stderr.contains("does not fit this server's configuration"),
        "{stderr}"
    );
}

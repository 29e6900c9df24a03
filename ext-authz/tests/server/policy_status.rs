//! `writ policy status`: what a running server made of its directory.

use crate::support::{Setup, policy::FOUND_SOON};

#[tokio::test]
async fn a_rejected_edit_is_shown_with_its_place_until_it_is_repaired() {
    let setup = Setup::new().config(FOUND_SOON);
    let writ = setup.serve().await;
    let (code, stdout, _) = setup.run_with(&["policy", "status"], "");
    assert_eq!(code, 0);
    let generation = writ.generation().await;
    for line in [
        format!("server      http://{}\n", writ.admin),
        format!("generation  {generation}\n"),
        "policy      policies\n".to_owned(),
        "holds       hosts 1, clients 2\n".to_owned(),
        "open to all GET logs.internal/healthz\n".to_owned(),
        "state       in effect, as the directory has it\n".to_owned(),
    ] {
        assert!(stdout.contains(&line), "{line}: {stdout}");
    }

    let good = std::fs::read_to_string(setup.path("policies/logs.yaml")).unwrap();
    setup.replace("policies/logs.yaml", &good.replace("action: none", "acton: none"));
    writ.rejected("acton").await;
    let (code, stdout, _) = setup.run_with(&["policy", "status"], "");
    assert_eq!(code, 1);
    assert!(
        stdout.contains("state       rejected since ") && stdout.contains("; the last good policy counts")
    );
    assert!(stdout.contains("error       policies/logs.yaml:21:"), "{stdout}");

    let admin = format!("http://{}", writ.admin);
    let (code, status) = setup.run_json(&["policy", "status", "--admin", &admin], "");
    assert_eq!((code, &status["in_effect"], &status["generation"]), (1, &false.into(), &generation.into()));
    assert!(status["rejected"]["errors"].to_string().contains("acton"));

    setup.replace("policies/logs.yaml", &good);
    writ.until(|ready| ready["policy_rejected"].is_null()).await;
    assert_eq!(setup.run(&["policy", "status"]).status.code(), Some(0));
}

#[tokio::test]
async fn without_a_server_there_is_no_status() {
    let setup = Setup::new();
    let (code, _, stderr) = setup.run_with(&["policy", "status"], "");
    assert!(code == 1 && stderr.contains("no server runs here"), "{stderr}");
    // Another listener than the one that knows.
    let writ = setup.serve().await;
    let http = format!("http://{}", writ.http);
    let (code, _, stderr) = setup.run_with(&["policy", "status", "--admin", &http], "");
    assert!(code == 1 && stderr.contains("/config: answered 404"), "{stderr}");
    assert_eq!(setup.run(&["policy", "status", "--admin", "127.0.0.1:1"]).status.code(), Some(2));
}

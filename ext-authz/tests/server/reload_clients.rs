//! Clients that come and go with edits of the policy, and their secrets.

use std::{fs::OpenOptions, process::Stdio};

use crate::support::{
    Setup, Writ,
    http::basic,
    policy::{FOUND_SOON, generation, opening},
};

/// The test policy with another client.
fn with_client(name: &str) -> String {
    let client = format!(
        "  {name}:\n    authenticate: {{generated: true}}\n    may_request:\n      \
         - {{actions: [\"s3:GetObject\"], resources: [\"s3://my-bucket/logs/**\"]}}\nroutes:"
    );
    opening("/open").replacen("routes:", &client, 1)
}

/// Whether the client is who it says; that it asks for nothing is another matter.
async fn is_known(writ: &Writ, client: &str, secret: &str) -> bool {
    writ.token(&basic(client, secret), &[]).await.json()["error"] == "invalid_request"
}

#[tokio::test]
async fn a_new_client_gets_its_secret_once_and_the_others_keep_theirs() {
    let setup = Setup::new().config(FOUND_SOON);
    let mut writ = setup.serve().await;
    let before = writ.generation().await;
    let old = writ.secret("generated").await;
    setup.replace("policies/logs.yaml", &with_client("newcomer"));
    let before = writ.reloaded(before).await;
    let new = writ.secret("newcomer").await;
    assert!(is_known(&writ, "newcomer", &new).await && is_known(&writ, "generated", &old).await);

    setup.replace("policies/logs.yaml", &opening("/open"));
    let before = writ.reloaded(before).await;
    assert!(!is_known(&writ, "newcomer", &new).await);
    setup.replace("policies/logs.yaml", &with_client("newcomer"));
    writ.reloaded(before).await;
    assert!(is_known(&writ, "newcomer", &new).await);
    let (_, stdout, stderr) = writ.stop().await;
    assert_eq!(stdout.lines().count(), 2, "{stdout}");
    assert!(!stderr.contains(&new));

    let writ = setup.serve().await;
    assert!(is_known(&writ, "newcomer", &new).await && is_known(&writ, "generated", &old).await);
}

#[tokio::test]
async fn an_edit_whose_new_secret_nobody_sees_is_rejected() {
    let setup = Setup::new().config(FOUND_SOON);
    setup.serve().await.stop().await;
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let writ = setup.serve_to(Stdio::from(full)).await;
    let before = writ.generation().await;
    setup.replace("policies/logs.yaml", &with_client("newcomer"));
    let ready = writ.rejected("cannot show the new secret of client `newcomer`").await;
    assert_eq!(generation(&ready), before);
    // The next start shows it, so it was not kept.
    writ.stop().await;
    setup.serve().await.secret("newcomer").await;
}

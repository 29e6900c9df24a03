//! The first start makes what is missing, once.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::PermissionsExt as _,
    process::Stdio,
};

use crate::support::{Setup, http::basic};

#[tokio::test]
async fn nothing_needs_to_be_configured() {
    let setup = Setup::bare();
    let mut writ = setup.serve().await;
    let secret = writ.secret("log-janitor").await;
    let grants =
        r#"[{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/2026-05*"]}]"#;
    let parameters = [("grant_type", "client_credentials"), ("authorization_details", grants)];
    let response = writ.token(&basic("log-janitor", &secret), &parameters).await;
    assert_eq!(response.status, 200, "{}", response.body);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_as_a_hash() {
    let setup = Setup::new();
    let mut first = setup.serve().await;
    let secret = first.secret("generated").await;
    let (_, stdout, stderr) = first.stop().await;
    assert_eq!(stdout, format!("client generated secret: {secret}"));
    assert!(!stderr.contains(&secret), "secrets are not logged");

    let second = setup.serve().await;
    assert_eq!(second.token(&basic("generated", &secret), &[]).await.json()["error"], "invalid_request");
    let (_, stdout, stderr) = second.stop().await;
    assert_eq!(stdout, "");
    assert!(!stderr.contains("secret"));
    let is_in = |bytes: Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!is_in(fs::read(setup.data("writ.db")).unwrap()));
}

/// A secret that nobody saw would lock its client out for ever.
#[tokio::test]
async fn a_secret_that_cannot_be_shown_is_not_kept() {
    let setup = Setup::new();
    let device = |name: &str| Stdio::from(OpenOptions::new().write(true).open(name).unwrap());
    let (reader, closed_pipe) = std::io::pipe().unwrap();
    drop(reader);
    for stdout in [device("/dev/full"), device("/dev/null"), closed_pipe.into()] {
        let output = setup
            .command(&["serve", "--http-addr", "127.0.0.1:0", "--grpc-addr", "127.0.0.1:0"])
            .stdout(stdout)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot show the new secret of client `generated`"), "{stderr}");
        assert!(!stderr.contains("writ_"), "{stderr}");
    }
    let mut writ = setup.serve().await;
    let secret = writ.secret("generated").await;
    assert_eq!(writ.token(&basic("generated", &secret), &[]).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn without_a_standard_output_no_secret_is_made() {
    let setup = Setup::new();
    let output = std::process::Command::new("sh")
        .args(["-c", r#"exec "$0" serve >&-"#, env!("CARGO_BIN_EXE_writ")])
        .current_dir(setup.path(""))
        .stderr(File::create(setup.path("stderr")).unwrap())
        .status()
        .unwrap();
    assert_eq!(output.code(), Some(1));
    setup.serve().await.secret("generated").await;
}

#[tokio::test]
async fn secrets_can_be_shown_as_json() {
    let setup = Setup::new();
    let (_, stdout, _) = setup.serve_with(&["--json"]).await.stop().await;
    let shown: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(shown["client"], "generated");
    assert!(shown["secret"].as_str().unwrap().starts_with("writ_"));
}

#[tokio::test]
async fn what_is_secret_is_private() {
    let setup = Setup::new();
    let _writ = setup.serve().await;
    let expected = [
        (setup.data(""), 0o700),
        (setup.data("keys"), 0o700),
        (setup.data("keys/kek"), 0o600),
        (setup.data("writ.db"), 0o600),
        (setup.data("writ.db-wal"), 0o600),
        (setup.data("data-plane.sock"), 0o600),
    ];
    for (path, mode) in expected {
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}: {found:o}", path.display());
    }
}

/// A mount that failed, or a start in another directory, looks like nothing being configured.
#[tokio::test]
async fn the_example_takes_the_place_of_no_policy() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    let published = writ.generation().await;
    writ.stop().await;

    fs::rename(setup.path("policies"), setup.path("elsewhere")).unwrap();
    let writ = setup.serve().await;
    writ.rejected("policies").await;
    assert_eq!(writ.generation().await, published);
    writ.stop().await;

    fs::rename(setup.path("elsewhere"), setup.path("policies")).unwrap();
    let writ = setup.serve().await;
    assert_eq!(writ.generation().await, published);
    assert_eq!(writ.ready().await["policy_rejected"], serde_json::Value::Null);
}

//! `writ policy diff`: what an edit changes, in words.

use serde_json::Value;

use crate::support::{POLICY, Setup, sha256};

fn edited(edits: &[(&str, &str)]) -> String {
    let text = POLICY.replace("HASHED", &sha256("hashed-secret"));
    edits.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

#[tokio::test]
async fn an_edit_is_compared_with_what_the_server_published() {
    // Nobody edits while the server runs, so that what it runs stays what it was.
    let setup = Setup::new();
    setup.serve().await.stop().await;
    assert_eq!(setup.run_with(&["policy", "diff"], ""), (0, "no difference\n".into(), String::new()));

    let setup = setup.write(
        "policies/logs.yaml",
        &edited(&[
            ("s3://my-bucket/logs/**", "s3://my-bucket/**"),
            ("action: \"s3:PutObject\"", "action: \"s3:Put\""),
            ("action: none", "action: \"s3:Health\", resource: \"s3://health\""),
            ("janitor-*", "*"),
            (&sha256("hashed-secret"), &sha256("another")),
        ]),
    );
    let (code, stdout, stderr) = setup.run_with(&["policy", "diff"], "");
    assert_eq!((code, stderr.as_str()), (1, ""));
    for line in [
        "~ rule PUT /{bucket}/{*key} at logs.internal (policies/logs.yaml:20)\n    action: \"s3:PutObject\" -> \"s3:Put\"\n",
        "    action: \"none\" -> \"s3:Health\"\n    resource: null -> \"s3://health\"\n",
        "~ client generated\n    agents: [\"spiffe://example.org/agent/janitor-*\"] -> [\"spiffe://example.org/agent/*\"]\n",
        "~ client hashed\n    authenticate: another secret\n",
        "- client hashed may request s3:GetObject on s3://my-bucket/logs/** for 15 minutes at most delegated",
        "+ client hashed may request s3:GetObject on s3://my-bucket/** for 15 minutes at most delegated",
    ] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
    assert!(!stdout.contains(&sha256("another")), "no hash is shown");
}

#[test]
fn directories_are_compared_without_a_server() {
    let setup = Setup::new()
        .write("branch/logs.yaml", &(edited(&[]) + "      - {method: GET, path: /open, action: none}\n"));
    let diff = ["policy", "diff", "--from", "policies", "--policy-dir", "branch"];
    let (code, stdout, _) = setup.run_with(&diff, "");
    assert_eq!(
        (code, stdout.as_str()),
        (1, "+ open to everyone: GET /open at logs.internal (branch/logs.yaml:22)\n")
    );
    let (code, shown) = setup.run_json(&diff, "");
    let change: &Value = &shown["changes"][0];
    assert_eq!((code, &change["change"], &change["subject"]["exempt"]), (1, &"added".into(), &true.into()));
    assert_eq!((&change["file"], &change["line"]), (&"branch/logs.yaml".into(), &22.into()));
    // The other way round.
    let back = ["policy", "diff", "--from", "branch", "--policy-dir", "policies"];
    assert_eq!(setup.run_with(&back, "").1, "- open to everyone: GET /open at logs.internal\n");
}

#[test]
fn what_cannot_be_compared_is_no_difference_and_no_equality() {
    let setup = Setup::new().write("bad/a.yaml", "namespace: a\nx: 1\n");
    for (arguments, fault) in [
        (&[][..], "no policy was ever published in `sqlite:writ-data/writ.db`"),
        (&["--from", "nowhere"], "nowhere"),
        (&["--from", "bad"], "bad/a.yaml:2:1"),
        (&["--from", "policies", "--policy-dir", "bad"], "bad/a.yaml:2:1"),
    ] {
        let (code, stdout, stderr) = setup.run_with(&[&["policy", "diff"], arguments].concat(), "");
        assert!(code == 64 && stdout.is_empty() && stderr.contains(fault), "{arguments:?}: {code} {stderr}");
    }
}

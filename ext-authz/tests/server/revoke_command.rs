//! `writ revoke` and `writ revocations`, for operators.

use serde_json::Value;
use tonic::Code;

use crate::support::{
    Setup,
    command::code_and_text,
    rpc::{Caller, codes, delegating, may},
    sha256,
};

const JANITOR: &str = "spiffe://example.org/agent/janitor-1";

fn setup() -> Setup {
    let hash = sha256("ada-secret");
    delegating()
        .config(&format!("operators: [{{name: ada, secret_sha256: \"{hash}\"}}]\n"))
        .write("ada", "ada-secret\n")
}

fn names(listed: &Value) -> Vec<&str> {
    listed["revocations"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_agent_gets_nothing_until_its_revocation_is_lifted() {
    let setup = setup();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    one.started().await;
    let (code, stdout, _) =
        setup.run_with(&["revoke", "agent", JANITOR, "--reason", "went\u{1b}[2J astray"], "");
    assert_eq!((code, stdout), (0, format!("revoked until it is lifted: agent {JANITOR}\n")));
    let refused = one.start(may()).await.unwrap_err();
    assert_eq!(codes(&refused), (Code::PermissionDenied, "revoked".to_owned()));
    let (code, stdout, _) = setup.run_with(&["revoke", "agent", JANITOR], "");
    assert_eq!((code, stdout), (0, format!("revoked before: agent {JANITOR}\n")));

    let (code, listed) = setup.run_json(&["revocations", "--level", "agent"], "");
    assert_eq!((code, names(&listed)), (0, vec![JANITOR]));
    assert_eq!(listed["revocations"][0]["revoked_by"], "local");
    let (code, stdout, _) = setup.run_with(&["revocations"], "");
    assert!(code == 0 && stdout.contains("astray") && stdout.contains("local"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout:?}");

    let (code, stdout, _) = setup.run_with(&["revoke", "agent", JANITOR, "--lift"], "");
    assert_eq!((code, stdout), (0, format!("lifted: agent {JANITOR}\n")));
    let (code, stdout, _) = setup.run_with(&["revoke", "agent", JANITOR, "--lift"], "");
    assert_eq!((code, stdout), (0, format!("agent {JANITOR} was not revoked\n")));
    one.started().await;
    let (_, stdout, _) = setup.run_with(&["revocations"], "");
    assert_eq!(stdout, "nothing is revoked\n");
    let (_, all) = setup.run_json(&["revocations", "--all"], "");
    assert_eq!(names(&all), [JANITOR]);
}

#[tokio::test]
async fn a_task_ends_and_stays_ended() {
    let setup = setup();
    let writ = setup.serve().await;
    let one = Caller::of(&writ, "one").await;
    let (task, _) = one.started().await;
    let (code, revoked) = setup.run_json(&["revoke", "task", &task, "--reason", "stop"], "");
    assert_eq!(
        (code, &revoked["is_new"], &revoked["revocation"]["reason"]),
        (0, &true.into(), &"stop".into())
    );
    let (code, help, _) = setup.run_with(&["revocations", "--help"], "");
    assert!(code == 0 && help.contains("- key:"), "{help}");
    assert!(names(&setup.run_json(&["revocations", "--level", "key"], "").1).is_empty());
    let (_, shown) = setup.run_json(&["task", "show", &task], "");
    assert_eq!(shown["task"]["state"], "revoked");
    let (code, stdout, stderr) = setup.run_with(&["revoke", "task", &task, "--lift"], "");
    assert!(code == 1 && stdout.is_empty() && stderr.starts_with("error: not_liftable: "), "{stderr}");
    // What nobody has heard of is recorded all the same: it may be on its way.
    let (code, stdout, _) = setup.run_with(&["revoke", "token", "unheard-of"], "");
    assert!(code == 0 && stdout.starts_with("revoked: token unheard-of; "), "{stdout}");
    // It may be mistyped as well.
    for (level, name, note) in [
        ("task", task.as_str(), ""),
        ("task", "unheard-of-too", "note: nothing here goes by this name"),
        ("agent", JANITOR, ""),
        (
            "agent",
            "spiffe://example.org/agent/janitor-9",
            "note: no task's first token is held by this agent",
        ),
        ("agent", "spiffe://example.com/agent/janitor-1", "note: nothing here goes by this name"),
        ("client", "one", ""),
        ("client", "ohne", "note: nothing here goes by this name"),
    ] {
        let (code, _, stderr) = setup.run_with(&["revoke", level, name], "");
        assert_eq!((code, stderr.is_empty()), (0, note.is_empty()), "{level} {name}: {stderr}");
        assert!(stderr.starts_with(note), "{level} {name}: {stderr}");
    }
    assert_eq!(names(&setup.run_json(&["revocations", "--name", "unheard-of"], "").1), ["unheard-of"]);
}

#[tokio::test]
async fn from_elsewhere_it_takes_an_operators_secret() {
    let setup = setup();
    let writ = setup.serve().await;
    let url = format!("http://{}", writ.http);
    let revoke = ["revoke", "subject", "mallory", "--server", &url];
    let from_file = [&revoke[..], &["--operator-secret-file", "ada"]].concat();
    assert_eq!(setup.run_json(&from_file, "").1["revocation"]["revoked_by"], "ada");
    let (code, _) = setup.run_json(&[&revoke[..], &["--operator-secret-file", "-"]].concat(), "ada-secret");
    assert_eq!(code, 0);
    let by = |secret: &str| {
        let mut command = setup.command(&["revocations", "--server", &url]);
        code_and_text(command.env("WRIT_OPERATOR_SECRET", secret).output().unwrap())
    };
    let (code, stdout, _) = by("ada-secret");
    assert!(code == 0 && stdout.contains("mallory"), "{stdout}");
    for secret in ["secret-of-one", "wrong\nsecret"] {
        let (code, stdout, stderr) = by(secret);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(!stderr.contains("secret-of-one") && !stderr.contains("wrong"), "{stderr}");
    }
    let (code, _, stderr) = setup.run_with(&revoke, "");
    assert!(code == 1 && stderr.contains("WRIT_OPERATOR_SECRET"), "{stderr}");
    let elsewhere = ["revocations", "--server", "http://writ.example.org", "--operator-secret-file", "ada"];
    let (code, _, stderr) = setup.run_with(&elsewhere, "");
    assert!(code == 1 && stderr.contains("not without TLS"), "{stderr}");
}

#[test]
fn usage_is_checked_before_anybody_is_asked() {
    let setup = Setup::bare();
    for (arguments, fault) in [
        (&["revoke"][..], "<LEVEL>"),
        (&["revoke", "task"], "<NAME>"),
        (&["revoke", "planet", "earth"], "planet"),
        (&["revoke", "agent", "a", "--lift", "--reason", "x"], "cannot be used with"),
        (&["revocations", "--limit", "201"], "--limit"),
    ] {
        let (code, stdout, stderr) = setup.run_with(arguments, "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(fault), "{arguments:?}: {stderr}");
    }
    let (code, _, stderr) = setup.run_with(&["revoke", "key", "some-kid"], "");
    assert!(code == 2 && stderr.contains("`writ keys withdraw`"), "{stderr}");
}

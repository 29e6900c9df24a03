//! `writ task` and `writ token exchange|revoke`, for clients; what operators see of tasks.

use serde_json::{Value, json};

use crate::support::{
    MAY, Setup,
    command::code_and_text,
    rpc::{Caller, delegating},
};

const JANITOR: &str = "spiffe://example.org/agent/janitor-1";
const OTHER: &str = "spiffe://example.org/agent/janitor-2";
const AS_ONE: [&str; 4] = ["--client", "one", "--secret-file", "one"];
const READ_MAY: [&str; 4] = ["--action", "s3:GetObject", "--resource", "s3://my-bucket/logs/2026-05*"];

fn setup() -> Setup {
    delegating().write("one", "secret-of-one\n").write("two", "secret-of-two\n")
}

/// A command's JSON result, as the client `one`.
fn as_one(setup: &Setup, arguments: &[&[&str]]) -> (i32, Value) {
    setup.run_json(&[&arguments.concat()[..], &AS_ONE].concat(), "")
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {value}"))
}

#[tokio::test]
async fn a_task_is_started_shown_listed_and_completed() {
    let setup = setup();
    let _writ = setup.serve().await;
    let more = ["--agent", JANITOR, "--note", "tidy up", "--expires-in", "10m"];
    let (code, started) = as_one(&setup, &[&["task", "start"], &READ_MAY, &more]);
    assert_eq!((code, text(&started, "/task/note")), (0, "tidy up"), "{started}");
    assert_eq!(text(&started, "/access_token").split('.').count(), 3);
    let task = text(&started, "/task/id");
    let (code, below) =
        as_one(&setup, &[&["task", "start", "--parent", task], &READ_MAY, &["--agent", JANITOR]]);
    let below = text(&below, "/task/id");
    assert_eq!(code, 0);

    let (code, shown) = as_one(&setup, &[&["task", "show", below]]);
    assert_eq!((code, text(&shown, "/task/parent"), text(&shown, "/task/state")), (0, task, "active"));
    let words = [&["task", "show", task][..], &AS_ONE].concat();
    let (code, stdout, _) = setup.run_with(&words, "");
    for said in [
        "state       active",
        "agent       spiffe://example.org/agent/janitor-1",
        "note        tidy up",
        "in 10 minutes",
    ] {
        assert!(code == 0 && stdout.contains(said), "{said}: {stdout}");
    }
    let (_, listed) = as_one(&setup, &[&["task", "list", "--parent", task]]);
    assert_eq!((text(&listed, "/tasks/0/id"), listed["tasks"].as_array().unwrap().len()), (below, 1));
    let (_, listed) = as_one(&setup, &[&["task", "list", "--limit", "1"]]);
    assert_eq!(text(&listed, "/next"), task, "a page of one, and where the next begins");
    let page = [&["task", "list", "--limit", "1"][..], &AS_ONE].concat();
    let (_, stdout, stderr) = setup.run_with(&page, "");
    assert_eq!(stderr, format!("note: there are more: --after {task}\n"));
    assert!(!stdout.contains("there are more"), "{stdout}");
    let rest = [&page[..], &["--after", task]].concat();
    let (_, stdout, stderr) = setup.run_with(&rest, "");
    assert!(stdout.contains(below) && stderr.is_empty(), "{stdout}{stderr}");
    for (since, count) in
        [("1h", 2), ("1778371200", 2), ("2026-05-10T00:00:00Z", 2), ("2200-01-01T00:00:00Z", 0)]
    {
        let (_, listed) = as_one(&setup, &[&["task", "list", "--since", since]]);
        assert_eq!(listed["tasks"].as_array().unwrap().len(), count, "{since}");
    }

    let complete = [&["task", "complete", task][..], &AS_ONE].concat();
    let (code, stdout, _) = setup.run_with(&complete, "");
    assert_eq!((code, stdout), (0, format!("completed: {task}, and the task below it\n")));
    let (code, stdout, _) = setup.run_with(&complete, "");
    assert!(code == 0 && stdout.starts_with("it had ended before\n"), "{stdout}");
    let (_, listed) = as_one(&setup, &[&["task", "list", "--state", "completed"]]);
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(as_one(&setup, &[&["task", "list", "--state", "active"]]).1["tasks"], json!([]));
}

#[tokio::test]
async fn what_is_not_its_own_is_nothing_to_a_client_and_all_to_an_operator() {
    let setup = setup();
    let writ = setup.serve().await;
    let (task, _) = Caller::of(&writ, "two").await.started().await;
    for command in ["show", "complete"] {
        let arguments = [&["task", command, &task][..], &AS_ONE].concat();
        let (code, stdout, stderr) = setup.run_with(&arguments, "");
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert_eq!(stderr, "error: unknown_task: there is no such task of this client\n");
    }
    assert_eq!(as_one(&setup, &[&["task", "list"]]).1["tasks"], json!([]));
    // Who may open the operators' socket sees all.
    let (code, listed) = setup.run_json(&["task", "list"], "");
    assert_eq!((code, text(&listed, "/tasks/0/client")), (0, "two"));
    let (code, shown) = setup.run_json(&["task", "show", &task], "");
    assert_eq!((code, text(&shown, "/task/id")), (0, task.as_str()));
    let (code, stdout, stderr) = setup.run_with(&["task", "show", "../v1/operator?x"], "");
    assert!(code == 1 && stdout.is_empty() && stderr.starts_with("error: unknown_task"), "{stderr}");
    let (_, _, stderr) = setup.run_with(&["task", "show", "none"], "");
    assert_eq!(stderr, "error: unknown_task: there is no such task\n");
    // With a failure as JSON where that was asked for.
    let (code, stdout, stderr) = setup.run_with(&["task", "show", "none", "--json"], "");
    let problem: Value = serde_json::from_str(&stderr).unwrap();
    assert!(
        code == 1 && stdout.is_empty() && text(&problem, "/errors/0").starts_with("unknown_task"),
        "{stderr}"
    );
}

#[tokio::test]
async fn a_token_is_exchanged_and_revoked() {
    let setup = setup();
    let writ = setup.serve().await;
    let (task, token) = Caller::of(&writ, "one").await.started().await;
    let exchange = [&["token", "exchange", "--agent", OTHER][..], &AS_ONE].concat();
    let (code, delegated, stderr) = setup.run_with(&exchange, &token);
    assert_eq!((code, stderr.as_str(), delegated.trim().split('.').count()), (0, "", 3));
    let (_, said) = setup.run_json(&["token", "inspect"], &delegated);
    assert_eq!((text(&said, "/claims/writ/tasks/0"), text(&said, "/claims/act/sub")), (task.as_str(), OTHER));

    let narrow = MAY.replace("2026-05*", "2026-05-01");
    let narrower = [&exchange[..], &["--grant", &narrow, "--expires-in", "1m"]].concat();
    let (code, answer) = setup.run_json(&narrower, &token);
    assert_eq!((code, &answer["expires_in"]), (0, &60.into()), "{answer}");
    let wider = MAY.replace("2026-05*", "**");
    let (code, _, stderr) = setup.run_with(&[&exchange[..], &["--grant", &wider]].concat(), &token);
    assert!(code == 1 && stderr.starts_with("error: invalid_authorization_details"), "{stderr}");

    // The other client's word changes nothing, and is no failure (RFC 7009).
    let revoke = |client| ["token", "revoke", "--client", client, "--secret-file", client];
    assert_eq!(setup.run_with(&revoke("two"), &token).0, 0);
    assert_eq!(setup.run_with(&exchange, &token).0, 0);
    assert_eq!(setup.run_json(&revoke("one"), &token), (0, json!({"done": true})));
    let (code, _, stderr) = setup.run_with(&exchange, &token);
    assert!(code == 1 && stderr.starts_with("error: "), "{stderr}");
}

#[test]
fn usage_is_checked_before_anybody_is_asked() {
    let setup = Setup::bare();
    for (arguments, fault) in [
        (&["task", "start", "--client", "one"][..], "--action"),
        (&["task", "start", "--action", "s3:GetObject", "--resource", "s3://a"], "--client"),
        (&["task", "complete", "--client", "one"], "<TASK>"),
        (&["task", "list", "--state", "gone"], "gone"),
        (&["task", "list", "--limit", "0"], "--limit"),
        (&["task", "list", "--secret-file", "x"], "--client"),
        (
            &[
                "task",
                "list",
                "--client",
                "one",
                "--server",
                "http://127.0.0.1:1",
                "--operator-secret-file",
                "x",
            ],
            "cannot be used",
        ),
        (&["task", "list", "--operator-secret-file", "x"], "--server"),
        (&["token", "exchange", "--client", "one"], "--agent"),
        (
            &["token", "exchange", "--client", "one", "--agent", OTHER, "--action", "s3:GetObject"],
            "--resource",
        ),
    ] {
        let (code, stdout, stderr) = setup.run_with(arguments, "");
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(fault), "{arguments:?}: {stderr}");
    }
    for arguments in
        [&["task", "list"][..], &["task", "show", "x"], &["revocations"], &["revoke", "task", "x"]]
    {
        let (code, _, stderr) = setup.run_with(arguments, "");
        assert!(code == 1 && stderr.contains("no server runs here"), "{arguments:?}: {stderr}");
    }
    let bad = setup.config("nonsense: 1\n");
    assert_eq!(bad.run_with(&["task", "list"], "").0, 64);
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = code_and_text(bad.run(&["completions", shell]));
        assert!(code == 0 && script.contains("revocations") && script.contains("exchange"), "{shell}");
    }
}

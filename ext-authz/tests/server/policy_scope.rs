//! `writ policy explain` of grants and `writ policy lint`: what is open, and what should not be as it is.

use serde_json::{Value, json};

use crate::support::{POLICY, Setup, command::code_and_text, sha256};

fn policy(setup: &Setup, arguments: &[&str]) -> (i32, String, String) {
    code_and_text(setup.run(&[&["policy"], arguments].concat()))
}

fn policy_json(setup: &Setup, arguments: &[&str]) -> (i32, Value) {
    let (code, stdout, stderr) = policy(setup, &[arguments, &["--json"]].concat());
    (code, serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}")))
}

#[test]
fn explain_lists_what_a_client_may_open() {
    let setup = Setup::new();
    let (code, stdout, stderr) = policy(&setup, &["explain", "--client", "generated"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stdout,
        "client generated may request s3:GetObject on s3://my-bucket/logs/** for 15 minutes at most delegated 2 times at \
         most (policies/logs.yaml:8)\n  \
         GET /my-bucket/logs/{*key} at logs.internal (policies/logs.yaml:19)\n    \
         means    s3:GetObject on s3://my-bucket/logs/{*key}\n    \
         audience mesh\n    \
         example  GET logs.internal /my-bucket/logs/x\n\
         client generated may request s3:ListBucket on s3://my-bucket where prefix {\"glob\":\"logs/*\"} for 1 minute at \
         most (policies/logs.yaml:9)\n  \
         GET /my-bucket at logs.internal (policies/logs.yaml:18)\n    \
         means    s3:ListBucket on s3://my-bucket\n    \
         param    prefix {\"glob\":\"logs/*\"} (from query.prefix)\n    \
         query    {\"prefix\":\"optional\"}\n    \
         audience mesh\n    \
         example  GET logs.internal /my-bucket?prefix=logs%2Fx\n"
    );
}

#[test]
fn explain_lists_what_an_agent_may_be_given() {
    let setup = Setup::new();
    let (code, shown) = policy_json(&setup, &["explain", "--agent", "spiffe://example.org/agent/janitor-9"]);
    assert_eq!(code, 0, "{shown}");
    let grants = shown["grants"].as_array().unwrap();
    assert_eq!(grants.len(), 2);
    assert!(grants.iter().all(|grant| grant["client"] == "generated"), "{shown}");
    assert_eq!((&grants[0]["max_ttl"], &grants[0]["line"]), (&900.into(), &8.into()));
    let (code, _, stderr) = policy(&setup, &["explain", "--agent", "janitor"]);
    assert_eq!((code, stderr.as_str()), (1, "error: no client may hand tokens to `janitor`\n"));
    let (code, _, stderr) = policy(&setup, &["explain", "--client", "janitor"]);
    assert_eq!((code, stderr.as_str()), (1, "error: `janitor` is no client of the policy\n"));
}

#[test]
fn explain_lists_what_a_grant_opens() {
    let setup = Setup::new();
    let arguments =
        ["explain", "--action", "s3:PutObject", "--action", "s3:List*", "--resource", "s3://*/x-*"];
    let (code, shown) = policy_json(&setup, &arguments);
    assert_eq!(code, 0, "{shown}");
    let opens = &shown["grants"][0]["opens"];
    assert_eq!(opens.as_array().unwrap().len(), 1, "{opens}");
    assert_eq!(opens[0]["method"], "PUT");
    assert_eq!((&opens[0]["path"], &opens[0]["hosts"]), (&"/{bucket}/x-*".into(), &json!(["logs.internal"])));
    assert_eq!(opens[0]["rule"]["body"], "opaque");
    assert_eq!(opens[0]["host"]["audience"], "mesh");
    // From a file; a path that another rule has is left out, and told.
    let grants = r#"[{"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://*"]},
                     {"type": "task_grant", "actions": ["s3:ListBucket"], "resources": ["s3://healthz"]}]"#;
    let setup = setup.write("grants.json", grants);
    let (code, shown) = policy_json(&setup, &["explain", "--grants", "grants.json"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown["grants"][0]["opens"][0]["except"], json!(["/healthz"]));
    assert_eq!(shown["grants"][1]["opens"], json!([]));
    let (code, stdout, _) =
        policy(&setup, &["explain", "--action", "s3:ListBucket", "--resource", "s3://healthz"]);
    assert_eq!((code, stdout.as_str()), (1, "grant 1: s3:ListBucket on s3://healthz\n  opens nothing\n"));
    let (code, _, stderr) = policy(&setup, &["explain", "--grant", "{}"]);
    assert!(code == 1 && stderr.starts_with("error: grants: missing field `type`"), "{stderr}");
}

#[test]
fn explain_takes_one_question_at_a_time() {
    let setup = Setup::new();
    for arguments in [
        &["explain"][..],
        &["explain", "GET"],
        &["explain", "GET", "logs.internal"],
        &["explain", "GET", "logs.internal", "/", "--client", "generated"],
        &["explain", "--client", "generated", "--agent", "a"],
        &["explain", "--client", "generated", "--header", "a: b"],
        &["explain", "--client", "generated", "--body"],
    ] {
        assert_eq!(policy(&setup, arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn lint_lists_findings_with_places_and_advice() {
    let setup = Setup::new();
    let (code, stdout, stderr) = policy(&setup, &["lint"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stdout,
        "policies/logs.yaml:20: warning[rule-ungranted]: no client's ceiling covers any request of the rule \
         `PUT /{bucket}/{*key}` of logs.internal\n    \
         give a client a ceiling for its action and resource, or remove the rule: what no rule describes is refused as \
         well\n\
         policies/logs.yaml:21: note[exempt]: `GET /healthz` of logs.internal needs no token: it is open to everyone\n    \
         keep it only if everyone who reaches the host may have it\n\
         warnings 1, notes 1, allowed 0\n"
    );
    let (code, shown) = policy_json(&setup, &["lint"]);
    assert_eq!((code, &shown["warnings"], &shown["notes"]), (0, &1.into(), &1.into()));
    let finding = &shown["findings"][0];
    assert_eq!((&finding["code"], &finding["level"]), (&"rule-ungranted".into(), &"warning".into()));
    assert_eq!((&finding["file"], &finding["line"]), (&"policies/logs.yaml".into(), &20.into()));
    assert!(!setup.data("").exists(), "nothing is made");
}

#[test]
fn lint_fails_where_warnings_are_denied() {
    let setup = Setup::new();
    let (code, shown) = policy_json(&setup, &["lint", "--deny"]);
    assert_eq!((code, &shown["warnings"]), (1, &1.into()));
    let (code, shown) = policy_json(&setup, &["lint", "--deny", "--allow", "rule-ungranted"]);
    assert_eq!((code, &shown["warnings"], &shown["allowed"]), (0, &0.into(), &1.into()));
    assert_eq!(policy(&setup, &["lint", "--allow", "nonsense"]).0, 2);
    // Nothing, and what does not compile, are no policy without findings.
    let empty = Setup::bare();
    let (code, _, stderr) = policy(&empty, &["lint"]);
    assert!(code == 64 && stderr.contains("no policy directory"), "{stderr}");
    let broken = POLICY.replace("HASHED", &sha256("x")).replace("action: none", "acton: none");
    let setup = Setup::bare().write("policies/logs.yaml", &broken);
    assert_eq!(policy(&setup, &["lint"]).0, 64);
}

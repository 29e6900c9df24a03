//! `writ policy`: what is said before a policy counts.

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
fn check_says_that_nothing_is_wrong_and_what_is_open() {
    let setup = Setup::new();
    let (code, stdout, _) = policy(&setup, &["check"]);
    assert_eq!(code, 0);
    assert_eq!(
        stdout,
        "policies: no errors; hosts 1, clients 2\n\
         policies/logs.yaml:21: open to everyone: GET logs.internal/healthz\n"
    );
    let (code, report) = policy_json(&setup, &["check"]);
    assert_eq!((code, &report["valid"], &report["errors"]), (0, &true.into(), &json!([])));
    assert_eq!(report["clients"], json!(["generated", "hashed"]));
    assert!(!setup.data("").exists(), "nothing is made");
}

#[test]
fn check_names_every_fault_with_its_place() {
    let setup = Setup::bare()
        .write("elsewhere/a.yaml", "namespace: a\nx: 1\ny: 2\n")
        .write("elsewhere/b.yaml", "namespace: [\n");
    let (code, stdout, stderr) = policy(&setup, &["check", "--policy-dir", "elsewhere"]);
    assert_eq!((code, stdout.as_str()), (64, ""));
    for place in ["elsewhere/a.yaml:2:1: x: ", "elsewhere/a.yaml:3:1: y: ", "elsewhere/b.yaml:"] {
        assert!(stderr.contains(&format!("error: {place}")), "{place}: {stderr}");
    }
    let (code, report) = policy_json(&setup, &["check", "--policy-dir", "elsewhere"]);
    assert_eq!((code, &report["valid"]), (64, &false.into()));
    let error = &report["errors"][1];
    assert_eq!((&error["file"], &error["line"]), (&"elsewhere/a.yaml".into(), &3.into()));
    assert_eq!((&error["column"], &error["field"]), (&1.into(), &"y".into()));
    assert!(error["message"].as_str().unwrap().starts_with("elsewhere/a.yaml:3:1: y: unknown field"));
    let (code, _, stderr) = policy(&setup, &["check", "--policy-dir", "nowhere"]);
    assert!(code == 64 && stderr.contains("nowhere: cannot be read"), "{stderr}");
}

#[test]
fn check_holds_files_to_what_their_namespace_may_claim() {
    let setup = Setup::new().config("namespaces: {logs: {hosts: [other.internal]}}\n");
    let (code, _, stderr) = policy(&setup, &["check"]);
    assert!(code == 64 && stderr.contains("may not claim host `logs.internal`"), "{stderr}");
}

#[test]
fn explain_shows_the_rule_and_what_it_means() {
    let setup = Setup::new();
    let (code, stdout, stderr) =
        policy(&setup, &["explain", "GET", "Logs.Internal:80", "/my-bucket?prefix=logs%2F2026+05"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(
        stdout,
        "rule      GET /{bucket} (policies/logs.yaml:18)\n\
         audience  mesh\n\
         action    s3:ListBucket\n\
         resource  s3://my-bucket\n\
         param     prefix = \"logs/2026 05\" (from query.prefix)\n"
    );
    let (_, stdout, _) = policy(&setup, &["explain", "GET", "logs.internal", "/my-bucket"]);
    assert!(stdout.ends_with("prefix: no text in query.prefix, so no constraint of it holds\n"), "{stdout}");
    let (_, stdout, _) = policy(&setup, &["explain", "GET", "logs.internal", "/healthz"]);
    assert!(stdout.ends_with("action    none: no token is needed\n"), "{stdout}");
}

/// Types, captures of several segments, header fields, shadow mode, lenient hosts.
#[test]
fn explain_reads_values_as_the_verdict_does() {
    let rules = r#"
namespace: shop
routes:
  - hosts: [shop.internal]
    audience: mesh
    mode: shadow
    until: 2999-01-01
    allow: [trailing_slash]
    rules:
      - method: POST
        path: "/{tenant}/items/{*name}"
        query: {limit: optional, dry: optional}
        action: "shop:{header.x-verb}"
        resource: "shop://{tenant}/{name}"
        params:
          limit: {from: query.limit, type: number}
          dry: {from: query.dry, type: boolean}
          region: header.x-region
          name: path.name
        body: opaque
"#;
    let setup = Setup::bare().write("policies/shop.yaml", rules);
    let explain = |path: &str, headers: &[&str]| {
        let headers = headers.iter().flat_map(|header| ["--header", header]);
        let arguments: Vec<&str> =
            ["explain", "POST", "shop.internal", path, "--body"].into_iter().chain(headers).collect();
        policy_json(&setup, &arguments)
    };
    let (code, shown) = explain("/acme/items/a%20b/c/?limit=2.50&dry=true", &["X-Verb: Put", "x-region: eu"]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(shown["mode"]["shadow"]["until"], 32_472_144_000_u64);
    let meaning = &shown["meaning"];
    assert_eq!((&meaning["action"], &meaning["resource"]), (&"shop:Put".into(), &"shop://acme/a b/c".into()));
    let values: Vec<_> = meaning["params"].as_array().unwrap().iter().map(|param| &param["value"]).collect();
    assert_eq!(values, ["true", "2.50", "a b/c", "eu"]);
    let (_, shown) = explain("/acme/items/a?limit=02&dry=yes", &["x-verb: Put"]);
    let params = shown["meaning"]["params"].as_array().unwrap();
    let values: Vec<_> = params.iter().map(|param| &param["value"]).collect();
    assert_eq!(values, [&Value::Null, &Value::Null, &"a".into(), &Value::Null]);
    // The action needs the field once.
    for headers in [&[][..], &["x-verb: Put", "x-verb: Get"], &["x-verb: a,b"]] {
        let (code, shown) = explain("/acme/items/a", headers);
        assert_eq!((code, &shown["matches"]), (1, &false.into()), "{shown}");
        assert_eq!(shown["code"], "ambiguous_request");
    }
}

#[test]
fn explain_reads_bodies() {
    let rules = r#"
namespace: shop
routes:
  - hosts: [shop.internal]
    audience: mesh
    rules:
      - method: POST
        path: "/orders"
        action: "shop:Order"
        resource: "shop://items/{body./item}"
        params: {count: {from: body./count, type: number}, gift: {from: body./gift, type: boolean}}
      - {method: POST, path: "/", form: {Action: required, n: optional}, action: "shop:{form.Action}", resource: "shop://any", params: {n: form.n}}
"#;
    let setup = Setup::bare().write("policies/shop.yaml", rules);
    let explain = |path: &str, kind: &str, body: &[&str]| {
        let kind = format!("content-type: {kind}");
        let arguments = ["explain", "POST", "shop.internal", path, "--header", &kind];
        policy_json(&setup, &[&arguments, body].concat())
    };
    let values = |shown: &Value| -> Vec<Value> {
        let params = shown["meaning"]["params"].as_array().unwrap().iter();
        params.map(|param| param["value"].clone()).collect()
    };
    let json = "application/json";
    let (code, shown) =
        explain("/orders", json, &["--data", r#"{"item": "a", "count": 2.50, "gift": true}"#]);
    assert_eq!((code, &shown["meaning"]["resource"]), (0, &"shop://items/a".into()), "{shown}");
    assert_eq!(values(&shown), ["2.50", "true"]);
    let (_, shown) = explain("/orders", json, &["--data", r#"{"item": "a", "count": "2", "gift": 1}"#]);
    assert_eq!(values(&shown), [Value::Null, Value::Null]);
    let form = "application/x-www-form-urlencoded";
    let (code, shown) = explain("/", form, &["--data", "Action=Look&n=a+b"]);
    assert_eq!((code, &shown["meaning"]["action"]), (0, &"shop:Look".into()), "{shown}");
    assert_eq!(values(&shown), ["a b"]);
    for (kind, body, denial) in [
        (json, &["--data", r#"{"item": "a", "item": "b"}"#][..], "body_invalid"),
        (json, &["--data", r#"{"Item": "a"}"#], "ambiguous_request"),
        (form, &["--data", "{}"], "body_invalid"),
        (json, &["--body"], "body_invalid"),
    ] {
        let (code, shown) = explain("/orders", kind, body);
        assert_eq!((code, &shown["code"]), (1, &denial.into()), "{shown}");
    }
}

#[test]
fn explain_says_what_every_token_is_denied_for() {
    let setup = Setup::new();
    for (method, host, path, code) in [
        ("HEAD", "logs.internal", "/my-bucket", "no_route"),
        ("GET", "other.internal", "/my-bucket", "no_route"),
        ("GET", "logs.internal", "/my-bucket?acl", "ambiguous_request"),
        ("GET", "logs.internal", "/my-bucket/../x", "ambiguous_request"),
    ] {
        let (exit, _, stderr) = policy(&setup, &["explain", method, host, path]);
        assert!(exit == 1 && stderr.starts_with(&format!("error: denied: {code}: ")), "{stderr}");
    }
    for header in ["authorization: Bearer x", "x", ": x"] {
        let arguments = ["explain", "GET", "logs.internal", "/", "--header", header];
        assert_eq!(policy(&setup, &arguments).0, 2, "{header}");
    }
}

const CASES: &str = r#"
client: hashed
grants:
  - {actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/2026-05*"]}
cases:
  - name: May
    request: {method: GET, host: logs.internal, path: /my-bucket/logs/2026-05-01}
    expect: allow
  - name: June
    request: {method: GET, host: logs.internal, path: /my-bucket/logs/2026-06-01}
    expect: not_granted
  - name: health
    token: false
    request: {method: GET, host: logs.internal, path: /healthz}
    expect: exempt
"#;

#[test]
fn test_decides_each_case() {
    let setup = Setup::new().write("policies/logs.cases.yaml", CASES);
    assert_eq!(policy(&setup, &["test"]), (0, "cases 3, files 1, not as expected 0\n".into(), String::new()));
    let setup = setup.write("policies/logs.cases.yaml", &CASES.replace("not_granted", "allow"));
    let (code, stdout, _) = policy(&setup, &["test"]);
    assert_eq!(code, 1);
    assert_eq!(
        stdout,
        "policies/logs.cases.yaml:9: June: expected `allow`, got `not_granted`: no grant covers the action and \
         the resource\ncases 3, files 1, not as expected 1\n"
    );
    let (code, report) = policy_json(&setup, &["test", "policies/logs.cases.yaml"]);
    assert_eq!((code, &report["cases"]), (1, &3.into()));
    let failure = &report["failures"][0];
    assert_eq!((&failure["line"], &failure["decided"]), (&9.into(), &"not_granted".into()));
}

#[test]
fn test_refuses_cases_that_say_nothing() {
    let setup = Setup::new();
    let (code, _, stderr) = policy(&setup, &["test"]);
    assert!(code == 64 && stderr.contains("no `*.cases.yaml` in `policies`"), "{stderr}");
    for (from, to, fault) in [
        ("expect: allow", "expect: alow", "policies/a.cases.yaml:6:5: expect: `alow` is no decision"),
        ("expect: allow", "expected: allow", "policies/a.cases.yaml:8:5: "),
        ("client: hashed", "client: nobody", "policies/a.cases.yaml:2:9: `nobody` is no client"),
        ("2026-05*", "../*", "policies/a.cases.yaml:4:"),
        ("my-bucket/logs/2026-05*", "other/**", "grants[0]: more than client `hashed` may request"),
    ] {
        let setup = Setup::new().write("policies/a.cases.yaml", &CASES.replacen(from, to, 1));
        let (code, _, stderr) = policy(&setup, &["test"]);
        assert!(code == 64 && stderr.contains(fault), "{fault}: {stderr}");
    }
    let broken = POLICY.replace("HASHED", &sha256("x")).replace("action: none", "acton: none");
    let setup = Setup::bare().write("policies/logs.yaml", &broken).write("policies/a.cases.yaml", CASES);
    assert_eq!(policy(&setup, &["test"]).0, 64);
}

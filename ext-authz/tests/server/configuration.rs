//! A bad configuration starts nothing, and says where it is bad.

use crate::support::{POLICY, Setup, http::get, pki::Authority, sha256};

#[test]
fn a_secret_is_one_partys() {
    let hash = sha256("x");
    for (config, fault) in [
        ("data_planes: [{name: edge, HASH}]\noperators: [{name: ada, HASH}]\n", "operators[0]"),
        ("operators: [{name: edge, HASH}, {name: ada, HASH}]\n", "operators[1]"),
    ] {
        let config = config.replace("HASH", &format!("secret_sha256: \"{hash}\""));
        let (code, stderr) = Setup::new().config(&config).refuse_to_serve();
        assert_eq!(code, 64);
        assert!(stderr.contains(&format!("{fault}.secret_sha256: is that of `edge` too")), "{stderr}");
    }
}

#[test]
fn every_fault_of_writ_yaml_is_named_with_its_place() {
    let cases = [
        ("issuer: https://a\nisuer: https://b\n", "writ.yaml:2:1: ", "isuer"),
        ("issuer: https://a\nissuer: https://b\n", "writ.yaml:2:1: ", "issuer"),
        ("issuer: [\n", "writ.yaml:", ""),
        ("issuer: ftp://a\n", "writ.yaml:1:9: issuer: ", "http"),
        ("issuer: https://a/?x\n", "writ.yaml:1:9: issuer: ", "query"),
        ("issuer: https://a/\n", "writ.yaml:1:9: issuer: ", "final `/`"),
        ("listeners: {http: here}\n", "writ.yaml:1:19: ", ""),
        ("listeners: {htpp: \"127.0.0.1:1\"}\n", "writ.yaml:1:13: ", "htpp"),
        ("max_ttl: 1h30m\n", "writ.yaml:1:10: ", "a whole number and a unit"),
        ("max_ttl: 1m\ndefault_ttl: 2m\n", "writ.yaml:2:14: default_ttl: ", "over `max_ttl`"),
        ("leeway: 6s\n", "writ.yaml:1:9: leeway: ", "5 s"),
        ("data_planes: [{name: a}]\n", "writ.yaml:1:", "secret_sha256"),
        ("data_planes: [{name: a, secret_sha256: \"00\"}]\n", "writ.yaml:1:", "64 hexadecimal digits"),
        ("operators: [{name: ada}]\n", "writ.yaml:1:", "secret_sha256: is missing"),
        ("operators: [{name: ada, secret_sha256: ada}]\n", "writ.yaml:1:", "64 hexadecimal digits"),
        ("operators: [{name: local}]\n", "writ.yaml:1:", "at the operators' socket"),
        ("store: mysql://host/db\n", "writ.yaml:1:8: ", "`sqlite:` or `postgres://`"),
        ("store: postgres://u@h/d?tls=on\n", "writ.yaml:1:8: ", "unknown option `tls`"),
        ("store_poll_interval: 11s\n", "writ.yaml:1:22: store_poll_interval: ", "10 s"),
        ("limits: {header_bytes: 1}\n", "writ.yaml:1:24: limits.header_bytes: ", "8192"),
        ("limits: {body_bytes: 99999999}\n", "writ.yaml:1:22: limits.body_bytes: ", "4194304"),
        ("limits: {connections: 0}\n", "writ.yaml:1:", "nonzero"),
        ("key_rotation: off\n", "writ.yaml:1:15: key_rotation: ", "mapping"),
        (
            "key_rotation: {every: false}\n",
            "writ.yaml:1:23: key_rotation.every: ",
            "`false` is neither `off` nor",
        ),
        ("data_planes: [{name: a, port: 1}]\n", "writ.yaml:1:25: data_planes[0].port: ", "unknown field"),
        ("namespaces: {logs: {host: [a]}}\n", "writ.yaml:1:", "host"),
    ];
    for (config, place, reason) in cases {
        let (code, stderr) = Setup::new().config(config).refuse_to_serve();
        assert_eq!(code, 64, "{config}: {stderr}");
        assert!(stderr.contains(place) && stderr.contains(reason), "{config}: {stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn the_same_data_plane_twice_is_an_error() {
    let plane = format!("{{name: edge, secret_sha256: \"{}\"}}", sha256("x"));
    let (code, stderr) = Setup::new().config(&format!("data_planes: [{plane}, {plane}]\n")).refuse_to_serve();
    assert_eq!(code, 64);
    assert!(stderr.contains("data_planes[1].name: `edge` is listed twice"), "{stderr}");
}

#[test]
fn every_fault_of_the_policy_is_named_at_once() {
    let policy = POLICY.replace("HASHED", "short").replace("action: none", "acton: none");
    let setup = Setup::bare().write("policies/logs.yaml", &policy);
    let (code, stderr) = setup.refuse_to_serve();
    assert_eq!(code, 64);
    assert!(
        stderr.lines().filter(|line| line.starts_with("error: policies/logs.yaml:")).count() >= 2,
        "{stderr}"
    );
    assert!(!setup.data("").exists(), "nothing is made");
    let output = setup.run(&["serve", "--json"]);
    assert_eq!(output.status.code(), Some(64));
    let errors: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(errors["errors"].as_array().unwrap().len() >= 2);
}

#[test]
fn what_is_not_there_is_named() {
    let setup = Setup::new();
    for arguments in [["--config", "missing.yaml"], ["--policy-dir", "missing"]] {
        let output = setup.run(&[&["serve"][..], &arguments].concat());
        assert_eq!(output.status.code(), Some(64));
        assert!(String::from_utf8_lossy(&output.stderr).contains("missing"));
    }
    assert_eq!(setup.run(&["serve", "--htpp-addr", "x"]).status.code(), Some(2));
    assert_eq!(setup.run(&[]).status.code(), Some(2));
    assert_eq!(setup.run(&["--help"]).status.code(), Some(0));
}

#[tokio::test]
async fn the_command_line_goes_over_the_file() {
    let setup = Setup::new().config(
        "policy_dir: elsewhere\ndata_dir: other-data\nleeway: 0s\nlisteners: {data_plane: plane.sock}\n",
    );
    let writ = setup.serve_with(&["--policy-dir", "policies", "--data-dir", "writ-data"]).await;
    let config = get(writ.admin, "/config").await.json();
    assert_eq!((&config["policy_dir"], &config["data_dir"]), (&"policies".into(), &"writ-data".into()));
    assert!(setup.path("plane.sock").exists() && !setup.path("other-data").exists());
}

/// The example says what holds without it, so it changes nothing. Its own examples can be taken as they are.
#[tokio::test]
async fn the_example_file_holds_every_member_and_the_defaults() {
    let example = include_str!("../../writ.example.yaml");
    let plain = Setup::new();
    let commented = Setup::new().config(example);
    // Prose has a space after the `#`, but members of members have too: those follow a member.
    let uncommented: Vec<&str> = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(yaml) if !yaml.starts_with(' ') || yaml.starts_with("  ") => yaml,
            _ => line,
        })
        .collect();
    let authority = Authority::new();
    let server = authority.server();
    let whole = Setup::new()
        .config(&uncommented.join("\n"))
        .write_secret("secrets/kek", &"0a".repeat(32))
        .write("tls/ca.pem", &authority.pem)
        .write("tls/server.pem", &server.certificate)
        .write_secret("tls/server.key", &server.key);
    let mut shown = Vec::new();
    for setup in [&plain, &commented, &whole] {
        let mut config = get(setup.serve().await.admin, "/config").await.json();
        for varying in ["signing_key", "policy_generation", "listeners"] {
            config[varying] = serde_json::Value::Null;
        }
        shown.push(config);
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(shown[2]["data_planes"], serde_json::json!(["edge"]));
    assert_eq!(shown[2]["operators"], serde_json::json!(["ada"]));
    for member in shown[0]["limits"].as_object().unwrap().keys() {
        assert!(example.contains(member.trim_end_matches("_seconds")), "{member}");
    }
}

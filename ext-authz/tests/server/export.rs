//! `writ snapshot export`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use store::Level;
use test_databases::Database;
use verdict::{Snapshot, revocation::Kind};

use crate::support::{
    Setup,
    http::get,
    ledger::{Writer, hashed},
    policy::opening,
    replicas::first_replica,
};

async fn started() -> Setup {
    let setup = Setup::new();
    setup.serve().await.stop().await;
    setup
}

#[tokio::test]
async fn the_plugin_configuration_is_a_snapshot_with_an_end() {
    let setup = started().await;
    let output = setup.run(&["snapshot", "export", "--valid-for", "1h"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plugin: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let members: Vec<&String> = plugin.as_object().unwrap().keys().collect();
    assert_eq!(members, ["snapshot"]);
    let snapshot = &plugin["snapshot"];
    assert_eq!(snapshot["not_after"].as_u64().unwrap() - snapshot["issued_at"].as_u64().unwrap(), 3600);
    Snapshot::from_json(snapshot.to_string().as_bytes()).unwrap();

    let writ = setup.serve().await;
    let keys = get(writ.http, "/.well-known/jwks.json").await.json();
    assert_eq!(snapshot["keys"][0]["kid"], keys["keys"][0]["kid"]);
    let text = snapshot.to_string();
    for absent in ["janitor", "hashed", "generated", "secret", "max_ttl"] {
        assert!(!text.contains(absent), "clients never enter a snapshot: {absent} in {text}");
    }
}

#[tokio::test]
async fn the_envoy_form_holds_it_as_one_yaml_string() {
    let setup = started().await;
    let output = setup.run(&[
        "snapshot",
        "export",
        "--format",
        "envoy",
        "--output",
        "out/filter.yaml",
        "--wasm",
        "/opt/it's.wasm",
        "--json",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["hosts"], &summary["keys"]), (&1.into(), &1.into()));

    let path = setup.path("out/filter.yaml");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let yaml: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let config = &yaml["resources"][0]["typed_config"]["config"];
    assert_eq!(config["vm_config"]["code"]["local"]["filename"], "/opt/it's.wasm");
    let plugin: serde_json::Value =
        serde_json::from_str(config["configuration"]["value"].as_str().unwrap()).unwrap();
    Snapshot::from_json(plugin["snapshot"].to_string().as_bytes()).unwrap();
    assert_eq!(fs::read_dir(setup.path("out")).unwrap().count(), 1, "no draft stays behind");
}

/// Nothing in the file shows that a part of it is of no use without a server.
#[tokio::test]
async fn what_needs_a_server_is_named() {
    let setup = Setup::with_key("k3y-of-the-bucket");
    setup.serve().await.stop().await;
    for arguments in [&["snapshot", "export"][..], &["snapshot", "export", "--output", "out.json"]] {
        let output = setup.run(arguments);
        let noted = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{noted}");
        assert!(noted.starts_with("note: ") && noted.contains("no credential for logs.internal"), "{noted}");
    }
    let plain = started().await.run(&["snapshot", "export"]);
    assert!(plain.stderr.is_empty());
}

#[test]
fn without_a_key_there_is_nothing_to_export() {
    let output = Setup::new().run(&["snapshot", "export"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no signing key"));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn wrong_usage_is_told_apart() {
    let setup = started().await;
    for arguments in [&["--valid-for", "0s"][..], &["--valid-for", "soon"], &["--format", "xml"], &["--json"]]
    {
        let output = setup.run(&[&["snapshot", "export"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = setup.run(&["snapshot", "export", "--policy-dir", "missing"]);
    assert_eq!(output.status.code(), Some(64));
}

/// A file is all that its reader gets: what is revoked by then is in it.
#[tokio::test]
async fn it_says_what_is_revoked() {
    let database = Database::sqlite();
    let setup = first_replica(&database, &opening("/a"));
    setup.serve().await.stop().await;
    let writer = Writer::open(&database, "other").await;
    writer.revoke_task("t1").await;
    writer.revoke(Level::Agent, "a1", None, None).await;
    writer.lift(Level::Agent, "a1").await;
    let output = setup.run(&["snapshot", "export"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plugin: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let snapshot = Snapshot::from_json(plugin["snapshot"].to_string().as_bytes()).unwrap();
    assert_eq!((snapshot.revocations().len(), snapshot.version().revocation), (1, 3));
    assert!(snapshot.revocations().contains(&hashed(&setup, Kind::Task, "t1")));
}

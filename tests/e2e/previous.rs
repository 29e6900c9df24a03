//! The release before this one beside this one, as in a mesh that is being upgraded: either filter by either server's
//! snapshot, for either server's tokens.

use std::{
    fs,
    path::{Path, PathBuf},
};

use harness::{
    api::{Caller, Client},
    envoy::Shipped,
    paths,
    server::{Release, Server},
};
use serde_json::json;

use crate::{
    issued::{CLIENT, secret, start_task},
    live::until_everywhere,
    snapshots::{replace_file, with_configuration},
    world::{OBJECT, OTHER_OBJECT, World, answer, get},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_previous_filter_runs_by_this_servers_snapshot() {
    assert_agree(Release::Current, paths::previous_filter().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_filter_runs_by_the_previous_servers_snapshot() {
    assert_agree(Release::Previous, paths::filter().unwrap()).await;
}

/// A server of `release` issues and exports, and `filter` judges.
async fn assert_agree(release: Release, filter: PathBuf) {
    let world = World::new().unwrap();
    // What either release knows: a filter refuses a snapshot that requires more.
    let policies = world.data().with_file_name("policies");
    fs::create_dir(&policies).unwrap();
    fs::copy(paths::corpus().join("policy/logs.yaml"), policies.join("logs.yaml")).unwrap();
    let setup = harness::server::Setup { release, policies, ..world.setup().unwrap() };
    let server = Server::start(&setup).await.unwrap();
    let secret = secret(&server).await.unwrap();
    let grant = json!({"type": "task_grant", "actions": ["s3:GetObject"], "resources": ["s3://my-bucket/logs/2026-05/**"]});
    let body = json!({"grants": [grant], "audience": "mesh", "expires_in": 60});
    let task = start_task(&server, &secret, &body).await.unwrap();
    assert_eq!(task.status, 201, "{}", String::from_utf8_lossy(&task.body));
    let task = task.json().unwrap();
    let token = task["access_token"].as_str().unwrap().as_bytes();

    let exported = setup.export_snapshot_for(&filter).unwrap();
    if filter == paths::filter().unwrap() {
        in_its_own_resource(&exported);
    }
    let proxy = world.proxy(Shipped::Wasm, |_| Ok(())).await.unwrap();
    assert_eq!(answer(&proxy, &get("logs.internal", OBJECT, token)).await.unwrap().0, 200);
    let seen = proxy.echo.take();
    assert_eq!(seen[0].values("x-writ-task"), [task["task"]["id"].as_str().unwrap()]);
    for (target, token, code) in [
        (OTHER_OBJECT, token, "not_granted"),
        ("/other/path/at/all", token, "not_granted"),
        ("/my-bucket/../x", token, "ambiguous_request"),
        (OBJECT, &token[..token.len() - 4], "malformed_token"),
        (OBJECT, &world.token(&json!({"exp": 1})), "expired"),
    ] {
        assert_eq!(answer(&proxy, &get("logs.internal", target, token)).await.unwrap().1, code, "{target}");
    }
    assert_eq!(proxy.echo.take(), [], "nothing else went on");
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);

    if release == Release::Current {
        let client = Client(Caller::basic(server.listeners.http, CLIENT, &secret));
        client.complete(task["task"]["id"].as_str().unwrap()).await.unwrap();
        setup.export_snapshot_for(&filter).unwrap();
        let request = get("logs.internal", OBJECT, token);
        until_everywhere(&proxy, &request, (401, "revoked"), &[(200, "")]).await;
    }
}

/// Puts an exported snapshot into this release's resource: a filter and the resource that says what it may call and be
/// called for are of one release.
fn in_its_own_resource(exported: &Path) {
    let text = fs::read_to_string(exported).unwrap();
    let (_, value) = text.split_once("value: '").expect("the place of the configuration");
    let configuration = value.split("'\n").next().unwrap_or(value).replace("''", "'");
    let template = fs::read_to_string(paths::repository().join("envoy/writ-filter.yaml")).unwrap();
    let wasm = paths::filter().unwrap().display().to_string();
    let template = template.replace("target/wasm/writ_filter.wasm", &wasm);
    replace_file(exported, &with_configuration(&template, &configuration));
}

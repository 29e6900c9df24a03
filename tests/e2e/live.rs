//! The live feed, with everything real: what the server publishes reaches every worker, and what happens to the server
//! does not reach the requests.

use std::{fs, path::PathBuf};

use harness::{
    Result,
    http::{Payload, RawRequest, h1},
    load::Load,
    paths,
    server::{Server, Setup},
    surface::Proxy,
    wait,
};
use serde_json::{Value, json};

use crate::{
    workers,
    world::{OBJECT, World, answer, get},
};

/// Connections enough that every worker is asked.
const ROUNDS: usize = 20;

/// A policy directory of its own, to be edited.
pub(crate) fn editable(world: &World, name: &str) -> Result<Setup> {
    let policies = world.data().with_file_name(name);
    fs::create_dir_all(&policies).unwrap();
    let setup = Setup { policies, ..world.setup()? };
    write(&setup, OPEN);
    Ok(setup)
}

/// One host whose objects may be read.
pub(crate) const OPEN: &str = r#"namespace: logs
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/{bucket}/{*key}", action: "s3:GetObject", resource: "s3://{bucket}/{key}"}
"#;

/// The same host without that rule.
pub(crate) const CLOSED: &str = r#"namespace: logs
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {method: GET, path: "/elsewhere", action: "s3:GetObject", resource: "s3://elsewhere"}
"#;

/// Puts `policy` in the place of the whole policy, in one step.
pub(crate) fn write(setup: &Setup, policy: &str) -> PathBuf {
    let file = setup.policies.join("logs.yaml");
    let draft = setup.policies.join(".draft");
    fs::write(&draft, policy).unwrap();
    fs::rename(&draft, &file).unwrap();
    file
}

/// Waits until every worker gives `wanted`; meanwhile each gives `wanted` or one of `other`, and nothing else.
pub(crate) async fn until_everywhere(
    proxy: &Proxy,
    request: &RawRequest,
    wanted: (u16, &str),
    other: &[(u16, &str)],
) {
    let everywhere = || async {
        for _ in 0..ROUNDS {
            let (status, code) = answer(proxy, request).await?;
            let got = (status, code.as_str());
            if got != wanted {
                assert!(other.contains(&got), "{got:?} while {wanted:?} was awaited");
                return Ok(None);
            }
        }
        Ok(Some(()))
    };
    wait::until(&format!("{wanted:?} at every worker"), everywhere).await.unwrap();
}

/// `GET` of the admin interface of `server`.
pub(crate) async fn admin(server: &Server, path: &str) -> Result<Value> {
    Ok(h1::get(server.listeners.admin, path).await?.json().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_reaches_every_worker_and_no_request_fails() {
    let world = World::new().unwrap();
    let setup = editable(&world, "p").unwrap();
    let server = Server::start(&setup).await.unwrap();
    let proxy = world.fed().await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    assert_eq!(
        answer(&proxy, &request).await.unwrap().0,
        200,
        "the first request waits for the first snapshot"
    );

    let load = Load::start(proxy.envoy.listener(&proxy.plain).unwrap(), &request);
    load.answers(50).await.unwrap();
    write(&setup, CLOSED);
    until_everywhere(&proxy, &request, (403, "no_route"), &[(200, "")]).await;
    write(&setup, OPEN);
    until_everywhere(&proxy, &request, (200, ""), &[(403, "no_route")]).await;
    write(&setup, "namespace: logs\nroutes: broken\n");
    wait::until("the rejection", || async {
        Ok(admin(&server, "/config").await?["policy_rejected"].is_object().then_some(()))
    })
    .await
    .unwrap();
    load.answers(50).await.unwrap();
    let tally = load.stop().await.unwrap();
    let kinds: Vec<(u16, &str)> = tally.keys().map(|(status, code)| (*status, code.as_str())).collect();
    assert_eq!(kinds, [(200, ""), (403, "no_route")], "{tally:?}");
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_snapshot_requests_wait_and_end() {
    let world = World::new().unwrap();
    let setup = editable(&world, "p").unwrap();
    let proxy = world.fed().await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    let response = proxy.send(&request).await.unwrap().expect("an answer");
    assert_eq!(response.status, 503);
    assert_eq!(response.json().unwrap()["code"], "stale_snapshot");
    assert!(response.header("retry-after").is_some(), "{response:?}");
    let body =
        RawRequest { method: b"PUT".to_vec(), payload: Payload::Streamed(b"x".to_vec()), ..request.clone() };
    assert_eq!(answer(&proxy, &body).await.unwrap(), (503, "stale_snapshot".into()));
    assert_eq!(proxy.echo.take(), [], "nothing went on");

    let _server = Server::start(&setup).await.unwrap();
    until_everywhere(&proxy, &request, (200, ""), &[(503, "stale_snapshot")]).await;
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_server_requests_go_on_until_the_snapshot_is_stale() {
    let world = World::new().unwrap();
    let setup = editable(&world, "p").unwrap();
    write(&setup, &OPEN.replace("audience: mesh", "audience: mesh\n    max_staleness: 2s"));
    let server = Server::start(&setup).await.unwrap();
    let proxy = world.fed().await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    until_everywhere(&proxy, &request, (200, ""), &[]).await;

    server.stop().await.unwrap();
    assert_eq!(answer(&proxy, &request).await.unwrap().0, 200, "right after the server's end");
    until_everywhere(&proxy, &request, (503, "stale_snapshot"), &[(200, "")]).await;
    let _server = Server::start(&setup).await.unwrap();
    until_everywhere(&proxy, &request, (200, ""), &[(503, "stale_snapshot")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_policy_does_not_come_back_with_a_restart() {
    let world = World::new().unwrap();
    let setup = editable(&world, "p").unwrap();
    let server = Server::start(&setup).await.unwrap();
    let proxy = world.fed().await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    until_everywhere(&proxy, &request, (200, ""), &[]).await;
    write(&setup, CLOSED);
    until_everywhere(&proxy, &request, (403, "no_route"), &[(200, "")]).await;
    server.stop().await.unwrap();

    // As from a backup of the directory.
    write(&setup, OPEN);
    let server = Server::start(&setup).await.unwrap();
    let rejected = admin(&server, "/config").await.unwrap()["policy_rejected"].to_string();
    assert!(rejected.contains("later generation"), "{rejected}");
    until_everywhere(&proxy, &request, (403, "no_route"), &[(503, "stale_snapshot")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_edits_under_load_cost_no_request_and_no_stream() {
    let world = World::new().unwrap();
    let setup = editable(&world, "p").unwrap();
    let server = Server::start(&setup).await.unwrap();
    let shipped = fs::read_to_string(paths::repository().join("envoy/writ-filter.yaml")).unwrap();
    let file = world.data().join("filter.yaml");
    // Another virtual machine for the second half: its workers begin without a snapshot.
    let other_vm = shipped.replace("vm_id: writ", "vm_id: other");
    let edit = |number: usize| {
        let base = if number < 10 { &shipped } else { &other_vm };
        base.replace(
            r#""authority": "writ""#,
            &format!(r#""metadata": {{"x-edit": "{number}"}}, "authority": "writ""#),
        )
    };
    fs::write(&file, &shipped).unwrap();
    let proxy = world.fed_with(|config| config.filter_resource(&file)).await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    until_everywhere(&proxy, &request, (200, ""), &[]).await;
    let before = streams(&server).await.unwrap();

    let load = Load::start(proxy.envoy.listener(&proxy.plain).unwrap(), &request);
    for number in 0..20 {
        let successes = |stats: &harness::envoy::Stats| {
            stats.matching(&["extension_config_discovery", "config_reload"]).map(|(_, n)| n).sum::<u64>()
        };
        let done = successes(&proxy.envoy.stats().await.unwrap());
        crate::snapshots::replace_file(&file, &edit(number));
        wait::until("the edit", || async {
            Ok((successes(&proxy.envoy.stats().await?) > done).then_some(()))
        })
        .await
        .unwrap();
        load.answers(20).await.unwrap();
    }
    let tally = load.stop().await.unwrap();
    assert_eq!(tally.keys().collect::<Vec<_>>(), [&(200, String::new())], "{tally:?}");
    workers::all_answer(&proxy, &world).await.unwrap();
    wait::until("streams of old configurations to end", || async {
        Ok((streams(&server).await? == before).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
}

/// Open feed streams, as the server counts them.
pub(crate) async fn streams(server: &Server) -> Result<usize> {
    Ok(admin(server, "/dataplanes").await?["data_planes"].as_array().map_or(0, Vec::len))
}

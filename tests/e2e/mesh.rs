//! The feed as in a mesh: over TCP and TLS, to a server that has to be proven to, through a cluster that is named as
//! Istio names it.

use std::{fs, path::PathBuf};

use harness::{
    Result,
    envoy::Config,
    paths,
    server::{Server, Setup},
    wait,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    live::{editable, streams, until_everywhere},
    world::{OBJECT, World, answer, get},
};

/// `|` may not stand in an `:authority`, so that the filter has to name one.
const CLUSTER: &str = "outbound|9000||writ.writ-system.svc.cluster.local";
const AUTHORITY: &str = "writ.writ-system.svc.cluster.local:9000";
const SECRET: &str = "b7f4e9a2d6c8135f0e7a9b2c4d6e8f10";
const NODE: &str = "spiffe://example.org/agent/janitor-7";

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_secret_over_tls_gets_the_feed() {
    let world = World::new().unwrap();
    let proven = json!({"authorization": format!("Bearer {SECRET}")});
    assert_fed(&world, &config(&world), &proven, &tls(&world, None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_gets_the_feed() {
    let world = World::new().unwrap();
    let presented = world.pki.save("holder").unwrap();
    assert_fed(&world, &config(&world), &json!({}), &tls(&world, Some(presented))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_nothing_gets_no_feed() {
    let task_token = |world: &World| {
        let token = String::from_utf8(world.token(&json!({}))).unwrap();
        json!({"authorization": format!("Bearer {token}")})
    };
    let world = World::new().unwrap();
    let setup = served(&world, &config(&world));
    let server = Server::start(&setup).await.unwrap();
    let other = world.pki.save("other").unwrap();
    for (what, metadata, certificate) in [
        ("nothing", json!({}), None),
        ("another secret", json!({"authorization": "Bearer wrong"}), None),
        ("a task's token", task_token(&world), None),
        ("a certificate of nobody known", json!({}), Some(other)),
    ] {
        let proxy = fed(&world, &server, &metadata, &tls(&world, certificate)).await.unwrap();
        wait::until("a refusal", || async {
            let stats = proxy.envoy.stats().await?;
            Ok((stats.get("wasmcustom.writ.feed.closed") > 0).then_some(()))
        })
        .await
        .unwrap();
        let request = get("logs.internal", OBJECT, &world.token(&json!({})));
        assert_eq!(answer(&proxy, &request).await.unwrap(), (503, "stale_snapshot".to_owned()), "{what}");
        assert_eq!(streams(&server).await.unwrap(), 0, "{what}");
    }
}

async fn assert_fed(world: &World, config: &str, metadata: &Value, transport: &Value) {
    let server = Server::start(&served(world, config)).await.unwrap();
    let proxy = fed(world, &server, metadata, transport).await.unwrap();
    let request = get("logs.internal", OBJECT, &world.token(&json!({})));
    until_everywhere(&proxy, &request, (200, ""), &[]).await;
    let log = proxy.envoy.log() + &server.log();
    assert!(!log.contains(SECRET), "a secret in a log");
}

fn served(world: &World, config: &str) -> Setup {
    let setup = editable(world, "p").unwrap();
    let config = setup.config.clone().unwrap_or_default() + config;
    Setup { config: Some(config), ..setup }
}

/// A server that speaks TLS and knows one data plane, by either proof.
fn config(world: &World) -> String {
    let pki = &world.pki;
    let hash: String = Sha256::digest(SECRET).iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "tls:\n  certificate: {}\n  key: {}\n  client_ca: {}\n\
         data_planes:\n  - name: mesh\n    secret_sha256: \"{hash}\"\n    certificate: {{uri: \"{NODE}\"}}\n",
        pki.server_file.display(),
        pki.server_key_file.display(),
        pki.authority_file.display(),
    )
}

/// Envoy's side of TLS: `certificate` and its key are presented if given.
fn tls(world: &World, certificate: Option<(PathBuf, PathBuf)>) -> Value {
    let mut common = json!({
        "validation_context": {
            "trusted_ca": {"filename": world.pki.authority_file},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": harness::pki::SERVER}}],
        },
    });
    if let Some((certificate, key)) = certificate {
        common["tls_certificates"] =
            json!([{"certificate_chain": {"filename": certificate}, "private_key": {"filename": key}}]);
    }
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": harness::pki::SERVER,
            "common_tls_context": common,
        },
    })
}

/// Envoy with the filter, on the feed of `server` over TCP.
async fn fed(
    world: &World,
    server: &Server,
    metadata: &Value,
    transport: &Value,
) -> Result<harness::surface::Proxy> {
    let shipped = fs::read_to_string(paths::repository().join("envoy/writ-filter.yaml")).unwrap();
    let feed = json!({"feed": {"cluster": CLUSTER, "authority": AUTHORITY, "metadata": metadata}});
    let file = world.data().join("filter.yaml");
    let filter = shipped.replace(r#"{"feed": {"cluster": "writ", "authority": "writ"}}"#, &feed.to_string());
    crate::snapshots::replace_file(&file, &filter);
    let change = |config: &mut Config| {
        config.filter_resource(&file)?;
        config.endpoints("writ", &[server.listeners.grpc])?;
        let cluster = config.cluster("writ")?;
        cluster["name"] = CLUSTER.into();
        cluster["load_assignment"]["cluster_name"] = CLUSTER.into();
        cluster["transport_socket"] = transport.clone();
        Ok(())
    };
    world.fed_with(change).await
}

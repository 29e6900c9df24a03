//! What tests of the feed share: Envoy with a feed that plays what it is told.

use std::path::PathBuf;

use harness::{
    Result,
    corpus::document,
    envoy::{Envoy, Shipped},
    feed::{Feed, Step, heartbeat, snapshot},
    paths,
    surface::Proxy,
    upstream::Echo,
    wait,
};
use proto::v1::Version;
use serde_json::{Value, json};
use verdict::document::SnapshotDocument;

use crate::{
    snapshots::{replace_file, with_configuration},
    world::{World, now},
};

/// Envoy's name for the feed's cluster, as Istio would name it.
pub(crate) const CLUSTER: &str = "outbound|9000||writ.writ-system.svc.cluster.local";
/// Milliseconds: no test waits for a heartbeat, unless it says so.
pub(crate) const INTERVAL: u32 = 60_000;
/// Streams of one Envoy: its workers', and the main thread's.
pub(crate) const STREAMS: usize = harness::envoy::WORKERS as usize + 1;

/// The corpus policy at a generation.
pub(crate) fn snapshot_at(world: &World, generation: u64) -> SnapshotDocument {
    let mut document = document(&world.hosts(), &world.forge.issuer, None, now()).unwrap();
    document.version = verdict::document::Version { epoch: 1, generation, revocation: 0 };
    document
}

/// A version as the feed names it.
pub(crate) fn version(generation: u64) -> Version {
    Version { epoch: 1, generation, revocation: 0 }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    now() * 1000
}

/// A snapshot in several pieces, and a heartbeat.
pub(crate) fn play(document: &SnapshotDocument) -> Vec<Step> {
    let v = document.version;
    let version = Version { epoch: v.epoch, generation: v.generation, revocation: v.revocation };
    let json = serde_json::to_vec(document).unwrap();
    let mut messages = snapshot(version, now_ms(), &json, 700);
    messages.push(heartbeat(version, now_ms(), INTERVAL));
    messages
}

/// A feed that answers every Hello with this.
pub(crate) async fn feed_of(document: &SnapshotDocument) -> Feed {
    let messages = play(document);
    Feed::start(move |_| messages.clone()).await.unwrap()
}

/// The plugin configuration that names the feed.
pub(crate) fn configuration() -> Value {
    json!({"feed": {
        "cluster": CLUSTER,
        "authority": "writ.writ-system.svc.cluster.local",
        "metadata": {"authorization": "Bearer of-the-data-plane"},
    }})
}

/// Writes the filter's resource with this configuration; gives the file.
pub(crate) fn configure(world: &World, configuration: &str) -> PathBuf {
    let file = world.data().join("envoy/writ-filter.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let template = std::fs::read_to_string(paths::repository().join("envoy/writ-filter.yaml")).unwrap();
    let template = template.replace("@WRIT_PLUGIN_CONFIGURATION@", "'X'\n");
    let template =
        template.replace("target/wasm/writ_filter.wasm", &paths::filter().unwrap().display().to_string());
    replace_file(&file, &with_configuration(&template, configuration));
    file
}

/// Envoy with this feed. It may not be ready yet, and may never be.
pub(crate) async fn fed(world: &World, feed: &Feed) -> Result<Proxy> {
    configure(world, &configuration().to_string());
    let echo = Echo::start("upstream").await?;
    let mut config = world.config(Shipped::Wasm, &echo)?;
    config.grpc_cluster(CLUSTER, feed.address)?;
    let plain = config.first_listener()?;
    let envoy = Envoy::start(&config, &world.envoy_directory(Shipped::Wasm)).await?;
    Ok(Proxy { envoy, echo, plain })
}

/// Waits until every worker has acknowledged this generation.
pub(crate) async fn until_acknowledged(feed: &Feed, generation: u64) {
    let acknowledged = || std::future::ready(Ok((feed.acks(version(generation)) >= STREAMS).then_some(())));
    wait::until("every worker's acknowledgement", acknowledged).await.unwrap();
}

/// Waits until `feed` has a stream of each worker.
pub(crate) async fn until_open(feed: &Feed) {
    let open = || std::future::ready(Ok((feed.open() == STREAMS).then_some(())));
    wait::until("a stream of each worker", open).await.unwrap();
}

//! What tests of open streams share: Envoy before an upstream that does not stop answering, and clients that listen.

use harness::{
    Result,
    envoy::{Config, Shipped},
    feed::{Feed, Step, delta},
    http::{Payload, RawRequest, h1},
    surface::Proxy,
    upstream::{Endless, FIRST},
    wait,
};
use proto::v1::Version;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use verdict::{
    document::HostDocument,
    revocation::{HashKey, Kind, Record},
};

use crate::{
    feed_world::{CLUSTER, configuration, configure, feed_of, now_ms, snapshot_at, until_acknowledged},
    world::{World, get},
};

/// A task of the usual tokens.
pub(crate) const TASK: &str = "0199a1b2-0000-7000-8000-00000000000b";
const OTHER_TASK: &str = "0199a1b2-0000-7000-8000-0000000000ff";
/// An answer that does not even begin.
pub(crate) const SILENT: &str = "/my-bucket/logs/2026-05/silent";

/// An Envoy that is fed, and what stands behind it.
pub(crate) struct Streaming {
    pub(crate) feed: Feed,
    pub(crate) proxy: Proxy,
    pub(crate) upstream: Endless,
    hash_key: HashKey,
}

impl Streaming {
    pub(crate) async fn start(world: &World) -> Self {
        Self::start_with(world, Vec::new(), |_| Ok(())).await
    }

    /// With further hosts, and whatever `change` does.
    pub(crate) async fn start_with(
        world: &World,
        hosts: Vec<HostDocument>,
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Self {
        let mut document = snapshot_at(world, 1);
        document.hosts.extend(hosts);
        let hash_key = HashKey::parse(&document.hash_key).unwrap();
        let feed = feed_of(&document).await;
        let upstream = Endless::start().await.unwrap();
        configure(world, &configuration().to_string());
        let address = feed.address;
        let proxy = world
            .proxy(Shipped::Wasm, |config| {
                config.grpc_cluster(CLUSTER, address)?;
                before(config, &upstream)?;
                change(config)
            })
            .await
            .unwrap();
        until_acknowledged(&feed, 1).await;
        Self { feed, proxy, upstream, hash_key }
    }

    /// Revokes at every worker, from revocation sequence `previous` to the next.
    pub(crate) fn revoke(&self, previous: u64, kind: Kind, name: &str) {
        self.feed.play(&self.revocation(previous, kind, name));
    }

    fn revocation(&self, previous: u64, kind: Kind, name: &str) -> Step {
        let record = Record::new(self.hash_key.hash(kind, name), None);
        delta(at(previous), at(previous + 1), now_ms(), record.to_bytes().to_vec(), Vec::new())
    }
}

/// Generation 1 at a revocation sequence.
pub(crate) fn at(revocation: u64) -> Version {
    Version { epoch: 1, generation: 1, revocation }
}

/// Has Envoy send requests to `upstream`, and not end by itself what takes long.
pub(crate) fn before(config: &mut Config, upstream: &Endless) -> Result<()> {
    config.upstream("upstream", upstream.address)?;
    let manager = config.connection_manager()?;
    (manager["stream_idle_timeout"], manager["request_timeout"]) = (json!("0s"), json!("0s"));
    Ok(())
}

/// Claims of a token of another task.
pub(crate) fn of_another_task() -> Value {
    json!({
        "jti": "0199a1b2-0000-7000-8000-0000000000fe", "txn": OTHER_TASK,
        "writ": {"client": "log-janitor", "tasks": [OTHER_TASK], "agents": ["spiffe://example.org/agent/janitor-7"],
                 "lineage": [], "depth": 0, "max_depth": 2},
    })
}

/// These claims, and grants for the protocol switch.
pub(crate) fn live(mut claims: Value) -> Value {
    claims["authorization_details"] =
        json!([{"type": "task_grant", "actions": ["live:Watch"], "resources": ["live://feed"]}]);
    claims
}

/// These claims, and grants to write.
pub(crate) fn writer(mut claims: Value) -> Value {
    claims["authorization_details"] =
        json!([{"type": "task_grant", "actions": ["s3:*"], "resources": ["s3://my-bucket/**"]}]);
    claims
}

pub(crate) fn handshake(token: &[u8]) -> RawRequest {
    let mut request = get("live.internal", "/feed", token);
    let fields = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    request.headers.extend(fields.map(|(name, value)| (name.into(), value.into())));
    RawRequest { payload: Payload::None, ..request }
}

/// A client that listens to what does not end.
pub(crate) struct Listener {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Listener {
    /// Sends a request, on a connection of its own.
    pub(crate) async fn send(proxy: &Proxy, request: &RawRequest) -> Self {
        let mut stream = proxy.connect().await.unwrap();
        stream.write_all(&h1::render(request)).await.unwrap();
        Self { stream, heard: Vec::new() }
    }

    /// Sends a request, and listens until its answer has begun.
    pub(crate) async fn begin(proxy: &Proxy, request: &RawRequest) -> Self {
        let mut listener = Self::send(proxy, request).await;
        assert!(listener.hears(FIRST).await, "{}", String::from_utf8_lossy(&listener.heard));
        listener
    }

    /// Listens until it hears this; false if the connection ends before.
    pub(crate) async fn hears(&mut self, text: &str) -> bool {
        let text = text.as_bytes();
        let listen = async {
            while !self.heard.windows(text.len()).any(|window| window == text) {
                match self.stream.read_buf(&mut self.heard).await {
                    Ok(0) | Err(_) => return false,
                    Ok(_) => {}
                }
            }
            true
        };
        let heard = wait::within(wait::PATIENCE, "an event, or the end", listen).await;
        heard.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.heard)))
    }

    /// Listens to the end, and gives all that was heard.
    pub(crate) async fn end(mut self) -> String {
        assert!(!self.hears("(nothing says this)").await);
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}

//! Streams end with the token that they rest on, in whatever protocol, and no others do.

use harness::{
    envoy::{Shipped, WORKERS},
    feed::{Feed, heartbeat},
    http::{h1, h2, wire::Wire},
    surface::Proxy,
    upstream::Endless,
    wait,
};
use proto::v1::{WatchRequest, WatchResponse, data_plane_client::DataPlaneClient};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming as Messages, transport::Endpoint};
use verdict::revocation::Kind;

use crate::{
    feed_world::STREAMS,
    streams_world::{
        Listener, SILENT, Streaming, TASK, at, before, handshake, live, of_another_task, writer,
    },
    workers,
    world::{OBJECT, World, get, now},
};

/// Connections, so many that each worker has some of them.
const MANY: usize = 16 * WORKERS as usize;

async fn until_revoked(streaming: &Streaming, revocation: u64) {
    let acknowledged =
        || std::future::ready(Ok((streaming.feed.acks(at(revocation)) >= STREAMS).then_some(())));
    wait::until("every worker's acknowledgement", acknowledged).await.unwrap();
}

async fn until_ended(proxy: &Proxy, code: &str, count: u64) {
    let name = format!("wasmcustom.writ.ended.{code}");
    let ended = || async {
        let stats = proxy.envoy.stats().await?;
        assert_eq!(stats.wasm_failures(), []);
        Ok((stats.get(&name) == count).then_some(()))
    };
    wait::until("so many ended requests", ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_ends_event_streams_and_switched_connections() {
    let world = World::new().unwrap();
    let streaming = Streaming::start(&world).await;
    let Streaming { proxy, upstream, .. } = &streaming;
    let (own, other) = (world.token(&json!({})), world.token(&of_another_task()));
    let (own_live, other_live) = (world.token(&live(json!({}))), world.token(&live(of_another_task())));
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        ours.push(Listener::begin(proxy, &get("logs.internal", OBJECT, &own)).await);
        others.push(Listener::begin(proxy, &get("logs.internal", OBJECT, &other)).await);
        ours.push(Listener::begin(proxy, &handshake(&own_live)).await);
        others.push(Listener::begin(proxy, &handshake(&other_live)).await);
    }
    // One whose answer has not begun.
    let mut silent = Listener::send(proxy, &get("logs.internal", SILENT, &own)).await;
    let reached = || std::future::ready(Ok((upstream.open() == 17).then_some(())));
    wait::until("all at the upstream", reached).await.unwrap();

    streaming.revoke(0, Kind::Task, TASK);
    for listener in ours {
        let heard = listener.end().await;
        // A connection that is cut is not a body that is complete.
        assert!(!heard.ends_with("0\r\n\r\n"), "{heard}");
    }
    assert!(silent.hears("HTTP/1.1 401").await && silent.hears(r#""code":"revoked""#).await);
    until_ended(proxy, "revoked", 9).await;
    let left = || std::future::ready(Ok((upstream.open() == 8).then_some(())));
    wait::until("the end of ours at the upstream", left).await.unwrap();

    upstream.tell("second");
    for other in &mut others {
        assert!(other.hears("data: second").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_connection_only_the_revoked_streams_end() {
    let world = World::new().unwrap();
    let streaming = Streaming::start(&world).await;
    let Streaming { proxy, upstream, .. } = &streaming;
    let (own, other) = (world.token(&writer(json!({}))), world.token(&writer(of_another_task())));
    let mut client = h2::Connection::open(proxy.connect().await.unwrap()).await.unwrap();
    // More than are ended in one go. The requests are left open, as those of gRPC are.
    let ids: Vec<u32> = (0..80).map(|index| 2 * index + 1).collect();
    for &id in &ids {
        let mut request = get("logs.internal", OBJECT, if is_ours(id) { &own } else { &other });
        request.method = b"PUT".to_vec();
        client.headers(id, &h2::fields("http", &request), false).await.unwrap();
        client.data(id, b"\0\0\0\0\0", false).await.unwrap();
    }
    let reached = || std::future::ready(Ok((upstream.open() == ids.len()).then_some(())));
    wait::until("all at the upstream", reached).await.unwrap();

    streaming.revoke(0, Kind::Task, TASK);
    let mut reset = client.resets(ids.len() / 2).await.unwrap();
    reset.sort_unstable();
    assert_eq!(reset, ids.iter().copied().filter(|&id| is_ours(id)).collect::<Vec<_>>());
    upstream.tell("second");
    assert!(client.hears(3, b"data: second\n\n").await.unwrap());
    until_ended(proxy, "revoked", 40).await;
}

/// Every other stream.
fn is_ours(id: u32) -> bool {
    id % 4 == 1
}

/// A call of a service that takes no end, with this token; the service has begun to answer it.
async fn call(proxy: &Proxy, token: &[u8]) -> (mpsc::Sender<WatchRequest>, Messages<WatchResponse>) {
    let address = proxy.envoy.listener(&proxy.plain).unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let endpoint = endpoint.origin("http://calls.internal".parse().unwrap());
    let (up, requests) = mpsc::channel(1);
    up.send(WatchRequest::default()).await.unwrap();
    let mut request = tonic::Request::new(ReceiverStream::new(requests));
    let bearer = format!("Bearer {}", String::from_utf8(token.to_vec()).unwrap());
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let mut client = DataPlaneClient::new(endpoint.connect().await.unwrap());
    (up, client.watch(request).await.unwrap().into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_ends_calls_of_grpc() {
    let world = World::new().unwrap();
    // Any service will do whose calls go on in both directions.
    let service = Feed::start(|_| Vec::new()).await.unwrap();
    let host = json!({"names": ["calls.internal"], "audience": "mesh", "rules": [
        {"method": "POST", "path": "/writ.v1.DataPlane/Watch", "action": "calls:Watch", "resource": "calls://watch",
         "body": "opaque"},
    ]});
    let hosts = vec![serde_json::from_value(host).unwrap()];
    let streaming = Streaming::start_with(&world, hosts, |config| {
        config.upstream("upstream", service.address)?;
        config.speak_http2("upstream")
    })
    .await;
    let granted = |mut claims: Value| {
        claims["authorization_details"] =
            json!([{"type": "task_grant", "actions": ["calls:Watch"], "resources": ["calls://watch"]}]);
        world.token(&claims)
    };
    let (own, other) = (granted(json!({})), granted(of_another_task()));
    let (_up, mut ours) = call(&streaming.proxy, &own).await;
    let (_other_up, mut others) = call(&streaming.proxy, &other).await;
    assert_eq!(service.open(), 2);

    streaming.revoke(0, Kind::Agent, "spiffe://example.org/agent/planner-1");
    let ended = wait::within(wait::PATIENCE, "the end of the call", ours.message()).await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    let left = || std::future::ready(Ok((service.open() == 1).then_some(())));
    wait::until("the end of ours at the service", left).await.unwrap();
    service.play(&heartbeat(at(0), 7, 7));
    let heard = wait::within(wait::PATIENCE, "a message", others.message()).await.unwrap();
    assert!(heard.unwrap().is_some());
    until_ended(&streaming.proxy, "revoked", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expiry_ends_them_with_a_feed_and_without() {
    let (world, still_world) = (World::new().unwrap(), World::new().unwrap());
    let streaming = Streaming::start(&world).await;
    still_world.export().await.unwrap();
    let upstream = Endless::start().await.unwrap();
    let still = still_world.proxy(Shipped::Wasm, |config| before(config, &upstream)).await.unwrap();
    let sides = [(&world, &streaming.proxy, &streaming.upstream), (&still_world, &still, &upstream)];
    for (world, proxy, upstream) in sides {
        let short = world.token(&json!({"exp": now() + 3}));
        let long = world.token(&json!({}));
        let mut stays = Listener::begin(proxy, &get("logs.internal", OBJECT, &long)).await;
        let mut ends = Vec::new();
        for _ in 0..4 {
            ends.push(Listener::begin(proxy, &get("logs.internal", OBJECT, &short)).await);
        }
        for ends in ends {
            ends.end().await;
        }
        until_ended(proxy, "expired", 4).await;
        upstream.tell("second");
        assert!(stays.hears("data: second").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_token_is_denied_at_every_worker_once_it_is_acknowledged() {
    let world = World::new().unwrap();
    let streaming = Streaming::start(&world).await;
    let proxy = &streaming.proxy;
    let (own, other) = (world.token(&json!({})), world.token(&of_another_task()));
    // Handshakes that the upstream refuses are answered by it, and keep the connection.
    let denied = h1::render(&get("logs.internal", OBJECT, &own));
    let mut wires = Vec::new();
    for _ in 0..MANY {
        let mut wire = Wire::new(proxy.connect().await.unwrap());
        // Not granted: the token is verified and remembered, and the answer has an end.
        let request = h1::render(&get("logs.internal", "/my-bucket/logs/2026-06/a.log", &own));
        wire.stream().write_all(&request).await.unwrap();
        let response = h1::receive(&mut wire, false).await.unwrap().unwrap();
        assert_eq!(response.status, 403);
        wires.push(wire);
    }
    workers::all_took_part(proxy).await.unwrap();
    let misses = proxy.envoy.stats().await.unwrap().get("wasmcustom.writ.token_cache.miss");
    assert_eq!(misses, u64::from(WORKERS), "each worker remembers it");

    streaming.revoke(0, Kind::Task, TASK);
    until_revoked(&streaming, 1).await;
    for wire in &mut wires {
        wire.stream().write_all(&denied).await.unwrap();
        let response = h1::receive(wire, false).await.unwrap().unwrap();
        assert_eq!((response.status, response.json().unwrap()["code"].as_str()), (401, Some("revoked")));
    }
    let stats = proxy.envoy.stats().await.unwrap();
    assert_eq!(stats.get("wasmcustom.writ.token_cache.miss"), misses);
    assert_eq!(stats.get("wasmcustom.writ.decisions.revoked"), MANY as u64);
    Listener::begin(proxy, &get("logs.internal", OBJECT, &other)).await;
}

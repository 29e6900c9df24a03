//! Requests held open in numbers, their header fields inflated by HTTP/2: memory is not theirs to take.

use harness::{
    Result,
    http::{
        Field, RawRequest,
        h2::{Connection, fields},
    },
    surface::Proxy,
    wait,
};
use tokio::{net::TcpStream, task::JoinSet};

use crate::{
    workers,
    world::{OBJECT, World, get},
};

/// Open streams of a connection: as many as Envoy takes.
const STREAMS: u32 = 100;
/// Connections: with all streams and fields, 100 MB of header fields from half a megabyte on the wire.
const CONNECTIONS: usize = 80;
/// How often each request has the large field: together just under what Envoy takes of one request.
const TIMES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_answered_before_their_body() {
    let world = World::new().unwrap();
    let proxy = world.wasm().await.unwrap();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = proxy.connect().await.unwrap();
        clients.spawn(async move {
            let mut client = flooded(stream, &stranger("PUT", OBJECT)).await?;
            client.statuses(STREAMS as usize).await
        });
    }
    let answers = async {
        while let Some(statuses) = clients.join_next().await {
            // Nobody has sent a byte of body, nor the end.
            assert_eq!(statuses.unwrap().unwrap(), [401; STREAMS as usize]);
        }
    };
    wait::within(wait::PATIENCE, "the answers", answers).await.unwrap();
    unharmed(&proxy, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_for_a_body_harm_nobody() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        // Exempt without a body, denied with one: the verdict has to wait, for strangers too.
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = proxy.connect().await.unwrap();
            clients.push(flooded(stream, &stranger("GET", "/healthz")).await.unwrap());
        }
        let all = CONNECTIONS as u64 * u64::from(STREAMS);
        until(&proxy, "every request to be open", |begun, _| begun >= all).await;
        unharmed(&proxy, &world).await;

        drop(clients);
        until(&proxy, "the end of every request", |_, active| active == 0).await;
        unharmed(&proxy, &world).await;
    }
}

async fn flooded(stream: TcpStream, request: &RawRequest) -> Result<Connection<TcpStream>> {
    // The largest that fits the table of 4096 bytes.
    let large: Field = (b"x-large".to_vec(), vec![b'a'; 4096 - 32 - b"x-large".len()]);
    let mut client = Connection::open(stream).await?;
    client.flood(STREAMS, &fields("http", request), &large, TIMES).await?;
    Ok(client)
}

fn stranger(method: &str, target: &str) -> RawRequest {
    RawRequest { method: method.into(), headers: Vec::new(), ..get("logs.internal", target, b"") }
}

async fn unharmed(proxy: &Proxy, world: &World) {
    workers::all_answer(proxy, world).await.unwrap();
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
    let granted =
        |seen: &harness::upstream::Seen| seen.headers.iter().any(|(name, _)| name == b"x-writ-task");
    assert!(proxy.echo.take().iter().all(granted), "a request went on that nobody granted");
}

/// Waits until the numbers of requests that have begun, and of those that have not ended, are `enough`.
async fn until(proxy: &Proxy, what: &str, enough: impl Fn(u64, u64) -> bool) {
    let enough = &enough;
    let reached = || async move {
        let stats = proxy.envoy.stats().await?;
        let (begun, active) =
            (stats.get("http.writ.downstream_rq_total"), stats.get("http.writ.downstream_rq_active"));
        Ok(enough(begun, active).then_some(()))
    };
    wait::until(what, reached).await.unwrap();
}

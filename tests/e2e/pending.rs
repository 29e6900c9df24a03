//! A request that ends, or goes on, while its verdict is still to come.

use harness::{
    Result,
    http::{
        Field, RawRequest,
        h2::{Connection, fields},
    },
    surface::Proxy,
    wait,
};
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    workers,
    world::{OBJECT, World, get},
};

const ID: u32 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_while_check_is_pending() {
    let world = World::new().unwrap();
    let server = world.server().await.unwrap();
    let proxy = world.impatient_ext_authz().await.unwrap();
    workers::all_answer(&proxy, &world).await.unwrap();
    proxy.echo.take();

    server.pause().unwrap();
    for end_stream in [true, false] {
        let before = begun(&proxy).await.unwrap();
        let mut client = begin(&proxy, &request(&world), end_stream).await.unwrap();
        until_begun(&proxy, before).await;
        client.reset(ID).await.unwrap();
        until_nothing_pending(&proxy).await;
    }
    server.resume().unwrap();

    assert_eq!(proxy.echo.take(), [], "a reset request went on");
    workers::all_answer(&proxy, &world).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn body_and_trailers_while_check_is_pending() {
    let world = World::new().unwrap();
    let server = world.server().await.unwrap();
    let proxy = world.impatient_ext_authz().await.unwrap();
    workers::all_answer(&proxy, &world).await.unwrap();
    proxy.echo.take();

    server.pause().unwrap();
    let mut client = begin(&proxy, &request(&world), false).await.unwrap();
    client.data(ID, b"hello", false).await.unwrap();
    let trailer: [Field; 1] = [(b"authorization".to_vec(), b"Bearer x".to_vec())];
    client.headers(ID, &trailer, true).await.unwrap();
    let response = client.response(ID).await.unwrap().unwrap_or_default();
    assert_eq!(response.status, 503, "Check did not answer in time");
    server.resume().unwrap();

    assert_eq!(proxy.echo.take(), []);
    workers::all_answer(&proxy, &world).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_while_the_filter_waits_for_a_body() {
    let world = World::new().unwrap();
    let proxy = world.wasm().await.unwrap();
    for _ in 0..20 {
        let mut client = begin(&proxy, &request(&world), false).await.unwrap();
        client.reset(ID).await.unwrap();
    }
    until_nothing_pending(&proxy).await;
    assert_eq!(proxy.echo.take(), [], "a reset request went on");
    assert_eq!(proxy.envoy.stats().await.unwrap().wasm_failures(), []);
    workers::all_answer(&proxy, &world).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_while_the_body_is_still_coming() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    // With ext_authz Envoy asks once it has as much of the body as it sends.
    for (proxy, enough) in [(world.wasm().await.unwrap(), 1), (world.ext_authz().await.unwrap(), 65_537)] {
        let mut client = begin(&proxy, &request(&world), false).await.unwrap();
        client.settle().await.unwrap();
        client.data(ID, &vec![b' '; enough], false).await.unwrap();
        // Nobody declared a body; more of it comes after the answer and must harm nobody.
        let response = client.response(ID).await.unwrap().unwrap_or_default();
        assert_eq!(response.status, 400);
        let _ = client.data(ID, &[0; 10_000], true).await;
        assert_eq!(proxy.echo.take(), []);
        workers::all_answer(&proxy, &world).await.unwrap();
    }
}

fn request(world: &World) -> RawRequest {
    get("logs.internal", OBJECT, &world.token(&json!({})))
}

async fn begin(proxy: &Proxy, request: &RawRequest, end_stream: bool) -> Result<Connection<TcpStream>> {
    let mut client = Connection::open(proxy.connect().await?).await?;
    client.headers(ID, &fields("http", request), end_stream).await?;
    Ok(client)
}

/// How many requests Envoy has ever begun.
async fn begun(proxy: &Proxy) -> Result<u64> {
    Ok(proxy.envoy.stats().await?.get("http.writ.downstream_rq_total"))
}

/// Waits until Envoy has begun a request more than `before`. Check may already have timed out on it.
async fn until_begun(proxy: &Proxy, before: u64) {
    let is_begun = || async { Ok((begun(proxy).await? > before).then_some(())) };
    wait::until("a request that is pending", is_begun).await.unwrap();
}

async fn until_nothing_pending(proxy: &Proxy) {
    let idle = || async {
        let stats = proxy.envoy.stats().await?;
        Ok((stats.get("http.writ.downstream_rq_active") == 0).then_some(()))
    };
    wait::until("the end of every request", idle).await.unwrap();
}

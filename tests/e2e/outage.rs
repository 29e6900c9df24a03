//! The server is not there: ext_authz opens nothing, and what was issued before is good afterwards.

use harness::{
    Result,
    http::{RawRequest, h1},
    server::Server,
    surface::Proxy,
    wait,
};
use serde_json::{Value, json};

use crate::world::{OBJECT, World, answer, get};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_nothing_opens() {
    let world = World::new().unwrap();
    let proxy = world.ext_authz().await.unwrap();
    let token = world.token(&json!({}));

    assert_all_unavailable(&proxy, &token).await;
    let server = world.server().await.unwrap();
    until_allowed(&proxy, &token).await;
    server.stop().await.unwrap();
    proxy.echo.take();
    assert_all_unavailable(&proxy, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_keys_and_tokens() {
    let world = World::new().unwrap();
    let proxy = world.ext_authz().await.unwrap();
    let token = world.token(&json!({}));

    let first = world.server().await.unwrap();
    let keys = jwks(&first).await.unwrap();
    until_allowed(&proxy, &token).await;
    assert!(first.stop().await.unwrap().success(), "a stop is no failure");

    let second = world.server().await.unwrap();
    assert_eq!(jwks(&second).await.unwrap(), keys);
    until_allowed(&proxy, &token).await;
}

/// Good, bad and exempt requests alike: with one and with two tokens, and with none.
async fn assert_all_unavailable(proxy: &Proxy, token: &[u8]) {
    let good = get("logs.internal", OBJECT, token);
    let mut twice = good.clone();
    twice.headers.push((b"authorization".to_vec(), b"Bearer garbage".to_vec()));
    let exempt = RawRequest { headers: Vec::new(), ..get("logs.internal", "/healthz", token) };
    let nobody = RawRequest { headers: Vec::new(), ..good.clone() };
    for request in [good, twice, exempt, nobody] {
        assert_eq!(answer(proxy, &request).await.unwrap().0, 503);
    }
    assert_eq!(proxy.echo.take(), [], "nothing reached the upstream");
}

async fn until_allowed(proxy: &Proxy, token: &[u8]) {
    let allowed = || async {
        let (status, _) = answer(proxy, &get("logs.internal", OBJECT, token)).await?;
        // Envoy notices a new server after a while; until then it refuses.
        assert!(status == 200 || status == 503, "{status}");
        Ok((status == 200).then_some(()))
    };
    wait::until("the server's first yes", allowed).await.unwrap();
}

async fn jwks(server: &Server) -> Result<Value> {
    Ok(h1::get(server.listeners.http, "/.well-known/jwks.json").await?.json().expect("JSON"))
}

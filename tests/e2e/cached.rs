//! A token that was seen before: nothing but its signature is taken on trust.

use harness::{Result, http::h1, surface::Proxy, wait};
use serde_json::json;

use crate::{
    workers,
    world::{OBJECT, World, answer, get, now},
};

/// Connections enough that every worker has seen the token.
const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_token_expires() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        // The workers are warm, so that the token's short life is not spent on them.
        workers::all_answer(&proxy, &world).await.unwrap();
        let request = get("logs.internal", OBJECT, &world.token(&json!({"exp": now() + 3})));
        assert_eq!(answer(&proxy, &request).await.unwrap().0, 200);
        let end = || async {
            let (status, code) = answer(&proxy, &request).await?;
            assert!(status == 200 || code == "expired", "{status} {code}");
            Ok((status == 401).then_some(()))
        };
        wait::until("the token's end", end).await.unwrap();
        for _ in 0..ROUNDS {
            assert_eq!(answer(&proxy, &request).await.unwrap(), (401, "expired".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_token_has_one_audience() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    let token = world.token(&json!({}));
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        for _ in 0..ROUNDS {
            assert_eq!(answer(&proxy, &get("logs.internal", OBJECT, &token)).await.unwrap().0, 200);
            let elsewhere = answer(&proxy, &get("payments.internal", "/accounts/1", &token)).await.unwrap();
            assert_eq!(elsewhere, (401, "wrong_audience".to_owned()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cached_token_has_one_sender() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    let token = world.token(&json!({"cnf": {"spiffe": harness::pki::HOLDER}}));
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        for _ in 0..ROUNDS {
            assert_eq!(over_tls(&world, &proxy, "holder", &token).await.unwrap(), 200);
            assert_eq!(over_tls(&world, &proxy, "other", &token).await.unwrap(), 401);
            let plain = answer(&proxy, &get("logs.internal", OBJECT, &token)).await.unwrap();
            assert_eq!(plain, (401, "sender_mismatch".to_owned()));
        }
        assert_eq!(proxy.echo.take().len(), ROUNDS, "only the holder's requests went on");
    }
}

async fn over_tls(world: &World, proxy: &Proxy, identity: &str, token: &[u8]) -> Result<u16> {
    let address = proxy.envoy.listener(Proxy::VERIFIED)?;
    let stream = world.pki.connect(address, Some(world.pki.identity(identity)?), "http/1.1").await?;
    let response = h1::exchange(stream, &h1::render(&get("logs.internal", OBJECT, token))).await?;
    Ok(response.unwrap_or_default().status)
}

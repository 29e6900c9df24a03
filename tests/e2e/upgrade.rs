//! Protocol switches: what comes behind a handshake reaches the upstream only as what it is.

use harness::{
    envoy::Shipped,
    http::{Payload, RawRequest, h1, wire::Wire},
    upstream::Echo,
};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::{
    workers,
    world::{World, get},
};

/// A request in the place of WebSocket frames.
const SMUGGLED: &[u8] = b"GET /my-bucket/secret HTTP/1.1\r\nhost: logs.internal\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_handshake_switches() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    for proxy in [world.wasm().await.unwrap(), world.ext_authz().await.unwrap()] {
        let mut wire = Wire::new(proxy.connect().await.unwrap());
        wire.stream().write_all(&h1::render(&handshake(&world, Payload::None))).await.unwrap();
        let response = h1::receive(&mut wire, false).await.unwrap().unwrap();
        assert_eq!(response.status, 101);
        assert_eq!(proxy.echo.take().len(), 1);
    }
}

/// An upstream that does not switch would read early data as a second request, which nobody has judged.
#[tokio::test(flavor = "multi_thread")]
async fn early_data_is_no_second_request() {
    let world = World::new().unwrap();
    let _server = world.server().await.unwrap();
    world.export().await.unwrap();
    for which in [Shipped::Wasm, Shipped::ExtAuthz] {
        let stubborn = Echo::ignoring_upgrades("upstream").await.unwrap();
        let proxy = world.proxy(which, |config| config.upstream("upstream", stubborn.address)).await.unwrap();
        for early in [Payload::Unframed(SMUGGLED.to_vec()), Payload::Streamed(SMUGGLED.to_vec())] {
            let request = handshake(&world, early);
            let response = proxy.send(&request).await.unwrap();
            // Whatever else is on its way to the upstream has arrived before this has.
            workers::all_answer(&proxy, &world).await.unwrap();
            let seen = stubborn.take();
            assert!(seen.iter().any(|seen| seen.target == b"/feed"), "{which:?}: the handshake went on");
            let secret = seen.iter().any(|seen| seen.target == b"/my-bucket/secret");
            assert!(
                !secret,
                "{which:?} {:?} {:?}: {seen:?}",
                request.payload,
                response.map(|response| response.status)
            );
        }
    }
}

fn handshake(world: &World, payload: Payload) -> RawRequest {
    let grants = json!([{"type": "task_grant", "actions": ["live:Watch"], "resources": ["live://feed"]}]);
    let mut request = get("live.internal", "/feed", &world.token(&json!({"authorization_details": grants})));
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        request.headers.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    }
    RawRequest { payload, ..request }
}

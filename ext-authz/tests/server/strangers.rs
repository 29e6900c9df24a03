//! What strangers do at the TCP listener for gRPC takes nothing from data planes.

use tonic::{Code, Streaming};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_client::HealthClient};

use crate::support::{
    Setup, Writ,
    grpc::check_over,
    raw::{begin, read_to_close},
    sha256,
};

const PROOF: &[&str] = &["Bearer edge-secret"];

fn setup(limits: &str) -> Setup {
    let hash = sha256("edge-secret");
    Setup::new()
        .config(&format!("data_planes: [{{name: edge, secret_sha256: \"{hash}\"}}]\nlimits: {{{limits}}}\n"))
}

/// Watches health on several connections until it is refused: the streams that were begun.
async fn flood(writ: &Writ) -> Vec<Streaming<HealthCheckResponse>> {
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut client = HealthClient::new(writ.grpc_channel().await);
        for _ in 0..100 {
            match client.watch(HealthCheckRequest::default()).await {
                Ok(stream) => streams.push(stream.into_inner()),
                Err(refusal) => {
                    assert_eq!((refusal.code(), refusal.message()), OVERLOADED);
                    break;
                }
            }
        }
    }
    streams
}

const OVERLOADED: (Code, &str) = (Code::Unavailable, "too many requests in progress");

#[tokio::test]
async fn watching_health_leaves_data_planes_their_places() {
    let setup = setup("");
    let writ = setup.serve().await;
    let early = writ.grpc_channel().await;
    let streams = flood(&writ).await;
    assert_eq!(streams.len(), 64);
    for channel in [early, writ.grpc_channel().await] {
        assert_eq!(check_over(channel, PROOF).await.unwrap().status, 200);
    }
    // A wrong secret is no better than none.
    let refusal = writ.check_over_tcp(&["Bearer wrong"]).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.message()), OVERLOADED);
    drop(streams);
}

#[tokio::test]
async fn data_planes_may_watch_health_among_themselves() {
    let setup = setup("");
    let writ = setup.serve().await;
    let _streams = flood(&writ).await;
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.metadata_mut().append("authorization", PROOF[0].parse().unwrap());
    let mut client = HealthClient::new(writ.grpc_channel().await);
    assert_eq!(client.check(request).await.unwrap().into_inner().status, 1);
}

#[tokio::test]
async fn a_flood_of_connections_keeps_no_data_plane_out() {
    let setup = setup("connections: 2");
    let writ = setup.serve().await;
    let early = writ.grpc_channel().await;
    assert_eq!(check_over(early.clone(), PROOF).await.unwrap().status, 200);
    let mut strangers = Vec::new();
    for _ in 0..20 {
        strangers.push(begin(writ.grpc, b"PRI * HTTP/2.0\r\n").await);
    }
    // The oldest had to go, long before any timeout.
    for stranger in &mut strangers[..18] {
        read_to_close(stranger).await;
    }
    let late = writ.grpc_channel().await;
    for channel in [&early, &late, &early] {
        assert_eq!(check_over(channel.clone(), PROOF).await.unwrap().status, 200);
    }
    // Two are the most, of data planes too.
    let refusal = writ.check_over_tcp(PROOF).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.message()), OVERLOADED);
    drop(late);
}

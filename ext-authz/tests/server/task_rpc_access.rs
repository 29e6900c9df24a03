//! Who may call `writ.v1.Tasks`.

use proto::v1::tasks::{GetTaskRequest, tasks_client::TasksClient};
use tonic::{Code, Status, transport::Channel};

use crate::support::{MAY, Setup, http::basic, sha256};

/// What a call without effect gets with this `authorization`, unless it is empty.
async fn get(channel: Channel, authorization: &[&str]) -> Status {
    let mut request = tonic::Request::new(GetTaskRequest { task: "none".to_owned() });
    for value in authorization {
        request.metadata_mut().append("authorization", value.parse().unwrap());
    }
    TasksClient::new(channel).get(request).await.expect_err("there is no such task")
}

fn code(status: &Status) -> (Code, &str) {
    (status.code(), status.metadata().get("writ-code").map_or("", |code| code.to_str().unwrap()))
}

#[tokio::test]
async fn clients_alone_are_heard() {
    let hash = sha256("edge-secret");
    let setup = Setup::new().config(&format!("data_planes: [{{name: edge, secret_sha256: \"{hash}\"}}]\n"));
    let writ = setup.serve().await;
    let channel = writ.grpc_channel().await;
    let token = writ.access_token(MAY).await;
    let (proof, wrong) = (basic("hashed", "hashed-secret"), basic("hashed", "wrong"));
    assert_eq!(code(&get(channel.clone(), &[&proof]).await), (Code::NotFound, "unknown_task"));
    for nobody in [
        &[][..] as &[&str],
        &[&wrong],
        &[&basic("nobody", "hashed-secret")],
        &[&proof, &proof],
        // A task token, a data plane's secret, a client's secret in the wrong place.
        &[&format!("Bearer {token}")],
        &["Bearer edge-secret"],
        &[&basic("edge", "edge-secret")],
        &["Bearer hashed-secret"],
        &["Basic !"],
    ] {
        let status = get(channel.clone(), nobody).await;
        assert_eq!(code(&status), (Code::Unauthenticated, "invalid_client"), "{nobody:?}");
        assert!(!status.message().contains("secret-"), "{status}");
    }
    // Whoever opens the data planes' socket is no client, whatever they say.
    assert_eq!(get(writ.socket_channel().await, &[&proof]).await.code(), Code::Unimplemented);
}

/// Clients are no strangers either: a flood of those leaves them their places, and theirs are not the data planes'.
#[tokio::test]
async fn strangers_take_no_place_of_clients() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

    let setup = Setup::new();
    let writ = setup.serve().await;
    let mut held = Vec::new();
    let mut health = HealthClient::new(writ.grpc_channel().await);
    while let Ok(stream) = health.watch(HealthCheckRequest::default()).await {
        held.push(stream);
    }
    assert_eq!(held.len(), 64);
    let (proof, wrong) = (basic("hashed", "hashed-secret"), basic("hashed", "wrong"));
    assert_eq!(get(writ.grpc_channel().await, &[&proof]).await.code(), Code::NotFound);
    // A wrong secret is a stranger's.
    assert_eq!(get(writ.grpc_channel().await, &[&wrong]).await.code(), Code::Unavailable);
    drop(held);
}

//! Who may ask for verdicts: data planes, and nobody else.

use http::Method;
use tonic::Code;

use crate::support::{
    MAY, Setup,
    feed::{Watch, hello},
    http::{basic, send},
    sha256,
};

fn config() -> String {
    format!(
        "data_planes:\n  - {{name: edge, secret_sha256: \"{}\"}}\n  - {{name: mesh, secret_sha256: \"{}\"}}\n",
        sha256("edge-secret"),
        sha256("mesh-secret").to_uppercase()
    )
}

#[tokio::test]
async fn over_tcp_only_a_data_planes_secret_counts() {
    let setup = Setup::new().config(&config());
    let writ = setup.serve().await;
    for secret in ["Bearer edge-secret", "Bearer mesh-secret"] {
        assert_eq!(writ.check_over_tcp(&[secret]).await.unwrap().status, 200);
    }
    let task_token = format!("Bearer {}", writ.access_token(MAY).await);
    let client = basic("hashed", "hashed-secret");
    let hash = format!("Bearer {}", sha256("edge-secret"));
    let strangers: [&[&str]; 8] = [
        &[],
        &["Bearer "],
        &["Bearer wrong"],
        &["Bearer hashed-secret"],
        &[&task_token],
        &[&client],
        &[&hash],
        &["Bearer edge-secret", "Bearer mesh-secret"],
    ];
    for stranger in strangers {
        let status = writ.check_over_tcp(stranger).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{stranger:?}");
        let status = Watch::open(writ.grpc_channel().await, stranger).await.err().unwrap();
        assert_eq!(status.code(), Code::Unauthenticated, "{stranger:?}");
    }
    // Nor is a task token any right at the API that gave it.
    for path in ["/v1/tasks", "/oauth2/token"] {
        let response = send(writ.http, Method::POST, path, &[("authorization", &task_token)], "").await;
        assert!(matches!(response.status.as_u16(), 400 | 401), "{path}: {}", response.status);
        assert!(!response.body.contains("access_token"), "{}", response.body);
    }
    let mut watch = Watch::open(writ.grpc_channel().await, &["Bearer mesh-secret"]).await.unwrap();
    watch.send(hello(None)).await;
    watch.snapshot().await;
}

#[tokio::test]
async fn without_data_planes_tcp_is_closed_and_the_socket_is_open() {
    let setup = Setup::new();
    let writ = setup.serve().await;
    assert_eq!(writ.check_over_tcp(&["Bearer "]).await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(writ.check("GET", "/healthz", &[]).await.status, 200);
}

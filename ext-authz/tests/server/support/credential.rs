//! A server whose one host has a credential.

use std::collections::HashMap;

use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use proto::v1::{LeaseRequest, LeaseResponse, data_plane_client::DataPlaneClient};
use tonic::{Status, transport::Channel};

use super::{
    POLICY, Setup, Writ,
    grpc::{Answer, message},
    sha256,
};

pub(crate) const OBJECT: &str = "/my-bucket/logs/2026-05-01.log";
/// The credential's full name.
pub(crate) const NAME: &str = "logs/minio";
/// Everything a trusted data plane needs.
pub(crate) const TRUSTED: &str = "listeners: {data_plane_trusted_egress: true}\npolicy_poll_interval: 2s\n";

/// The test policy, whose host sends a credential made so.
pub(crate) fn policy(inject: &str, secret: &str) -> String {
    let credential = format!(
        "credentials:\n  minio: {{clusters: [minio, other], inject: {inject}, secret: {secret}, lease: 2s}}\n"
    );
    POLICY
        .replace("HASHED", &sha256("hashed-secret"))
        .replace("audience: mesh", "audience: mesh\n    credential: minio")
        + &credential
}

/// As [`policy`], with a bearer secret.
pub(crate) fn bearer(secret: &str) -> String {
    policy(r#"{header: authorization, format: "Bearer {secret}"}"#, secret)
}

impl Setup {
    /// With a bearer secret from the file `key`.
    pub(crate) fn with_key(key: &str) -> Self {
        let setup = Self::new().config(TRUSTED).write_secret("key", key);
        let file = format!("{{file: {}}}", setup.path("key").display());
        setup.write("policies/logs.yaml", &bearer(&file))
    }

    /// Replaces the secret in one step.
    pub(crate) fn rotate(&self, key: &str) {
        std::fs::write(self.path("draft"), "").unwrap();
        self.set_mode("draft", 0o600);
        std::fs::write(self.path("draft"), key).unwrap();
        std::fs::rename(self.path("draft"), self.path("key")).unwrap();
    }
}

/// A question about a request whose route leads to `cluster`.
pub(crate) fn routed(cluster: &str, path: &str, headers: &[(&str, &str)]) -> CheckRequest {
    let mut message = message("GET", path, headers);
    let attributes = message.attributes.as_mut().unwrap();
    attributes.context_extensions = HashMap::from([("writ_cluster".to_owned(), cluster.to_owned())]);
    message
}

impl Writ {
    /// The verdict on a granted request that Envoy would send to `cluster`.
    pub(crate) async fn inject(&self, token: &str, cluster: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.check_message(routed(cluster, OBJECT, &[("authorization", &bearer)])).await
    }

    /// Asks for a lease over the socket.
    pub(crate) async fn lease(&self, credential: &str) -> Result<LeaseResponse, Status> {
        lease_over(self.socket_channel().await, credential, "").await
    }
}

/// Asks for a lease with this `authorization`, unless it is empty.
pub(crate) async fn lease_over(
    channel: Channel,
    credential: &str,
    authorization: &str,
) -> Result<LeaseResponse, Status> {
    let mut request = tonic::Request::new(LeaseRequest { credential: credential.to_owned() });
    if !authorization.is_empty() {
        request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    }
    DataPlaneClient::new(channel).lease(request).await.map(tonic::Response::into_inner)
}

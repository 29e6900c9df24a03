//! What is running, without anything that opens a door: no hashes, no keys' private halves.

use std::path::PathBuf;

use axum::{Json, extract::State, response::IntoResponse};
use serde::Serialize;

use super::Admin;
use crate::{
    config::{Config, DataPlane, Limits, Listeners, Operator, PolicySource, TlsFiles},
    reload::Rejection,
};

#[derive(Serialize)]
struct Running {
    version: &'static str,
    issuer: String,
    data_dir: PathBuf,
    /// Without its password.
    store: String,
    store_poll_interval_seconds: u64,
    task_retention_seconds: u64,
    audit_retention_seconds: u64,
    keys_dir: PathBuf,
    /// Where the key-encryption key is.
    key_encryption: String,
    /// `null`: keys change when an operator says so.
    key_rotation_seconds: Option<u64>,
    /// `null`: the example built into the program.
    policy_dir: Option<PathBuf>,
    policy_poll_interval_seconds: u64,
    listeners: ListenersView,
    /// `null`: plaintext.
    tls: Option<TlsView>,
    default_ttl_seconds: u64,
    max_ttl_seconds: u64,
    leeway_seconds: u64,
    limits: LimitsView,
    data_planes: Vec<String>,
    operators: Vec<String>,
    clients: Vec<String>,
    hosts: Vec<HostView>,
    exemptions: Vec<String>,
    /// Names alone: where a secret is, is nobody's business here.
    credentials: Vec<String>,
    signing_key: String,
    policy_generation: u64,
    /// What is wrong with the policy directory; `null` if what it holds is what counts.
    policy_rejected: Option<Rejection>,
    /// Why the store could not be read last; `null` if it was.
    store_error: Option<String>,
}

#[derive(Serialize)]
struct ListenersView {
    http: String,
    grpc: String,
    grpc_plaintext: bool,
    admin: String,
    data_plane: PathBuf,
    data_plane_trusted_egress: bool,
    operator: PathBuf,
}

#[derive(Serialize)]
struct TlsView {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

#[derive(Serialize)]
struct LimitsView {
    connections: usize,
    requests: usize,
    feed_streams: usize,
    header_bytes: usize,
    body_bytes: usize,
    message_bytes: usize,
    header_timeout_seconds: u64,
    request_timeout_seconds: u64,
    idle_timeout_seconds: u64,
    drain_timeout_seconds: u64,
}

#[derive(Serialize)]
struct HostView {
    names: Vec<String>,
    audience: String,
    rules: usize,
}

pub(super) async fn config(State(admin): State<Admin>) -> impl IntoResponse {
    let state = admin.api.current.load();
    // Taken apart without `..`: a new member has to be shown or left out on purpose.
    let Config {
        issuer,
        data_dir,
        store,
        store_poll_interval,
        task_retention,
        audit_retention,
        keys_dir,
        key_encryption,
        key_rotation,
        policy,
        policy_poll_interval,
        listeners,
        tls,
        default_ttl,
        max_ttl,
        leeway,
        data_planes,
        operators,
        namespaces: _,
        limits,
    } = admin.api.config.as_ref();
    let hosts = state.policy().hosts().iter().map(|host| HostView {
        names: host.names.clone(),
        audience: host.audience.clone(),
        rules: host.rules.len(),
    });
    let exemptions =
        state.policy().exemptions().map(|open| format!("{} {}{}", open.method, open.host, open.path));
    Json(Running {
        version: env!("CARGO_PKG_VERSION"),
        issuer: issuer.clone(),
        data_dir: data_dir.clone(),
        store: store.to_string(),
        store_poll_interval_seconds: store_poll_interval.as_secs(),
        task_retention_seconds: task_retention.as_secs(),
        audit_retention_seconds: audit_retention.as_secs(),
        keys_dir: keys_dir.clone(),
        key_encryption: key_encryption.to_string(),
        key_rotation_seconds: key_rotation.map(|every| every.as_secs()),
        policy_dir: match policy {
            PolicySource::Directory(directory) => Some(directory.clone()),
            PolicySource::Example => None,
        },
        policy_poll_interval_seconds: policy_poll_interval.as_secs(),
        listeners: listeners.into(),
        tls: tls.as_ref().map(TlsView::from),
        default_ttl_seconds: default_ttl.as_secs(),
        max_ttl_seconds: max_ttl.as_secs(),
        leeway_seconds: leeway.as_secs(),
        limits: limits.into(),
        data_planes: data_planes.iter().map(shown_name).collect(),
        operators: operators.iter().map(|Operator { name, secret_sha256: _ }| name.clone()).collect(),
        clients: state.clients().names().map(str::to_owned).collect(),
        hosts: hosts.collect(),
        exemptions: exemptions.collect(),
        credentials: state.policy().credentials().keys().cloned().collect(),
        signing_key: admin.api.keys.current().active().public().kid().to_owned(),
        policy_generation: state.snapshot().version().generation,
        policy_rejected: state.rejection().cloned(),
        store_error: admin.api.store.view(&admin.api.current).error,
    })
}

impl From<&Listeners> for ListenersView {
    fn from(listeners: &Listeners) -> Self {
        let Listeners { http, grpc, grpc_plaintext, admin, data_plane, data_plane_trusted_egress, operator } =
            listeners;
        Self {
            http: http.to_string(),
            grpc: grpc.to_string(),
            grpc_plaintext: *grpc_plaintext,
            admin: admin.to_string(),
            data_plane: data_plane.clone(),
            data_plane_trusted_egress: *data_plane_trusted_egress,
            operator: operator.clone(),
        }
    }
}

/// Its proofs are nobody's business here.
fn shown_name(plane: &DataPlane) -> String {
    let DataPlane { name, secret_sha256: _, certificate: _, scope: _, trusted_egress: _ } = plane;
    name.clone()
}

impl From<&TlsFiles> for TlsView {
    fn from(TlsFiles { certificate, key, client_ca }: &TlsFiles) -> Self {
        Self { certificate: certificate.clone(), key: key.clone(), client_ca: client_ca.clone() }
    }
}

impl From<&Limits> for LimitsView {
    fn from(limits: &Limits) -> Self {
        let Limits {
            connections,
            requests,
            feed_streams,
            header_bytes,
            body_bytes,
            message_bytes,
            header_timeout,
            request_timeout,
            idle_timeout,
            drain_timeout,
        } = limits;
        Self {
            connections: connections.get(),
            requests: requests.get(),
            feed_streams: feed_streams.get(),
            header_bytes: *header_bytes,
            body_bytes: *body_bytes,
            message_bytes: *message_bytes,
            header_timeout_seconds: header_timeout.as_secs(),
            request_timeout_seconds: request_timeout.as_secs(),
            idle_timeout_seconds: idle_timeout.as_secs(),
            drain_timeout_seconds: drain_timeout.as_secs(),
        }
    }
}

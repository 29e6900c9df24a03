//! The client that asks, and its tasks.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use harness::{Result, error::unexpected, http::h1, server::Server};
use proto::v1::tasks::{IssueTokenRequest, StartTaskRequest, tasks_client::TasksClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

const CLIENT: &str = "orchestrator";
/// Its hash is in the policy.
const SECRET: &str = "writ_bench";
const SECRET_SHA256: &str = "c32b6807bc0702e390cf1aee4c4c1c3c56065afbf84c396826a2ef912b2ecf54";
/// What each task allows, and each token with it: the grant of an ordinary token.
const GRANTS: &str =
    r#"[{"type":"task_grant","actions":["s3:GetObject"],"resources":["s3://my-bucket/logs/2026-05/**"]}]"#;
/// Connections of calls that are no batch.
const CONNECTIONS: usize = 4;

/// One client's connections, and its tasks.
pub(super) struct Clients {
    channels: Vec<Channel>,
    tasks: Vec<String>,
    authorization: MetadataValue<Ascii>,
    asked: AtomicU64,
}

/// A policy with the client.
pub(super) fn policy() -> String {
    format!(
        r#"
namespace: logs
clients:
  {CLIENT}:
    authenticate: {{secret_sha256: "{SECRET_SHA256}"}}
    may_request: [{{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 1h}}]
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {{method: GET, path: "/{{bucket}}/{{*key}}", action: "s3:GetObject", resource: "s3://{{bucket}}/{{key}}"}}
"#
    )
}

impl Clients {
    /// Connects, and starts `tasks` tasks.
    ///
    /// # Errors
    /// The server refuses.
    pub(super) async fn connect(address: SocketAddr, tasks: usize) -> Result<Self> {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(unexpected)?;
        let endpoint = endpoint.tcp_nodelay(true).initial_stream_window_size(Some(4 << 20));
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(endpoint.connect().await.map_err(unexpected)?);
        }
        let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
        let authorization = basic.parse().map_err(unexpected)?;
        let mut clients = Self { channels, tasks: Vec::new(), authorization, asked: AtomicU64::new(0) };
        for _ in 0..tasks {
            let request = StartTaskRequest {
                grants: GRANTS.to_owned(),
                expires_in: Some(3600),
                ..StartTaskRequest::default()
            };
            let started = clients.client(0).start(clients.request(request)).await.map_err(unexpected)?;
            let task = started.into_inner().task.ok_or_else(|| unexpected("no task"))?;
            clients.tasks.push(task.id);
        }
        clients.asked.store(tasks as u64, Ordering::Relaxed);
        Ok(clients)
    }

    /// The client on one of the connections.
    pub(super) fn client(&self, index: u64) -> TasksClient<Channel> {
        let index = usize::try_from(index).unwrap_or_default() % self.channels.len();
        TasksClient::new(self.channels[index].clone())
    }

    /// A message with the client's credentials.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    /// What asks for a token of one of the tasks.
    pub(super) fn issue(&self, index: u64) -> IssueTokenRequest {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let task = usize::try_from(index).unwrap_or_default() % self.tasks.len();
        IssueTokenRequest { task: self.tasks[task].clone(), ..IssueTokenRequest::default() }
    }

    /// How many tokens were asked for.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

/// How many tokens the server counts.
///
/// # Errors
/// It does not say.
pub(super) async fn recorded(server: &Server) -> Result<u64> {
    let metrics = h1::get(server.listeners.admin, "/metrics").await?;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let count =
        metrics.lines().find_map(|line| line.strip_prefix("writ_tokens_issued_total")?.trim().parse().ok());
    count.ok_or_else(|| unexpected("the server does not count its tokens"))
}

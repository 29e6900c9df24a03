//! Clients of `writ.v1.Tasks`.

use proto::v1::tasks::{
    BatchRequest, BatchResponse, StartTaskRequest, StartTaskResponse, batch_request::Operation,
    batch_response::Result as Outcome, tasks_client::TasksClient,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming, transport::Channel};

use super::{MAY, Setup, Writ, http::basic, sha256, writ::PATIENCE};

/// Two clients that may delegate, and one host.
pub(crate) fn delegating() -> Setup {
    let client = |name: &str| {
        let hash = sha256(&format!("secret-of-{name}"));
        format!(
            r#"
  {name}:
    authenticate: {{secret_sha256: "{hash}"}}
    agents: ["spiffe://example.org/agent/janitor-*"]
    may_request: [{{actions: ["s3:GetObject"], resources: ["s3://my-bucket/logs/**"], max_ttl: 15m, max_depth: 2}}]
    may_delegate: [{{from: ["spiffe://example.org/agent/*"], to: ["spiffe://example.org/agent/*"]}}]
"#
        )
    };
    let policy = format!(
        r#"
namespace: logs
clients:
{}{}
routes:
  - hosts: [logs.internal]
    audience: mesh
    rules:
      - {{method: GET, path: "/{{bucket}}/{{*key}}", action: "s3:GetObject", resource: "s3://{{bucket}}/{{key}}"}}
      - {{method: GET, path: "/healthz", action: none}}
"#,
        client("one"),
        client("two")
    );
    Setup::bare().write("policies/logs.yaml", &policy)
}

/// One client, on a connection.
#[derive(Clone)]
pub(crate) struct Caller {
    channel: Channel,
    authorization: String,
}

/// A stream of operations.
pub(crate) struct Batch {
    up: Option<mpsc::Sender<BatchRequest>>,
    down: Streaming<BatchResponse>,
}

impl Caller {
    /// The client `name` of [`delegating`].
    pub(crate) async fn of(writ: &Writ, name: &str) -> Self {
        Self::with(writ, name, &format!("secret-of-{name}")).await
    }

    pub(crate) async fn with(writ: &Writ, name: &str, secret: &str) -> Self {
        Self { channel: writ.grpc_channel().await, authorization: basic(name, secret) }
    }

    pub(crate) fn client(&self) -> TasksClient<Channel> {
        TasksClient::new(self.channel.clone())
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse().unwrap());
        request
    }

    pub(crate) async fn start(&self, request: StartTaskRequest) -> Result<StartTaskResponse, Status> {
        Ok(self.client().start(self.request(request)).await?.into_inner())
    }

    /// Starts a task for May's logs: its id and its token.
    pub(crate) async fn started(&self) -> (String, String) {
        let started = self.start(may()).await.unwrap();
        (started.task.unwrap().id, started.token.unwrap().access_token)
    }

    pub(crate) async fn batch(&self) -> Result<Batch, Status> {
        let (up, requests) = mpsc::channel(1);
        let request = self.request(ReceiverStream::new(requests));
        let down = timeout(PATIENCE, self.client().batch(request)).await.expect("no response")?;
        Ok(Batch { up: Some(up), down: down.into_inner() })
    }
}

/// A task for May's logs, of an agent.
pub(crate) fn may() -> StartTaskRequest {
    StartTaskRequest {
        grants: format!("[{MAY}]"),
        agent: Some("spiffe://example.org/agent/janitor-1".to_owned()),
        ..StartTaskRequest::default()
    }
}

/// Its gRPC code, and the stable one.
pub(crate) fn codes(status: &Status) -> (Code, String) {
    let code = status.metadata().get("writ-code").map(|code| code.to_str().unwrap().to_owned());
    (status.code(), code.unwrap_or_default())
}

impl Batch {
    /// Asks, if the server still hears.
    pub(crate) async fn ask(&self, id: u64, operation: Operation) {
        let request = BatchRequest { id, operation: Some(operation) };
        self.send(request).await;
    }

    pub(crate) async fn send(&self, request: BatchRequest) {
        let up = self.up.as_ref().expect("this side is open");
        let _ = timeout(PATIENCE, up.send(request)).await.expect("nobody reads");
    }

    /// What can be sent without waiting, from another task.
    pub(crate) fn sender(&self) -> mpsc::Sender<BatchRequest> {
        self.up.clone().expect("this side is open")
    }

    /// Ends this side.
    pub(crate) fn finish(&mut self) {
        self.up = None;
    }

    /// The next answer, or how the stream ended.
    pub(crate) async fn next(&mut self) -> Result<Option<(u64, Outcome)>, Status> {
        let answer = timeout(PATIENCE, self.down.message()).await.expect("nothing comes")?;
        Ok(answer.map(|BatchResponse { id, result }| (id, result.unwrap())))
    }

    /// How the server ends it, whatever is answered before.
    pub(crate) async fn ended(&mut self) -> Result<(), Status> {
        while self.next().await?.is_some() {}
        Ok(())
    }
}

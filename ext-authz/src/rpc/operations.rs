//! What can be asked for, by call and in a batch.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use proto::v1::tasks::{
    BatchResponse, CompleteTaskRequest, CompleteTaskResponse, ExchangeTokenRequest, ExchangeTokenResponse,
    GetTaskRequest, GetTaskResponse, IssueTokenRequest, IssueTokenResponse, ListTasksRequest,
    ListTasksResponse, RevokeTokenRequest, RevokeTokenResponse, StartTaskRequest, StartTaskResponse,
    batch_request::Operation, batch_response::Result as Outcome,
};

use super::{refusal::Refusal, wire};
use crate::{
    clients::AuthenticatedClient,
    server::Api,
    state::Current,
    tasks::service::{Completed, Page},
    telemetry::metrics,
};

/// A method with one answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    Start,
    Get,
    List,
    Complete,
    IssueToken,
    Exchange,
    Revoke,
}

/// What one client may have done.
#[derive(Clone, Debug)]
pub(super) struct Operations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    api: Api,
    client: AuthenticatedClient,
}

impl Method {
    /// The method that a path names.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path.rsplit('/').next()? {
            "Start" => Some(Self::Start),
            "Get" => Some(Self::Get),
            "List" => Some(Self::List),
            "Complete" => Some(Self::Complete),
            "IssueToken" => Some(Self::IssueToken),
            "Exchange" => Some(Self::Exchange),
            "Revoke" => Some(Self::Revoke),
            _ => None,
        }
    }
}

impl Operations {
    pub(super) fn new(api: Api, client: AuthenticatedClient) -> Self {
        Self(Arc::new(Shared { api, client }))
    }

    /// The same for another client, or for this one as another policy has it.
    pub(super) fn of(&self, client: AuthenticatedClient) -> Self {
        Self::new(self.0.api.clone(), client)
    }

    pub(super) fn client(&self) -> &AuthenticatedClient {
        &self.0.client
    }

    pub(super) fn current(&self) -> &Current {
        &self.0.api.current
    }

    /// Does what a call's message says; its answer's message.
    pub(super) async fn call(&self, method: Method, message: Bytes) -> Result<Bytes, Refusal> {
        match method {
            Method::Start => Ok(encode(&self.start(decode(message)?).await?)),
            Method::Get => Ok(encode(&self.get(decode(message)?).await?)),
            Method::List => Ok(encode(&self.list(decode(message)?).await?)),
            Method::Complete => Ok(encode(&self.complete(decode(message)?).await?)),
            Method::IssueToken => Ok(encode(&self.issue(decode(message)?).await?)),
            Method::Exchange => Ok(encode(&self.exchange(decode(message)?).await?)),
            Method::Revoke => Ok(encode(&self.revoke(decode(message)?).await?)),
        }
    }

    /// Does one operation of a batch.
    pub(super) async fn perform(&self, id: u64, operation: Option<Operation>) -> BatchResponse {
        let done = match operation {
            Some(Operation::Issue(request)) => self.issue(request).await.map(Outcome::Issue),
            Some(Operation::Start(request)) => self.start(request).await.map(Outcome::Start),
            Some(Operation::Complete(request)) => self.complete(request).await.map(Outcome::Complete),
            Some(Operation::Exchange(request)) => self.exchange(request).await.map(Outcome::Exchange),
            Some(Operation::Revoke(request)) => self.revoke(request).await.map(Outcome::Revoke),
            None => Err(Refusal::unimplemented("no operation that this server knows")),
        };
        let result = done.unwrap_or_else(|refusal| Outcome::Failure(refusal.into()));
        BatchResponse { id, result: Some(result) }
    }
}

fn decode<M: Message + Default>(message: Bytes) -> Result<M, Refusal> {
    Ok(M::decode(message)?)
}

fn encode(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

impl Operations {
    async fn start(&self, request: StartTaskRequest) -> Result<StartTaskResponse, Refusal> {
        let started = self.0.api.tasks.start(&self.0.client, wire::start(request)?).await?;
        Ok(wire::started(started))
    }

    async fn get(&self, GetTaskRequest { task }: GetTaskRequest) -> Result<GetTaskResponse, Refusal> {
        let task = self.0.api.tasks.task(Some(self.0.client.name()), &task).await?;
        Ok(GetTaskResponse { task: Some(wire::task(task)) })
    }

    async fn list(&self, request: ListTasksRequest) -> Result<ListTasksResponse, Refusal> {
        let Page { tasks, next } =
            self.0.api.tasks.list(Some(self.0.client.name()), wire::list(request)?).await?;
        Ok(ListTasksResponse { tasks: tasks.into_iter().map(wire::task).collect(), next })
    }

    async fn complete(
        &self,
        CompleteTaskRequest { task }: CompleteTaskRequest,
    ) -> Result<CompleteTaskResponse, Refusal> {
        let Completed { task, changed, cascaded } = self.0.api.tasks.complete(&self.0.client, &task).await?;
        Ok(CompleteTaskResponse { task: Some(wire::task(task)), changed, cascaded })
    }

    async fn issue(&self, request: IssueTokenRequest) -> Result<IssueTokenResponse, Refusal> {
        let (task, request) = wire::issue(request)?;
        let token = self.0.api.tasks.issue(&self.0.client, &task, request).await?;
        Ok(IssueTokenResponse { token: Some(wire::token(token)) })
    }

    async fn exchange(&self, request: ExchangeTokenRequest) -> Result<ExchangeTokenResponse, Refusal> {
        let token = self.0.api.tasks.exchange(&self.0.client, wire::exchange(request)?).await?;
        Ok(ExchangeTokenResponse { token: Some(wire::token(token)) })
    }

    async fn revoke(&self, request: RevokeTokenRequest) -> Result<RevokeTokenResponse, Refusal> {
        if !self.0.api.tasks.revoke_token(&self.0.client, &request.token).await? {
            metrics::foreign_token_left_alone();
        }
        Ok(RevokeTokenResponse {})
    }
}

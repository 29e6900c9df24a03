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

use super::refusal::Refusal;
use crate::{clients::AuthenticatedClient, server::Api, state::Current};

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
    async fn start(&self, _: StartTaskRequest) -> Result<StartTaskResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn get(&self, _: GetTaskRequest) -> Result<GetTaskResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn list(&self, _: ListTasksRequest) -> Result<ListTasksResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn complete(&self, _: CompleteTaskRequest) -> Result<CompleteTaskResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn issue(&self, _: IssueTokenRequest) -> Result<IssueTokenResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn exchange(&self, _: ExchangeTokenRequest) -> Result<ExchangeTokenResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
    async fn revoke(&self, _: RevokeTokenRequest) -> Result<RevokeTokenResponse, Refusal> {
        Err(Refusal::unimplemented("not yet"))
    }
}

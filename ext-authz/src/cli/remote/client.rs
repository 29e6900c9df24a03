//! One request to a server, and its answer.

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::{runtime, time::timeout};

use super::{
    Address,
    transport::{Place, TransportError, connect, innermost},
};

/// An answer takes milliseconds; a server that is slower than this is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// What requests over a socket are addressed to; nobody looks it up.
const SOCKET_HOST: &str = "http://writ";

/// Asks one server.
pub(in crate::cli) struct Client {
    place: Place,
}

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) method: Method,
    /// With its query.
    pub(super) path: &'q str,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) body: Option<Content>,
}

/// What is sent along.
pub(super) struct Content {
    pub(super) media_type: &'static str,
    pub(super) text: String,
}

/// What a server said.
#[derive(Debug)]
pub(in crate::cli) struct Answer {
    pub(in crate::cli) status: StatusCode,
    pub(in crate::cli) body: Bytes,
}

/// Why there is no answer that can be used.
#[derive(Debug, Error)]
pub(in crate::cli) enum RemoteError {
    #[error("cannot start: {0}")]
    Start(std::io::Error),
    #[error(transparent)]
    Transport(TransportError),
    #[error("{address}: no server answers: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("{address}: no answer within {} s", PATIENCE.as_secs())]
    Slow { address: String },
    #[error("{address}{path}: {reason}")]
    Unreadable { address: String, path: String, reason: String },
}

impl Client {
    pub(in crate::cli) fn new(address: Address) -> Self {
        Self { place: Place::Url(address) }
    }

    pub(in crate::cli) fn of_socket(path: PathBuf) -> Self {
        Self { place: Place::Socket(path) }
    }

    /// Where it is, for people.
    pub(in crate::cli) fn address(&self) -> String {
        match &self.place {
            Place::Url(address) => address.to_string(),
            Place::Socket(path) => path.display().to_string(),
        }
    }

    /// The JSON at `path`.
    pub(in crate::cli) fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, RemoteError> {
        let question = Question { method: Method::GET, path, authorization: None, body: None };
        let answer = self.ask(question)?;
        if answer.status != StatusCode::OK {
            return Err(self.unreadable(path, format!("answered {}", answer.status)));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| self.unreadable(path, format!("not what this version reads: {error}")))
    }

    /// The answer to a form, sent with these credentials.
    pub(in crate::cli) fn post_form(
        &self,
        path: &str,
        authorization: HeaderValue,
        form: String,
    ) -> Result<Answer, RemoteError> {
        let content = Content { media_type: "application/x-www-form-urlencoded", text: form };
        self.ask(Question {
            method: Method::POST,
            path,
            authorization: Some(authorization),
            body: Some(content),
        })
    }

    /// Asks, whatever the answer.
    pub(super) fn ask(&self, question: Question<'_>) -> Result<Answer, RemoteError> {
        let path = question.path.to_owned();
        let (uri, request) = self.request(question)?;
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(RemoteError::Start)?;
        let answer = runtime.block_on(async { timeout(PATIENCE, self.exchange(&uri, &path, request)).await });
        answer.map_err(|_| RemoteError::Slow { address: self.address() })?
    }

    fn request(&self, question: Question<'_>) -> Result<(Uri, Request<Full<Bytes>>), RemoteError> {
        let Question { method, path, authorization, body } = question;
        let uri = match &self.place {
            Place::Url(address) => address.join(path),
            Place::Socket(_) => format!("{SOCKET_HOST}{path}").parse(),
        };
        let uri = uri.map_err(|error| self.unreadable(path, error.to_string()))?;
        let unreadable = |error: http::Error| self.unreadable(path, error.to_string());
        let host = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        // A server of its own is asked by path alone (RFC 9112 section 3.2.1).
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, host)
            .header(header::ACCEPT, "application/json");
        if let Some(mut authorization) = authorization {
            authorization.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let text = match body {
            Some(Content { media_type, text }) => {
                request = request.header(header::CONTENT_TYPE, media_type);
                text
            }
            None => String::new(),
        };
        let request = request.body(Full::new(text.into())).map_err(unreadable)?;
        Ok((uri, request))
    }

    async fn exchange(
        &self,
        uri: &Uri,
        path: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, RemoteError> {
        let unreachable = |reason| RemoteError::Unreachable { address: self.address(), reason };
        let stream = connect(&self.place, uri).await.map_err(|error| match error {
            TransportError::Unreachable(reason) => unreachable(reason),
            error => RemoteError::Transport(error),
        })?;
        let connected = http1::handshake(stream).await;
        let (mut sender, connection) = connected.map_err(|error| unreachable(innermost(&error)))?;
        // It ends with the runtime; how is no matter once the answer is here.
        tokio::spawn(connection);
        let response = sender.send_request(request).await.map_err(|error| unreachable(innermost(&error)))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body = body.map_err(|error| self.unreadable(path, error.to_string()))?.to_bytes();
        Ok(Answer { status: head.status, body })
    }

    fn unreadable(&self, path: &str, reason: String) -> RemoteError {
        RemoteError::Unreadable { address: self.address(), path: path.to_owned(), reason }
    }
}

//! One request to a server, and its answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, Error as PoolError, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::{runtime, time::timeout};

use super::Address;

/// An answer takes milliseconds; a server that is slower than this is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Asks one server.
pub(in crate::cli) struct Client {
    address: Address,
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
    #[error("cannot tell whom to trust: {0}")]
    Trust(std::io::Error),
    #[error("cannot use TLS: {0}")]
    Tls(rustls::Error),
    #[error("{address}: no server answers: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("{address}: no answer within {} s", PATIENCE.as_secs())]
    Slow { address: String },
    #[error("{address}{path}: {reason}")]
    Unreadable { address: String, path: String, reason: String },
}

impl Client {
    pub(in crate::cli) fn new(address: Address) -> Self {
        Self { address }
    }

    pub(in crate::cli) fn address(&self) -> &Address {
        &self.address
    }

    /// The JSON at `path`.
    pub(in crate::cli) fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, RemoteError> {
        let answer = self.exchange(self.request(Method::GET, path, Bytes::new())?)?;
        if answer.status != StatusCode::OK {
            return Err(self.unreadable(path, format!("answered {}", answer.status)));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| self.unreadable(path, format!("not what this version reads: {error}")))
    }

    /// The answer to a form, sent with these credentials.
    pub(in crate::cli) fn post(
        &self,
        path: &str,
        mut authorization: HeaderValue,
        form: String,
    ) -> Result<Answer, RemoteError> {
        let mut request = self.request(Method::POST, path, form.into())?;
        authorization.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, authorization);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        self.exchange(request)
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, RemoteError> {
        let uri = self.address.join(path).map_err(|error| self.unreadable(path, error.to_string()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, RemoteError> {
        let runtime =
            runtime::Builder::new_current_thread().enable_all().build().map_err(RemoteError::Start)?;
        let path = request.uri().path().to_owned();
        let address = || self.address.to_string();
        let answer = async {
            let pool = Pool::builder(TokioExecutor::new()).build(connector(request.uri())?);
            let response = pool.request(request).await.map_err(|error| RemoteError::Unreachable {
                address: address(),
                reason: innermost(&error),
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY).collect().await;
            let body = body.map_err(|error| self.unreadable(&path, error.to_string()))?.to_bytes();
            Ok(Answer { status: head.status, body })
        };
        let answer = runtime.block_on(async { timeout(PATIENCE, answer).await });
        answer.map_err(|_| RemoteError::Slow { address: address() })?
    }

    fn unreadable(&self, path: &str, reason: String) -> RemoteError {
        RemoteError::Unreadable { address: self.address.to_string(), path: path.to_owned(), reason }
    }
}

/// Without TLS nobody's certificates are read: a container that has none can still ask the server beside it.
fn connector(uri: &Uri) -> Result<HttpsConnector<HttpConnector>, RemoteError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if uri.scheme_str() == Some("https") {
        builder.with_provider_and_native_roots(provider).map_err(RemoteError::Trust)?.https_only()
    } else {
        let versions =
            ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
        let nobody = versions.map_err(RemoteError::Tls)?.with_root_certificates(RootCertStore::empty());
        builder.with_tls_config(nobody.with_no_client_auth()).https_or_http()
    };
    Ok(builder.enable_http1().build())
}

/// What the operating system or TLS said, without the library's words around it.
fn innermost(error: &PoolError) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

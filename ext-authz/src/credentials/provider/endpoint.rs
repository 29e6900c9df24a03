//! One question to a token endpoint, and its answer (RFC 6749 section 5).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use serde::Deserialize;
use thiserror::Error;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use super::Provided;
use crate::{
    credentials::Secret,
    outgoing::{self, connector, innermost},
};

/// Longest answer, bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Life of a token where the answer does not say.
const UNSAID: u64 = 60;
/// Errors of RFC 6749 section 5.2 and RFC 8693 section 2.2.2. Others may be anything, and are not repeated.
const KNOWN_ERRORS: &[&str] = &[
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) url: &'q str,
    /// Of the client that asks.
    pub(super) authorization: Option<HeaderValue>,
    /// A form.
    pub(super) body: Secret,
}

/// What a token endpoint did instead of giving a token. Nothing of what it said is repeated.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// Its URL cannot be asked.
    #[error("is no URL that can be asked")]
    Url,
    /// Whom to trust is not known.
    #[error("cannot be trusted: {0}")]
    Trust(outgoing::ConnectorError),
    /// What the operating system or TLS said.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It wants to be asked elsewhere. Secrets go nowhere that the policy does not name.
    #[error("answered {0}, a redirect, which is not followed")]
    Redirect(u16),
    /// It refuses.
    #[error("answered {status}{}", error.map(|error| format!(" `{error}`")).unwrap_or_default())]
    Refused {
        /// The status.
        status: u16,
        /// The error, if it is a known one.
        error: Option<&'static str>,
    },
    /// Its answer broke off, or never ends.
    #[error("gave no whole answer of at most {MAX_ANSWER} bytes")]
    Unreadable,
    /// Its answer is no token.
    #[error("gave an answer that is no token: {0}")]
    Nonsense(&'static str),
}

/// RFC 6749 section 2.3.1: both are form-encoded first.
pub(super) fn basic(id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = Zeroizing::new(format!("{}:{}", encode(id), &*Zeroizing::new(encode(secret))));
    let value = Zeroizing::new(format!("Basic {}", &*Zeroizing::new(STANDARD.encode(&*pair))));
    // Base64 is visible ASCII.
    let mut value = HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// Asks once, over a connection of its own.
pub(super) async fn ask(question: Question<'_>) -> Result<Provided, EndpointError> {
    let Question { url, authorization, body } = question;
    let uri: Uri = url.parse().map_err(|_| EndpointError::Url)?;
    let unreachable =
        |error: &(dyn std::error::Error + 'static)| EndpointError::Unreachable(innermost(error));
    let stream = connector(&uri).map_err(EndpointError::Trust)?.oneshot(uri.clone()).await;
    let stream = stream.map_err(|error| unreachable(&*error))?;
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|error| unreachable(&error))?;
    // It ends with the exchange.
    let connection = Abort(tokio::spawn(connection).abort_handle());
    let request = request(&uri, authorization, &body).ok_or(EndpointError::Url)?;
    let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
    let (head, answer) = response.into_parts();
    if head.status.is_redirection() {
        return Err(EndpointError::Redirect(head.status.as_u16()));
    }
    let answer = Limited::new(answer, MAX_ANSWER).collect().await.map_err(|_| EndpointError::Unreadable)?;
    drop(connection);
    let answer = Secret::new(answer.to_bytes().into());
    if head.status != StatusCode::OK {
        return Err(EndpointError::Refused { status: head.status.as_u16(), error: known_error(&answer) });
    }
    read(&answer)
}

/// Ends the task of a connection with whoever asked.
struct Abort(tokio::task::AbortHandle);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(uri: &Uri, authorization: Option<HeaderValue>, body: &Secret) -> Option<Request<Full<Bytes>>> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, uri.authority()?.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(value) = authorization {
        request = request.header(header::AUTHORIZATION, value);
    }
    request.body(Full::new(Bytes::copy_from_slice(body.expose()))).ok()
}

fn known_error(answer: &Secret) -> Option<&'static str> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }

    let Refusal { error } = serde_json::from_slice(answer.expose()).ok()?;
    KNOWN_ERRORS.iter().copied().find(|known| *known == error)
}

/// Members that are not listed say nothing here: endpoints may add some (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

/// Errors of the JSON library quote what they are about, so they are not shown.
fn read(answer: &Secret) -> Result<Provided, EndpointError> {
    let nonsense = EndpointError::Nonsense;
    let answer: Answer = serde_json::from_slice(answer.expose())
        .map_err(|_| nonsense("no JSON with `access_token`, `token_type` and whole `expires_in`"))?;
    let Answer { access_token, token_type, expires_in } = answer;
    // RFC 8693 section 2.2.1 has `N_A` for what is no access token.
    if !["bearer", "n_a"].iter().any(|kind| token_type.eq_ignore_ascii_case(kind)) {
        return Err(nonsense("its `token_type` is not `Bearer`"));
    }
    let seconds = expires_in.unwrap_or(UNSAID);
    if seconds == 0 {
        return Err(nonsense("it has expired already"));
    }
    let secret = Secret::new(access_token.into_bytes());
    Ok(Provided { secret, lifetime: Some(Duration::from_secs(seconds)) })
}

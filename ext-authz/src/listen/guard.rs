//! The bounds of one request.

use std::{convert::Infallible, sync::Arc};

use axum::{Router, body::Body, response::IntoResponse as _};
use http::{Request, Response, StatusCode, header};
use http_body_util::Limited;
use hyper::body::Incoming;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until, timeout_at},
};
use tonic::Status;
use tower::ServiceExt as _;

use super::{activity::Activity, guarded_body::GuardedBody};
use crate::{config::Limits, telemetry::metrics};

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// gRPC over HTTP/2 with prior knowledge.
    Grpc,
}

/// Why a request does not reach its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Overloaded,
    TooLarge,
    TimedOut,
}

/// What all requests of one listener share.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) limits: Limits,
    pub(super) router: Router,
    pub(super) places: Arc<Semaphore>,
}

impl Guard {
    /// Answers one request within its bounds.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
        activity: Activity,
    ) -> Result<Response<Body>, Infallible> {
        let in_progress = activity.begin();
        let end = Instant::now() + self.limits.request_timeout;
        let response = match Arc::clone(&self.places).try_acquire_owned() {
            Err(_) => self.refuse(Refusal::Overloaded),
            Ok(_) if self.is_too_large(&request) => self.refuse(Refusal::TooLarge),
            Ok(place) => {
                let request = request.map(|body| Body::new(Limited::new(body, self.body_bytes())));
                match timeout_at(end, self.router.clone().oneshot(request)).await {
                    Err(_) => self.refuse(Refusal::TimedOut),
                    Ok(Ok(response)) => response.map(|body| {
                        Body::new(GuardedBody::new(body, sleep_until(end), (place, in_progress)))
                    }),
                    Ok(Err(never)) => match never {},
                }
            }
        };
        metrics::request_answered(self.name, response.status());
        Ok(response)
    }

    fn body_bytes(&self) -> usize {
        match self.protocol {
            Protocol::Http => self.limits.body_bytes,
            // Each message has a prefix of five bytes (gRPC over HTTP/2, Length-Prefixed-Message).
            Protocol::Grpc => self.limits.message_bytes + 5,
        }
    }

    /// A body that says it is too large is refused before it is read.
    fn is_too_large(&self, request: &Request<Incoming>) -> bool {
        let length = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        length.is_some_and(|length: usize| length > self.body_bytes())
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let (status, code, message) = match refusal {
            Refusal::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, tonic::Code::Unavailable, "too many requests in progress")
            }
            Refusal::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, tonic::Code::ResourceExhausted, "the body is too large")
            }
            Refusal::TimedOut => {
                (StatusCode::REQUEST_TIMEOUT, tonic::Code::DeadlineExceeded, "the request took too long")
            }
        };
        tracing::debug!(listener = self.name, message, "refused a request");
        match self.protocol {
            // The rest of the request may still be on its way: the connection cannot be used again.
            Protocol::Http => (status, [(header::CONNECTION, "close")], message).into_response(),
            Protocol::Grpc => Status::new(code, message).into_http(),
        }
    }
}

//! The bounds of one request.

use std::convert::Infallible;

use axum::{Router, body::Body, response::IntoResponse as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Limited;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::Status;
use tower::ServiceExt as _;

use super::{
    activity::InProgress,
    feed_body::FeedBody,
    guarded_body::GuardedBody,
    places::{Admission, Places},
    seats::Seat,
};
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
    TimedOut,
}

/// What all requests of one listener share.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) limits: Limits,
    pub(super) router: Router,
    pub(super) places: Places,
}

impl Guard {
    /// Answers one request within its bounds.
    pub(super) async fn answer(
        self,
        mut request: Request<Incoming>,
        admission: Admission,
        seat: Seat,
        mut in_progress: InProgress,
    ) -> Result<Response<Body>, Infallible> {
        let place = match admission {
            Admission::Placed(place) => Some(place),
            Admission::Full => None,
            Admission::Claimed(place, claim) => {
                let place = claim.settle(&mut request, place, &seat).await;
                if place.as_ref().is_some_and(|place| place.end.is_none()) {
                    in_progress = in_progress.into_stream();
                }
                place
            }
        };
        let response = match place {
            None => self.refuse(Refusal::Overloaded),
            Some(place) => {
                let request = if place.end.is_some() { self.bound(request) } else { request.map(Body::new) };
                let end = place.end.unwrap_or_else(|| Instant::now() + self.limits.request_timeout);
                match timeout_at(end, self.router.clone().oneshot(request)).await {
                    Err(_) => self.refuse(Refusal::TimedOut),
                    Ok(Ok(response)) => response.map(|body| match place.end {
                        Some(_) => Body::new(GuardedBody::new(body, sleep_until(end), (place, in_progress))),
                        None => Body::new(FeedBody::new(body, place, in_progress)),
                    }),
                    Ok(Err(never)) => match never {},
                }
            }
        };
        metrics::request_answered(self.name, response.status());
        Ok(self.close_after_refusal(response))
    }

    fn body_bytes(&self) -> usize {
        match self.protocol {
            Protocol::Http => self.limits.body_bytes,
            // Each message has a prefix of five bytes (gRPC over HTTP/2, Length-Prefixed-Message).
            Protocol::Grpc => self.limits.message_bytes + 5,
        }
    }

    /// A body that ends with an error where it becomes too large; streams bound each message instead. One that says so beforehand is not read at all.
    fn bound(&self, request: Request<Incoming>) -> Request<Body> {
        let most = self.body_bytes();
        let length = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > most) {
            return request.map(|_| Body::new(Limited::new(Body::from("too large"), 0)));
        }
        request.map(|body| Body::new(Limited::new(body, most)))
    }

    fn refuse(&self, refusal: Refusal) -> Response<Body> {
        let (status, code, message) = match refusal {
            Refusal::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, tonic::Code::Unavailable, "too many requests in progress")
            }
            Refusal::TimedOut => {
                (StatusCode::REQUEST_TIMEOUT, tonic::Code::DeadlineExceeded, "the request took too long")
            }
        };
        tracing::debug!(listener = self.name, message, "refused a request");
        match self.protocol {
            Protocol::Http => (status, message).into_response(),
            Protocol::Grpc => Status::new(code, message).into_http(),
        }
    }

    /// After some refusals the rest of the request may still be on its way: the connection cannot be used again.
    fn close_after_refusal(&self, mut response: Response<Body>) -> Response<Body> {
        let is_unread = matches!(
            response.status(),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE
        );
        if is_unread && self.protocol == Protocol::Http {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

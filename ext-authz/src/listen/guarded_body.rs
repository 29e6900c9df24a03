//! Response bodies that hold their request's places until they end, and end in time.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use thiserror::Error;
use tokio::time::Sleep;

use super::{activity::InProgress, places::Place};

pin_project! {
    /// A response body within bounds.
    pub(super) struct GuardedBody {
        #[pin]
        body: Body,
        #[pin]
        end: Sleep,
        places: (Place, InProgress),
    }
}

impl GuardedBody {
    pub(super) fn new(body: Body, end: Sleep, places: (Place, InProgress)) -> Self {
        Self { body, end, places }
    }
}

/// A response that did not end in time.
#[derive(Debug, Error)]
pub(super) enum BodyError {
    #[error("the response did not end in time")]
    TimedOut,
    #[error(transparent)]
    Body(#[from] axum::Error),
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Body)));
        }
        this.end.poll(context).map(|()| Some(Err(BodyError::TimedOut)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

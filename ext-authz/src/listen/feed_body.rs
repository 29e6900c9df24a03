//! Response bodies of the feed: they have no end, but somebody has to read them.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::Frame;
use pin_project_lite::pin_project;

use super::{activity::InProgress, places::Place};

pin_project! {
    /// A response body that keeps count of whether it is being read.
    pub(super) struct FeedBody {
        #[pin]
        body: Body,
        place: Place,
        in_progress: InProgress,
    }
}

impl FeedBody {
    pub(super) fn new(body: Body, place: Place, in_progress: InProgress) -> Self {
        Self { body, place, in_progress }
    }
}

impl http_body::Body for FeedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        let polled = this.body.poll_frame(context);
        // Until the reader takes what there is, nobody asks for more.
        this.in_progress.is_waiting_for_its_reader(polled.is_ready());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

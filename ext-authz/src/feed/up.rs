//! Messages from a watcher, one at a time.

use axum::body::Body;
use bytes::{Buf as _, BytesMut};
use http_body_util::BodyExt as _;
use prost::Message as _;
use tonic::Status;

use super::wire::WatchRequest;

/// Compressed-Flag and Message-Length (gRPC over HTTP/2, Length-Prefixed-Message).
const PREFIX: usize = 5;

/// The request's body. It holds no more than one message and what came in one frame with it.
pub(super) struct Up {
    body: Body,
    pending: BytesMut,
    message_bytes: usize,
}

impl Up {
    /// Messages of at most `message_bytes`; larger ones are an error before they are read.
    pub(super) fn new(body: Body, message_bytes: usize) -> Self {
        Self { body, pending: BytesMut::new(), message_bytes }
    }

    /// The next message; `None` after the last. Nothing is lost where the future is dropped before it is ready.
    pub(super) async fn message(&mut self) -> Result<Option<WatchRequest>, Status> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    // Trailers say nothing in requests.
                    if let Ok(data) = frame.into_data() {
                        self.pending.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(Status::cancelled(error.to_string())),
                None if self.pending.is_empty() => return Ok(None),
                None => return Err(Status::internal("the stream ended within a message")),
            }
        }
    }

    fn take(&mut self) -> Result<Option<WatchRequest>, Status> {
        let Some(prefix) = self.pending.first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let [compressed, length @ ..] = *prefix;
        if compressed != 0 {
            return Err(Status::unimplemented("messages are not compressed here"));
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > self.message_bytes {
            let most = self.message_bytes;
            return Err(Status::resource_exhausted(format!("a message has at most {most} bytes")));
        }
        if self.pending.len() < PREFIX + length {
            return Ok(None);
        }
        self.pending.advance(PREFIX);
        let message = self.pending.split_to(length).freeze();
        if self.pending.is_empty() {
            // A watcher that says little must not hold a buffer that was large once.
            self.pending = BytesMut::new();
        }
        WatchRequest::decode(message)
            .map(Some)
            .map_err(|error| Status::invalid_argument(format!("no WatchRequest: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use proto::v1::{self, Ack};
    use tonic::Code;

    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[0], &length.to_be_bytes()[..], message].concat()
    }

    async fn read(bytes: Vec<u8>, chunk: usize) -> Result<usize, Code> {
        let chunks: Vec<_> = bytes.chunks(chunk).map(|chunk| Ok::<_, Status>(chunk.to_vec())).collect();
        let mut up = Up::new(Body::from_stream(tokio_stream::iter(chunks)), 64);
        let mut count = 0;
        while up.message().await.map_err(|status| status.code())?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    #[tokio::test]
    async fn messages_are_found_however_they_are_cut() {
        let ack = v1::watch_request::Message::Ack(Ack { version: Some(v1::Version::default()) });
        let message = framed(&v1::WatchRequest { message: Some(ack) }.encode_to_vec());
        let two = [&message[..], &message].concat();
        for chunk in 1..=two.len() {
            assert_eq!(read(two.clone(), chunk).await, Ok(2));
            assert_eq!(read(two[..two.len() - 1].to_vec(), chunk).await, Err(Code::Internal));
        }
        assert_eq!(read(Vec::new(), 1).await, Ok(0));
        assert_eq!(read(framed(b""), 1).await, Ok(1));
    }

    #[tokio::test]
    async fn what_is_too_large_or_no_message_ends_the_stream() {
        assert_eq!(read([&[0][..], &65_u32.to_be_bytes()].concat(), 9).await, Err(Code::ResourceExhausted));
        assert_eq!(read(vec![0, 255, 255, 255, 255], 9).await, Err(Code::ResourceExhausted));
        assert_eq!(read(vec![1, 0, 0, 0, 0], 9).await, Err(Code::Unimplemented));
        assert_eq!(read(framed(b"\xff"), 9).await, Err(Code::InvalidArgument));
    }
}
